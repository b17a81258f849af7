/** Account: everything that is known of one account. */
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';

import { AMBER, BAD, BLUE, fixed, GOOD, GREEN, PLUM } from './colours.ts';
import { currencies, dashboard, failedReloads, finish, oneAccount, payouts, reloads } from './dashboard.ts';
import {
  bars, currencyGraph, graph, judged, limited, named, number, OF_EXPECTED, OF_USUAL, ONLINE, perCurrency, perDay, REJECTED, repeated, STACKED, state,
  textSize, timeline, UP, unknown, words,
} from './panels.ts';
import {
  age, counted, CURRENCY, HASHRATE, hashrateOfUsual, lately, mine, now, once, ONE_ACCOUNT, over, POLL, recorded, select,
} from './queries.ts';
import { grid, type Column } from './tables.ts';

/** A metric of the account. */
const own = (metric: string, ...matchers: string[]) => once('account', select(metric, ONE_ACCOUNT, ...matchers));

/** A metric of the account's currencies, with further labels. */
const each = (metric: string, ...labels: string[]) => once(['currency', ...labels].join(', '), select(metric, ONE_ACCOUNT, CURRENCY));

/** A recorded series of the account's currencies. */
const known = (name: string) => once('currency', mine(name, ONE_ACCOUNT));

const rate = (metric: string, ...labels: string[]) =>
  once(['currency', ...labels].join(', '), `rate(${select(metric, ONE_ACCOUNT, CURRENCY)}[$__rate_interval])`);

const blocked = once('reason', select('minergate_auth_blocked', ONE_ACCOUNT));
/** The account has a balance in all currencies: those count that it mines, and where there is something. */
const mined = known(HASHRATE);
const ofMined = (expression: string) => `(${expression} > 0 or ${expression} and on (currency) ${mined})`;

function nowRow() {
  return [
    perCurrency('Balance', 'Coins that are there.', 'none').withTarget(now(ofMined(known('minergate_balance_coins:max')), '{{currency}}')),
    perCurrency('Mined, 24 h', 'Coins of the last day. Pools that do not count what was mined have none.', 'none')
      .withTarget(now(known('minergate_mining_mined_coins:increase1d'), '{{currency}}')),
    perCurrency('Next payout in', 'Time until the balance reaches the payout threshold, at the pace of the last day.', 's').mappings(words({ 0: ['due', AMBER] }))
      .withTarget(now(`86400 * ${known('minergate_payout_threshold_days:estimate')} and on (currency) ${mined}`, '{{currency}}')),
    judged(perCurrency('Rejected shares, 1 h', 'Stale and invalid shares among all of an hour.', 'percentunit'), REJECTED).decimals(2)
      .withTarget(now(known('minergate_mining_rejected_shares:ratio_rate1h'), '{{currency}}')),
    perCurrency('Workers', 'Active workers.', 'short').withTarget(now(known('minergate_workers:max'), '{{currency}}')),
    perCurrency('Hashrate', 'Hashrate of the active workers.', 'Hs').withTarget(now(mined, '{{currency}}')),
  ];
}

function stateRow() {
  const small = <T extends ReturnType<typeof number>>(panel: T) => panel.span(3).height(3) as T;
  return [
    small(state('Polls', 'Whether every endpoint of the account was read at its latest poll.', [...UP, unknown('✗ unknown')]))
      .withTarget(now(own('minergate_up'), 'polls')),
    small(judged(number('Login', 'Whether logins of the account are blocked, and why, until a person changes its credentials. A wallet needs none.', 'none'), OF_USUAL))
      .mappings(words({ 0: ['✗ blocked', BAD], 1: ['✓ ok', GOOD] }))
      .withTarget(now(`1 - max(${blocked})`, 'login')),
    small(judged(number('Of the usual', 'Average over the currencies of what is there of the usual hashrate.', 'percentunit'), OF_USUAL)).decimals(0)
      .withTarget(now(`avg(${hashrateOfUsual(ONE_ACCOUNT)})`, 'of the usual')),
    small(limited('Age of statistics', 'How long ago the pool made the account\'s mining statistics.', 's', 300, 900))
      .withTarget(now(age(own('minergate_mining_stats_timestamp_seconds')), 'age')),
    small(number('Age of token', 'How long ago the token in use was obtained.', 's'))
      .withTarget(now(age(own('minergate_auth_token_timestamp_seconds')), 'age')),
    small(named('Nickname', 'The account\'s nickname in the pool.', once('nickname', select('minergate_account_info', ONE_ACCOUNT)), '{{nickname}}', '–'))
      .text(textSize(14, 18)),
    small(number('Best rank', 'Place among the pool\'s miners by hashrate, of the currency where it is best; 1 is the strongest.', 'none'))
      .withTarget(now(`min(${recorded('account_currency:minergate_hashrate_rank:min', ONE_ACCOUNT, CURRENCY)})`, 'rank')),
    small(number('Currencies', 'Currencies that have a hashrate.', 'none'))
      .withTarget(now(once('account', recorded('account:minergate_mined_currencies:count', ONE_ACCOUNT)), 'currencies')),
  ];
}

