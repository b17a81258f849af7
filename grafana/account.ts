/** Account: everything that is known of one account. */
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { BigValueTextMode } from '@grafana/grafana-foundation-sdk/common';

import { BLUE, dashes, fixed, GOOD, ORANGE, VERMILION } from './colours.ts';
import { currencies, dashboard, failedReloads, finish, oneAccount, payouts, reloads } from './dashboard.ts';
import {
  currencyGraph, faults, graph, grid, limited, number, ONLINE, perDay, smallGraph, state, timeline, UP, withCurrencyStyles,
  words, type Column,
} from './panels.ts';
import { age, CURRENCY, EACH_DAY, estimate, LAST_DAY, now, once, over, POLL, select } from './queries.ts';

/** One account: its name stands as it is, where among several it would be a pattern. */
const ACCOUNT = 'account="$account"';

/** A metric of the account. */
const own = (metric: string, ...matchers: string[]) => once('account', select(metric, ACCOUNT, ...matchers));

/** A metric of the account's currencies, with further labels. */
const each = (metric: string, ...labels: string[]) =>
  once(['currency', ...labels].join(', '), select(metric, ACCOUNT, CURRENCY));

/** A counter of the account's currencies: its growth over a time, or in a second. */
const grown = (metric: string, time: string, ...labels: string[]) =>
  once(['currency', ...labels].join(', '), `increase(${select(metric, ACCOUNT, CURRENCY)}${time})`);
const rate = (metric: string, ...labels: string[]) =>
  once(['currency', ...labels].join(', '), `rate(${select(metric, ACCOUNT, CURRENCY)}[$__rate_interval])`);

const hashrate = once('account, currency', select('minergate_workers_hashrate_hashes_per_second', ACCOUNT, CURRENCY));
const stopped = once('reason', select('minergate_auth_blocked', ACCOUNT));

/** Bad and invalid shares among all. */
function rejected(time: string): string {
  const shares = (expression: string) => `sum by (currency) (${expression})`;
  const all = grown('minergate_mining_shares_total', time, 'result');
  const bad = once('currency, result',
    `increase(${select('minergate_mining_shares_total', ACCOUNT, CURRENCY, 'result=~"bad|invalid"')}${time})`);
  return `${shares(bad)} / (${shares(all)} > 0)`;
}

function nowRow() {
  return [
    state('Polls', 'Whether every endpoint of the account was read at its latest poll.', UP)
      .withTarget(now(own('minergate_up'), 'polls')),
    faults('Login stopped by', 'Why logins of the account are blocked, until a person changes its credentials.')
      .textMode(BigValueTextMode.Name)
      .withTarget(now(`${stopped} == 1 or label_replace(max(${stopped}) == 0, "reason", "✓ nothing", "", "")`, '{{reason}}')),
    limited('Age of statistics', 'How long ago the pool made the account\'s mining statistics.', 's', 300, 900)
      .withTarget(now(age(own('minergate_mining_stats_timestamp_seconds')), 'age')),
    number('Age of token', 'How long ago the token in use was obtained.', 's')
      .withTarget(now(age(own('minergate_auth_token_timestamp_seconds')), 'age')),
    number('Nickname', 'The account\'s nickname in the pool.', 'none').textMode(BigValueTextMode.Name)
      .withTarget(now(once('nickname', select('minergate_account_info', ACCOUNT)), '{{nickname}}')),
    number('All workers', 'Active workers of the currencies chosen.', 'short')
      .withTarget(now(`sum(${each('minergate_workers')})`, 'workers')),
    number('Hashrate', 'Hashrate of the active workers of the currencies chosen.', 'Hs')
      .withTarget(now(`sum(${hashrate})`, 'hashrate')),
    number('Blocks found', 'Blocks that the account found since it began.', 'short')
      .withTarget(now(`sum(${each('minergate_mining_blocks_found_total')})`, 'blocks')),
  ];
}

function mining() {
  const goodWork = select('minergate_mining_share_difficulty_total', ACCOUNT, CURRENCY, 'result="good"');
  return [
    currencyGraph('Hashrate of workers', 'Hashrate of the active workers, measured by the pool every half minute.', 'Hs')
      .withTarget(over(hashrate, '{{currency}}', POLL.workers)),
    currencyGraph('Hashrate: statistics and shares', 'The account\'s hashrate by its mining statistics, and (dashed) the work that its '
      + 'good shares prove. If the latter stays lower, shares get lost on their way.', 'Hs')
      .withTarget(over(each('minergate_mining_hashrate_hashes_per_second'), '{{currency}}', POLL.mining))
      .withTarget(over(once('currency', `rate(${goodWork}[$__rate_interval])`), '{{currency}} by shares', POLL.mining))
      .overrideByRegexp('.* by shares', [dashes(4, 4)]),
    withCurrencyStyles(smallGraph('Workers', 'Active workers, and (dashed) all workers by the mining statistics.', 'short')).min(0).decimals(0)
      .withTarget(over(each('minergate_workers'), '{{currency}}', POLL.workers))
      .withTarget(over(each('minergate_mining_workers'), '{{currency}} in statistics', POLL.mining))
      .overrideByRegexp('.* in statistics', [dashes(4, 4)]),
    withCurrencyStyles(smallGraph('Rank', 'Place among the pool\'s miners by hashrate of the active workers, and (dashed) by the mining '
      + 'statistics. 1 is the strongest.', 'short')).decimals(0)
      .withTarget(over(each('minergate_workers_hashrate_rank'), '{{currency}}', POLL.workers))
      .withTarget(over(each('minergate_mining_hashrate_rank'), '{{currency}} in statistics', POLL.mining))
      .overrideByRegexp('.* in statistics', [dashes(4, 4)]),
    timeline('Miner online', 'Whether the pool calls the account\'s miner online.', ONLINE).span(8)
      .withTarget(over(each('minergate_mining_online'), '{{currency}}', POLL.mining)),
  ];
}

