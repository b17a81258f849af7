/** Overview: all accounts at a glance. */
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { GraphDrawStyle } from '@grafana/grafana-foundation-sdk/common';

import { BAD, dashes, fixed, GOOD, ORANGE, VERMILION, WARNING } from './colours.ts';
import { ACCOUNT_LINK, accounts, currencies, dashboard, failedReloads, finish, payouts, reloads } from './dashboard.ts';
import {
  currencyGraph, faults, graph, grid, limited, logarithmic, number, ONLINE, perDay, smallGraph, STACKED, UP, withCurrencyStyles, words,
} from './panels.ts';
import {
  ACCOUNT, age, CURRENCY, EACH_DAY, estimate, grown, LAST_DAY, mine, now, once, over, POLL, rejectRatio, select,
} from './queries.ts';

const hashrate = mine('minergate_workers_hashrate_hashes_per_second');
const byCurrency = (expression: string) => `sum by (currency) (${expression})`;
const up = once('account', select('minergate_up', ACCOUNT));
const stopped = once('account, reason', select('minergate_auth_blocked', ACCOUNT));
// An alert need not have the labels of what it is about, so that only what it lacks can't exclude it.
const FIRING = 'ALERTS{alertname=~"Minergate.+", alertstate="firing"}';
const link = [{ id: 'links', value: [ACCOUNT_LINK] }];

function summary() {
  return [
    number('Accounts', 'Accounts that the exporter polls.', 'short').withTarget(now(`count(${up})`, 'accounts')),
    faults('Failing accounts', 'Accounts of which some endpoint could not be read at its latest poll.')
      .withTarget(now(`count(${up} == 0) or vector(0)`, 'failing')),
    faults('Logins stopped', 'Accounts whose logins are blocked, until a person changes their credentials.')
      .withTarget(now(`count(${stopped} == 1) or vector(0)`, 'stopped')),
    faults('Miners offline', 'Accounts\' currencies whose miner the pool calls offline.', WARNING)
      .withTarget(now(`count(${mine('minergate_mining_online')} == 0) or vector(0)`, 'offline')),
    faults('Alerts', 'Prometheus\' alerts about MinerGate that are firing, of all accounts.')
      .withTarget(now(`count(${FIRING}) or vector(0)`, 'firing')),
    number('All workers', 'Active workers of all accounts.', 'short')
      .withTarget(now(`sum(${mine('minergate_workers')})`, 'workers')),
    number('Hashrate', 'Hashrate of all active workers together. Hashes of different currencies cost different work.', 'Hs')
      .withTarget(now(`sum(${hashrate})`, 'hashrate')),
    limited('Not taken, 24 h', 'Bad and invalid shares among all of the last day.', 'percentunit', 0.02, 0.05).decimals(2)
      .withTarget(now(rejectRatio('', LAST_DAY), 'not taken')),
  ];
}

function mining() {
  return [
    logarithmic(currencyGraph('Hashrate by currency', 'Hashrate of the active workers for each currency, and of all together.', 'Hs'))
      .height(9)
      .withTarget(over(byCurrency(hashrate), '{{currency}}', POLL.workers))
      .withTarget(over(`sum(${hashrate})`, 'all', POLL.workers))
      .overrideByName('all', [fixed('text'), dashes(2, 4), { id: 'custom.fillOpacity', value: 0 }]),
    logarithmic(graph('Hashrate of the ten strongest accounts',
      'The accounts that have the highest hashrate at the end of the dashboard\'s time.', 'Hs')).height(9)
      .withTarget(over(
        `sum by (account) (${hashrate}) and on (account) topk(10, sum by (account) (${once('account, currency',
          `${select('minergate_workers_hashrate_hashes_per_second', ACCOUNT, CURRENCY)} @ end()`)}))`,
        '{{account}}', POLL.workers)),
    withCurrencyStyles(smallGraph('Workers', 'Active workers for each currency.', 'short')).min(0).decimals(0)
      .withTarget(over(byCurrency(mine('minergate_workers')), '{{currency}}', POLL.workers)),
    withCurrencyStyles(smallGraph('Shares not taken',
      'Bad and invalid shares among all of an hour, for each currency.', 'percentunit')).min(0)
      .withTarget(over(rejectRatio('currency', '[1h]'), '{{currency}}', POLL.mining)),
    withCurrencyStyles(smallGraph('Best rank', 'Best place of an account among the pool\'s miners by hashrate; 1 is the strongest.', 'short'))
      .decimals(0)
      .withTarget(over(`min by (currency) (${mine('minergate_workers_hashrate_rank')})`, '{{currency}}', POLL.workers)),
  ];
}

