/** Panels as they look in all dashboards: what is here is what they have in common. */
import * as bargauge from '@grafana/grafana-foundation-sdk/bargauge';
import {
  BarGaugeDisplayMode, BarGaugeNamePlacement, BarGaugeSizing, BarGaugeValueMode, BigValueColorMode, BigValueGraphMode, BigValueTextMode,
  GraphDrawStyle, LegendDisplayMode, LegendPlacement, ReduceDataOptionsBuilder, SortOrder, StackingConfigBuilder, StackingMode,
  TableSortByFieldStateBuilder, TooltipDisplayMode, VisibilityMode, VizLegendOptionsBuilder, VizOrientation, VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  FieldColorBuilder, FieldColorModeId, MappingType, SpecialValueMatch, ThresholdsConfigBuilder, ThresholdsMode,
  type DynamicConfigValue, type Threshold, type ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard';
import * as stat from '@grafana/grafana-foundation-sdk/stat';
import * as statetimeline from '@grafana/grafana-foundation-sdk/statetimeline';
import * as table from '@grafana/grafana-foundation-sdk/table';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';

import { BAD, CURRENCY_STYLES, ENDPOINT_STYLES, GOOD, WARNING } from './colours.ts';
import { over, rows } from './queries.ts';

export const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };

type Steps = [from: number, colour: string][];

export function thresholds(base: string, ...steps: Steps): ThresholdsConfigBuilder {
  const higher: Threshold[] = steps.map(([value, color]) => ({ value, color }));
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps([{ value: null, color: base }, ...higher]);
}

/** Of what is usual or expected: the more the better. The limits are those of the alerts HashrateDropped and EarningsLow. */
export const OF_USUAL = thresholds(BAD, [0.7, WARNING], [0.85, GOOD]);
export const OF_EXPECTED = thresholds(BAD, [0.5, WARNING], [0.7, GOOD]);
/** Rejected shares: the less the better. The limits are those of RejectRatioHigh. */
export const REJECTED = thresholds(GOOD, [0.03, WARNING], [0.05, BAD]);

function mode(id: FieldColorModeId): FieldColorBuilder {
  return new FieldColorBuilder().mode(id);
}

/** Values as words and colours. A sign stays beside its word. */
export function words(values: Record<string, [text: string, colour: string]>): ValueMapping[] {
  const options = Object.fromEntries(
    Object.entries(values).map(([value, [text, color]], index) => [value, { text: text.replaceAll(' ', '\u00a0'), color, index }]),
  );
  return [{ type: MappingType.ValueToText, options }];
}

/** What is not known is red where everything else depends on it. */
export function unknown(text: string): ValueMapping {
  return { type: MappingType.SpecialValue, options: { match: SpecialValueMatch.Null, result: { text: text.replaceAll(' ', '\u00a0'), color: BAD, index: 9 } } };
}

export const ONLINE = words({ 0: ['✗ offline', BAD], 1: ['✓ online', GOOD] });
export const UP = words({ 0: ['✗ failing', BAD], 1: ['✓ ok', GOOD] });
export const EXPORTER_UP = words({ '-1': ['✗ absent', BAD], 0: ['✗ down', BAD], 1: ['✓ up', GOOD] });

function legend(...calcs: string[]): VizLegendOptionsBuilder {
  return new VizLegendOptionsBuilder()
    .displayMode(calcs.length > 0 ? LegendDisplayMode.Table : LegendDisplayMode.List)
    .placement(calcs.length > 0 ? LegendPlacement.Right : LegendPlacement.Bottom).showLegend(true).calcs(calcs);
}

/** Lines over time. */
export function graph(title: string, description: string, unit: string): timeseries.PanelBuilder {
  return new timeseries.PanelBuilder()
    .title(title).description(description).unit(unit).datasource(DATASOURCE)
    .span(8).height(7)
    .colorScheme(mode(FieldColorModeId.PaletteClassic))
    .lineWidth(2).fillOpacity(0).showPoints(VisibilityMode.Auto).spanNulls(false)
    .legend(legend())
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending));
}

/** Lines for each currency, the lowest last value first; the series' names begin with the currency. */
export function currencyGraph(title: string, description: string, unit: string): timeseries.PanelBuilder {
  return withCurrencyStyles(graph(title, description, unit));
}

