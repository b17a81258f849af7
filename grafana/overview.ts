/** Overview: am I mining as usual, what did I earn, is something wrong? */
import { DashboardLinkBuilder, type Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';

import { FIRING, needsAttention, RULES } from './alerts.ts';
import { BAD, GOOD, WARNING } from './colours.ts';
import { ACCOUNT_LINK, accounts, currencies, dashboard, failedReloads, finish, linkTo, reloads } from './dashboard.ts';
import {
  currencyGraph, DUE, EXPORTER_UP, faults, gauges, judged, named, number, OF_EXPECTED, OF_USUAL, perDay, REJECTED, repeated, state, textSize, thresholds, unknown,
  wide, withCourse, withCurrencyStyles, words,
} from './panels.ts';
import {
  ACCOUNT, age, byCurrency, CURRENCY, exporterUp, HASHRATE, hashrateOfUsual, luck, mine, now, once, over, POLL, recorded, rejectedRatio, select,
} from './queries.ts';
import { grid } from './tables.ts';

const up = once('account', select('minergate_up', ACCOUNT));
const mining = recorded('account:minergate_mined_currencies:count', ACCOUNT);
const toPayout = `86400 * ${mine('minergate_payout_threshold_days:estimate')}`;
const link = [{ id: 'links', value: [ACCOUNT_LINK] }];

function nowRow() {
  const count = (expression: string) => `(count(${expression}) or 0 * count(${up}))`;
  const shown = (label: string, expression: string) => `on () group_left (${label}) count_values("${label}", ${expression})`;
  const ofAll = `${count(`${mining} and on (account) ${up}`)} / count(${up})`;
  const tiles = [
    state('Exporter', 'Whether Prometheus reaches the exporter: the worst of its targets.', [...EXPORTER_UP, unknown('✗ unknown')]).span(3)
      .withTarget(now(exporterUp(), 'up')).dataLinks([linkTo('exporter', 'Exporter')]),
    judged(named(
      'Accounts mining', 'How many accounts have a hashrate, and how many are polled.',
      `(${ofAll}) * ${shown('mining', count(`${mining} and on (account) ${up}`))} * ${shown('all', `count(${up})`)}`,
      '{{mining}}\u00a0of\u00a0{{all}}', '✗\u00a0unknown',
    ), thresholds([0, BAD], [0.9, WARNING], [1, GOOD])).mappings(words({ '-1': ['✗ unknown', BAD] })).unit('percentunit').dataLinks([linkTo('account', 'Account')]),
    withCourse(judged(number('Hashrate of the usual', 'Average over the currencies of what is there of the usual hashrate, the median of the last 7 days. '
      + 'It takes a day until anything is usual.', 'percentunit'), OF_USUAL), `avg(${hashrateOfUsual()})`, POLL.pool).decimals(0).dataLinks([linkTo('account', 'Account')]),
    gauges('Mined in 24 h of the expected', 'Coins of the last day, of those that the hashrate should have brought after the pool\'s fee: the five '
      + 'currencies with the least. Pools that do not count what was mined are not here.', 'percentunit').span(6).max(1.5).decimals(0)
      .thresholds(OF_EXPECTED).noValue('unknown')
      // Room for names is that of the one with the most letters, which is not always the widest; spaces count there, and are not drawn.
      .withTarget(now(`bottomk(5, ${luck()})`, '{{currency}}  ')).dataLinks([linkTo('network', 'Network and profit')]),
    withCourse(judged(number('Rejected shares, 1 h', 'Stale and invalid shares among all of an hour: the currency with the most.', 'percentunit'), REJECTED),
      `max(${rejectedRatio()})`, POLL.mining).decimals(2).dataLinks([linkTo('account', 'Account')]),
    withCourse(faults('Alerts firing', 'Critical alerts and warnings, without what follows from others. They are unknown where Prometheus has no rules.').span(3),
      FIRING, POLL.pool, RULES, ['✗ no rules', BAD]).text(textSize(24))
      .dataLinks([new DashboardLinkBuilder('Alerts').url('/alerting/list')]),
  ];
  // Lower ones have no room for the course.
  return tiles.map((tile) => tile.height(5));
}

function hashrate() {
  return [
    wide(currencyGraph('Hashrate of the usual, by currency', 'What is there of the usual hashrate, the median of the last 7 days.', 'percentunit'), 'lowest').min(0).axisSoftMax(1.2)
      .withTarget(over(hashrateOfUsual(), '{{currency}}', POLL.pool)),
    wide(currencyGraph('Rejected shares, by currency', 'Stale and invalid shares among all of an hour.', 'percentunit'), 'highest').min(0).axisSoftMax(0.1)
      .withTarget(over(rejectedRatio(), '{{currency}}', POLL.mining)),
  ];
}

function absolute() {
  return [
    repeated(currencyGraph('Hashrate, $currency', 'Hashrate of all accounts.', 'Hs')).min(0)
      .withTarget(over(byCurrency(mine(HASHRATE)), '{{currency}}', POLL.workers)),
  ];
}

function earnings() {
  const withdrawals = (metric: string, ...matchers: string[]) => byCurrency(once('account, currency, status', select(metric, ACCOUNT, CURRENCY, ...matchers)));
  const last = `max by (currency) (${select('minergate_withdrawals_last_timestamp_seconds', ACCOUNT, CURRENCY)})`;
  const unconfirmed = once('account, currency', select('minergate_mining_unconfirmed_balance_coins', ACCOUNT, CURRENCY));
  const mined = `(${byCurrency(mine(HASHRATE))} or ${byCurrency(mine('minergate_mining_mined_coins:increase1d'))})`;
  const next = `bottomk(10, ${toPayout} and ${mine(HASHRATE)} > 0)`;
  const ofNext = (expression: string) => `${expression} and on (account, currency) ${next}`;
  const ofMined = (expression: string) => `${expression} and on (currency) ${mined}`;
  return [
    grid('Earnings by currency', 'Coins of all accounts, for each currency that is mined. Expected is what the hashrate of the last day should have '
      + 'brought; the estimate is what the present one should bring in a day. Both are after the pool\'s fee (constants.rules.yml). Next payout is '
      + 'the account\'s that is nearest to its threshold.', { currency: 'Currency' }, [
      { name: 'Mined, 24 h', query: byCurrency(mine('minergate_mining_mined_coins:increase1d')), unit: 'none' },
      { name: 'Expected, 24 h', query: byCurrency(mine('minergate_earnings_coins:expected1d')), unit: 'none' },
      { name: 'Luck', query: luck(), unit: 'percentunit', decimals: 0, gauge: { limits: OF_EXPECTED, max: 1.5 } },
      { name: 'Estimate a day', query: byCurrency(mine('minergate_earnings_coins_per_day:estimate')), unit: 'none' },
      { name: 'Balance', query: ofMined(byCurrency(mine('minergate_balance_coins:max'))), unit: 'none' },
      { name: 'Unconfirmed', query: ofMined(byCurrency(unconfirmed)), unit: 'none' },
      { name: 'Next payout in', query: ofMined(`min by (currency) (${toPayout})`), unit: 's', mappings: DUE },
      { name: 'Pending', query: ofMined(withdrawals('minergate_withdrawals_coins', 'status="pending"')), unit: 'none' },
      { name: 'Paid', query: ofMined(withdrawals('minergate_withdrawals_coins', 'status="finished"')), unit: 'none' },
      { name: 'Last payout', query: ofMined(age(last)), unit: 's' },
    ], { by: 'Luck' }).height(7),
    currencyGraph('Luck, by currency', 'Coins of the last day, of those that the hashrate should have brought: over 100 % is luck.', 'percentunit').span(12).min(0).axisSoftMax(1.2)
      .withTarget(over(luck(), '{{currency}}', POLL.pool)),
    grid('Next payouts', 'The ten balances that are paid out next, at the pace of the last day.', { account: 'Account', currency: 'Currency' }, [
      { name: 'In', query: next, unit: 's', mappings: DUE },
      { name: 'Balance', query: ofNext(mine('minergate_balance_coins:max')), unit: 'none' },
      { name: 'Threshold', query: ofNext(mine('minergate_payout_threshold_coins:max')), unit: 'none' },
    ], { by: 'In' }).span(12).height(7).noValue('No threshold is known').overrideByName('Account', link),
  ];
}

function minedPerDay() {
  return [
    repeated(withCurrencyStyles(perDay(
      'Mined per day, $currency', 'Coins that all accounts mined.', byCurrency(mine('minergate_mining_mined_coins:increase1d')), '{{currency}}'))),
  ];
}

/** How much is wrong with an account: the first of these that holds. */
const STATE = [
  `4 * (${once('account', select('minergate_auth_blocked', ACCOUNT))} == 1)`,
  `3 + 0 * (min by (account) (${recorded('account_currency:minergate_endpoint_up:max', ACCOUNT)}) == 0)`,
  `2 + 0 * (${up} unless on (account) ${mining})`,
  `0 * ${up} + on (account) max by (account) (ALERTS{alertname=~"Minergate.+", alertstate="firing", severity=~"critical|warning", ${ACCOUNT}})`,
  `${up} == bool 0`,
].join(' or ');

function eachAccount() {
  const worst = (aggregation: string, name: string) => `${aggregation} by (account) (${mine(name)})`;
  const mined = (metric: string) => select(metric, ACCOUNT, 'endpoint=~"workers|mining_stats"');
  const success = mined('minergate_endpoint_last_success_timestamp_seconds');
  const neverRead = `${mined('minergate_endpoint_up')} unless on (account, endpoint, currency) ${success}`;
  const read = `(min by (account) (${success}) unless on (account) (${neverRead}))`;
  return grid('Accounts', 'One line for each account, those with problems first. The hashrate is in percent of the usual. Of several currencies '
    + 'the one counts that is worst. A click on an account opens its own dashboard.', { account: 'Account' }, [
    {
      name: 'State', query: STATE, unit: 'none', first: true,
      mappings: words({
        4: ['✗ login blocked', BAD], 3: ['✗ not read', BAD], 2: ['▲ not mining', WARNING], 1: ['▲ problem', WARNING], 0: ['✓ ok', GOOD],
      }),
    },
    { name: 'Hashrate', query: worst('min', 'minergate_hashrate_hashes_per_second:ratio7d'), unit: 'percentunit', decimals: 0, gauge: { limits: OF_USUAL, max: 1.2 } },
    { name: 'Workers', query: recorded('account:minergate_workers:sum', ACCOUNT), unit: 'none' },
    { name: 'Usual workers', query: `${recorded('account:minergate_workers:median7d', ACCOUNT)} and ${recorded('account:minergate_workers:sum', ACCOUNT)}`, unit: 'none' },
    { name: 'Luck, 24 h', query: worst('min', 'minergate_earnings_coins:ratio1d'), unit: 'percentunit', decimals: 0, gauge: { limits: OF_EXPECTED, max: 1.5 } },
    { name: 'Rejected, 1 h', query: worst('max', 'minergate_mining_rejected_shares:ratio_rate1h'), unit: 'percentunit', decimals: 2, gauge: { limits: REJECTED, max: 0.1 } },
    { name: 'Next payout in', query: `min by (account) (${toPayout})`, unit: 's', mappings: DUE },
    { name: 'Currencies', query: mining, unit: 'none' },
    { name: 'Read ago', query: age(read), unit: 's', none: 'never' },
  ], { by: 'State', falling: true }).height(12).noValue('No account is known').overrideByName('Account', link);
}

export function overview(): Dashboard {
  const builder = dashboard('overview', 'Overview', 'All accounts: do they mine as usual, what did they earn, is something wrong?')
    .withVariable(accounts()).withVariable(currencies())
    .annotation(reloads()).annotation(failedReloads());
  return finish(builder, [
    { title: 'Now', panels: nowRow() },
    { title: 'Problems', panels: [needsAttention()] },
    { title: 'Hashrate', panels: hashrate() },
    { title: 'Hashrate by currency', panels: absolute() },
    { title: 'Earnings', panels: earnings() },
    { title: 'Mined per day', panels: minedPerDay(), closed: true },
    { title: 'Accounts', panels: [eachAccount()] },
  ]);
}
