/** What a handshake costs a browser: CPU time of the renderer, in a real Chromium. Verifying evidence is measured elsewhere. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { openBrowser } from '../../e2e/browser.ts';
import { startProcess } from '../../tools/harness/process.ts';
import { median, round } from '../statistics.ts';
import type * as page from './browser-page.ts';
import { NODE } from './node-keys.ts';

const COUNT = 40;
const TURNS = 5;

async function bundle(): Promise<string> {
  const result = await build({
    configFile: false,
    logLevel: 'silent',
    build: {
      write: false,
      target: 'es2024',
      lib: { entry: fileURLToPath(new URL('browser-page.ts', import.meta.url)), name: 'bench', formats: ['iife'] },
    },
  });
  const output = Array.isArray(result) ? result[0] : result;
  if (output === undefined || !('output' in output)) throw new Error('vite built nothing');
  return output.output[0].code;
}

/** Rejects where there is no Chromium. */
export async function measureBrowser(): Promise<Record<string, number>> {
  const code = await bundle();
  const server = createServer((request, response) => {
    const isScript = request.url === '/bench.js';
    response.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html' });
    response.end(isScript ? code : '<!doctype html><script src="/bench.js"></script>');
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  const door = await startProcess<{ url: string }>(fileURLToPath(new URL('door-process.ts', import.meta.url)), {
    args: [],
  });
  const browser = await openBrowser();
  try {
    await browser.page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
    const cdp = await browser.context.browser()?.newBrowserCDPSession();
    if (cdp === undefined) throw new Error('no session with the browser');
    const rendererMs = async () => {
      const { processInfo } = await cdp.send('SystemInfo.getProcessInfo');
      return (
        processInfo.filter(({ type }) => type === 'renderer').reduce((sum, { cpuTime }) => sum + cpuTime, 0) * 1000
      );
    };
    const run = (isFull: boolean) =>
      browser.page.evaluate(
        ([url, nodeId, count, full]) =>
          (globalThis as unknown as { bench: typeof page }).bench.handshakes(url, nodeId, count, full),
        [door.ready.url, [...NODE.nodeId], COUNT, isFull] as const,
      );
    await run(true);
    const figures: Record<'full' | 'resumed', number[]> = { full: [], resumed: [] };
    for (let turn = 0; turn < TURNS; turn++) {
      for (const kind of ['full', 'resumed'] as const) {
        const beforeMs = await rendererMs();
        await run(kind === 'full');
        figures[kind].push(((await rendererMs()) - beforeMs) / COUNT);
      }
    }
    return { 'full: CPU ms': round(median(figures.full)), 'resumed: CPU ms': round(median(figures.resumed)) };
  } finally {
    await browser.close();
    await door.stop('SIGKILL');
    server.close();
  }
}
