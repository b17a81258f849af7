/** Exporter: how its polls, logins and scrapes go, and what it costs. */
import { ScaleDistribution, ScaleDistributionConfigBuilder } from '@grafana/grafana-foundation-sdk/common';
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';

import { AMBER, BAD, BLUE, fixed, GOOD, PLUM } from './colours.ts';
import { ACCOUNT_LINK, accounts, dashboard, failedReloads, finish, reloads } from './dashboard.ts';
import {
  countedBars, endpointGraph, EXPORTER_UP, faults, graph, limited, named, number, state, unknown, wide, words,
} from './panels.ts';
import { ACCOUNT, age, counted, exporterUp, now, once, over, POLL, select } from './queries.ts';
import { grid } from './tables.ts';

const rate = (labels: string, metric: string, ...matchers: string[]) =>
  `sum by (${labels}) (rate(${select(metric, ...matchers)}[$__rate_interval]))`;
const endpointUp = once('account, endpoint, currency', select('minergate_endpoint_up', ACCOUNT));
const sinceSuccess = age(once('account, endpoint, currency', select('minergate_endpoint_last_success_timestamp_seconds', ACCOUNT)));
const neverRead = `${endpointUp} unless on (account, endpoint, currency) ${sinceSuccess}`;
const interval = once('endpoint', select('minergate_endpoint_interval_seconds'));
const inIntervals = `${sinceSuccess} / on (endpoint) group_left () ${interval}`;
/** The oldest that an endpoint was within ten minutes: an age itself goes up and down with each poll. */
const oldest = once('account, endpoint, currency',
  `max_over_time(${age(select('minergate_endpoint_last_success_timestamp_seconds', ACCOUNT))}[10m:1m])`);
const blocked = once('account, reason', select('minergate_auth_blocked', ACCOUNT));
const link = [{ id: 'links', value: [ACCOUNT_LINK] }];

/** What is there to count, of which none may be: 0 where it is known, and nothing where it is not. */
const count = (of: string, condition: string) => `count(${of} ${condition}) or 0 * count(${of})`;

function nowRow() {
  const tiles = [
    state('Exporter', 'Whether Prometheus reaches the exporter: the worst of its targets.', [...EXPORTER_UP, unknown('✗ unknown')])
      .withTarget(now(exporterUp(), 'up')),
    named('Version', 'The exporter\'s version; several where instances differ.',
      `count by (version) (${select('minergate_exporter_build_info')})`, '{{version}}', '–'),
    number('Accounts', 'Accounts that are polled.', 'short').withTarget(now(`count(${once('account', select('minergate_up', ACCOUNT))})`, 'accounts')),
    faults('Failing', 'Endpoints, each account\'s for itself, that could not be read at their latest poll, or never.')
      .withTarget(now(count(endpointUp, '== 0'), 'failing')),
    faults('Logins blocked', 'Accounts whose logins are blocked, until a person changes their credentials.')
      .withTarget(now(count(once('account', select('minergate_auth_blocked', ACCOUNT)), '== 1'), 'blocked')),
    limited('Oldest value', 'The longest time since an endpoint was last read, in its own intervals. Above 1 a poll is late or failed; from 3 on, '
      + 'values may be gone. It is never if an endpoint was never read.', 'none', 1.5, 3).decimals(1).mappings(words({ '-1': ['✗ never', BAD] }))
      .withTarget(now(`0 * count(${neverRead}) - 1 or max(${inIntervals})`, 'intervals')),
    state('Configuration', 'Whether the configuration\'s file was last read successfully.', words({ 0: ['✗ broken', BAD], 1: ['✓ read', GOOD] }))
      .withTarget(now(`min(${select('minergate_exporter_config_last_reload_successful')})`, 'configuration')),
    number('Running for', 'Time since the exporter was started; of several, the youngest.', 's')
      .withTarget(now(`time() - max(${select('process_start_time_seconds')})`, 'running')),
  ];
  return tiles.map((tile) => tile.span(3));
}

