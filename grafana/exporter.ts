/** Exporter: how its polls, logins and scrapes go, and what it costs. */
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { BigValueTextMode } from '@grafana/grafana-foundation-sdk/common';

import { BAD, BLUE, fixed, GOOD, SKY, VERMILION } from './colours.ts';
import { ACCOUNT_LINK, accounts, dashboard, failedReloads, finish, reloads } from './dashboard.ts';
import { endpointGraph, faults, graph, grid, limited, number, smallGraph, state, STACKED, timeline, UP, words } from './panels.ts';
import { ACCOUNT, age, now, once, over, POLL, select } from './queries.ts';

const rate = (labels: string, metric: string, ...matchers: string[]) =>
  `sum by (${labels}) (rate(${select(metric, ...matchers)}[$__rate_interval]))`;
const endpointUp = once('account, endpoint, currency', select('minergate_endpoint_up', ACCOUNT));
const sinceSuccess = age(once('account, endpoint, currency',
  select('minergate_endpoint_last_success_timestamp_seconds', ACCOUNT)));
const interval = once('endpoint', select('minergate_endpoint_interval_seconds'));
const link = [{ id: 'links', value: [ACCOUNT_LINK] }];

function nowRow() {
  return [
    state('Exporter', 'Whether Prometheus reaches the exporter: the worst of its targets.', words({ 0: ['✗ down', BAD], 1: ['✓ up', GOOD] }))
      .withTarget(now(`min(${select('up')})`, 'up')),
    number('Version', 'The exporter\'s version; several where instances differ.', 'none').textMode(BigValueTextMode.Name)
      .withTarget(now(`count by (version) (${select('minergate_exporter_build_info')})`, '{{version}}')),
    number('Accounts', 'Accounts that are polled.', 'short').withTarget(now(`count(${once('account', select('minergate_up', ACCOUNT))})`, 'accounts')),
    faults('Failures', 'Endpoints, each account\'s for itself, that could not be read at their latest poll.')
      .withTarget(now(`count(${endpointUp} == 0) or vector(0)`, 'failing')),
    faults('Logins stopped', 'Accounts whose logins are blocked, until a person changes their credentials.')
      .withTarget(now(`count(${once('account, reason', select('minergate_auth_blocked', ACCOUNT))} == 1) or vector(0)`, 'stopped')),
    limited('Oldest value', 'The longest time since an endpoint was last read, in its own intervals. Above 1 a poll is late or failed; from 3 on, '
      + 'values may be gone.', 'none', 1.5, 3).decimals(1)
      .withTarget(now(`max(${sinceSuccess} / on (endpoint) group_left () ${interval})`, 'intervals')),
    state('Configuration', 'Whether the configuration\'s file was last read successfully.', words({ 0: ['✗ broken', BAD], 1: ['✓ read', GOOD] }))
      .withTarget(now(`min(${select('minergate_exporter_config_last_reload_successful')})`, 'configuration')),
    number('Running for', 'Time since the exporter was started; of several, the youngest.', 's')
      .withTarget(now(`time() - max(${select('process_start_time_seconds')})`, 'running')),
  ];
}

