/** Holds the committed dashboards against the SDK's types, and against what the generator writes now. Ends with 1 if they differ. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { createGenerator } from 'ts-json-schema-generator';

import { dashboards } from './dashboards.ts';

const here = import.meta.dirname;
// Types of one name stand in several of the SDK's modules, so that the schema can't refer to them by name.
const schema = createGenerator({
  path: join(here, 'schema.ts'), tsconfig: join(here, 'tsconfig.json'), expose: 'none', discriminatorType: 'open-api',
}).createSchema('DashboardFile');
const validate = new Ajv({ allErrors: true, allowUnionTypes: true, discriminator: true }).compile(schema);

const faults: string[] = [];
const generated = new Map(dashboards().map(({ name, text }) => [name, text]));
for (const name of new Set([...generated.keys(), ...readdirSync(join(here, 'dashboards')).filter((name) => name.endsWith('.json'))])) {
  const committed = readFileSync(join(here, 'dashboards', name), 'utf8');
  if (committed !== generated.get(name)) {
    faults.push(`${name} is not what the generator writes: run scripts/generate`);
  }
  if (!validate(JSON.parse(committed))) {
    faults.push(...(validate.errors ?? []).map((error) => `${name}${error.instancePath}: ${error.message} ${JSON.stringify(error.params)}`));
  }
}
faults.forEach((fault) => console.error(fault));
console.log(`${generated.size} dashboards, ${faults.length} faults`);
process.exitCode = faults.length > 0 ? 1 : 0;
