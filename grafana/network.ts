/** Network and profit: what the networks are like, and what a hashrate is worth in them. */
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { LineInterpolation } from '@grafana/grafana-foundation-sdk/common';

import { BAD, dashes, GOOD } from './colours.ts';
import { ACCOUNT_LINK, accounts, dashboard, failedReloads, finish, networks, reloads } from './dashboard.ts';
import { currencyGraph, graph, grid, logarithmic, smallGraph, withCurrencyStyles, words } from './panels.ts';
import {
  age, blockTime, CURRENCY, estimate, grown, LAST_DAY, measuredBlockTime, mine, network, once, over, POLL, select,
} from './queries.ts';

const hashrate = mine('minergate_workers_hashrate_hashes_per_second');
const networkHashrate = network('minergate_network_hashrate_hashes_per_second');
const byCurrency = (expression: string) => `sum by (currency) (${expression})`;

function atAGlance() {
  return [
    grid('Networks', 'The state of each currency\'s network, as of its last block. Profit rank 1 is the pool\'s most profitable currency.',
      { currency: 'Currency' }, [
        { name: 'Profit rank', query: network('minergate_pool_profit_rank'), unit: 'none' },
        { name: 'Hashrate', query: networkHashrate, unit: 'Hs' },
        { name: 'Difficulty', query: network('minergate_network_difficulty'), unit: 'short' },
        { name: 'Block time', query: blockTime(), unit: 's' },
        { name: 'Height', query: network('minergate_network_block_height'), unit: 'none' },
        { name: 'Last block ago', query: age(network('minergate_network_block_timestamp_seconds')), unit: 's' },
        {
          name: 'Last block', query: network('minergate_network_block_orphaned'), unit: 'none',
          mappings: words({ 0: ['✓ in the chain', GOOD], 1: ['✗ orphan', BAD] }),
        },
        { name: 'Reward', query: network('minergate_network_block_reward_coins'), unit: 'none' },
        { name: 'Supply', query: network('minergate_network_supply_coins'), unit: 'short' },
      ]),
  ];
}

function profit() {
  return [
    grid('What the accounts\' hashrate is worth', 'Estimate a day = hashrate / network\'s hashrate x blocks a day x reward. It assumes that '
      + 'hashrate, difficulty and the average reward stay as they are, and leaves the pool\'s fee and luck out of account. A day '
      + 'has 86400 s / block time blocks: by difficulty and hashrate, or, where the difficulty does not count hashes (Bitcoin), as '
      + 'they came in the last day. The reward is the last day\'s average, too. Beside it, what was mined.', { account: 'Account', currency: 'Currency' }, [
      { name: 'Hashrate', query: hashrate, unit: 'Hs' },
      { name: 'Network share', query: `${hashrate} / on (currency) group_left () ${networkHashrate}`, unit: 'percentunit', decimals: 6 },
      { name: 'Estimate a day', query: estimate(hashrate), unit: 'none' },
      { name: 'Mined in 24 h', query: grown('minergate_mining_mined_coins_total', LAST_DAY), unit: 'none' },
    ]).span(14).overrideByName('Account', [{ id: 'links', value: [ACCOUNT_LINK] }]),
    withCurrencyStyles(graph('Profit rank', 'Place of each currency by the pool\'s profit rating; 1 is the most profitable.', 'none'))
      .span(10).height(9).decimals(0).lineInterpolation(LineInterpolation.StepAfter).fillOpacity(0)
      .withTarget(over(network('minergate_pool_profit_rank'), '{{currency}}', POLL.pool)),
    currencyGraph('Estimated coins per day', 'What the accounts\' hashrate is worth a day (line), and what they mine (dashed), as coins a day. '
      + 'The estimate assumes what the table above says.', 'none').axisLabel('coins a day')
      // A day would be counted anew at every step, which takes Prometheus seconds.
      .withTarget(over(byCurrency(estimate(hashrate, '[6h]')), '{{currency}}', POLL.pool))
      .withTarget(over(
        `86400 * ${byCurrency(once('account, currency', `rate(${select('minergate_mining_mined_coins_total', 'account=~"$account"', CURRENCY)}[$__rate_interval])`))}`,
        '{{currency}} mined', POLL.mining))
      .overrideByRegexp('.* mined', [dashes(4, 4)]),
    currencyGraph('Accounts\' share of the network', 'The accounts\' hashrate in parts of the network\'s.', 'percentunit')
      .withTarget(over(`${byCurrency(hashrate)} / on (currency) ${networkHashrate}`, '{{currency}}', POLL.mining)),
  ];
}

