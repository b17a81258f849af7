/** Panels as they look in all dashboards: what is here is what they have in common. */
import {
  BigValueColorMode, BigValueGraphMode, BigValueTextMode, GraphDrawStyle,
  LegendDisplayMode, LegendPlacement, ReduceDataOptionsBuilder, ScaleDistribution, ScaleDistributionConfigBuilder, SortOrder, StackingConfigBuilder, StackingMode,
  TableFooterOptionsBuilder, TooltipDisplayMode, VisibilityMode, VizLegendOptionsBuilder, VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  FieldColorBuilder, FieldColorModeId, MappingType, ThresholdsConfigBuilder, ThresholdsMode,
  type DynamicConfigValue, type Threshold, type ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard';
import * as stat from '@grafana/grafana-foundation-sdk/stat';
import * as statetimeline from '@grafana/grafana-foundation-sdk/statetimeline';
import * as table from '@grafana/grafana-foundation-sdk/table';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';

import { BAD, CURRENCY_STYLES, ENDPOINT_STYLES, GOOD, GREY, WARNING } from './colours.ts';
import { over, rows } from './queries.ts';

export const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };

export function thresholds(base: string, ...steps: [from: number, colour: string][]): ThresholdsConfigBuilder {
  const higher: Threshold[] = steps.map(([value, color]) => ({ value, color }));
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps([{ value: null, color: base }, ...higher]);
}

function mode(id: FieldColorModeId): FieldColorBuilder {
  return new FieldColorBuilder().mode(id);
}

/** Numbers as words and colours. */
export function words(values: Record<string, [text: string, colour: string]>): ValueMapping[] {
  const options = Object.fromEntries(
    // A sign stays beside its word.
    Object.entries(values).map(([value, [text, color]], index) => [value, { text: text.replaceAll(' ', '\u00a0'), color, index }]),
  );
  return [{ type: MappingType.ValueToText, options }];
}

export const ONLINE = words({ 0: ['✗ offline', BAD], 1: ['✓ online', GOOD] });
export const UP = words({ 0: ['✗ failing', BAD], 1: ['✓ ok', GOOD] });

/** Lines over time. */
export function graph(title: string, description: string, unit: string): timeseries.PanelBuilder {
  return new timeseries.PanelBuilder()
    .title(title).description(description).unit(unit).datasource(DATASOURCE)
    .span(12).height(8)
    .colorScheme(mode(FieldColorModeId.PaletteClassicByName))
    .lineWidth(1).fillOpacity(8).showPoints(VisibilityMode.Auto).spanNulls(false)
    .legend(new VizLegendOptionsBuilder()
      .displayMode(LegendDisplayMode.Table).placement(LegendPlacement.Right).showLegend(true)
      .calcs(['lastNotNull', 'max']).sortBy('Last *').sortDesc(true))
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending));
}

/** Lines whose legend needs no numbers. */
export function smallGraph(title: string, description: string, unit: string): timeseries.PanelBuilder {
  return graph(title, description, unit).span(8).legend(new VizLegendOptionsBuilder()
    .displayMode(LegendDisplayMode.List).placement(LegendPlacement.Bottom).showLegend(true).calcs([]));
}

