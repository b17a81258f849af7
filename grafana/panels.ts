/** Panels as they look in all dashboards: what is here is what they have in common. */
import * as bargauge from '@grafana/grafana-foundation-sdk/bargauge';
import {
  BarGaugeDisplayMode, BarGaugeNamePlacement, BarGaugeSizing, BarGaugeValueMode, BigValueColorMode, BigValueGraphMode, BigValueTextMode,
  GraphDrawStyle, LegendDisplayMode, LegendPlacement, ReduceDataOptionsBuilder, SortOrder, StackingConfigBuilder, StackingMode,
  TooltipDisplayMode, VisibilityMode, VizLegendOptionsBuilder, VizOrientation, VizTextDisplayOptionsBuilder, VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  FieldColorBuilder, FieldColorModeId, MappingType, SpecialValueMatch, ThresholdsConfigBuilder, ThresholdsMode,
  type Threshold, type ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard';
import * as stat from '@grafana/grafana-foundation-sdk/stat';
import * as statetimeline from '@grafana/grafana-foundation-sdk/statetimeline';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';

import { BAD, BLUE, CURRENCY_STYLES, ENDPOINT_BARS, ENDPOINT_STYLES, ERROR_BARS, GOOD, WARNING } from './colours.ts';
import { now, over } from './queries.ts';

export const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };

type Steps = [from: number, colour: string][];

/** Colours from a value on. The lowest step has none: Grafana takes it for what is not known, too. */
export function thresholds(...steps: Steps): ThresholdsConfigBuilder {
  const higher: Threshold[] = steps.map(([value, color]) => ({ value, color }));
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps([{ value: null, color: 'text' }, ...higher]);
}

/** Of what is usual or expected: the more the better. The limits are those of the alerts HashrateDropped and EarningsLow. */
export const OF_USUAL = thresholds([0, BAD], [0.7, WARNING], [0.85, GOOD]);
export const OF_EXPECTED = thresholds([0, BAD], [0.5, WARNING], [0.7, GOOD]);
/** Rejected shares: the less the better. The limits are those of RejectRatioHigh. */
export const REJECTED = thresholds([0, GOOD], [0.03, WARNING], [0.05, BAD]);

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

/** What is not known has no colour, */
export function missing(text: string, color = 'transparent'): ValueMapping {
  return { type: MappingType.SpecialValue, options: { match: SpecialValueMatch.NullAndNan, result: { text: text.replaceAll(' ', '\u00a0'), color, index: 9 } } };
}

/** and is red where everything else depends on it. */
export function unknown(text: string): ValueMapping {
  return missing(text, BAD);
}

export const ONLINE = words({ '-1': ['unknown', 'transparent'], 0: ['✗ offline', BAD], 1: ['✓ online', GOOD] });
export const UP = words({ '-1': ['unknown', 'transparent'], 0: ['✗ failing', BAD], 1: ['✓ ok', GOOD] });
export const DUE = words({ 0: ['due', 'text'] });
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
    .colorScheme(mode(FieldColorModeId.Shades).fixedColor(BLUE))
    .lineWidth(2).fillOpacity(0).showPoints(VisibilityMode.Auto).spanNulls(false)
    .legend(legend())
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending));
}

/** Lines for each currency; the series' names begin with it. */
export function currencyGraph(title: string, description: string, unit: string): timeseries.PanelBuilder {
  return withCurrencyStyles(graph(title, description, unit));
}

/** A graph with its numbers beside it, the worst first. */
export function wide<T extends timeseries.PanelBuilder>(panel: T, worst: 'lowest' | 'highest'): T {
  const highest = worst === 'highest';
  panel.span(12).height(8).legend(legend('lastNotNull', highest ? 'max' : 'min').sortBy('Last *').sortDesc(highest));
  return panel;
}

