/** Tables: their columns, what stands in the cells, and how wide they are. */
import { TableSortByFieldStateBuilder } from '@grafana/grafana-foundation-sdk/common';
import type {
  DynamicConfigValue, Panel, ThresholdsConfigBuilder, ValueMapping, ValueMappingResult,
} from '@grafana/grafana-foundation-sdk/dashboard';
import * as table from '@grafana/grafana-foundation-sdk/table';

import { BLUE, fixed } from './colours.ts';
import { DATASOURCE, missing } from './panels.ts';
import { once, over, rows } from './queries.ts';

/** A table's column of numbers. */
export interface Column {
  name: string;
  /** Its labels are among the table's. */
  query: string;
  unit: string;
  decimals?: number;
  /** Values as words, on their colours if they have others than text. */
  mappings?: ValueMapping[];
  /** A small graph over the dashboard's time, with a point for each step. */
  course?: string;
  /** A bar of that colour scale, up to a value. */
  gauge?: { limits: ThresholdsConfigBuilder; max: number };
  /** What stands where there is no value. */
  none?: string;
  /** Stands before the labels. */
  first?: boolean;
}

/** Columns of names that users chose: as wide as most need. Longer ones have the room that a wider window leaves. */
const CHOSEN: Record<string, number> = { account: 110, exporter: 150, instance: 200, worker: 104 };
/** Columns of words: as wide as the longest. */
const WORDS: Record<string, number> = { alertname: 180, endpoint: 150, reason: 130, revision: 112 };

/** What the longest of a column's heading and words takes, so that it is not cut off. */
function width(...texts: string[]): number {
  return Math.max(...texts.map((text) => 8 * text.length + 16));
}

/** What a column's values take. A number below one has up to 8 characters; a time, as 12.3 hours, up to 10. */
function least({ gauge, course, unit, mappings }: Column): number {
  if (gauge || course) return 120;
  if (unit === 's') return 88;
  return unit === 'none' && !mappings ? 80 : 64;
}

function results(mappings: ValueMapping[]): ValueMappingResult[] {
  return mappings.flatMap(({ options }) => Object.values(options));
}

const STATE_CELL: DynamicConfigValue = { id: 'custom.cellOptions', value: { type: 'color-background', mode: 'basic' } };

/** A table with a line for each combination of labels, `labels` being their columns' headings, sorted by one of the columns. */
export function grid(
  title: string, description: string, labels: Record<string, string>, columns: Column[], sort?: { by: string; falling?: boolean },
): table.PanelBuilder {
  const panel = new table.PanelBuilder()
    .title(title).description(description).unit('none').datasource(DATASOURCE)
    .span(24).height(8).noValue('No data');
  if (sort) panel.sortBy([new TableSortByFieldStateBuilder().displayName(sort.by).desc(sort.falling === true)]);
  const renamed: Record<string, string> = { ...labels };
  const first: string[] = [];
  Object.entries(labels).forEach(([label, heading]) => panel.overrideByName(heading, [
    { id: 'custom.minWidth', value: CHOSEN[label] ?? WORDS[label] ?? Math.max(64, width(heading)) }, { id: 'noValue', value: '–' },
  ]));
  columns.forEach((column, place) => {
    const refId = String.fromCharCode('A'.charCodeAt(0) + place);
    // Any other label, as the name of a recorded series, would be a column, too, and keep lines apart.
    const query = once(Object.keys(labels).join(', '), column.query);
    let field = columns.length === 1 ? 'Value' : `Value #${refId}`;
    if (column.course === undefined) {
      panel.withTarget(rows(query).refId(refId));
    } else {
      field = `Trend #${refId}`;
      panel.withTarget(over(query, '', column.course).refId(refId))
        .withTransformation({ id: 'timeSeriesTable', filter: { id: 'byRefId', options: refId }, options: { [refId]: { timeField: 'Time' } } });
    }
    const words = column.mappings ?? [];
    renamed[field] = column.name;
    if (column.first === true) first.push(field);
    panel.overrideByName(column.name, [
      { id: 'custom.minWidth', value: Math.max(least(column), width(column.name, column.none ?? '', ...results(words).map(({ text = '' }) => text))) },
      { id: 'noValue', value: column.none ?? '–' }, { id: 'unit', value: column.unit },
      ...(column.decimals === undefined ? [] : [{ id: 'decimals', value: column.decimals }]),
      ...(words.length === 0 && !column.gauge ? [] : [{ id: 'mappings', value: [...words, missing(column.none ?? '–')] }]),
      ...(results(words).some(({ color }) => color !== 'text') ? [STATE_CELL, { id: 'custom.align', value: 'left' }] : []),
      ...(column.course === undefined ? [] : [
        { id: 'custom.cellOptions', value: { type: 'sparkline', hideValue: true, lineWidth: 1, fillOpacity: 15 } }, fixed(BLUE), { id: 'min', value: 0 },
      ]),
      ...(column.gauge === undefined ? [] : [
        { id: 'custom.cellOptions', value: { type: 'gauge', mode: 'basic', valueDisplayMode: 'text' } },
        { id: 'color', value: { mode: 'thresholds' } }, { id: 'thresholds', value: column.gauge.limits.build() },
        { id: 'min', value: 0 }, { id: 'max', value: column.gauge.max },
      ]),
    ]);
  });
  const order = [...new Set([...first, ...Object.keys(renamed)])].map((name, place) => [name, place]);
  return panel
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({
      id: 'organize',
      options: {
        excludeByName: { Time: true }, indexByName: Object.fromEntries(order), renameByName: renamed, includeByName: {},
      },
    });
}

/** The width of a window from which on a table shows all of its columns. */
const NARROW = 1264;

/** What draws a value in its cell. */
const DRAWN = ['gauge', 'sparkline'];

/**
 * A table gives each column the same part of its room, and scrolls sideways where that is too little for one. So columns that need more
 * have a width of their own, and the others, one at least, share what is left. Where users chose the names, these share first, and with
 * them what is drawn.
 */
export function fit(panel: Panel) {
  const { renameByName } = panel.transformations?.find(({ id }) => id === 'organize')?.options as { renameByName: Record<string, string> };
  const chosen = Object.keys(CHOSEN).flatMap((label) => renameByName[label] ?? []);
  const wanted = (panel.fieldConfig?.overrides ?? []).flatMap(({ matcher, properties }) => {
    const cell = properties.find(({ id }) => id === 'custom.cellOptions')?.value as { type: string } | undefined;
    const grows = chosen.length > 0 && (chosen.includes(String(matcher.options)) || DRAWN.includes(cell?.type ?? ''));
    return properties.filter(({ id }) => id === 'custom.minWidth').map((property) => ({ property, width: Number(property.value), grows }));
  });
  wanted.sort((a, b) => Number(a.grows) - Number(b.grows) || b.width - a.width);
  let room = NARROW * (panel.gridPos?.w ?? 24) / 24 - 32;
  wanted.forEach(({ property, width }, place) => {
    const sharing = wanted.slice(place);
    if (sharing.length === 1 || Math.max(...sharing.map((column) => column.width)) <= room / sharing.length) return;
    property.id = 'custom.width';
    room -= width;
  });
}