function pollRow() {
  const latency = (quantile: number) =>
    `histogram_quantile(${quantile}, ${rate('le, pool', 'minergate_api_request_duration_seconds_bucket')})`;
  return [
    grid('Failing endpoints, one by one', 'Endpoints that could not be read at their latest poll. Those without an account are the pool\'s.',
      { account: 'Account', endpoint: 'Endpoint', currency: 'Currency' }, [
        {
          name: 'State', unit: 'none', mappings: words({ '-1': ['✗ never read', BAD], 0: ['✗ failing', BAD] }),
          query: `((${endpointUp} == 0) - 1 unless on (account, endpoint, currency) ${sinceSuccess}) or ${endpointUp} == 0`,
        },
        { name: 'Read ago', query: `${sinceSuccess} and on (account, endpoint, currency) (${endpointUp} == 0)`, unit: 's', none: 'never' },
        { name: 'Intervals', query: `${inIntervals} and on (account, endpoint, currency) (${endpointUp} == 0)`, unit: 'none', decimals: 1, none: 'never' },
      ], { by: 'State' }).span(13).height(9).noValue('No failing endpoint is known').overrideByName('Account', link),
    endpointGraph('Ages in intervals', 'The longest time since an endpoint was last read, in its own intervals: up to 1 while all is well. What was never '
      + 'read has no age.', 'none').span(11).height(9).decimals(1)
      .withTarget(over(`max by (endpoint) (${oldest} / on (endpoint) group_left () ${interval})`, '{{endpoint}}', POLL.pool)),
    countedBars('Errors by kind', 'Requests that did not end well, by how they ended. A bar is 10 minutes, or more over a longer time.', 'error')
      .span(12).height(8).noValue('No errors were counted')
      .withTarget(over(`${counted('outcome', 'minergate_api_requests_total', '$__interval', 'outcome!="ok"')} > 0`, '{{outcome}}', '10m')),
    wide(graph('Latency', 'Time from sending a request to the end of its answer: half (p50) and 95 of 100 requests (p95) took less. A pool is named where '
      + 'there is one.', 's'), 'highest').min(0)
      .withTarget(over(latency(0.5), 'p50 {{pool}}', POLL.mining))
      .withTarget(over(latency(0.95), 'p95 {{pool}}', POLL.mining))
      // Each pool has a shade.
      .overrideByRegexp('/^p95/', [{ id: 'color', value: { mode: 'shades', fixedColor: AMBER } }]),
    wide(endpointGraph('Failing accounts', 'How many accounts, or networks, could not be read at their latest poll, by endpoint.', 'none'), 'highest')
      .decimals(0).axisSoftMax(1)
      .withTarget(over(`sum by (endpoint) (1 - ${endpointUp})`, '{{endpoint}}', POLL.workers)),
    wide(endpointGraph('Requests', 'Requests a minute, by endpoint. Repeated ones count.', 'cpm'), 'highest')
      .withTarget(over(`60 * ${rate('endpoint', 'minergate_api_requests_total')}`, '{{endpoint}}', POLL.mining)),
  ];
}

function pauseRow() {
  const perHour = (metric: string) => `${counted('endpoint', metric, '$__interval')} > 0`;
  return [
    graph('Waiting requests', 'Requests that wait for their turn under api.requests_per_second and api.concurrency, on average.', 'short').min(0).axisSoftMax(1)
      .withTarget(over(`sum(rate(${select('minergate_api_queue_seconds_total')}[$__rate_interval]))`, 'waiting', POLL.mining)),
    graph('Repeated requests', 'Requests a minute that were tried again.', 'cpm').min(0).axisSoftMax(1)
      .withTarget(over(`60 * sum(rate(${select('minergate_api_retries_total')}[$__rate_interval]))`, 'tried again', POLL.mining)),
    graph('Pause', 'For how long from then on a host asked to be left alone.', 's').min(0).noValue('No pause is known')
      .withTarget(over(`max(${select('minergate_api_paused_until_timestamp_seconds')} - time()) > 0`, 'pause', POLL.workers)),
    countedBars('Polls not sent', 'Polls that were not sent, since the host had asked for a pause, in each hour.', 'endpoint').noValue('None was counted')
      .withTarget(over(perHour('minergate_api_polls_skipped_total'), '{{endpoint}}', '1h')),
    countedBars('Samples left out', 'Samples that were left out, since the API named an invalid currency, or more than fit, in each hour.', 'endpoint')
      .noValue('None was counted')
      .withTarget(over(perHour('minergate_api_dropped_samples_total'), '{{endpoint}}', '1h')),
    countedBars('Corrected counters', 'Times that a total of the API fell by at most 1 % and was held at its highest value, in each hour.', 'endpoint')
      .noValue('None was counted')
      .withTarget(over(perHour('minergate_api_counter_corrections_total'), '{{endpoint}}', '1h')),
  ];
}

function loginRow() {
  return [
    countedBars('Logins', 'Attempts to log in, by how they ended. A bar is 10 minutes, or more over a longer time.', 'error')
      .withTarget(over(`${counted('outcome', 'minergate_auth_logins_total', '$__interval', ACCOUNT)} > 0`, '{{outcome}}', '10m'))
      .noValue('No login was counted'),
    grid('Blocked logins', 'Accounts that do not log in any more, and why. They do again when the credentials change.',
      { account: 'Account', reason: 'Reason' }, [
        { name: 'State', query: `${blocked} == 1`, unit: 'none', mappings: words({ 1: ['✗ blocked', BAD] }) },
      ], { by: 'Account' }).span(8).height(7).noValue('No blocked login is known').overrideByName('Account', link),
    grid('Tokens', 'How long ago the token in use was obtained, for each account.', { account: 'Account' }, [
      { name: 'Age', query: age(once('account', select('minergate_auth_token_timestamp_seconds', ACCOUNT))), unit: 's' },
    ], { by: 'Age', falling: true }).span(8).height(7).overrideByName('Account', link),
  ];
}

