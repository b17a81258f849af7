/** Writes the dashboards into a directory: `node generate.ts DIRECTORY`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { dashboards } from './dashboards.ts';

const [directory] = process.argv.slice(2);
if (directory === undefined) {
  throw new Error('usage: node generate.ts DIRECTORY');
}
for (const { name, text } of dashboards()) {
  writeFileSync(join(directory, name), text);
}
