/** Writes the dashboards into the directory that Grafana reads. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { dashboards } from './dashboards.ts';

for (const { name, text } of dashboards()) {
  writeFileSync(join(import.meta.dirname, 'dashboards', name), text);
}
