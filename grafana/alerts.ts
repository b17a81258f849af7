/** What needs attention: the alerts of deploy/prometheus/rules, one line each, and what no alert says yet. */
import { BAD, WARNING } from './colours.ts';
import { ACCOUNT_LINK } from './dashboard.ts';
import { words } from './panels.ts';
import { ACCOUNT, once, select } from './queries.ts';
import { grid } from './tables.ts';

// What belongs to no account is shown whatever account is chosen.
const OURS = 'alertname=~"Minergate.+", account=~"$account|"';
const LABELS = 'alertname, account, currency, worker, endpoint, reason, exporter';

const alerts = (...matchers: string[]) => once(LABELS, `ALERTS{${[OURS, ...matchers].join(', ')}}`);

/** What follows from another alert, as alertmanager.yml has it: the cause, and the labels that both have in common. */
const CONSEQUENCES: [cause: string, consequences: string, labels: string][] = [
  ['ExporterDown', 'TargetDown|ApiDown|ApiRateLimited|AccountDown|AccountMissing|DataStale', 'exporter'],
  ['ExporterAbsent', 'AccountMissing', ''],
  ['ApiDown', 'AccountDown|DataStale', 'exporter'],
  ['LoginBlocked', 'AccountDown|DataStale', 'exporter, account'],
  ['AccountDown', 'DataStale', 'exporter, account, currency'],
  ['MiningStopped', 'WorkersDropped|WorkerGone|HashrateDropped|RankDropped|EarningsLow', 'account'],
  ['WorkerGone', 'WorkersDropped', 'account, currency'],
  ['WorkersDropped', 'HashrateDropped|RankDropped', 'account, currency'],
  ['StatisticsStopped', 'BalanceNotGrowing|EarningsLow|EffectiveHashrateLow', 'account'],
  ['NetworkStopped', 'BalanceNotGrowing|EarningsLow', 'currency'],
  ['BalanceNotGrowing', 'EarningsLow', 'account, currency'],
];

/** Alerts without what follows from others, so that a problem is one line. */
function causes(expression: string): string {
  const following = CONSEQUENCES.map(([cause, consequences, labels]) =>
    `ALERTS{alertname=~"Minergate(${consequences})"} and on (${labels}) ALERTS{alertname=~"Minergate(${cause})", alertstate="firing"}`);
  return `(${expression}) unless on (${LABELS}) (${following.join(' or ')})`;
}

/** What 0 alerts are counted by: without the rules there are none, and nothing is known. */
export const RULES = 'minergate:pool_fee:ratio';

/** Alerts that fire, but for those that are good to know only. They are 0 where Prometheus has the rules, else unknown. */
export const FIRING = `count(${causes(alerts('alertstate="firing"', 'severity=~"critical|warning"'))}) or 0 * count(${RULES})`;

/** An account of which a poll failed, though no alert says so yet, or its rules are not there. */
const failing = `${once('account', select('minergate_up', ACCOUNT))} == 0 unless on (account) ALERTS{${OURS}}`;
const failingSince = `min by (account) (${select('minergate_endpoint_last_success_timestamp_seconds', ACCOUNT)}`
  + ` and on (account, endpoint, currency) ${select('minergate_endpoint_up', ACCOUNT)} == 0) and on (account) (${failing})`;

const named = (problem: string, expression: string) => `label_replace(${expression}, "alertname", "${problem}", "", "")`;

/** The alerts' names in words. */
const PROBLEMS: Record<string, string> = {
  ExporterDown: 'exporter is down', ExporterAbsent: 'exporter is absent', TargetDown: 'a target is down',
  ConfigReloadFailed: 'configuration is broken', ApiDown: 'API answers nothing', ApiRateLimited: 'API limits requests',
  AccountDown: 'hashrate is not read', AccountMissing: 'no longer monitored', LoginBlocked: 'login is blocked', DataStale: 'values are stale',
  MiningStopped: 'mining stopped', WorkersDropped: 'fewer workers', WorkerGone: 'worker is gone', HashrateDropped: 'hashrate dropped',
  StatisticsStopped: 'statistics stand still', EffectiveHashrateLow: 'shares are missing', RejectRatioHigh: 'shares are rejected',
  RankDropped: 'rank dropped', NetworkStopped: 'network finds no blocks', NetworkJumped: 'difficulty jumped',
  BalanceNotGrowing: 'nothing is credited', EarningsLow: 'earnings are low', PayoutDue: 'payout is due', PayoutUnexpected: 'unexpected payout',
  WithdrawalPending: 'withdrawal is pending', InvoiceExpiring: 'invoice expires', PollFailed: 'a poll failed', NoRules: 'no alerting rules',
};

export function needsAttention() {
  const severity = [
    `4 * ${alerts('alertstate="firing"', 'severity="critical"')}`,
    `3 * ${alerts('alertstate="firing"', 'severity="warning"')}`,
    `2 * ${alerts('alertstate="pending"', 'severity=~"critical|warning"')}`,
    alerts('alertstate="firing"'),
    named('MinergatePollFailed', `2 + 0 * (${failing})`),
    named('MinergateNoRules', `3 * absent(${RULES})`),
  ].join(' or ');
  const since = [
    `time() - ${once(LABELS, `ALERTS_FOR_STATE{${OURS}}`)}`,
    named('MinergatePollFailed', `time() - (${failingSince})`),
  ].join(' or ');
  return grid('Needs attention', 'One line for each alert about an account, worker, currency or exporter, worst first. A pending one fires if it '
    + 'lasts. What was never read has no time. Alerts and their runbooks: docs/runbooks.',
  {
    alertname: 'Problem', account: 'Account', currency: 'Currency', worker: 'Worker', endpoint: 'Endpoint', reason: 'Reason', exporter: 'Exporter',
  }, [
    {
      name: 'Severity', query: causes(severity), unit: 'none', first: true,
      mappings: words({ 4: ['✗ critical', BAD], 3: ['▲ warning', WARNING], 2: ['… pending', 'transparent'], 1: ['i info', 'transparent'] }),
    },
    { name: 'For', query: causes(since), unit: 's' },
  ], { by: 'Severity', falling: true })
    .height(7).noValue('No alert is pending or firing')
    .overrideByName('Account', [{ id: 'links', value: [ACCOUNT_LINK] }])
    .overrideByName('Problem', [{
      id: 'mappings', value: words(Object.fromEntries(Object.entries(PROBLEMS).map(([name, text]) => [`Minergate${name}`, [text, 'text']]))),
    }]);
}
