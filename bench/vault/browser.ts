/** Opening a history of years in a real Chromium, over IndexedDB on a real disk. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { openBrowser } from '../../e2e/browser.ts';
import type * as inPage from './browser-page.ts';
import type { MadeHistoryOptions } from './made-history.ts';
import type { OpeningFigures } from './opening.ts';

async function bundle(): Promise<string> {
  const entry = fileURLToPath(new URL('browser-page.ts', import.meta.url));
  const result = await build({
    configFile: false,
    logLevel: 'silent',
    build: { write: false, target: 'es2024', lib: { entry, name: 'bench', formats: ['iife'] } },
  });
  const output = Array.isArray(result) ? result[0] : result;
  if (output === undefined || !('output' in output)) throw new Error('vite built nothing');
  return output.output[0].code;
}

/** Rejects where there is no Chromium. */
export async function measureInBrowser(
  options: MadeHistoryOptions,
  log: (line: string) => void,
): Promise<OpeningFigures> {
  const code = await bundle();
  const server = createServer((request, response) => {
    const isScript = request.url === '/bench.js';
    response.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html' });
    response.end(isScript ? code : '<!doctype html><script src="/bench.js"></script>');
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  const browser = await openBrowser();
  try {
    const { page, cdp } = browser;
    const wide = await browser.context.browser()?.newBrowserCDPSession();
    const cpuMs = async () => {
      const { processInfo } = (await wide?.send('SystemInfo.getProcessInfo')) ?? { processInfo: [] };
      return (
        processInfo.filter(({ type }) => type === 'renderer').reduce((sum, { cpuTime }) => sum + cpuTime, 0) * 1000
      );
    };
    const heapBytes = async () => {
      await cdp.send('HeapProfiler.collectGarbage');
      return (await cdp.send('Runtime.getHeapUsage')).usedSize;
    };
    await page.exposeFunction('cpuMs', cpuMs);
    await page.exposeFunction('heapBytes', heapBytes);
    await page.exposeFunction('log', log);
    await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
    return await page.evaluate(
      (given) => (globalThis as unknown as { bench: typeof inPage }).bench.opening(given),
      options,
    );
  } finally {
    await browser.close();
    server.close();
  }
}
