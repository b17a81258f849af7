/** One panel, drawn with Grafana's own components. */
import { useEffect, useState } from 'react';
import {
  applyFieldOverrides, cacheFieldDisplayNames, FieldConfigOptionsRegistry, FieldType, getDisplayValueAlignmentFactors, getFieldDisplayValues, LoadingState,
  standardTransformers, standardTransformersRegistry, transformDataFrame, type DataFrame, type Field, type GrafanaTheme2, type TimeRange,
} from '@grafana/data';
import { BarGauge, BigValue, PanelChrome, TimeSeries, VizLegend } from '@grafana/ui';
import { TableNG } from '@grafana/ui/unstable';
import { firstValueFrom, map } from 'rxjs';

import { frames, seconds, type Mark, type Target, type View } from './prometheus.ts';

export type Json = any;

/** Grafana's own is in no package: the series of a query as a line each, with its labels and the series itself. */
const timeSeriesTable = {
  id: 'timeSeriesTable', name: 'Time series to table', defaultOptions: {},
  operator: () => map((series: DataFrame[]) => {
    const values = series.map(({ fields }) => fields[1] as Field);
    const labels = [...new Set(values.flatMap((value) => Object.keys(value.labels ?? {})))];
    const text = labels.map((name): Field => ({ name, type: FieldType.string, config: {}, values: values.map((value) => value.labels?.[name]) }));
    const trend: Field = { name: `Trend #${series[0]?.refId}`, type: FieldType.frame, config: {}, values: series };
    return series.length === 0 ? [] : [{ refId: series[0]?.refId, fields: [...text, trend], length: series.length }];
  }),
};

const transformers = new Map<string, Json>([...Object.values(standardTransformers), timeSeriesTable].map((transformation) => [transformation.id, transformation]));
standardTransformersRegistry.setInit(() => [...transformers].map(([id, transformation]) => (
  { id, name: id, transformation: async () => transformation, editor: () => null } as Json)));

/** Every property that a dashboard sets: a registry that knows them all takes each as it is. */
function registry(config: Json): FieldConfigOptionsRegistry {
  const ids = new Set<string>(['unit', 'decimals', 'min', 'max', 'mappings', 'thresholds', 'color', 'noValue', 'displayName', 'links']);
  Object.keys(config.defaults.custom ?? {}).forEach((key) => ids.add(`custom.${key}`));
  config.overrides.forEach((override: Json) => override.properties.forEach(({ id }: Json) => ids.add(id)));
  return new FieldConfigOptionsRegistry(() => [...ids].map((id) => ({
    id, name: id, path: id.replace('custom.', ''), isCustom: id.startsWith('custom.'),
    process: (value: unknown) => value, shouldApply: (field: Json) => !id.startsWith('custom.') || field.type !== 'time', override: () => null, editor: () => null,
  } as Json)));
}

async function load(panel: Json, view: View, theme: GrafanaTheme2, width: number): Promise<DataFrame[]> {
  const targets: Target[] = panel.targets;
  const answers = await Promise.all(targets.map((target) => frames(target, view, panel.maxDataPoints ?? width, targets.length > 1)));
  const transformed = await firstValueFrom(transformDataFrame(panel.transformations ?? [], answers.flat()));
  const data = applyFieldOverrides({
    data: transformed, fieldConfig: panel.fieldConfig, fieldConfigRegistry: registry(panel.fieldConfig), theme,
    replaceVariables: (text: string) => text, timeZone: 'utc',
  });
  cacheFieldDisplayNames(data);
  return data;
}

export function Panel(props: { panel: Json; view: View; theme: GrafanaTheme2; width: number; height: number; marks: Mark[] }) {
  const { panel, theme, width, height, marks } = props;
  const view = panel.timeFrom ? { ...props.view, from: props.view.to - seconds(panel.timeFrom) } : props.view;
  const [data, setData] = useState<DataFrame[]>();
  const [fault, setFault] = useState('');
  useEffect(() => { load(panel, view, theme, width).then(setData, (error) => setFault(String(error))); }, [panel]);
  return (
    <PanelChrome title={panel.title} description={panel.description} width={width} height={height}
      loadingState={data ? LoadingState.Done : LoadingState.Loading}
      titleItems={panel.timeFrom ? <span style={{ opacity: 0.7, fontSize: 12 }}>Last {panel.timeFrom}</span> : undefined}>
      {(innerWidth, innerHeight) => (
        <div data-panel={data || fault ? 'done' : 'loading'} style={{ color: fault ? 'red' : undefined }}>
          {fault}
          {data && draw(panel, data, view, theme, innerWidth, innerHeight, marks)}
        </div>
      )}
    </PanelChrome>
  );
}

