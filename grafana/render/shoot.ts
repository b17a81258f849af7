/**
 * Takes pictures of the dashboards: `node shoot.ts WORLD PICTURES [WIDTH [ACCOUNT]]`, of a world that the tests have left (docs/dashboards.md).
 * A Prometheus serves it; Chromium draws each dashboard, light and dark, with its closed rows open.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';

const here = import.meta.dirname;
const PROMETHEUS = 'http://127.0.0.1:29090';
const DAY = 86_400;
/** What lies outside of the window is not drawn. */
const HEIGHT = 6000;

const [world = 'world', pictures = 'pictures', width = '1600', account] = process.argv.slice(2);
const to = Number(readFileSync(join(world, 'end'), 'utf8'));

const { outputFiles } = await build({
  entryPoints: [join(here, 'page.tsx')], bundle: true, write: false, outdir: pictures, format: 'esm', jsx: 'automatic', logLevel: 'error',
  define: { 'process.env.NODE_ENV': '"production"' }, loader: { '.svg': 'dataurl', '.ttf': 'dataurl', '.woff2': 'dataurl' },
});
const bundled = (extension: string) => outputFiles.find(({ path }) => path.endsWith(extension))?.text;

/** What was started, to be ended however this ends. */
const ends: (() => unknown)[] = [];
try {
  await shoot();
} finally {
  for (const end of ends.reverse()) await end();
}

async function shoot() {
  const prometheus = spawn('prometheus', [
    `--config.file=${join(world, 'prometheus.yml')}`, `--storage.tsdb.path=${join(world, 'prometheus.tsdb')}`,
    '--storage.tsdb.retention.time=10y', `--web.listen-address=${new URL(PROMETHEUS).host}`,
  ], { stdio: 'ignore' });
  ends.push(() => prometheus.kill());
  for (let tries = 0; tries < 100; tries += 1) {
    if (await fetch(`${PROMETHEUS}/-/ready`).then((answer) => answer.ok, () => false)) break;
    await sleep(100);
  }

  const server = createServer(async (request, response) => {
    if (request.url?.startsWith('/api/')) {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      const answer = await fetch(`${PROMETHEUS}${request.url}`, {
        method: 'POST', body: Buffer.concat(chunks), headers: { 'content-type': 'application/x-www-form-urlencoded' },
      });
      response.end(await answer.text());
    } else if (request.url === '/page.js') {
      response.setHeader('content-type', 'text/javascript').end(bundled('.js'));
    } else if (request.url === '/page.css') {
      response.setHeader('content-type', 'text/css').end(bundled('.css'));
    } else {
      response.setHeader('content-type', 'text/html; charset=utf-8')
        .end('<!doctype html><link rel="stylesheet" href="/page.css"><body><div id="root"></div><script type="module" src="/page.js"></script>');
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  ends.push(() => server.close());
  const { port } = server.address() as { port: number };

  mkdirSync(pictures, { recursive: true });
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
  ends.push(() => browser.close());
  const files = readdirSync(join(here, '../dashboards')).filter((file) => file.endsWith('.json'));
  for (const file of files) {
    const dashboard = JSON.parse(readFileSync(join(here, '../dashboards', file), 'utf8'));
    const { variables, values } = await choose(dashboard.templating.list);
    for (const theme of ['light', 'dark']) {
      const page = await browser.newPage({ viewport: { width: Number(width) + 16, height: HEIGHT } });
      page.on('pageerror', (error) => console.error(`${file}: ${error.message}`));
      page.on('console', (message) => { if (message.type() === 'error') console.error(`${file}: ${message.text().slice(0, 300)}`); });
      await page.addInitScript((shown) => { Object.assign(window, { shown }); }, {
        dashboard, theme, width: Number(width), view: { from: to - DAY, to, variables, values },
      });
      await page.goto(`http://127.0.0.1:${port}/`);
      await page.waitForFunction(() => {
        const panels = [...document.querySelectorAll('[data-panel]')];
        return panels.length > 0 && panels.every((panel) => panel.getAttribute('data-panel') === 'done');
      }, undefined, { timeout: 60_000 });
      await sleep(1000);
      await page.locator('#root').screenshot({ path: join(pictures, `${dashboard.uid}-${theme}.png`) });
      await page.close();
    }
  }
}

/** The variables as they are when a dashboard is opened: all, or the first value; and the values that there are. */
async function choose(list: { type: string; name: string; query: string; allValue?: string; includeAll?: boolean; current?: { value: string } }[]) {
  const variables: Record<string, string> = {};
  const values: Record<string, string[]> = {};
  for (const { type, name, query, allValue, includeAll, current } of list) {
    if (type === 'custom') variables[name] = current?.value ?? '';
    if (type !== 'query') continue;
    const [, selector = '', label] = /^label_values\((.*), (\w+)\)$/.exec(query) ?? [];
    const series = Object.entries(variables).reduce((text, [variable, value]) => text.replaceAll(`$${variable}`, value), selector);
    const parameters = new URLSearchParams({ 'match[]': series, start: String(to - DAY), end: String(to) });
    const answer = await (await fetch(`${PROMETHEUS}/api/v1/label/${label}/values?${parameters}`)).json() as { data: string[] };
    values[name] = answer.data;
    variables[name] = includeAll ? allValue ?? answer.data.join('|') : account ?? answer.data[0] ?? '';
  }
  return { variables, values };
}
