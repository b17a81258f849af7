/** Network and profit: what the networks are like, and what a hashrate is worth in them. */
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { LineInterpolation, TableSortByFieldStateBuilder } from '@grafana/grafana-foundation-sdk/common';

import { BAD, GOOD } from './colours.ts';
import { ACCOUNT_LINK, accounts, dashboard, failedReloads, finish, networks, reloads, scope } from './dashboard.ts';
import { currencyGraph, graph, OF_EXPECTED, repeated, withCurrencyStyles, words } from './panels.ts';
import { age, byCurrency, CURRENCY, HASHRATE, mine, network, once, over, POLL, recorded, select } from './queries.ts';
import { grid } from './tables.ts';

const networkHashrate = network('minergate_network_hashrate_hashes_per_second');
const difficulty = network('minergate_network_difficulty');
const estimate = mine('minergate_earnings_coins_per_day:estimate');
const blockTime = `86400 / ${recorded('currency:minergate_network_blocks_per_day:estimate', CURRENCY)}`;
const sinceBlock = age(network('minergate_network_block_timestamp_seconds'));

/** What a value of the networks has changed by in a day, over an hour's average. */
function change(metric: string): string {
  const average = (offset: string) => once('currency', `avg_over_time(${select(metric, CURRENCY)}[1h]${offset})`);
  return `${average('')} / (${average(' offset 1d')} > 0) - 1 and on (currency) ${network(metric)}`;
}

function profit() {
  return [
    grid('Currencies by profit', 'By the pool\'s profit rating, 1 is the most profitable. The estimate is what the accounts\' present hashrate should '
      + 'bring in a day: its part of the network\'s hashrate, of the network\'s coins of a day, after the pool\'s fee. It assumes that hashrate, '
      + 'difficulty and the average reward stay as they are, and leaves luck out of account.', { currency: 'Currency' }, [
      { name: 'Profit rank', query: network('minergate_pool_profit_rank'), unit: 'none', first: true },
      { name: 'Hashrate', query: byCurrency(mine(HASHRATE)), unit: 'Hs' },
      { name: 'Of the network', query: byCurrency(mine('minergate_network_share:ratio')), unit: 'percentunit' },
      { name: 'Estimate a day', query: byCurrency(estimate), unit: 'none' },
      { name: 'Mined, 24 h', query: byCurrency(mine('minergate_mining_mined_coins:increase1d')), unit: 'none' },
      { name: 'Difficulty', query: difficulty, unit: 'short' },
      { name: 'Change, 24 h', query: change('minergate_network_difficulty'), unit: 'percentunit', decimals: 1 },
      { name: 'Network', query: networkHashrate, unit: 'Hs' },
      { name: 'Block time', query: blockTime, unit: 's' },
      { name: 'Last block', query: sinceBlock, unit: 's' },
      { name: 'Reward', query: network('minergate_network_block_reward_coins'), unit: 'none' },
    ], { by: 'Profit rank' }).height(9),
    withCurrencyStyles(graph('Profit rank', 'Place of each currency by the pool\'s profit rating; 1 is the most profitable.', 'none'))
      .span(12).decimals(0).lineInterpolation(LineInterpolation.StepAfter)
      .withTarget(over(network('minergate_pool_profit_rank'), '{{currency}}', POLL.pool)),
    currencyGraph('Difficulty, change in 24 h', 'What the difficulty has changed by in a day, over an hour\'s average. What a hash earns changes the other way.', 'percentunit').span(12)
      .withTarget(over(change('minergate_network_difficulty'), '{{currency}}', POLL.pool)),
    grid('What the accounts\' hashrate is worth', 'The same for each account.', { account: 'Account', currency: 'Currency' }, [
      { name: 'Hashrate', query: mine(HASHRATE), unit: 'Hs' },
      { name: 'Of the network', query: mine('minergate_network_share:ratio'), unit: 'percentunit' },
      { name: 'Estimate a day', query: estimate, unit: 'none' },
      { name: 'Mined, 24 h', query: mine('minergate_mining_mined_coins:increase1d'), unit: 'none' },
      { name: 'Luck', query: mine('minergate_earnings_coins:ratio1d'), unit: 'percentunit', decimals: 0, gauge: { limits: OF_EXPECTED, max: 1.5 } },
    ], { by: 'Luck' }).span(24).height(8).overrideByName('Account', [{ id: 'links', value: [ACCOUNT_LINK] }]),
  ];
}

function course() {
  const measured = (metric: string) => once('currency', `max_over_time(${select(metric, CURRENCY)}[1h]) - min_over_time(${select(metric, CURRENCY)}[1h])`);
  return [
    currencyGraph('Network hashrate, change in 24 h', 'What the network\'s hashrate has changed by in a day.', 'percentunit').span(12)
      .withTarget(over(change('minergate_network_hashrate_hashes_per_second'), '{{currency}}', POLL.pool)),
    currencyGraph('Accounts\' part of the network', 'The accounts\' hashrate in parts of the network\'s.', 'percentunit').span(12).min(0)
      .withTarget(over(byCurrency(mine('minergate_network_share:ratio')), '{{currency}}', POLL.mining)),
    currencyGraph('Block time of the expected', 'Time from block to block in the last hour, by the blocks\' own times, of what difficulty and hashrate make '
      + 'expect.', 'percentunit').span(12).min(0)
      .withTarget(over(
        `${measured('minergate_network_block_timestamp_seconds')} / (${measured('minergate_network_block_height')} > 0) / on (currency) (${blockTime})`,
        '{{currency}}', POLL.mining)),
    currencyGraph('Since the last block', 'How old the last block was, at most, in 10 minutes. If it grows and grows, the pool\'s node or the network stands still.', 'm')
      .span(12).min(0)
      .withTarget(over(
        `${once('currency', `max_over_time(${age(select('minergate_network_block_timestamp_seconds', CURRENCY))}[10m:1m])`)} / 60`, '{{currency}}', POLL.pool)),
  ];
}

