/** What all dashboards have: name, links to each other, variables and annotations; and where their panels lie. */
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  AnnotationQueryBuilder, CustomVariableBuilder, DashboardBuilder, DashboardCursorSync, DashboardLinkBuilder, DashboardLinkType,
  DatasourceVariableBuilder, QueryVariableBuilder, RowBuilder, VariableRefresh, VariableSort,
  type Dashboard, type Panel, type RowPanel,
} from '@grafana/grafana-foundation-sdk/dashboard';
import type { Dataquery } from '@grafana/grafana-foundation-sdk/prometheus';

import { BAD, BLUE, GREEN } from './colours.ts';
import { DATASOURCE } from './panels.ts';
import { ACCOUNT, CURRENCY, once, over, select } from './queries.ts';
import { fit } from './tables.ts';

const TAG = 'minergate';
const CHOSEN = '${datasource:queryparam}&${job:queryparam}&${instance:queryparam}&${__url_time_range}';

/** Where a click on an account leads: its own dashboard, with what is chosen here. */
export const ACCOUNT_LINK = {
  title: 'Account ${__value.raw}', url: `/d/minergate-account?var-account=\${__value.raw:percentencode}&${CHOSEN}`,
};

/** Where a click on a number leads: another dashboard, with what is chosen here. */
export function linkTo(uid: string, title: string) {
  return new DashboardLinkBuilder(title).url(`/d/minergate-${uid}?${CHOSEN}`);
}

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

/** A variable of which some values or all can be chosen. Without `all`, all are the values that there are. */
export function choice(name: string, label: string, query: string, all: string | null = '.+'): QueryVariableBuilder {
  const built = variable(name, label, query)
    .multi(true).includeAll(true).current({ selected: true, text: ['All'], value: ['$__all'] });
  return all === null ? built : built.allValue(all);
}

const ACCOUNTS = `label_values(${select('minergate_up')}, account)`;

export function accounts(all?: string): QueryVariableBuilder {
  return choice('account', 'Account', ACCOUNTS, all);
}

/** A variable of which one account is chosen. */
export function oneAccount(): QueryVariableBuilder {
  return variable('account', 'Account', ACCOUNTS).multi(false).includeAll(false);
}

/** The currencies that the accounts mine. */
export function currencies(account = ACCOUNT): QueryVariableBuilder {
  return choice('currency', 'Currency', `label_values(${select('', `__name__=~"${MINED}"`, account)}, currency)`);
}

const MINED = 'minergate_workers|minergate_mining_workers';

/** Which of the pool's currencies there are to choose from: those that the accounts mine, or all. */
export function scope(): CustomVariableBuilder {
  const all = 'minergate_network_difficulty|minergate_pool_profit_rank';
  return new CustomVariableBuilder('scope').label('Currencies').values(`Mined : ${MINED}, All : ${all}`).multi(false).includeAll(false)
    .current({ selected: true, text: 'Mined', value: MINED });
}

/** The currencies of the scope. */
export function networks(): QueryVariableBuilder {
  return choice('currency', 'Currency', `label_values(${select('', '__name__=~"$scope"')}, currency)`, null);
}

/** Marks when a payout was asked for: the series' value is the time, so that a mark stands where it belongs. Off until wanted. */
export function payouts(account: string): AnnotationQueryBuilder {
  const times = select('minergate_withdrawals_last_timestamp_seconds', account, CURRENCY);
  return annotation('Payouts', GREEN, `1000 * ${once('account, currency', times)}`).enable(false)
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

/** A row of panels: open, closed until wanted, or one for each value of a variable. */
export interface Row { title: string; panels: Builder<Panel>[]; closed?: boolean; repeat?: string }

/** The finished dashboard with its rows. Panels are numbered in their order, and their queries lettered. */
export function finish(builder: DashboardBuilder, rows: Row[]): Dashboard {
  const dashboard = builder.build();
  const types = new Set<string>();
  let id = 0;
  let y = 0;
  dashboard.panels = rows.flatMap(({ title, panels, closed, repeat }) => {
    const row: RowPanel = new RowBuilder(title).id(id += 1).gridPos({ x: 0, y, w: 24, h: 1 }).collapsed(closed === true).build();
    if (repeat !== undefined) row.repeat = repeat;
    const built = panels.map((panel) => ({ ...panel.build(), id: (id += 1) }));
    const bottom = place(built, y + 1);
    built.forEach((panel) => {
      types.add(panel.type);
      if (panel.type === 'table') fit(panel);
      (panel.targets as Dataquery[]).forEach((target, place) => { target.refId ??= String.fromCharCode('A'.charCodeAt(0) + place); });
    });
    y = closed === true ? y + 1 : bottom;
    if (closed !== true) return [row, ...built];
    return [{ ...row, panels: built }];
  });
  // Grafana before 13 hides links and annotations that have a place.
  [...dashboard.links ?? [], ...dashboard.annotations?.list ?? []].forEach((shown) => { delete (shown as { placement?: string }).placement; });
  return { ...requires(types), ...dashboard };
}

/** Lets panels lie side by side from a line on; returns the line below them. */
function place(panels: Panel[], top: number): number {
  let [x, y, height] = [0, top, 0];
  for (const panel of panels) {
    const { w, h } = panel.gridPos ?? { w: 24, h: 8 };
    if (x + w > 24) [x, y, height] = [0, y + height, 0];
    panel.gridPos = { x, y, w, h };
    x += w;
    height = Math.max(height, h);
  }
  return y + height;
}

/** What a Grafana must have, as an import checks it. */
function requires(types: Set<string>): object {
  const names: Record<string, string> = {
    bargauge: 'Bar gauge', stat: 'Stat', 'state-timeline': 'State timeline', table: 'Table', timeseries: 'Time series',
  };
  return {
    __requires: [
      { type: 'grafana', id: 'grafana', name: 'Grafana', version: '11.6.0' },
      { type: 'datasource', id: 'prometheus', name: 'Prometheus', version: '1.0.0' },
      ...[...types].sort().map((type) => ({ type: 'panel', id: type, name: names[type] ?? type, version: '' })),
    ],
  };
}
