/**
 * Takes pictures of the dashboards: `node shoot.ts WORLD PICTURES [WIDTH [ACCOUNT]]`, of a world that the tests have left (docs/dashboards.md).
 * A Prometheus serves it; Chromium draws each dashboard, light and dark, with its closed rows open.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';

const here = import.meta.dirname;
const DAY = 86_400;
/** What lies outside of the window is not drawn. */
const HEIGHT = 6000;

const [world, pictures, width = '1600', account] = process.argv.slice(2);
if (world === undefined || pictures === undefined) throw new Error('usage: node shoot.ts WORLD PICTURES [WIDTH [ACCOUNT]]');
const to = Number(readFileSync(join(world, 'end'), 'utf8'));

/** Ends what was started, however this ends. */
const ends: (() => unknown)[] = [];
let ending: Promise<void> | undefined;
function end() {
  // A signal ends the browser, which fails what waits for it and calls this again: Node must not leave before the first call is through.
  return ending ??= (async () => { for (const stop of ends.toReversed()) await stop(); })();
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => { void end().finally(() => process.exit(1)); });
}
try {
  await shoot(world, pictures);
} finally {
  await end();
}

async function shoot(world: string, pictures: string) {
  const page = await bundle();
  const prometheus = await serve(world);
  const url = await proxy(prometheus, page);
  mkdirSync(pictures, { recursive: true });
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'], handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false,
  });
  ends.push(() => browser.close());
  // Others' files may lie beside them.
  const entries = readdirSync(join(here, '../dashboards'), { withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && /^minergate-.*\.json$/.test(entry.name));
  for (const { name: file } of files) {
    const dashboard = JSON.parse(readFileSync(join(here, '../dashboards', file), 'utf8'));
    const chosen = await choose(prometheus, dashboard.templating.list);
    for (const theme of ['light', 'dark']) {
      const page = await browser.newPage({ viewport: { width: Number(width) + 16, height: HEIGHT } });
      page.on('pageerror', (error) => console.error(`${file}: ${error.message}`));
      page.on('console', (message) => { if (message.type() === 'error') console.error(`${file}: ${message.text().slice(0, 300)}`); });
      await page.addInitScript((shown) => { Object.assign(window, { shown }); }, {
        dashboard, theme, width: Number(width), view: { from: to - DAY, to, ...chosen },
      });
      await page.goto(url);
      await page.waitForFunction(() => {
        const panels = [...document.querySelectorAll('[data-panel]')];
        return panels.length > 0 && panels.every((panel) => panel.getAttribute('data-panel') === 'done');
      }, undefined, { timeout: 120_000 });
      await sleep(1000);
      await page.locator('#root').screenshot({ path: join(pictures, `${dashboard.uid}-${theme}.png`) });
      await page.close();
    }
  }
}

/** The page's script and styles. */
async function bundle() {
  const { outputFiles } = await build({
    entryPoints: [join(here, 'page.tsx')], bundle: true, write: false, outdir: here, format: 'esm', jsx: 'automatic', logLevel: 'error',
    define: { 'process.env.NODE_ENV': '"production"' }, loader: { '.svg': 'dataurl', '.ttf': 'dataurl', '.woff2': 'dataurl' },
  });
  const file = (extension: string) => outputFiles.find(({ path }) => path.endsWith(extension))?.text;
  return { script: file('.js'), styles: file('.css') };
}

/** Starts a Prometheus with the world's data; returns its address. */
async function serve(world: string) {
  const free = await listen(() => {});
  await free.close();
  const prometheus = spawn('prometheus', [
    `--config.file=${join(world, 'prometheus.yml')}`, `--storage.tsdb.path=${join(world, 'prometheus.tsdb')}`,
    '--storage.tsdb.retention.time=10y', `--web.listen-address=${new URL(free.url).host}`,
  ], { stdio: 'ignore' });
  await once(prometheus, 'spawn');
  const ended = once(prometheus, 'exit');
  ends.push(() => { prometheus.kill(); return ended; });
  while (!await fetch(`${free.url}/-/ready`).then((answer) => answer.ok, () => false)) {
    if (prometheus.exitCode !== null) throw new Error(`prometheus ended with ${prometheus.exitCode}: is ${world} a world that no other serves?`);
    await sleep(100);
  }
  return free.url;
}

/** Serves the page, and Prometheus beside it; returns the address. */
async function proxy(prometheus: string, page: Awaited<ReturnType<typeof bundle>>) {
  const { url, close } = await listen(async (request, response) => {
    if (request.url?.startsWith('/api/')) {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      const answer = await fetch(`${prometheus}${request.url}`, {
        method: 'POST', body: Buffer.concat(chunks), headers: { 'content-type': 'application/x-www-form-urlencoded' },
      });
      response.end(await answer.text());
    } else if (request.url === '/page.js') {
      response.setHeader('content-type', 'text/javascript').end(page.script);
    } else if (request.url === '/page.css') {
      response.setHeader('content-type', 'text/css').end(page.styles);
    } else {
      response.setHeader('content-type', 'text/html; charset=utf-8')
        .end('<!doctype html><link rel="stylesheet" href="/page.css"><body><div id="root"></div><script type="module" src="/page.js"></script>');
    }
  });
  ends.push(close);
  return url;
}

/** A server at a free port of this machine. */
async function listen(listener: RequestListener) {
  const server: Server = createServer(listener);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as { port: number };
  const close = async () => {
    server.closeAllConnections();
    await once(server.close(), 'close');
  };
  return { url: `http://127.0.0.1:${port}`, close };
}

interface Variable { type: string; name: string; query: string; allValue?: string; includeAll?: boolean; current?: { text: string; value: string } }

/** The variables as they are when a dashboard is opened: all, or the first value; and the values that there are. */
async function choose(prometheus: string, list: Variable[]) {
  const variables: Record<string, string> = {};
  const texts: Record<string, string> = {};
  const values: Record<string, string[]> = {};
  for (const { type, name, query, allValue, includeAll, current } of list) {
    if (type === 'custom') [variables[name], texts[name]] = [current?.value ?? '', current?.text ?? ''];
    if (type !== 'query') continue;
    const [, selector = '', label] = /^label_values\((.*), (\w+)\)$/.exec(query) ?? [];
    const series = Object.entries(variables).reduce((text, [variable, value]) => text.replaceAll(`$${variable}`, value), selector);
    const parameters = new URLSearchParams({ 'match[]': series, start: String(to - DAY), end: String(to) });
    const answer = await (await fetch(`${prometheus}/api/v1/label/${label}/values?${parameters}`)).json() as { data: string[] };
    values[name] = answer.data;
    const one = account ?? answer.data[0] ?? '';
    [variables[name], texts[name]] = includeAll ? [allValue ?? answer.data.join('|'), 'All'] : [one, one];
  }
  return { variables, texts, values };
}