function workers() {
  const labels = 'worker, currency';
  const shares = (...matchers: string[]) =>
    `sum by (${labels}) (${once(`${labels}, result`, `increase(${select('minergate_worker_shares_total', ONE_ACCOUNT, CURRENCY, ...matchers)}[1h])`)})`;
  const hashrate = once(labels, select('minergate_worker_hashrate_hashes_per_second', ONE_ACCOUNT, CURRENCY));
  // A worker that the answer no longer names mines nothing. A small graph ends with its last point, wherever that is.
  const course = `${hashrate} or 0 * max by (${labels}) (last_over_time(`
    + `${select('minergate_worker_hashrate_hashes_per_second', ONE_ACCOUNT, CURRENCY)}[1d])) and on (currency) ${known('minergate_workers:max')}`;
  const usual = `quantile by (${labels}) (0.5, avg_over_time(${select('minergate_worker_hashrate_hashes_per_second', ONE_ACCOUNT, CURRENCY)}[1d]))`;
  return [
    grid('Workers by name', 'Workers by the names that the pool has for them, the one first whose last share is oldest. Rejected are those among the shares of the hour. MinerGate\'s API names none.',
      { worker: 'Worker', currency: 'Currency' }, [
        { name: 'Hashrate', query: hashrate, unit: 'Hs' },
        { name: 'Course', query: course, unit: 'Hs', course: POLL.pool },
        { name: 'Of the day\'s', query: `${hashrate} / (${usual} > 0)`, unit: 'percentunit', decimals: 0, gauge: { limits: OF_USUAL, max: 1.2 } },
        { name: 'Last share', query: age(once(labels, select('minergate_worker_last_share_timestamp_seconds', ONE_ACCOUNT, CURRENCY))), unit: 's', none: 'never' },
        { name: 'Shares, 1 h', query: shares(), unit: 'short' },
        { name: 'Rejected', query: `${shares('result!="good"')} / (${shares()} > 0)`, unit: 'percentunit', decimals: 2 },
      ], { by: 'Last share', falling: true }).span(16).noValue('No worker is known by name'),
    currencyGraph('Hashrate of the usual, by currency', 'What is there of the usual hashrate, the median of the last 7 days.', 'percentunit').span(8).height(8).min(0).axisSoftMax(1.2)
      .withTarget(over(hashrateOfUsual(ONE_ACCOUNT), '{{currency}}', POLL.pool)),
  ];
}

function mining() {
  return [
    currencyGraph('Active workers', 'Active workers.', 'short').min(0).decimals(0)
      .withTarget(over(each('minergate_workers'), '{{currency}}', POLL.workers)),
    currencyGraph('Rejected shares', 'Stale and invalid shares among all of an hour.', 'percentunit').min(0).axisSoftMax(0.1)
      .withTarget(over(known('minergate_mining_rejected_shares:ratio_rate1h'), '{{currency}}', POLL.mining)),
    currencyGraph('Effective of the shown hashrate', 'The hashrate that an hour\'s good shares stand for, of the hashrate that the pool shows. If it stays '
      + 'lower, shares get lost.', 'percentunit').min(0)
      .withTarget(over(known('minergate_mining_effective_hashrate:ratio_rate1h'), '{{currency}}', POLL.mining)),
    repeated(graph('Hashrate, $currency', 'Hashrate of the active workers, by the mining statistics, and by an hour\'s good shares.', 'Hs'), 6).min(0)
      .withTarget(over(each('minergate_workers_hashrate_hashes_per_second'), 'active workers', POLL.workers))
      .withTarget(over(each('minergate_mining_hashrate_hashes_per_second'), 'statistics', POLL.mining))
      .withTarget(over(known('minergate_mining_effective_hashrate_hashes_per_second:rate1h'), 'good shares', POLL.mining))
      .overrideByName('active workers', [fixed(BLUE)]).overrideByName('statistics', [fixed(AMBER)]).overrideByName('good shares', [fixed(GREEN)]),
  ];
}