/** A graph over the whole width, with numbers beside it. */
export function wide<T extends timeseries.PanelBuilder>(panel: T): T {
  panel.span(12).height(8).legend(legend('lastNotNull', 'min').sortBy('Last *').sortDesc(false));
  return panel;
}

export function withCurrencyStyles<T extends timeseries.PanelBuilder>(panel: T): T {
  CURRENCY_STYLES.forEach(([pattern, style]) => panel.overrideByRegexp(pattern, style));
  return panel;
}

/** Lines for each endpoint. */
export function endpointGraph(title: string, description: string, unit: string): timeseries.PanelBuilder {
  const panel = graph(title, description, unit).min(0);
  ENDPOINT_STYLES.forEach(([pattern, style]) => panel.overrideByRegexp(pattern, style));
  return panel;
}

/** Bars: what is counted in each step. */
export function bars<T extends timeseries.PanelBuilder>(panel: T): T {
  panel.drawStyle(GraphDrawStyle.Bars).fillOpacity(80).lineWidth(0).showPoints(VisibilityMode.Never).min(0);
  return panel;
}

export const STACKED = new StackingConfigBuilder().mode(StackingMode.Normal).group('A');

/** One number, or a few. */
export function number(title: string, description: string, unit: string): stat.PanelBuilder {
  return new stat.PanelBuilder()
    .title(title).description(description).unit(unit).datasource(DATASOURCE)
    .span(4).height(4)
    .colorMode(BigValueColorMode.Value).graphMode(BigValueGraphMode.None).textMode(BigValueTextMode.Value)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .colorScheme(mode(FieldColorModeId.Fixed).fixedColor('text'))
    .noValue('–');
}

/** One number for each currency, with its name. */
export function perCurrency(title: string, description: string, unit: string): stat.PanelBuilder {
  return number(title, description, unit).height(5).textMode(BigValueTextMode.ValueAndName).orientation(VizOrientation.Horizontal);
}

/** A number whose colour says how good it is. */
export function judged<T extends stat.PanelBuilder>(panel: T, limits: ThresholdsConfigBuilder): T {
  panel.colorScheme(mode(FieldColorModeId.Thresholds)).thresholds(limits);
  return panel;
}

/**
 * A number with its course behind it. A course ends where nothing is known any more, and its last value would pass for the present one: so
 * what is not known is -1 there, and said.
 */
export function withCourse<T extends stat.PanelBuilder>(panel: T, expression: string, step: string): T {
  panel.graphMode(BigValueGraphMode.Area).min(0).mappings(words({ '-1': ['– unknown', 'text'] }))
    .withTarget(over(`${expression} or -1 * absent(${expression})`, 'value', step));
  return panel;
}

/** A number that should be 0. That it is 0 is not green: what is not asked for is not counted. */
export function faults(title: string, description: string): stat.PanelBuilder {
  return judged(number(title, description, 'short'), thresholds('text', [1, BAD]));
}

/** A number that is good below `warning`, bad from `bad` on. */
export function limited(title: string, description: string, unit: string, warning: number, bad: number): stat.PanelBuilder {
  return judged(number(title, description, unit), thresholds(GOOD, [warning, WARNING], [bad, BAD]));
}

/** A state in words. */
export function state(title: string, description: string, mappings: ValueMapping[]): stat.PanelBuilder {
  return number(title, description, 'none').mappings(mappings);
}

/** A bar for each name. */
export function gauges(title: string, description: string, unit: string): bargauge.PanelBuilder {
  return new bargauge.PanelBuilder()
    .title(title).description(description).unit(unit).datasource(DATASOURCE)
    .span(4).height(4).min(0)
    .orientation(VizOrientation.Horizontal).displayMode(BarGaugeDisplayMode.Basic).valueMode(BarGaugeValueMode.Text).showUnfilled(true)
    .namePlacement(BarGaugeNamePlacement.Left).sizing(BarGaugeSizing.Auto).minVizHeight(14).maxVizHeight(28).minVizWidth(8)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .colorScheme(mode(FieldColorModeId.Thresholds)).noValue('–');
}

