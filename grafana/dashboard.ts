/** What all dashboards have: name, links to each other, variables and annotations. */
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  AnnotationQueryBuilder, DashboardBuilder, DashboardCursorSync, DashboardLinkBuilder, DashboardLinkType,
  DatasourceVariableBuilder, QueryVariableBuilder, RowBuilder, VariableRefresh, VariableSort,
  type Dashboard, type Panel,
} from '@grafana/grafana-foundation-sdk/dashboard';
import type { Dataquery } from '@grafana/grafana-foundation-sdk/prometheus';

import { BAD, BLUE, GREEN } from './colours.ts';
import { DATASOURCE } from './panels.ts';
import { ACCOUNT, CURRENCY, once, over, select } from './queries.ts';

const TAG = 'minergate';

/** Where a click on an account leads: its own dashboard, with what is chosen here. */
export const ACCOUNT_LINK = {
  title: 'Account ${__value.raw}',
  url: '/d/minergate-account?var-account=${__value.raw:percentencode}'
    + '&${datasource:queryparam}&${job:queryparam}&${instance:queryparam}&${__url_time_range}',
};

/** A dashboard with its first variables, which say where the data come from. */
export function dashboard(uid: string, title: string, description: string): DashboardBuilder {
  return new DashboardBuilder(`MinerGate / ${title}`)
    .uid(`minergate-${uid}`).description(description).tags([TAG]).readonly()
    .time({ from: 'now-24h', to: 'now' }).timezone('browser').refresh('1m').tooltip(DashboardCursorSync.Crosshair)
    .link(new DashboardLinkBuilder('MinerGate')
      .type(DashboardLinkType.Dashboards).tags([TAG]).asDropdown(false).includeVars(true).keepTime(true)
      .tooltip('').icon('external link').targetBlank(false))
    .withVariable(new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'))
    .withVariable(choice('job', 'Job', 'label_values(minergate_exporter_build_info, job)'))
    .withVariable(choice('instance', 'Instance',
      'label_values({__name__=~"minergate_exporter_build_info|minergate_up", job=~"$job"}, instance)'));
}

function variable(name: string, label: string, query: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label).datasource(DATASOURCE).query(query).definition(query)
    .refresh(VariableRefresh.OnTimeRangeChanged).sort(VariableSort.NaturalAsc);
}

/** A variable of which some values or all can be chosen. */
export function choice(name: string, label: string, query: string, all = '.+'): QueryVariableBuilder {
  return variable(name, label, query)
    .multi(true).includeAll(true).allValue(all).current({ selected: true, text: ['All'], value: ['$__all'] });
}

const ACCOUNTS = `label_values(${select('minergate_up')}, account)`;

export function accounts(all?: string): QueryVariableBuilder {
  return choice('account', 'Account', ACCOUNTS, all);
}

/** A variable of which one account is chosen. */
export function oneAccount(): QueryVariableBuilder {
  return variable('account', 'Account', ACCOUNTS).multi(false).includeAll(false);
}

/** The currencies of the accounts. */
export function currencies(account = ACCOUNT): QueryVariableBuilder {
  const names = '__name__=~"minergate_workers|minergate_mining_workers|minergate_balance_coins"';
  return choice('currency', 'Currency', `label_values(${select('', names, account)}, currency)`);
}

/** The currencies of the pool. */
export function networks(): QueryVariableBuilder {
  const names = '__name__=~"minergate_network_difficulty|minergate_pool_profit_rank"';
  return choice('currency', 'Currency', `label_values(${select('', names)}, currency)`);
}

/** Marks when a payout was asked for: the series' value is the time, so that a mark stands where it belongs. */
export function payouts(account = ACCOUNT): AnnotationQueryBuilder {
  const times = select('minergate_withdrawals_last_timestamp_seconds', account, CURRENCY);
  return annotation('Payouts', GREEN, `1000 * ${once('account, currency', times)}`)
    .useValueForTime(true).titleFormat('Payout of {{account}}').textFormat('{{currency}}').tagKeys('account,currency');
}

/** Marks when the exporter read its configuration, at its start and at each reload. */
export function reloads(): AnnotationQueryBuilder {
  const times = select('minergate_exporter_config_last_reload_success_timestamp_seconds');
  return annotation('Reloads', BLUE, `1000 * ${once('instance', times)}`)
    .useValueForTime(true).titleFormat('Configuration read').textFormat('{{instance}}').tagKeys('instance');
}

/** Marks the time in which the exporter runs with another configuration than its file's, since that is broken. */
export function failedReloads(): AnnotationQueryBuilder {
  const successful = select('minergate_exporter_config_last_reload_successful');
  return annotation('Failed reloads', BAD, `${once('instance', successful)} == bool 0`)
    .titleFormat('Configuration could not be read').textFormat('{{instance}}').tagKeys('instance');
}

function annotation(name: string, colour: string, expression: string): AnnotationQueryBuilder {
  return new AnnotationQueryBuilder()
    .name(name).datasource(DATASOURCE).enable(true).hide(false).iconColor(colour)
    .target(over(expression, '', '1m').refId('Anno'));
}

/** The finished dashboard with its rows of panels, by title. Panels are numbered in their order, and their queries lettered. */
export function finish(builder: DashboardBuilder, rows: Record<string, Builder<Panel>[]>): Dashboard {
  for (const [title, panels] of Object.entries(rows)) {
    builder.withRow(new RowBuilder(title));
    panels.forEach((panel) => builder.withPanel(panel));
  }
  const built = builder.build();
  built.panels?.forEach((panel, place) => {
    panel.id = place + 1;
    const targets = (('targets' in panel && panel.targets) || []) as Dataquery[];
    targets.forEach((target, place) => { target.refId ??= String.fromCharCode('A'.charCodeAt(0) + place); });
  });
  return built;
}