/** Lines for each currency; the series' names begin with it. */
export function currencyGraph(title: string, description: string, unit: string): timeseries.PanelBuilder {
  return withCurrencyStyles(graph(title, description, unit));
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

export const STACKED = new StackingConfigBuilder().mode(StackingMode.Normal).group('A');

/** For values of very different size, as those of different currencies are. */
export function logarithmic<T extends timeseries.PanelBuilder>(panel: T): T {
  panel.fillOpacity(0).scaleDistribution(new ScaleDistributionConfigBuilder().type(ScaleDistribution.Log).log(10));
  return panel;
}

/** Growth in each of the last days, as bars: the expression is the growth over `EACH_DAY`. */
export function perDay(
  title: string, description: string, unit: string, expression: string, legend: string,
): timeseries.PanelBuilder {
  return graph(title, `${description} Days begin at midnight in the dashboard's time zone; the last one is not over yet.`, unit)
    .withTarget(over(expression, legend, '1d'))
    .timeFrom('14d').drawStyle(GraphDrawStyle.Bars).fillOpacity(70).lineWidth(0).barMaxWidth(48).stacking(STACKED)
    .showPoints(VisibilityMode.Never).min(0)
    .legend(new VizLegendOptionsBuilder()
      .displayMode(LegendDisplayMode.Table).placement(LegendPlacement.Right).showLegend(true)
      .calcs(['lastNotNull', 'mean']).sortBy('Last *').sortDesc(true));
}

/** One number, or a few. */
export function number(title: string, description: string, unit: string): stat.PanelBuilder {
  return new stat.PanelBuilder()
    .title(title).description(description).unit(unit).datasource(DATASOURCE)
    .span(3).height(4)
    .colorMode(BigValueColorMode.Value).graphMode(BigValueGraphMode.None).textMode(BigValueTextMode.Value)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .colorScheme(mode(FieldColorModeId.Fixed).fixedColor('text'))
    .noValue('–');
}

/** A number that should be 0, and says so in words when it is. */
export function faults(title: string, description: string, worst = BAD): stat.PanelBuilder {
  return number(title, description, 'short')
    .colorScheme(mode(FieldColorModeId.Thresholds)).thresholds(thresholds(GOOD, [1, worst]))
    .mappings(words({ 0: ['✓ none', GOOD] }));
}

/** A number that is good below `warning`, bad from `bad` on. */
export function limited(
  title: string, description: string, unit: string, warning: number, bad: number,
): stat.PanelBuilder {
  return number(title, description, unit)
    .colorScheme(mode(FieldColorModeId.Thresholds)).thresholds(thresholds(GOOD, [warning, WARNING], [bad, BAD]));
}

/** A state in words. */
export function state(title: string, description: string, mappings: ValueMapping[]): stat.PanelBuilder {
  return number(title, description, 'none').mappings(mappings);
}

/** States over time, a row for each. */
export function timeline(title: string, description: string, mappings: ValueMapping[]): statetimeline.PanelBuilder {
  return new statetimeline.PanelBuilder()
    .title(title).description(description).unit('none').datasource(DATASOURCE)
    .span(12).height(8)
    .mappings(mappings).showValue(VisibilityMode.Never).mergeValues(true).rowHeight(0.85).fillOpacity(80).lineWidth(0)
    .perPage(20)
    .colorScheme(mode(FieldColorModeId.Thresholds)).thresholds(thresholds(GREY))
    .legend(new VizLegendOptionsBuilder()
      .displayMode(LegendDisplayMode.List).placement(LegendPlacement.Bottom).showLegend(true).calcs([]));
}

/** A table's column of numbers. */
export interface Column {
  name: string;
  /** Its rows' labels are among the table's. */
  query: string;
  unit: string;
  decimals?: number;
  mappings?: ValueMapping[];
  /** Further properties of the column, such as a colour. */
  properties?: DynamicConfigValue[];
}

/** A table with a row for each combination of labels, `labels` being their columns' headings. */
export function grid(
  title: string, description: string, labels: Record<string, string>, columns: Column[],
): table.PanelBuilder {
  const panel = new table.PanelBuilder()
    .title(title).description(description).unit('none').datasource(DATASOURCE)
    .span(24).height(9)
    .filterable(true).minWidth(70)
    // Many accounts make many rows.
    .footer(new TableFooterOptionsBuilder().show(false).reducer([]).enablePagination(true));
  const renamed: Record<string, string> = { ...labels };
  columns.forEach((column, place) => {
    const refId = String.fromCharCode('A'.charCodeAt(0) + place);
    panel.withTarget(rows(column.query).refId(refId));
    renamed[columns.length === 1 ? 'Value' : `Value #${refId}`] = column.name;
    panel.overrideByName(column.name, [
      { id: 'unit', value: column.unit },
      ...(column.decimals === undefined ? [] : [{ id: 'decimals', value: column.decimals }]),
      ...(column.mappings === undefined ? [] : [
        { id: 'mappings', value: column.mappings }, { id: 'custom.cellOptions', value: { type: 'color-text' } },
      ]),
      ...(column.properties ?? []),
    ]);
  });
  const order = Object.keys(renamed).map((name, place) => [name, place]);
  return panel
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({
      id: 'organize',
      options: {
        excludeByName: { Time: true }, indexByName: Object.fromEntries(order), renameByName: renamed, includeByName: {},
      },
    });
}
