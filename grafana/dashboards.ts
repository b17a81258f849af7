/** All dashboards as Grafana reads them: the files' names and texts. */
import { account } from './account.ts';
import { exporter } from './exporter.ts';
import { networkAndProfit } from './network.ts';
import { overview } from './overview.ts';

export function dashboards(): { name: string; text: string }[] {
  return [overview(), account(), networkAndProfit(), exporter()].map((dashboard) => ({
    name: `${dashboard.uid}.json`,
    text: `${JSON.stringify(dashboard, null, 2)}\n`,
  }));
}