function work() {
  return [
    logarithmic(currencyGraph('Network\'s hashrate', 'Hashrate of each whole network.', 'Hs'))
      .withTarget(over(networkHashrate, '{{currency}}', POLL.mining)),
    logarithmic(currencyGraph('Difficulty', 'Difficulty of each network.', 'short'))
      .withTarget(over(network('minergate_network_difficulty'), '{{currency}}', POLL.mining)),
    currencyGraph('Block time', 'Seconds from block to block in the last hour, by the blocks\' own times, and (dashed) as difficulty and hashrate '
      + 'make expect.', 's')
      .withTarget(over(measuredBlockTime('[1h]'), '{{currency}}', POLL.mining))
      .withTarget(over(`${network('minergate_network_difficulty')} / ${networkHashrate} > 1`, '{{currency}} expected', POLL.mining))
      .overrideByRegexp('.* expected', [dashes(4, 4)]),
    currencyGraph('Since the last block', 'How old the last block is. If it grows and grows, the pool\'s node or the network stands still.', 's')
      .withTarget(over(age(network('minergate_network_block_timestamp_seconds')), '{{currency}}', POLL.mining)),
  ];
}

function blocks() {
  return [
    grid('Rewards of the last block', 'What the last block paid: base reward, less the penalty for its size, plus fees.', { currency: 'Currency' }, [
      { name: 'Base reward', query: network('minergate_network_base_reward_coins'), unit: 'none' },
      { name: 'Penalty', query: network('minergate_network_block_penalty_coins'), unit: 'none' },
      { name: 'Fees', query: network('minergate_network_block_fees_coins'), unit: 'none' },
      { name: 'Reward', query: network('minergate_network_block_reward_coins'), unit: 'none' },
    ]).span(12).height(8),
    currencyGraph('Reward per block', 'What the last block paid.', 'none').axisLabel('coins')
      .withTarget(over(network('minergate_network_block_reward_coins'), '{{currency}}', POLL.mining)),
    grid('Size of the last block', 'A block that is larger than the full-reward size pays less. The median is that of the window\'s blocks.',
      { currency: 'Currency' }, [
        { name: 'Size', query: network('minergate_network_block_size_bytes'), unit: 'bytes' },
        { name: 'Transactions\' size', query: network('minergate_network_block_transactions_size_bytes'), unit: 'bytes' },
        { name: 'Median', query: network('minergate_network_block_size_median_bytes'), unit: 'bytes' },
        { name: 'Window, blocks', query: network('minergate_network_reward_window_blocks'), unit: 'none' },
        { name: 'Full reward up to', query: network('minergate_network_full_reward_block_size_bytes'), unit: 'bytes' },
        { name: 'Transactions', query: network('minergate_network_block_transactions'), unit: 'short' },
      ]).span(12).height(8),
    withCurrencyStyles(smallGraph('Transactions', 'Transactions a minute in each network.', 'cpm')).span(12).min(0)
      .withTarget(over(
        `60 * ${once('currency', `rate(${select('minergate_network_transactions_total', CURRENCY)}[$__rate_interval])`)}`,
        '{{currency}}', POLL.pool)),
  ];
}

function strongest() {
  const top = once('currency, rank', select('minergate_pool_top_hashrate_hashes_per_second', CURRENCY));
  const names = once('currency, rank, nickname', select('minergate_pool_top_miner_info', CURRENCY));
  return [
    grid('Strongest miners', 'The pool\'s strongest miners of each currency. Their nicknames are there if the exporter\'s optional metric '
      + 'minergate_pool_top_miner_info is switched on.', { currency: 'Currency', rank: 'Rank', nickname: 'Nickname' }, [
      { name: 'Hashrate', query: `${top} * on (currency, rank) group_left (nickname) ${names} or ${top}`, unit: 'Hs' },
    ]).span(12),
    currencyGraph('Hashrate of the ten strongest', 'Hashrate of the pool\'s ten strongest miners together, for each currency.', 'Hs').height(9)
      .withTarget(over(byCurrency(top), '{{currency}}', POLL.pool)),
  ];
}

export function networkAndProfit(): Dashboard {
  const builder = dashboard('network', 'Network and profit', 'Networks, rewards and the pool\'s ratings, and what the accounts\' hashrate is worth.')
    .withVariable(accounts()).withVariable(networks())
    .annotation(reloads()).annotation(failedReloads());
  return finish(builder, {
    'Networks': atAGlance(),
    'Profit': profit(),
    'Work': work(),
    'Blocks': blocks(),
    'Miners': strongest(),
  });
}
