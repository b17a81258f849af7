/** A dashboard's JSON as the SDK's types have it, with what they leave open, panels' options and queries, filled in by panel type. */
import type * as sdk from '@grafana/grafana-foundation-sdk/dashboard';
import type { Dataquery } from '@grafana/grafana-foundation-sdk/prometheus';
import type * as stat from '@grafana/grafana-foundation-sdk/stat';
import type * as statetimeline from '@grafana/grafana-foundation-sdk/statetimeline';
import type * as table from '@grafana/grafana-foundation-sdk/table';
import type * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';

/** The method is there for the compiler only. */
type Query = Omit<Dataquery, '_implementsDataqueryVariant'>;

/** Those of the SDK's properties that it leaves open. */
type Open = 'type' | 'targets' | 'options' | 'fieldConfig';

interface Fields<Custom> {
  defaults: Omit<sdk.FieldConfig, 'custom'> & { custom?: Custom };
  overrides: sdk.FieldConfigSource['overrides'];
}

interface Panel<Type extends string, Options, Custom> extends Omit<sdk.Panel, Open> {
  type: Type;
  targets: Query[];
  options: Options;
  fieldConfig: Fields<Custom>;
}

/** @discriminator type */
type AnyPanel =
  | Panel<'stat', stat.Options, Record<string, never>>
  | Panel<'state-timeline', statetimeline.Options, statetimeline.FieldConfig>
  | Panel<'table', table.Options, Partial<table.FieldConfig>>
  | Panel<'timeseries', timeseries.Options, timeseries.FieldConfig>
  | sdk.RowPanel;

export interface DashboardFile extends Omit<sdk.Dashboard, 'panels' | 'annotations' | 'snapshot'> {
  panels: AnyPanel[];
  annotations: { list: (Omit<sdk.AnnotationQuery, 'target'> & { target: Query })[] };
}