function pollRow() {
  const outcomes = (...matchers: string[]) => `60 * ${rate('outcome', 'minergate_api_requests_total', ...matchers)}`;
  return [
    endpointGraph('Requests to the API', 'Requests a minute, by endpoint. Repeated ones count.', 'cpm').stacking(STACKED)
      .withTarget(over(`60 * ${rate('endpoint', 'minergate_api_requests_total')}`, '{{endpoint}}', POLL.mining)),
    graph('Errors by kind', 'Requests a minute that did not end well, by how they ended.', 'cpm').min(0)
      .withTarget(over(`${outcomes('outcome!="ok"')} > 0`, '{{outcome}}', POLL.mining)).noValue('No errors'),
    graph('API latency', 'Time from sending a request to the end of its answer: half and 95 of 100 requests took less.', 's').min(0)
      .withTarget(over(`histogram_quantile(0.5, ${rate('le', 'minergate_api_request_duration_seconds_bucket')})`, 'half', POLL.mining))
      .withTarget(over(`histogram_quantile(0.95, ${rate('le', 'minergate_api_request_duration_seconds_bucket')})`, '95 of 100', POLL.mining))
      .overrideByName('half', [fixed(SKY)]).overrideByName('95 of 100', [fixed(VERMILION)]),
    endpointGraph('API latency by endpoint', 'Average time from sending a request to the end of its answer.', 's')
      .withTarget(over(
        `${rate('endpoint', 'minergate_api_request_duration_seconds_sum')} / (${rate('endpoint', 'minergate_api_request_duration_seconds_count')} > 0)`,
        '{{endpoint}}', POLL.mining)),
    timeline('Endpoints', 'Whether each endpoint was read at its latest poll, for all accounts together: failing if it fails for one.', UP)
      .height(10)
      .withTarget(over(`min by (endpoint) (${endpointUp})`, '{{endpoint}}', POLL.workers)),
    grid('Failing endpoints', 'Endpoints that could not be read at their latest poll, and for how long. Without an account: the pool\'s.',
      { account: 'Account', endpoint: 'Endpoint', currency: 'Currency' }, [
        { name: 'Read ago', query: `${sinceSuccess} and on (account, endpoint, currency) (${endpointUp} == 0)`, unit: 's' },
      ]).span(12).height(10).noValue('No endpoint fails').overrideByName('Account', link),
    endpointGraph('Age of values', 'The longest time since an endpoint was last read.', 's')
      .withTarget(over(`max by (endpoint) (${sinceSuccess})`, '{{endpoint}}', POLL.workers)),
    endpointGraph('Polls not sent', 'Polls a minute that were not sent, since the API had asked for a pause.', 'cpm')
      .withTarget(over(`60 * ${rate('endpoint', 'minergate_api_polls_skipped_total')}`, '{{endpoint}}', POLL.mining)),
    graph('Waiting requests', 'Requests that wait for their turn under api.requests_per_second and api.concurrency, on average.', 'short').min(0)
      .withTarget(over(`sum(rate(${select('minergate_api_queue_seconds_total')}[$__rate_interval]))`, 'waiting', POLL.mining)),
    graph('Repeated requests', 'Requests a minute that were tried again.', 'cpm').min(0)
      .withTarget(over(`60 * sum(rate(${select('minergate_api_retries_total')}[$__rate_interval]))`, 'tried again', POLL.mining)),
    graph('Pause', 'For how long from then on the API asked to be left alone.', 's').min(0)
      .withTarget(over(`max(${select('minergate_api_paused_until_timestamp_seconds')} - time())`, 'pause', POLL.workers)).noValue('No pause'),
    endpointGraph('Left out', 'Samples a minute that were left out, since the API named an invalid currency, or more than fit.', 'cpm')
      .withTarget(over(`60 * ${rate('endpoint', 'minergate_api_dropped_samples_total')}`, '{{endpoint}}', POLL.mining)),
    endpointGraph('Corrected counters', 'Times a minute that a total of the API fell by at most 1 % and was held at its highest value.', 'cpm')
      .withTarget(over(
        // The counter is there once a correction has been; until then there was none.
        `60 * (${rate('endpoint', 'minergate_api_counter_corrections_total')} or 0 * ${rate('endpoint', 'minergate_api_requests_total')})`,
        '{{endpoint}}', POLL.mining)),
  ];
}