function earnings() {
  const payout = (metric: string) => byCurrency(once('account, currency, status', select(metric, ACCOUNT, CURRENCY)));
  const last = once('account, currency', select('minergate_withdrawals_last_timestamp_seconds', ACCOUNT, CURRENCY));
  const pending = once('account, currency, status', select('minergate_withdrawals_coins', ACCOUNT, CURRENCY, 'status="pending"'));
  return [
    withCurrencyStyles(perDay('Mined per day', 'Coins that all accounts mined.', 'none',
      byCurrency(grown('minergate_mining_mined_coins_total', EACH_DAY)), '{{currency}}')).axisLabel('coins'),
    currencyGraph('Balance', 'Balances of all accounts. A balance falls at a payout.', 'none').axisLabel('coins')
      .withTarget(over(byCurrency(mine('minergate_balance_coins')), '{{currency}}', POLL.mining)),
    grid('Earnings by currency', 'Coins of all accounts. What was mined is known for the time only in which Prometheus scraped; the '
      + 'estimate is what the present hashrate is worth at the network\'s difficulty and reward. Payouts are those that the API '
      + 'still lists, fees apart.', { currency: 'Currency' }, [
      { name: 'Balance', query: byCurrency(mine('minergate_balance_coins')), unit: 'none' },
      { name: 'Unconfirmed', query: byCurrency(mine('minergate_mining_unconfirmed_balance_coins')), unit: 'none' },
      { name: 'Mined in 24 h', query: byCurrency(grown('minergate_mining_mined_coins_total', LAST_DAY)), unit: 'none' },
      { name: 'Estimate a day', query: byCurrency(estimate(hashrate)), unit: 'none' },
      { name: 'Payouts', query: payout('minergate_withdrawals_coins'), unit: 'none' },
      { name: 'Fees', query: payout('minergate_withdrawals_fees_coins'), unit: 'none' },
      { name: 'Pending payouts', query: byCurrency(pending), unit: 'none' },
      { name: 'Last payout ago', query: age(`max by (currency) (${last})`), unit: 's' },
    ]),
  ];
}

function eachAccount() {
  return grid('Accounts and currencies',
    'Every account\'s currencies. A click on an account opens its own dashboard. Hashrate, workers and rank are those of active '
    + 'workers; coins are the currency\'s.', { account: 'Account', currency: 'Currency' }, [
      { name: 'Hashrate', query: hashrate, unit: 'Hs' },
      { name: 'Workers', query: mine('minergate_workers'), unit: 'short' },
      { name: 'Miner', query: mine('minergate_mining_online'), unit: 'none', mappings: ONLINE },
      { name: 'Rank', query: mine('minergate_workers_hashrate_rank'), unit: 'none' },
      { name: 'Not taken', query: rejectRatio('account, currency', LAST_DAY), unit: 'percentunit', decimals: 2 },
      { name: 'Balance', query: mine('minergate_balance_coins'), unit: 'none' },
      { name: 'Mined in 24 h', query: grown('minergate_mining_mined_coins_total', LAST_DAY), unit: 'none' },
      { name: 'Estimate a day', query: estimate(hashrate), unit: 'none' },
    ]).height(11).overrideByName('Account', link);
}

function health() {
  const count = (query: string) => `count(${query}) or vector(0)`;
  return [
    graph('Accounts by state', 'How many accounts are polled without failure, with some failure, and not at all since logins are stopped.',
      'short').span(8).min(0).decimals(0).stacking(STACKED).fillOpacity(60).lineWidth(0).drawStyle(GraphDrawStyle.Line)
      .withTarget(over(count(`${up} == 1`), 'ok', POLL.workers))
      .withTarget(over(count(`(${up} == 0) unless on (account) (${stopped} == 1)`), 'failing', POLL.workers))
      .withTarget(over(count(`${stopped} == 1`), 'login stopped', POLL.workers))
      .overrideByName('ok', [fixed(GOOD)]).overrideByName('failing', [fixed(ORANGE)])
      .overrideByName('login stopped', [fixed(VERMILION)]),
    grid('Accounts with failures', 'Accounts of which some endpoint could not be read at its latest poll, and why logins are stopped if '
      + 'they are. Empty when all is well.', { account: 'Account', reason: 'Login stopped by' }, [
      {
        name: 'Polls', unit: 'none', mappings: UP,
        query: `(${stopped} == 1) * 0 or on (account) (${up} == 0)`,
      },
      {
        name: 'Read ago', unit: 's',
        query: `${age(`min by (account) (${select('minergate_endpoint_last_success_timestamp_seconds', ACCOUNT)})`)} and on (account) (${up} == 0)`,
      },
    ]).span(8).height(8).noValue('No account fails').overrideByName('Account', link),
    grid('Alerts firing', 'Prometheus\' alerts about MinerGate that are firing, of all accounts.',
      { alertname: 'Alert', severity: 'Severity', account: 'Account', currency: 'Currency', endpoint: 'Endpoint' }, [
        { name: 'Firing', unit: 'none', query: `max by (alertname, severity, account, currency, endpoint) (${FIRING})`, mappings: words({ 1: ['▲ firing', BAD] }) },
      ]).span(8).height(8).noValue('No alerts').overrideByName('Account', link),
  ];
}

export function overview(): Dashboard {
  const builder = dashboard('overview', 'Overview', 'All accounts: hashrates, workers, earnings, share quality and what is wrong.')
    .withVariable(accounts()).withVariable(currencies())
    // Of many accounts the marks would hide the graphs: they can be switched on.
    .annotation(payouts().enable(false)).annotation(reloads()).annotation(failedReloads());
  return finish(builder, {
    'Now': summary(),
    'Mining': mining(),
    'Earnings': earnings(),
    'Accounts': [eachAccount()],
    'What is wrong': health(),
  });
}
