/** All dashboards as Grafana reads them: the files' names and texts. */
import { account } from './account.ts';
import { exporter } from './exporter.ts';
import { networkAndProfit } from './network.ts';
import { overview } from './overview.ts';

/** Indented by one: `kubectl apply` keeps a copy in an annotation, and those have a limit. */
export function dashboards(): { name: string; text: string }[] {
  return [overview(), account(), networkAndProfit(), exporter()].map((dashboard) => ({
    name: `${dashboard.uid}.json`,
    text: `${JSON.stringify(dashboard, null, 1)}\n`,
  }));
}