function earnings() {
  const blocksFound = select('minergate_mining_blocks_found_total', ONE_ACCOUNT, CURRENCY);
  const byModel = once('currency, model', recorded('account_currency_model:minergate_mining_mined_by_model_coins:increase1d', ONE_ACCOUNT, CURRENCY));
  return [
    grid('Earnings by currency', 'Expected is what the hashrate of the last day should have brought; the estimate is what the present one should bring in a '
      + 'day. Both are after the pool\'s fee (constants.rules.yml).', { currency: 'Currency' }, [
      { name: 'Mined, 24 h', query: known('minergate_mining_mined_coins:increase1d'), unit: 'none' },
      { name: 'Expected, 24 h', query: known('minergate_earnings_coins:expected1d'), unit: 'none' },
      { name: 'Luck', query: known('minergate_earnings_coins:ratio1d'), unit: 'percentunit', decimals: 0, gauge: { limits: OF_EXPECTED, max: 1.5 } },
      { name: 'Estimate a day', query: known('minergate_earnings_coins_per_day:estimate'), unit: 'none' },
      { name: 'Balance', query: ofMined(each('minergate_balance_coins')), unit: 'none' },
      { name: 'Unconfirmed', query: each('minergate_mining_unconfirmed_balance_coins'), unit: 'none' },
      {
        name: 'Threshold', unit: 'none',
        query: `${each('minergate_mining_payout_threshold_coins')} or ${known('minergate_payout_threshold_coins:max')} and on (currency) ${mined}`,
      },
    ], { by: 'Luck' }).height(6),
    currencyGraph('Luck', 'Coins of the last day, of those that the hashrate should have brought.', 'percentunit').min(0)
      .withTarget(over(known('minergate_earnings_coins:ratio1d'), '{{currency}}', POLL.pool)),
    currencyGraph('Balance of the threshold', 'The balance as part of its payout threshold. It falls at a payout.', 'percentunit').min(0)
      .withTarget(over(`${known('minergate_balance_coins:max')} / (${known('minergate_payout_threshold_coins:max')} > 0) and on (currency) ${mined}`, '{{currency}}', POLL.mining))
      .noValue('No threshold is known'),
    currencyGraph('Blocks found per day', 'Blocks that the account found in 24 hours.', 'short').min(0).axisSoftMax(1)
      .withTarget(over(once('currency', `increase(${blocksFound}[1d]) and ${blocksFound}`), '{{currency}}', POLL.pool)),
    repeated(perDay('Mined per day, $currency', 'Coins that the account mined, by how its shares were paid, where the pool says that.', byModel, '{{model}}'), 5)
      .withTarget(over(`${known('minergate_mining_mined_coins:increase1d')} unless on (currency) ${byModel}`, 'in all', '1d')).stacking(STACKED)
      .overrideByName('pps', [fixed(BLUE)]).overrideByName('pplns', [fixed(AMBER)]).overrideByName('in all', [fixed(PLUM)]),
  ];
}

