/** A dashboard's queries, with their variables filled in and asked of Prometheus, as Grafana's data frames. */
import { FieldType, type DataFrame, type Field } from '@grafana/data';

export interface Target { expr: string; refId: string; legendFormat?: string; interval?: string; instant?: boolean; format?: string }

/** What is looked at: seconds since 1970, what is chosen of the variables and how that reads, and what there is to choose from. */
export interface View {
  from: number; to: number; variables: Record<string, string>; texts: Record<string, string>; values: Record<string, string[]>;
}

export function seconds(time: string): number {
  const unit = { s: 1, m: 60, h: 3600, d: 86_400 }[time.slice(-1)] ?? 1;
  return Number(time.slice(0, -1)) * unit;
}

async function ask(path: string, parameters: Record<string, string>) {
  const answer = await (await fetch(`/api/v1/${path}`, { method: 'POST', body: new URLSearchParams(parameters) })).json();
  if (answer.status !== 'success') throw new Error(`${answer.error}: ${parameters.query}`);
  return answer.data.result as { metric: Record<string, string>; value?: [number, string]; values?: [number, string][] }[];
}

export function fill(text: string, variables: Record<string, string>): string {
  return Object.entries(variables).reduce((text, [name, value]) => text.replaceAll(`$${name}`, value), text);
}

function field(name: string, type: FieldType, values: unknown[], labels?: Record<string, string>): Field {
  return { name, type, values, labels, config: {} };
}

export async function frames(target: Target, view: View, points: number, several: boolean): Promise<DataFrame[]> {
  const minStep = seconds(target.interval ?? '15s');
  const step = Math.max(minStep, Math.ceil((view.to - view.from) / points));
  const rateInterval = Math.max(step + minStep, 4 * minStep);
  const query = fill(target.expr, { ...view.variables, __rate_interval: `${rateInterval}s`, __interval: `${step}s` });
  const series = target.instant
    ? await ask('query', { query, time: String(view.to) })
    : await ask('query_range', {
      query, step: String(step),
      start: String(Math.floor(view.from / step) * step), end: String(Math.floor(view.to / step) * step),
    });
  if (target.format === 'table') return [tableFrame(target, series, several)];
  return series.map(({ metric, value, values }) => {
    const points = aligned(values ?? (value ? [value] : []), step, target.instant === true);
    const name = (target.legendFormat ?? '').replace(/{{\s*(\w+)\s*}}/g, (_, label: string) => metric[label] ?? '') || 'Value';
    const value_ = field('Value', FieldType.number, points.map(([, v]) => v), metric);
    value_.config.displayNameFromDS = name;
    return {
      refId: target.refId, name, length: points.length,
      fields: [field('Time', FieldType.time, points.map(([t]) => t * 1000)), value_],
    };
  });
}

/** Points at every step: those that are missing as null, so that lines have gaps. */
function aligned(values: [number, string][], step: number, instant: boolean): [number, number | null][] {
  const points: [number, number | null][] = [];
  for (const [time, value] of values) {
    const last = points.at(-1)?.[0];
    if (!instant && last !== undefined && time - last > step) points.push([last + step, null]);
    points.push([time, Number(value)]);
  }
  return points;
}

function tableFrame(target: Target, series: { metric: Record<string, string>; value?: [number, string] }[], several: boolean): DataFrame {
  const labels = [...new Set(series.flatMap(({ metric }) => Object.keys(metric)))].sort();
  return {
    refId: target.refId, length: series.length,
    fields: [
      field('Time', FieldType.time, series.map(({ value }) => Number(value?.[0]) * 1000)),
      ...labels.map((label) => field(label, FieldType.string, series.map(({ metric }) => metric[label] ?? ''))),
      field(several ? `Value #${target.refId}` : 'Value', FieldType.number, series.map(({ value }) => Number(value?.[1]))),
    ],
  };
}

/** A time that an annotation marks, in milliseconds, and its colour. */
export interface Mark { time: number; colour: string }

export async function marks(expr: string, useValue: boolean, colour: string, view: View): Promise<Mark[]> {
  const step = 60;
  const series = await ask('query_range', { query: fill(expr, view.variables), step: String(step), start: String(view.from), end: String(view.to) });
  const points = series.flatMap(({ values = [] }) => values.filter(([, value]) => Number(value) > 0));
  return [...new Set(points.map(([time, value]) => (useValue ? Number(value) : time * 1000)))].map((time) => ({ time, colour }));
}
