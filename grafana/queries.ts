/** PromQL: the matchers that every selector has, and the expressions that several panels share. */
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';

export const ACCOUNT = 'account=~"$account"';
export const CURRENCY = 'currency=~"$currency"';

/** How often the exporter asks for a value by default: a step that is shorter shows nothing more, and rates need two polls. */
export const POLL = { workers: '30s', mining: '1m', pool: '5m' };

/** The last day. */
export const LAST_DAY = '[1d]';

/** With steps of a day, the day that begins at the step. */
export const EACH_DAY = '[1d] offset -1d';

/** A selector. What a scrape per account calls its instances is told apart by `instance`, so that nothing here relies on it. */
export function select(metric: string, ...matchers: string[]): string {
  return `${metric}{${['job=~"$job"', 'instance=~"$instance"', ...matchers].join(', ')}}`;
}

/** One series for each combination of labels, where two exporters poll the same account or two jobs scrape one exporter. */
export function once(labels: string, expression: string): string {
  return `max by (${labels}) (${expression})`;
}

/** What belongs to an account and a currency. */
export function mine(metric: string, ...matchers: string[]): string {
  return once('account, currency', select(metric, ACCOUNT, CURRENCY, ...matchers));
}

/** What belongs to a network or the pool. */
export function network(metric: string, ...matchers: string[]): string {
  return once('currency', select(metric, CURRENCY, ...matchers));
}

/** The growth of a currency's counter over a time, for each account. */
export function grown(metric: string, time: string, ...matchers: string[]): string {
  return once('account, currency', `increase(${select(metric, ACCOUNT, CURRENCY, ...matchers)}${time})`);
}

/** The part of the shares that the pool did not take. */
export function rejectRatio(labels: string, time: string): string {
  const shares = (...result: string[]) => {
    const metric = select('minergate_mining_shares_total', ACCOUNT, CURRENCY, ...result);
    return `sum by (${labels}) (${once('account, currency, result', `increase(${metric}${time})`)})`;
  };
  // Without shares there is no ratio, instead of NaN.
  return `${shares('result=~"bad|invalid"')} / (${shares()} > 0)`;
}

/**
 * Seconds from block to block. Where the difficulty counts hashes, as in CryptoNote's and Ethereum's networks, it is the
 * difficulty through the hashrate; Bitcoin's counts in billions of hashes, which would give next to nothing, so there the
 * blocks of a time are counted.
 */
export function blockTime(counted = LAST_DAY): string {
  const difficulty = network('minergate_network_difficulty');
  const hashrate = network('minergate_network_hashrate_hashes_per_second');
  return `((${difficulty} / ${hashrate} > 1) or ${measuredBlockTime(counted)})`;
}

/** Seconds from block to block, as the blocks of a time came. */
export function measuredBlockTime(time: string): string {
  const spread = (metric: string) => {
    const series = select(metric, CURRENCY);
    return once('currency', `max_over_time(${series}${time}) - min_over_time(${series}${time})`);
  };
  return `${spread('minergate_network_block_timestamp_seconds')} / (${spread('minergate_network_block_height')} > 0)`;
}

/** Coins a day that a hashrate is worth, by the average reward of a time. */
export function estimate(hashrate: string, time = LAST_DAY): string {
  const reward = once('currency', `avg_over_time(${select('minergate_network_block_reward_coins', CURRENCY)}${time})`);
  const networkHashrate = network('minergate_network_hashrate_hashes_per_second');
  return `${hashrate} * on (currency) group_left () (86400 * ${reward} / ${blockTime(time)} / ${networkHashrate})`;
}

/** Seconds since a time. */
export function age(timestamp: string): string {
  return `(time() - ${timestamp})`;
}

/** A query over the dashboard's time. Its step is never shorter than `step`. */
export function over(expression: string, legend: string, step: string): DataqueryBuilder {
  return new DataqueryBuilder().expr(expression).legendFormat(legend).interval(step).range();
}

/** A query at the end of the dashboard's time. */
export function now(expression: string, legend: string): DataqueryBuilder {
  return new DataqueryBuilder().expr(expression).legendFormat(legend).instant();
}

/** A query for a table: its labels become columns. */
export function rows(expression: string): DataqueryBuilder {
  return new DataqueryBuilder().expr(expression).format(PromQueryFormat.Table).instant();
}