function details() {
  const results: [string, string][] = [['good', GREEN], ['bad', AMBER], ['invalid', BAD]];
  const byResult = repeated(graph('Shares, $currency', 'Shares a minute, by the pool\'s verdict: good, stale (bad) or invalid.', 'cpm'), 5)
    .withTarget(over(`60 * sum by (result) (${rate('minergate_mining_shares_total', 'result')})`, '{{result}}', POLL.mining));
  results.forEach(([result, colour]) => byResult.overrideByName(result, [fixed(colour)]));
  const rejectedWork = once('currency, result', `rate(${select('minergate_mining_share_difficulty_total', ONE_ACCOUNT, CURRENCY, 'result!="good"')}[$__rate_interval])`);
  return [
    timeline('Miner online', 'Whether the pool calls the account\'s miner online.', ONLINE).span(6)
      .withTarget(over(lately('currency', select('minergate_mining_online', ONE_ACCOUNT, CURRENCY)), '{{currency}}', POLL.mining)),
    currencyGraph('Workers in the statistics', 'Workers, by the mining statistics.', 'short').span(6).min(0).decimals(0)
      .withTarget(over(each('minergate_mining_workers'), '{{currency}}', POLL.mining)),
    currencyGraph('Rank', 'Place among the pool\'s miners by hashrate of the active workers; 1 is the strongest.', 'none').span(6).decimals(0)
      .withTarget(over(each('minergate_workers_hashrate_rank'), '{{currency}}', POLL.workers)),
    currencyGraph('Rank in the statistics', 'Place among the pool\'s miners by the mining statistics.', 'none').span(6).decimals(0)
      .withTarget(over(each('minergate_mining_hashrate_rank'), '{{currency}}', POLL.mining)),
    currencyGraph('Hashrate lost in rejected shares', 'Hashes a second that the rejected shares stand for, of those that all stand for.', 'percentunit').span(24).min(0)
      .withTarget(over(
        `sum by (currency) (${rejectedWork}) / (sum by (currency) (${rate('minergate_mining_share_difficulty_total', 'result')}) > 0)`, '{{currency}}', POLL.mining)),
    grid('Payment models', 'How the account\'s shares are paid, for each of the pool\'s currencies.', { currency: 'Currency', model: 'Paid by' }, [
      { name: 'Now', query: once('currency, model', select('minergate_mining_payment_model_info', ONE_ACCOUNT)), unit: 'none', mappings: words({ 1: ['✓ set', 'text'] }) },
      { name: 'Mined in all', query: each('minergate_mining_mined_by_model_coins_total', 'model'), unit: 'none' },
    ], { by: 'Currency' }).span(12).height(7),
    grid('Totals by currency', 'What the pool has counted since the account began, and the unconfirmed balance as it says it.', { currency: 'Currency' }, [
      { name: 'Mined in all', query: each('minergate_mining_mined_coins_total'), unit: 'none' },
      { name: 'Blocks found', query: each('minergate_mining_blocks_found_total'), unit: 'short' },
      { name: 'Unconfirmed, atomic units', query: each('minergate_mining_unconfirmed_balance_atomic_units'), unit: 'none' },
    ], { by: 'Currency' }).span(12).height(7),
    byResult,
  ];
}

/** Columns that a list of the account's payments has in any case. */
function list(metric: string, ...labels: string[]): Column[] {
  return [
    { name: 'Number', query: each(metric, ...labels), unit: 'short' },
    { name: 'Coins', query: each(`${metric}_coins`, ...labels), unit: 'none' },
  ];
}

function payments() {
  const since = (metric: string, ...labels: string[]) => age(each(metric, ...labels));
  const all = (title: string, description: string, labels: Record<string, string>, columns: Column[]) => grid(title, description, labels, columns).span(12).height(7);
  return [
    all('Payouts', 'The account\'s withdrawals that the API lists, by status.', { currency: 'Currency', status: 'Status' }, [
      ...list('minergate_withdrawals', 'status'),
      { name: 'Fees', query: each('minergate_withdrawals_fees_coins', 'status'), unit: 'none' },
      { name: 'Newest', query: since('minergate_withdrawals_last_timestamp_seconds', 'status'), unit: 's' },
    ]),
    all('Transfers', 'Coins sent between the account and other users of the pool, by direction and state, as far as the API lists them.',
      { currency: 'Currency', direction: 'Direction', state: 'State' }, list('minergate_transfers', 'direction', 'state')),
    all('Invoices', 'The account\'s invoices that the API lists, by status.', { currency: 'Currency', status: 'Status' }, [
      ...list('minergate_invoices', 'status'),
      { name: 'Newest', query: since('minergate_invoices_last_timestamp_seconds', 'status'), unit: 's' },
    ]),
    grid('Newest transfers', 'How long ago coins were last sent, by direction.', { currency: 'Currency', direction: 'Direction' }, [
      { name: 'Newest', query: since('minergate_transfers_last_timestamp_seconds', 'direction'), unit: 's' },
    ], { by: 'Newest' }).span(6).height(7),
    grid('What waits', 'How long the oldest pending payout has waited, and when the first pending invoice expires.', { currency: 'Currency' }, [
      { name: 'Payout for', query: since('minergate_withdrawals_oldest_pending_timestamp_seconds'), unit: 's' },
      { name: 'Invoice in', query: `${each('minergate_invoices_next_expiry_timestamp_seconds')} - time()`, unit: 's' },
    ]).span(6).height(7).noValue('Nothing is known to wait'),
  ];
}