/** States over time, a line for each. */
export function timeline(title: string, description: string, mappings: ValueMapping[]): statetimeline.PanelBuilder {
  return new statetimeline.PanelBuilder()
    .title(title).description(description).unit('none').datasource(DATASOURCE)
    .span(8).height(7)
    .mappings(mappings).showValue(VisibilityMode.Never).mergeValues(true).rowHeight(0.85).fillOpacity(80).lineWidth(0)
    .perPage(20)
    .colorScheme(mode(FieldColorModeId.Thresholds)).thresholds(thresholds('text'))
    .legend(legend());
}

/** A table's column of numbers. */
export interface Column {
  name: string;
  /** Its labels are among the table's. */
  query: string;
  unit: string;
  decimals?: number;
  /** Values as words on their colours, whose text is readable in both themes. */
  mappings?: ValueMapping[];
  /** A bar of that colour scale, up to a value. */
  gauge?: { limits: ThresholdsConfigBuilder; max: number };
  /** What stands where there is no value. */
  none?: string;
  /** Stands before the labels. */
  first?: boolean;
}

/** Columns of names: as wide as names mostly are. */
const NAMES: Record<string, number> = { account: 110, endpoint: 160, exporter: 150, instance: 150, reason: 130, revision: 112, worker: 104 };

/** What the longest of a column's heading and words takes, so that it is not cut off. */
function width(...texts: string[]): DynamicConfigValue {
  return { id: 'custom.minWidth', value: Math.max(64, ...texts.map((text) => 8 * text.length + 16)) };
}

function texts(mappings: ValueMapping[] = []): string[] {
  return mappings.flatMap(({ options }) => Object.values(options).map(({ text }: { text?: string }) => text ?? ''));
}

export const STATE_CELL: DynamicConfigValue = { id: 'custom.cellOptions', value: { type: 'color-background', mode: 'basic' } };

/** A table with a line for each combination of labels, `labels` being their columns' headings, sorted by one of the columns. */
export function grid(
  title: string, description: string, labels: Record<string, string>, columns: Column[], sort?: { by: string; falling?: boolean },
): table.PanelBuilder {
  const panel = new table.PanelBuilder()
    .title(title).description(description).unit('none').datasource(DATASOURCE)
    .span(24).height(8).noValue('–');
  if (sort) panel.sortBy([new TableSortByFieldStateBuilder().displayName(sort.by).desc(sort.falling === true)]);
  const renamed: Record<string, string> = { ...labels };
  const first: string[] = [];
  Object.entries(labels).forEach(([label, heading]) => panel.overrideByName(heading, [
    NAMES[label] === undefined ? width(heading) : { id: 'custom.minWidth', value: NAMES[label] }, { id: 'noValue', value: '–' },
  ]));
  columns.forEach((column, place) => {
    const refId = String.fromCharCode('A'.charCodeAt(0) + place);
    panel.withTarget(rows(column.query).refId(refId));
    const field = columns.length === 1 ? 'Value' : `Value #${refId}`;
    renamed[field] = column.name;
    if (column.first === true) first.push(field);
    panel.overrideByName(column.name, [
      column.gauge ? { id: 'custom.minWidth', value: Math.max(120, 8 * column.name.length + 16) } : width(column.name, column.none ?? '', ...texts(column.mappings)),
      { id: 'noValue', value: column.none ?? '–' }, { id: 'unit', value: column.unit },
      ...(column.decimals === undefined ? [] : [{ id: 'decimals', value: column.decimals }]),
      ...(column.mappings === undefined ? [] : [{ id: 'mappings', value: column.mappings }, STATE_CELL, { id: 'custom.align', value: 'left' }]),
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

/** A panel for each currency that is chosen, four side by side at most. */
export function repeated<T extends timeseries.PanelBuilder>(panel: T, height = 5): T {
  panel.repeat('currency').repeatDirection('h').maxPerRow(4).span(24).height(height);
  return panel;
}

/** Coins of each day that is over, as bars: a recorded day's growth, looked at once a day. */
export function perDay(title: string, description: string, expression: string, legendFormat: string): timeseries.PanelBuilder {
  const text = `${description} Each bar is the 24 hours that end there, by midnight UTC.`;
  return bars(graph(title, text, 'none')).timeFrom('14d').barMaxWidth(48).axisLabel('coins')
    .withTarget(over(expression, legendFormat, '1d'));
}
