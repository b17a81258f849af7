/**
 * Makes a day's history for Prometheus in minutes: `node history.ts DIRECTORY ACCOUNTS`. Simulator and exporter run under
 * libfaketime, whose clock starts a day ago and goes SPEED times as fast. What is scraped is written as OpenMetrics with
 * timestamps, of which promtool makes blocks.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const SPEED = 400;
const DAY = 86_400;
const SCRAPE_INTERVAL = 60;
const LIBRARY = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1';
const PROGRAM = join(import.meta.dirname, '../../target/debug/minergate-exporter');

const [directory = 'history', accounts = '3'] = process.argv.slice(2);
rmSync(directory, { recursive: true, force: true });
mkdirSync(directory, { recursive: true });

const began = Date.now() / 1000;
const simulated = () => began - DAY + (Date.now() / 1000 - began) * SPEED;
const children: ChildProcess[] = [];

/** Starts the exporter's program on the simulated clock, and returns what follows a text in its output. */
async function start(args: string[], text: string): Promise<string> {
  const clock = new Date(simulated() * 1000).toISOString().slice(0, 19).replace('T', ' ');
  const environment = { LD_PRELOAD: LIBRARY, FAKETIME: `@${clock} x${SPEED}`, TZ: 'UTC' };
  const child = spawn(PROGRAM, args, { env: environment });
  children.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => { output += data; });
  for (let tries = 0; tries < 100 && !output.includes(text); tries += 1) await sleep(100);
  return output.slice(output.indexOf(text) + text.length).split(/\s/)[0] ?? '';
}

const config = join(directory, 'exporter.toml');
await start(['simulate', '--listen', '127.0.0.1:0', '--accounts', accounts, '--write-config', config], 'is at ');
// A fast clock lets everything seem slow.
const settings = 'requests_per_second = 200\nconcurrency = 64\ntimeout = "5m"';
const text = readFileSync(config, 'utf8').replace('requests_per_second = 50', settings);
writeFileSync(config, text);
const address = await start(['--config.file', config, '--web.listen-address', '127.0.0.1:0'], 'address=');

const target = 'job="minergate",instance="localhost:10187"';
const file = createWriteStream(join(directory, 'history.om'));
for (let time = simulated(); time < began; time = Math.max(time + SCRAPE_INTERVAL, simulated())) {
  await sleep(Math.max(0, (time - simulated()) / SPEED * 1000));
  const begin = performance.now();
  const answer = await fetch(`http://${address}/metrics`);
  // On a fast clock the exporter may find that a scrape takes too long.
  if (!answer.ok) continue;
  const samples = (await answer.text()).split('\n').filter((line) => line && !line.startsWith('#'));
  const stamp = time.toFixed(3);
  const own = [['up', 1], ['scrape_duration_seconds', (performance.now() - begin) / 1000], ['scrape_samples_scraped', samples.length]];
  const lines = samples.map((line) => {
    const end = line.lastIndexOf(' ');
    const [, name, labels] = /^(\w+)(?:\{(.*)\})?$/.exec(line.slice(0, end)) ?? [];
    return `${name}{${target}${labels ? `,${labels}` : ''}} ${line.slice(end + 1)} ${stamp}`;
  });
  lines.push(...own.map(([name, value]) => `${name}{${target}} ${value} ${stamp}`), '');
  if (!file.write(lines.join('\n'))) await once(file, 'drain');
}
file.end('# EOF\n');
await once(file, 'finish');
children.forEach((child) => child.kill());
const blocks = join(directory, 'data');
execFileSync('promtool', ['tsdb', 'create-blocks-from', 'openmetrics', join(directory, 'history.om'), blocks], { stdio: 'ignore' });
rmSync(join(directory, 'history.om'));
writeFileSync(join(directory, 'end'), String(Math.floor(began)));
console.log(existsSync(blocks) ? `a day of ${accounts} accounts is in ${blocks}` : 'promtool wrote nothing');