function loginRow() {
  return [
    graph('Logins', 'Attempts to log in, by how they ended.', 'short').min(0)
      .withTarget(over(`sum by (outcome) (${once('account, outcome', `increase(${select('minergate_auth_logins_total', ACCOUNT)}[$__rate_interval])`)})`,
        '{{outcome}}', POLL.mining))
      .overrideByName('ok', [fixed(BLUE)]),
    grid('Stopped logins', 'Accounts whose logins are blocked, and why. They go on when the credentials change.',
      { account: 'Account', reason: 'Reason' }, [
        { name: 'State', query: `${once('account, reason', select('minergate_auth_blocked', ACCOUNT))} == 1`, unit: 'none', mappings: words({ 1: ['✗ stopped', BAD] }) },
      ]).span(6).height(8).noValue('No login is stopped').overrideByName('Account', link),
    grid('Tokens', 'How long ago the token in use was obtained, for each account.', { account: 'Account' }, [
      { name: 'Age', query: age(once('account', select('minergate_auth_token_timestamp_seconds', ACCOUNT))), unit: 's' },
    ]).span(6).height(8).overrideByName('Account', link),
  ];
}

function scrapeRow() {
  return [
    smallGraph('Scrape duration', 'How long Prometheus took for a scrape.', 's').min(0)
      .withTarget(over(`max by (job) (${select('scrape_duration_seconds')})`, '{{job}}, slowest target', POLL.workers)),
    smallGraph('Samples', 'Samples of a scrape, of all targets together.', 'short').min(0)
      .withTarget(over(`sum by (job) (${select('scrape_samples_scraped')})`, '{{job}}', POLL.workers)),
    smallGraph('Requests to the exporter', 'Requests a minute, by path and status.', 'cpm').min(0)
      .withTarget(over(`60 * ${rate('path, code', 'minergate_exporter_http_requests_total')}`, '{{path}} {{code}}', POLL.mining)),
  ];
}

function processRow() {
  const byInstance = (metric: string) => `max by (instance) (${select(metric)})`;
  return [
    smallGraph('Memory', 'Resident and virtual memory of the exporter\'s process.', 'bytes').min(0)
      .withTarget(over(byInstance('process_resident_memory_bytes'), '{{instance}} resident', POLL.workers))
      .withTarget(over(byInstance('process_virtual_memory_bytes'), '{{instance}} virtual', POLL.workers)),
    smallGraph('CPU', 'Processor time in parts of one core.', 'percentunit').min(0)
      .withTarget(over(`max by (instance) (rate(${select('process_cpu_seconds_total')}[$__rate_interval]))`, '{{instance}}', POLL.mining)),
    smallGraph('File descriptors and threads', 'Open file descriptors, how many there may be, and threads.', 'short').min(0)
      .withTarget(over(byInstance('process_open_fds'), '{{instance}} open', POLL.workers))
      .withTarget(over(byInstance('process_max_fds'), '{{instance}} at most', POLL.workers))
      .withTarget(over(byInstance('process_threads'), '{{instance}} threads', POLL.workers)),
    graph('Log lines lost', 'Lines of the log a minute that were lost, because nobody read it.', 'cpm').span(24).height(6).min(0)
      .withTarget(over(`60 * ${rate('instance', 'minergate_exporter_log_lines_dropped_total')}`, '{{instance}}', POLL.mining)),
    grid('Instances', 'What runs where.', { instance: 'Instance', version: 'Version', revision: 'Revision', rustversion: 'Compiler' }, [
      {
        name: 'Configuration read', unit: 's',
        query: `${age(`max by (instance) (${select('minergate_exporter_config_last_reload_success_timestamp_seconds')})`)} + on (instance) group_right () `
          + `0 * ${once('instance, version, revision, rustversion', select('minergate_exporter_build_info'))}`,
      },
    ]).span(12).height(6),
    grid('Poll intervals', 'How often each endpoint is asked, as configured.', { endpoint: 'Endpoint' }, [
      { name: 'Asked every', query: interval, unit: 's' },
    ]).span(12).height(6),
  ];
}

export function exporter(): Dashboard {
  // What belongs to pool and networks has no account.
  const builder = dashboard('exporter', 'Exporter', 'How the exporter\'s polls, logins and scrapes go, and what it costs.')
    .withVariable(accounts('.*'))
    .annotation(reloads()).annotation(failedReloads());
  return finish(builder, {
    'Now': nowRow(),
    'Polls': pollRow(),
    'Logins': loginRow(),
    'Scrapes': scrapeRow(),
    'Process': processRow(),
  });
}