function shares() {
  const results: [string, string][] = [['good', GOOD], ['bad', ORANGE], ['invalid', VERMILION]];
  const byResult = smallGraph('Shares', 'Shares a minute, by the pool\'s verdict.', 'cpm')
    .withTarget(over(`60 * sum by (result) (${rate('minergate_mining_shares_total', 'result')})`, '{{result}}', POLL.mining));
  const weighed = smallGraph('Work in shares', 'Shares weighed by their difficulty, by the pool\'s verdict: the hashes a second that they stand for.', 'Hs')
    .withTarget(over(`sum by (result) (${rate('minergate_mining_share_difficulty_total', 'result')})`, '{{result}}', POLL.mining));
  for (const panel of [byResult, weighed]) {
    results.forEach(([result, colour]) => panel.overrideByName(result, [fixed(colour)]));
  }
  return [
    byResult,
    weighed,
    withCurrencyStyles(smallGraph('Shares not taken', 'Bad and invalid shares among all of an hour.', 'percentunit')).min(0)
      .withTarget(over(rejected('[1h]'), '{{currency}}', POLL.mining)),
  ];
}

function earnings() {
  return [
    currencyGraph('Balance', 'The balance falls at a payout. What is not confirmed yet (dashed) comes on top.', 'none').axisLabel('coins')
      .withTarget(over(each('minergate_balance_coins'), '{{currency}}', POLL.mining))
      .withTarget(over(each('minergate_mining_unconfirmed_balance_coins'), '{{currency}} unconfirmed', POLL.mining))
      .overrideByRegexp('.* unconfirmed', [dashes(4, 4)]),
    withCurrencyStyles(perDay('Mined per day', 'Coins that the account mined.', 'none',
      grown('minergate_mining_mined_coins_total', EACH_DAY), '{{currency}}')).axisLabel('coins'),
    perDay('Mined per day by payment model', 'Coins that the account mined, by how its shares were paid.', 'none',
      grown('minergate_mining_mined_by_model_coins_total', EACH_DAY, 'model'), '{{currency}} {{model}}').axisLabel('coins').span(8),
    withCurrencyStyles(perDay('Blocks found per day', 'Blocks that the account found.', 'short',
      grown('minergate_mining_blocks_found_total', EACH_DAY), '{{currency}}')).span(8),
    withCurrencyStyles(perDay('Affiliate profit per day', 'Coins that the account\'s affiliates brought.', 'none',
      once('currency', `increase(${select('minergate_affiliate_profit_coins_total', ACCOUNT)}${EACH_DAY})`), '{{currency}}'))
      .axisLabel('coins').span(8),
    grid('Earnings by currency', 'What was mined in a day is known for the time only in which Prometheus scraped; the estimate is what '
      + 'the present hashrate is worth at the network\'s difficulty and reward.', { currency: 'Currency', model: 'Paid by' }, [
      { name: 'Balance', query: each('minergate_balance_coins'), unit: 'none' },
      { name: 'Unconfirmed', query: each('minergate_mining_unconfirmed_balance_coins'), unit: 'none' },
      { name: 'Atomic units', query: each('minergate_mining_unconfirmed_balance_atomic_units'), unit: 'none' },
      { name: 'Mined in 24 h', query: grown('minergate_mining_mined_coins_total', LAST_DAY), unit: 'none' },
      { name: 'Estimate a day', query: `sum by (currency) (${estimate(hashrate)})`, unit: 'none' },
      { name: 'Mined in all', query: each('minergate_mining_mined_coins_total'), unit: 'none' },
      { name: 'Not taken', query: rejected(LAST_DAY), unit: 'percentunit', decimals: 2 },
    ]).span(16).height(7),
    grid('Payment models', 'How the account\'s shares are paid, for each of the pool\'s currencies.', { currency: 'Currency', model: 'Paid by' }, [
      { name: 'Set', query: once('currency, model', select('minergate_mining_payment_model_info', ACCOUNT)), unit: 'none', mappings: words({ 1: ['✓', GOOD] }) },
    ]).span(8).height(7),
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
  return [
    grid('Payouts', 'The account\'s withdrawals that the API lists, by status.', { currency: 'Currency', status: 'Status' }, [
      ...list('minergate_withdrawals', 'status'),
      { name: 'Fees', query: each('minergate_withdrawals_fees_coins', 'status'), unit: 'none' },
      { name: 'Newest ago', query: since('minergate_withdrawals_last_timestamp_seconds', 'status'), unit: 's' },
    ]).span(14).height(7),
    grid('Payouts that wait', 'How long the oldest pending payout has waited.', { currency: 'Currency' }, [
      {
        name: 'Waits since', query: since('minergate_withdrawals_oldest_pending_timestamp_seconds'), unit: 's',
        properties: [{ id: 'custom.cellOptions', value: { type: 'auto' } }],
      },
    ]).span(10).height(7).noValue('No payout waits'),
    grid('Transfers', 'Coins sent between the account and other users of the pool, by direction and state, as far as the API lists them.',
      { currency: 'Currency', direction: 'Direction', state: 'State' }, [
        ...list('minergate_transfers', 'direction', 'state'),
      ]).span(7).height(7),
    grid('Newest transfers', 'How long ago coins were last sent, by direction.', { currency: 'Currency', direction: 'Direction' }, [
      { name: 'Newest ago', query: since('minergate_transfers_last_timestamp_seconds', 'direction'), unit: 's' },
    ]).span(5).height(7),
    grid('Invoices', 'The account\'s invoices that the API lists, by status.', { currency: 'Currency', status: 'Status' }, [
      ...list('minergate_invoices', 'status'),
      { name: 'Newest ago', query: since('minergate_invoices_last_timestamp_seconds', 'status'), unit: 's' },
    ]).span(8).height(7),
    grid('Invoices that expire', 'When the first pending invoice expires.', { currency: 'Currency' }, [
      { name: 'Expires in', query: `${each('minergate_invoices_next_expiry_timestamp_seconds')} - time()`, unit: 's' },
    ]).span(4).height(7).noValue('No invoice is open'),
  ];
}

function affiliates() {
  // Affiliates mine what they like, not the account's currencies.
  const affiliate = (metric: string) => once('currency', select(metric, ACCOUNT));
  return [
    number('Affiliate links', 'The account\'s affiliate links.', 'short').withTarget(now(own('minergate_affiliate_links'), 'links')),
    number('Affiliates', 'Users who came through the account\'s links.', 'short')
      .withTarget(now(own('minergate_affiliate_children'), 'affiliates')),
    number('Newest affiliate', 'How long ago the newest affiliate registered.', 's')
      .withTarget(now(age(own('minergate_affiliate_children_last_registered_timestamp_seconds')), 'registered')),
    number('Last profit', 'How long ago an affiliate last brought something.', 's')
      .withTarget(now(age(own('minergate_affiliate_children_last_profit_timestamp_seconds')), 'profit')),
    grid('Affiliate profit', 'What the affiliates brought since the account began, by the account\'s own sum and by the list of affiliates.',
      { currency: 'Currency' }, [
        { name: 'Account\'s sum', query: affiliate('minergate_affiliate_profit_coins_total'), unit: 'none' },
        { name: 'Affiliates together', query: affiliate('minergate_affiliate_children_profit_coins'), unit: 'none' },
      ]).span(12).height(4),
  ];
}

function polls() {
  const logins = once('outcome', `increase(${select('minergate_auth_logins_total', ACCOUNT)}[$__rate_interval])`);
  return [
    timeline('Endpoints', 'Whether each endpoint was read at its latest poll.', UP).height(9)
      .withTarget(over(once('endpoint', select('minergate_endpoint_up', ACCOUNT)), '{{endpoint}}', POLL.workers)),
    grid('Ages', 'How long ago each endpoint was last read, and how often it is asked.', { endpoint: 'Endpoint' }, [
      { name: 'Read ago', query: age(once('endpoint', select('minergate_endpoint_last_success_timestamp_seconds', ACCOUNT))), unit: 's' },
      { name: 'Asked every', query: `${once('endpoint', select('minergate_endpoint_interval_seconds'))} and on (endpoint) ${once('endpoint', select('minergate_endpoint_up', ACCOUNT))}`, unit: 's' },
    ]).span(6),
    graph('Logins', 'Attempts to log in, by how they ended.', 'short').span(6).height(9).min(0)
      .withTarget(over(logins, '{{outcome}}', POLL.mining))
      .overrideByName('ok', [fixed(BLUE)]),
  ];
}

export function account(): Dashboard {
  const builder = dashboard('account', 'Account', 'One account in depth: mining, shares, earnings, payments, affiliates and its polls.')
    .withVariable(oneAccount()).withVariable(currencies(ACCOUNT))
    .annotation(payouts(ACCOUNT)).annotation(reloads()).annotation(failedReloads());
  return finish(builder, {
    '$account now': nowRow(),
    'Mining': mining(),
    'Shares': shares(),
    'Earnings': earnings(),
    'Payments': payments(),
    'Affiliates': affiliates(),
    'Polls': polls(),
  });
}
