/** PromQL: the matchers that every selector has, and the expressions that several panels share. */
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';

export const ACCOUNT = 'account=~"$account"';
/** One account: its name stands as it is, where among several it would be a pattern. */
export const ONE_ACCOUNT = 'account="$account"';
export const CURRENCY = 'currency=~"$currency"';

/** How often the exporter asks for a value by default: a step that is shorter shows nothing more, and rates need two polls. */
export const POLL = { workers: '30s', mining: '1m', pool: '5m' };

/** A selector. What a scrape per account calls its instances is told apart by `instance`, so that nothing here relies on it. */
export function select(metric: string, ...matchers: string[]): string {
  return `${metric}{${['job=~"$job"', 'instance=~"$instance"', ...matchers].join(', ')}}`;
}

/**
 * A recorded series (deploy/prometheus/rules): what is derived is defined there once, for graphs and alerts. It has no job and
 * no instance, since an account counts once however often it is scraped.
 */
export function recorded(name: string, ...matchers: string[]): string {
  return matchers.length === 0 ? name : `${name}{${matchers.join(', ')}}`;
}

/** One series for each combination of labels, where two exporters poll the same account or two jobs scrape one exporter. */
export function once(labels: string, expression: string): string {
  return `max by (${labels}) (${expression})`;
}

/** The same for a state over time. One that is no longer told is -1 for a day: a timeline would draw its last state to the end. */
export function lately(labels: string, selector: string): string {
  return `${once(labels, selector)} or 0 * ${once(labels, `last_over_time(${selector}[1d])`)} - 1`;
}

/** A recorded series of each account and currency. */
export function mine(name: string, account = ACCOUNT): string {
  return recorded(`account_currency:${name}`, account, CURRENCY);
}

/** Each currency's sum over the accounts. Different currencies are never added up. */
export function byCurrency(expression: string): string {
  return `sum by (currency) (${expression})`;
}

/** What belongs to a network or the pool. */
export function network(metric: string): string {
  return once('currency', select(metric, CURRENCY));
}

export const HASHRATE = 'minergate_hashrate_hashes_per_second:max';
const USUAL = 'minergate_hashrate_hashes_per_second:median7d';
const OF_USUAL = 'minergate_hashrate_hashes_per_second:ratio7d';

/** What is there of the usual hashrate of the last 7 days, for each currency. Accounts that can't be read are left out. */
export function hashrateOfUsual(account = ACCOUNT): string {
  const known = `${mine(USUAL, account)} and ${mine(OF_USUAL, account)}`;
  return `${byCurrency(`${mine(OF_USUAL, account)} * ${mine(USUAL, account)}`)} / ${byCurrency(known)}`;
}

/** Of what the hashrate of the last day should have brought, the part that came, for each currency. */
export function luck(): string {
  const mined = 'minergate_mining_mined_coins:increase1d';
  const expected = 'minergate_earnings_coins:expected1d';
  return `${byCurrency(`${mine(mined)} and ${mine(expected)}`)} / (${byCurrency(mine(expected))} > 0)`;
}

/** Of an hour's shares, those that were rejected, for each currency. */
export function rejectedRatio(): string {
  const shares = (...result: string[]) => byCurrency(
    `${recorded('account_currency_result:minergate_mining_shares:rate1h', ACCOUNT, CURRENCY, ...result)}`
    + ` and on (account, currency) ${mine('minergate_mining_rejected_shares:ratio_rate1h')}`,
  );
  return `${shares('result!="good"')} / ${shares()}`;
}

/**
 * Growth of a counter whose series begin when something first happens, as those of errors do: what is there at its beginning
 * counts from 0, if the exporter was scraped before.
 */
export function counted(labels: string, metric: string, time: string, ...matchers: string[]): string {
  const counter = select(metric, ...matchers);
  const before = `offset ${time}`;
  const seenBefore = `and on (job, instance) ${select('minergate_exporter_build_info')} ${before}`;
  return `sum by (${labels}) (increase(${counter}[${time}]) and ${counter} ${before} or ${counter} ${seenBefore})`;
}

/** Seconds since a time. */
export function age(timestamp: string): string {
  return `(time() - ${timestamp})`;
}

/** Whether Prometheus reaches the exporters: the worst of those that it has scraped within a day, and -1 without any. */
export function exporterUp(): string {
  const names = '__name__=~"minergate_exporter_build_info|minergate_up"';
  const scraped = `present_over_time(${select('', names)}[1d])`;
  return `min(${select('up')} and on (job, instance) ${scraped}) or -1 * absent(${scraped})`;
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