function draw(panel: Json, data: DataFrame[], view: View, theme: GrafanaTheme2, width: number, height: number, marks: Mark[]) {
  const filled = data.filter((frame) => frame.length > 0);
  // A number without data still has a word and a colour.
  if (panel.type === 'stat') return <Numbers {...{ panel, data: filled, theme, width, height }} />;
  if (filled.length === 0) return <NoData text={panel.fieldConfig.defaults.noValue ?? 'No data'} height={height} />;
  switch (panel.type) {
    case 'timeseries': return <Lines {...{ panel, data: filled, view, width, height, marks }} />;
    case 'bargauge': return <Bars {...{ panel, data: filled, theme, width, height }} />;
    case 'state-timeline': return <Timeline {...{ data: filled, view, width, height }} />;
    default: return (
      <TableNG data={filled[0] as DataFrame} width={width} height={height} enablePagination={panel.options.footer?.enablePagination}
        noValue={panel.fieldConfig.defaults.noValue} fieldConfig={panel.fieldConfig} sortBy={panel.options.sortBy} />);
  }
}

function NoData({ text, height }: { text: string; height: number }) {
  return <div style={{ height, display: 'grid', placeItems: 'center', opacity: 0.8 }}>{text}</div>;
}

function Lines({ panel, data, view, width, height, marks }: Json) {
  const range = { from: { valueOf: () => view.from * 1000 }, to: { valueOf: () => view.to * 1000 } } as TimeRange;
  return (
    <TimeSeries frames={data} timeRange={range} timeZone="utc" width={width} height={height} legend={panel.options.legend}>
      {(config) => {
        config.addHook('draw', (plot) => marks.filter(({ time }: Mark) => time >= view.from * 1000).forEach(({ time, colour }: Mark) => {
          const x = plot.valToPos(time, 'x', true);
          plot.ctx.strokeStyle = colour;
          plot.ctx.setLineDash([3, 5]);
          plot.ctx.beginPath();
          plot.ctx.moveTo(x, plot.bbox.top);
          plot.ctx.lineTo(x, plot.bbox.top + plot.bbox.height);
          plot.ctx.stroke();
        }));
        return null;
      }}
    </TimeSeries>
  );
}

function display({ panel, data, theme }: Json) {
  return getFieldDisplayValues({
    data, theme, timeZone: 'utc', fieldConfig: panel.fieldConfig, reduceOptions: panel.options.reduceOptions,
    replaceVariables: (text: string) => text, sparkline: panel.options.graphMode === 'area',
  });
}

function Bars({ panel, data, theme, width, height }: Json) {
  const values = display({ panel, data, theme });
  const { displayMode, orientation, valueMode, namePlacement, showUnfilled, text, maxVizHeight } = panel.options;
  const alignmentFactors = getDisplayValueAlignmentFactors(values);
  return (
    <div style={{ display: 'grid', gap: 4 }}>
      {values.map((value, place) => (
        <BarGauge key={place} value={value.display} field={value.field} display={value.view?.getFieldDisplayProcessor(value.colIndex ?? 0)}
          theme={theme} width={width} height={Math.min(maxVizHeight, height / values.length - 4)} itemSpacing={4} text={text} alignmentFactors={alignmentFactors}
          displayMode={displayMode} orientation={orientation} valueDisplayMode={valueMode} namePlacement={namePlacement} showUnfilled={showUnfilled} />
      ))}
    </div>
  );
}

function Numbers({ panel, data, theme, width, height }: Json) {
  const values = display({ panel, data, theme });
  const rows = panel.options.orientation === 'horizontal' ? values.length : 1;
  return (
    <div style={{ display: 'flex', flexDirection: rows > 1 ? 'column' : 'row' }}>
      {values.map((value, place) => (
        <BigValue key={place} value={value.display} sparkline={panel.options.graphMode === 'area' ? value.sparkline : undefined} theme={theme} width={width * rows / values.length} height={height / rows}
          colorMode={panel.options.colorMode} graphMode={panel.options.graphMode} textMode={panel.options.textMode}
          justifyMode={panel.options.justifyMode} text={panel.options.text} />
      ))}
    </div>
  );
}

/** Grafana's state timeline is in no package: this is a plain one, with the same colours and words. */
function Timeline({ data, view, width, height }: Json) {
  const rows = (data as DataFrame[]).map((frame) => ({ name: frame.fields[1]?.config.displayNameFromDS, time: frame.fields[0], value: frame.fields[1] }));
  const words = new Map<string, string>();
  const bar = (height - 30) / rows.length;
  const left = 130;
  return (
    <>
      <svg width={width} height={height - 26} fontSize={12} fill="currentColor">
        {rows.map(({ name, time, value }, row) => (
          <g key={row}>
            <text x={left - 8} y={row * bar + bar / 2 + 4} textAnchor="end">{name}</text>
            {value?.values.map((state: number, place: number) => {
              const shown = value.display?.(state);
              if (shown) words.set(shown.text, shown.color ?? '');
              const x = (t: number) => left + (t / 1000 - view.from) / (view.to - view.from) * (width - left);
              const next = time?.values[place + 1] ?? view.to * 1000;
              return <rect key={place} x={x(time?.values[place])} width={Math.max(0, x(next) - x(time?.values[place])) + 0.5} y={row * bar + 3} height={bar - 6} fill={shown?.color} opacity={0.8} />;
            })}
          </g>
        ))}
      </svg>
      <VizLegend displayMode={'list' as Json} placement="bottom"
        items={[...words].map(([label, color]) => ({ label, color, yAxis: 1 }))} />
    </>
  );
}