/** The second job of deploy/prometheus, which scrapes accounts one by one. */
const SECOND_JOB = '/account/';

function scrapeRow() {
  return [
    graph('Scrape duration', 'How long Prometheus took for a scrape.', 's').min(0)
      .withTarget(over(`max by (job) (${select('scrape_duration_seconds')})`, '{{job}}, slowest target', POLL.workers)).overrideByRegexp(SECOND_JOB, [fixed(AMBER)]),
    graph('Samples', 'Samples of a scrape, of all targets together.', 'short').min(0)
      .withTarget(over(`sum by (job) (${select('scrape_samples_scraped')})`, '{{job}}', POLL.workers)).overrideByRegexp(SECOND_JOB, [fixed(AMBER)]),
    graph('Requests to the exporter', 'Requests a minute, by path and status.', 'cpm').min(0)
      .withTarget(over(`60 * ${rate('path, code', 'minergate_exporter_http_requests_total')}`, '{{path}} {{code}}', POLL.mining)).overrideByRegexp('/^.sd /', [fixed(AMBER)]),
  ];
}

function processRow() {
  const byInstance = (metric: string) => `max by (instance) (${select(metric)})`;
  return [
    graph('Memory', 'Resident and virtual memory of the exporter\'s process.', 'bytes').min(0)
      .withTarget(over(byInstance('process_resident_memory_bytes'), '{{instance}} resident', POLL.workers))
      .withTarget(over(byInstance('process_virtual_memory_bytes'), '{{instance}} virtual', POLL.workers))
      .overrideByRegexp('/ resident$/', [fixed(BLUE)]).overrideByRegexp('/ virtual$/', [fixed(AMBER)]),
    graph('CPU', 'Processor time in parts of one core.', 'percentunit').min(0)
      .withTarget(over(`max by (instance) (rate(${select('process_cpu_seconds_total')}[$__rate_interval]))`, '{{instance}}', POLL.mining)),
    graph('File descriptors and threads', 'Open file descriptors, how many there may be, and threads, on a logarithmic axis.', 'short')
      .scaleDistribution(new ScaleDistributionConfigBuilder().type(ScaleDistribution.Log).log(10))
      .withTarget(over(byInstance('process_open_fds'), '{{instance}} open', POLL.workers))
      .withTarget(over(byInstance('process_max_fds'), '{{instance}} at most', POLL.workers))
      .withTarget(over(byInstance('process_threads'), '{{instance}} threads', POLL.workers))
      .overrideByRegexp('/ open$/', [fixed(BLUE)]).overrideByRegexp('/ at most$/', [fixed(AMBER)]).overrideByRegexp('/ threads$/', [fixed(PLUM)]),
    graph('Log lines lost', 'Lines of the log a minute that were lost, because nobody read it.', 'cpm').span(5).min(0).axisSoftMax(1)
      .withTarget(over(`60 * ${rate('instance', 'minergate_exporter_log_lines_dropped_total')}`, '{{instance}}', POLL.mining)),
    grid('Instances', 'What runs where.', { instance: 'Instance', version: 'Version', revision: 'Revision', rustversion: 'Compiler' }, [
      {
        name: 'Configuration read', unit: 's',
        query: `${age(`max by (instance) (${select('minergate_exporter_config_last_reload_success_timestamp_seconds')})`)} + on (instance) group_right () `
          + `0 * ${once('instance, version, revision, rustversion', select('minergate_exporter_build_info'))}`,
      },
    ]).span(13).height(7),
    grid('Poll intervals', 'How often each endpoint is polled, as configured.', { endpoint: 'Endpoint' }, [
      { name: 'Polled every', query: interval, unit: 's' },
    ], { by: 'Polled every' }).span(6).height(7),
  ];
}

export function exporter(): Dashboard {
  // What belongs to pool and networks has no account.
  const builder = dashboard('exporter', 'Exporter', 'How the exporter\'s polls, logins and scrapes go, and what it costs.')
    .withVariable(accounts('.*'))
    .annotation(reloads()).annotation(failedReloads());
  return finish(builder, [
    { title: 'Now', panels: nowRow() },
    { title: 'Polls', panels: pollRow() },
    { title: 'Waiting, pauses and corrections', panels: pauseRow() },
    { title: 'Logins', panels: loginRow() },
    { title: 'Scrapes', panels: scrapeRow() },
    { title: 'Process', panels: processRow(), closed: true },
  ]);
}
