/**
 * Takes pictures of the dashboards: `node shoot.ts HISTORY PICTURES [WIDTH]`, with a history that `history.ts` made. A Prometheus serves it;
 * Chromium draws each dashboard, light and dark.
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
/** What lies outside of the window is not drawn. */
const HEIGHT = 3600;

const [history = 'history', pictures = 'pictures', width = '1600'] = process.argv.slice(2);
const to = Number(readFileSync(join(history, 'end'), 'utf8'));

const { outputFiles } = await build({
  entryPoints: [join(here, 'page.tsx')], bundle: true, write: false, outdir: pictures, format: 'esm', jsx: 'automatic', logLevel: 'error',
  define: { 'process.env.NODE_ENV': '"production"' }, loader: { '.svg': 'dataurl', '.ttf': 'dataurl', '.woff2': 'dataurl' },
});
const bundled = (extension: string) => outputFiles.find(({ path }) => path.endsWith(extension))?.text;

const prometheus = spawn('prometheus', [
  `--config.file=${join(here, 'prometheus.yml')}`, `--storage.tsdb.path=${join(history, 'data')}`, '--storage.tsdb.retention.time=10y',
  `--web.listen-address=${new URL(PROMETHEUS).host}`, '--query.lookback-delta=5m',
], { stdio: 'ignore' });
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
const { port } = server.address() as { port: number };

mkdirSync(pictures, { recursive: true });
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
for (const file of readdirSync(join(here, '../dashboards'))) {
  const dashboard = JSON.parse(readFileSync(join(here, '../dashboards', file), 'utf8'));
  const variables: Record<string, string> = {};
  for (const { type, name, allValue } of dashboard.templating.list) if (type === 'query') variables[name] = allValue ?? 'farm-3';
  for (const theme of ['light', 'dark']) {
    const page = await browser.newPage({ viewport: { width: Number(width) + 16, height: HEIGHT } });
    page.on('pageerror', (error) => console.error(`${file}: ${error.message}`));
    page.on('console', (message) => { if (message.type() === 'error') console.error(`${file}: ${message.text().slice(0, 300)}`); });
    await page.addInitScript((shown) => { Object.assign(window, { shown }); }, {
      dashboard, theme, width: Number(width), view: { from: to - (dashboard.uid === 'minergate-account' ? 10_800 : 86_400), to, variables },
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
await browser.close();
server.close();
prometheus.kill();