function affiliates() {
  const affiliateProfit = select('minergate_affiliate_profit_coins_total', ONE_ACCOUNT);
  // Affiliates mine what they like, not the account's currencies.
  const affiliate = (metric: string) => once('currency', select(metric, ONE_ACCOUNT));
  return [
    number('Affiliate links', 'The account\'s affiliate links.', 'short').span(6).withTarget(now(own('minergate_affiliate_links'), 'links')),
    number('Affiliates', 'Users who came through the account\'s links.', 'short').span(6)
      .withTarget(now(own('minergate_affiliate_children'), 'affiliates')),
    number('Newest affiliate', 'How long ago the newest affiliate registered.', 's').span(6)
      .withTarget(now(age(own('minergate_affiliate_children_last_registered_timestamp_seconds')), 'registered')),
    number('Last profit', 'How long ago an affiliate last brought something.', 's').span(6)
      .withTarget(now(age(own('minergate_affiliate_children_last_profit_timestamp_seconds')), 'profit')),
    grid('Affiliate profit', 'What the affiliates brought since the account began, by the account\'s own sum and by the list of affiliates.',
      { currency: 'Currency' }, [
        {
          name: 'In 24 h', unit: 'none',
          query: once('currency', `increase(${affiliateProfit}[1d]) and ${affiliateProfit}`),
        },
        { name: 'Account\'s sum', query: affiliate('minergate_affiliate_profit_coins_total'), unit: 'none' },
        { name: 'Affiliates together', query: affiliate('minergate_affiliate_children_profit_coins'), unit: 'none' },
      ]).height(6),
  ];
}

function polls() {
  const endpoint = (metric: string) => once('endpoint, currency', select(metric, ONE_ACCOUNT));
  const logins = `${counted('outcome', 'minergate_auth_logins_total', '$__interval', ONE_ACCOUNT)} > 0`;
  return [
    timeline('Endpoints', 'Whether each endpoint was read at its latest poll.', UP).span(12).height(12)
      .withTarget(over(lately('endpoint, currency', select('minergate_endpoint_up', ONE_ACCOUNT)), '{{endpoint}} {{currency}}', POLL.workers)),
    grid('Ages', 'How long ago each endpoint was last read, and how often it is polled. A currency is there for wallets.',
      { endpoint: 'Endpoint', currency: 'Currency' }, [
        { name: 'State', query: endpoint('minergate_endpoint_up'), unit: 'none', mappings: UP },
        { name: 'Read ago', query: age(endpoint('minergate_endpoint_last_success_timestamp_seconds')), unit: 's', none: 'never' },
        {
          name: 'Polled every', unit: 's',
          query: `0 * ${endpoint('minergate_endpoint_up')} + on (endpoint) group_left () ${once('endpoint', select('minergate_endpoint_interval_seconds'))}`,
        },
      ], { by: 'State' }).span(12).height(12),
    bars(graph('Logins', 'Attempts to log in, by how they ended, in each hour.', 'short')).stacking(STACKED).decimals(0).span(12)
      .withTarget(over(logins, '{{outcome}}', '1h')).noValue('No login was counted')
      .overrideByName('ok', [fixed(GOOD)]),
    grid('Logins blocked', 'Why logins of the account are blocked.', { reason: 'Reason' }, [
      { name: 'State', query: `${blocked} == 1`, unit: 'none', mappings: words({ 1: ['✗ blocked', BAD] }) },
    ], { by: 'Reason' }).span(12).height(7).noValue('No blocked login is known'),
  ];
}

export function account(): Dashboard {
  const builder = dashboard('account', 'Account', 'One account in depth: mining, shares, earnings, payments, affiliates and its polls.')
    .withVariable(oneAccount()).withVariable(currencies(ONE_ACCOUNT))
    .annotation(payouts(ONE_ACCOUNT)).annotation(reloads()).annotation(failedReloads());
  return finish(builder, [
    { title: '$account', panels: [...nowRow(), ...stateRow()] },
    { title: 'Workers', panels: workers() },
    { title: 'Mining', panels: mining() },
    { title: 'Earnings', panels: earnings() },
    { title: 'Shares, ranks and payment models', panels: details(), closed: true },
    { title: 'Payments', panels: payments(), closed: true },
    { title: 'Affiliates', panels: affiliates(), closed: true },
    { title: 'Polls', panels: polls(), closed: true },
  ]);
}