function absolute() {
  return [
    repeated(currencyGraph('Network hashrate, $currency', 'Hashrate of the whole network.', 'Hs'))
      .withTarget(over(networkHashrate, '{{currency}}', POLL.mining)),
    repeated(currencyGraph('Difficulty, $currency', 'Difficulty of the network.', 'short'))
      .withTarget(over(difficulty, '{{currency}}', POLL.mining)),
  ];
}

function blocks() {
  const coins = (name: string, metric: string) => ({ name, query: network(metric), unit: 'none' });
  const bytes = (name: string, metric: string) => ({ name, query: network(metric), unit: 'bytes' });
  return [
    grid('Last block', 'What the last block paid: base reward, less the penalty for its size, plus fees.', { currency: 'Currency' }, [
      coins('Height', 'minergate_network_block_height'),
      { name: 'State', query: network('minergate_network_block_orphaned'), unit: 'none', mappings: words({ 0: ['✓ in chain', GOOD], 1: ['✗ orphan', BAD] }) },
      coins('Base reward', 'minergate_network_base_reward_coins'),
      coins('Penalty', 'minergate_network_block_penalty_coins'),
      coins('Fees', 'minergate_network_block_fees_coins'),
      coins('Paid', 'minergate_network_block_reward_coins'),
      { name: 'Supply', query: network('minergate_network_supply_coins'), unit: 'short' },
    ], { by: 'Currency' }),
    grid('Size of the last block', 'A block that is larger than the full-reward size pays less. The median is that of the window\'s blocks.',
      { currency: 'Currency' }, [
        bytes('Size', 'minergate_network_block_size_bytes'),
        bytes('Payload', 'minergate_network_block_transactions_size_bytes'),
        bytes('Median', 'minergate_network_block_size_median_bytes'),
        { name: 'Window', query: network('minergate_network_reward_window_blocks'), unit: 'none' },
        bytes('Full reward', 'minergate_network_full_reward_block_size_bytes'),
        { name: 'Transactions', query: network('minergate_network_block_transactions'), unit: 'short' },
      ], { by: 'Currency' }).span(12),
    currencyGraph('Transactions', 'Transactions a minute in each network.', 'cpm').span(12).height(8).min(0)
      .withTarget(over(`60 * ${once('currency', `rate(${select('minergate_network_transactions_total', CURRENCY)}[$__rate_interval])`)}`, '{{currency}}', POLL.pool)),
  ];
}

function strongest() {
  const top = once('currency, rank', select('minergate_pool_top_hashrate_hashes_per_second', CURRENCY));
  // Two exporters may have asked at different times, and name another miner each.
  const names = `topk by (currency, rank) (1, ${once('currency, rank, nickname', select('minergate_pool_top_miner_info', CURRENCY))})`;
  return [
    grid('Strongest miners', 'The pool\'s strongest miners of each currency. Their nicknames are there if the exporter\'s optional metric '
      + 'minergate_pool_top_miner_info is switched on.', { currency: 'Currency', rank: 'Rank', nickname: 'Nickname' }, [
      { name: 'Hashrate', query: `${top} * on (currency, rank) group_left (nickname) ${names} or (${top} unless on (currency, rank) ${names})`, unit: 'Hs' },
    ]).sortBy(['Currency', 'Rank'].map((name) => new TableSortByFieldStateBuilder().displayName(name))).span(12).height(9)
      // As words, 10 would stand before 2.
      .withTransformation({ id: 'convertFieldType', options: { fields: {}, conversions: [{ targetField: 'Rank', destinationType: 'number' }] } }),
    currencyGraph('The ten strongest, of the network', 'Hashrate of the pool\'s ten strongest miners together, in parts of the network\'s.', 'percentunit')
      .span(12).height(9)
      .withTarget(over(`${byCurrency(top)} / on (currency) (${networkHashrate} > 0)`, '{{currency}}', POLL.pool)),
  ];
}

export function networkAndProfit(): Dashboard {
  const builder = dashboard('network', 'Network and profit', 'Networks, rewards and the pool\'s ratings, and what the accounts\' hashrate is worth.')
    .withVariable(accounts()).withVariable(scope()).withVariable(networks())
    .annotation(reloads()).annotation(failedReloads());
  return finish(builder, [
    { title: 'Profit', panels: profit() },
    { title: 'Networks', panels: course() },
    { title: 'Absolute values', panels: absolute(), closed: true },
    { title: 'Blocks', panels: blocks(), closed: true },
    { title: 'Strongest miners', panels: strongest(), closed: true },
  ]);
}