/** Currencies that are not documented have a colour by their name. */
export function withCurrencyStyles<T extends timeseries.PanelBuilder>(panel: T): T {
  panel.colorScheme(mode(FieldColorModeId.PaletteClassicByName));
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

/** Counted things as bars, by their endpoints or by the kinds of errors. Whole numbers, never shortened: 1200 and 1400 would both be 1 K. */
export function countedBars(title: string, description: string, by: 'endpoint' | 'error'): timeseries.PanelBuilder {
  const panel = bars(graph(title, description, 'none')).stacking(STACKED).decimals(0).maxDataPoints(50);
  (by === 'endpoint' ? ENDPOINT_BARS : ERROR_BARS).forEach(([pattern, style]) => panel.overrideByRegexp(pattern, style));
  return panel;
}

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

/** Sizes of texts that would otherwise be as large as there is room, and each panel's different. */
export function textSize(title: number, value?: number): VizTextDisplayOptionsBuilder {
  const size = new VizTextDisplayOptionsBuilder().titleSize(title);
  return value === undefined ? size : size.valueSize(value);
}

/** A word that a series' name says. Without series it is `unknown`, and the value -1. */
export function named(title: string, description: string, expression: string, legend: string, unknown: string): stat.PanelBuilder {
  return number(title, description, 'none').textMode(BigValueTextMode.Name)
    .withTarget(now(expression, legend))
    .withTarget(now(`-1 * absent(${expression})`, unknown));
}

/** One number for each currency, with its name. */
export function perCurrency(title: string, description: string, unit: string): stat.PanelBuilder {
  return number(title, description, unit).height(5).textMode(BigValueTextMode.ValueAndName).orientation(VizOrientation.Horizontal)
    .text(textSize(16, 24));
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
export function withCourse<T extends stat.PanelBuilder>(
  panel: T, expression: string, step: string, known = expression, unknown: [text: string, colour: string] = ['unknown', 'text'],
): T {
  panel.graphMode(BigValueGraphMode.Area).min(0).mappings(words({ '-1': unknown }))
    // The course has the room that neither text takes. There is no title: its size keeps the course below the number.
    .text(textSize(40, 36))
    .withTarget(over(`${expression} or -1 * absent(${known})`, 'value', step));
  return panel;
}

/** A number that should be 0. That it is 0 is not green: what is not asked for is not counted. */
export function faults(title: string, description: string): stat.PanelBuilder {
  return judged(number(title, description, 'short'), thresholds([1, BAD]));
}

/** A number that is good below `warning`, bad from `bad` on. */
export function limited(title: string, description: string, unit: string, warning: number, bad: number): stat.PanelBuilder {
  return judged(number(title, description, unit), thresholds([0, GOOD], [warning, WARNING], [bad, BAD]));
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
    .namePlacement(BarGaugeNamePlacement.Left).sizing(BarGaugeSizing.Manual).minVizHeight(14).maxVizHeight(24).minVizWidth(8)
    .text(new VizTextDisplayOptionsBuilder().valueSize(14))
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
    .colorScheme(mode(FieldColorModeId.Thresholds)).thresholds(thresholds())
    .legend(legend());
}

/** A panel for each currency that is chosen, four side by side at most. Without a height it has one line, which its title names. */
export function repeated<T extends timeseries.PanelBuilder>(panel: T, height?: number): T {
  if (height === undefined) panel.legend(new VizLegendOptionsBuilder().displayMode(LegendDisplayMode.List).showLegend(false).calcs([]));
  panel.repeat('currency').repeatDirection('h').maxPerRow(4).span(24).height(height ?? 4);
  return panel;
}

/** Coins of each day that is over, as bars: a recorded day's growth, looked at once a day. */
export function perDay(title: string, description: string, expression: string, legendFormat: string): timeseries.PanelBuilder {
  const text = `${description} Each bar is the 24 hours that end there, by midnight UTC.`;
  return bars(graph(title, text, 'none')).timeFrom('14d').barMaxWidth(48).axisLabel('coins')
    .withTarget(over(expression, legendFormat, '1d'));
}
