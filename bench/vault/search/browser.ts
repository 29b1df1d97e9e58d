/** The steps in a real Chromium, over its IndexedDB; a new page before the first query, as after a visit's beginning. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { openBrowser } from '../../../e2e/browser.ts';
import { figuresOf, type SearchFigures } from './figures.ts';
import type * as page from './page.ts';
import { ADD_ROUNDS, pause } from './searching.ts';

async function bundle(): Promise<string> {
  const result = await build({
    configFile: false,
    logLevel: 'silent',
    build: {
      write: false,
      target: 'es2024',
      lib: { entry: fileURLToPath(new URL('page.ts', import.meta.url)), name: 'bench', formats: ['iife'] },
    },
  });
  const output = Array.isArray(result) ? result[0] : result;
  if (output === undefined || !('output' in output)) throw new Error('vite built nothing');
  return output.output[0].code;
}

/** Rejects where there is no Chromium. */
export async function measureInChromium(messages: number, besideMessages: number): Promise<SearchFigures> {
  const code = await bundle();
  const server = createServer((request, response) => {
    const isScript = request.url === '/bench.js';
    response.writeHead(200, { 'content-type': isScript ? 'text/javascript; charset=utf-8' : 'text/html' });
    response.end(isScript ? code : '<!doctype html><script src="/bench.js"></script>');
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  const browser = await openBrowser();
  try {
    const { page: tab, cdp } = browser;
    tab.setDefaultTimeout(600_000);
    const visit = () => tab.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
    const heap = async () => {
      await cdp.send('HeapProfiler.collectGarbage');
      const used = (await cdp.send('Runtime.getHeapUsage')) as { usedSize: number; backingStorageSize?: number };
      return used.usedSize + (used.backingStorageSize ?? 0);
    };
    const run = <Name extends 'fill' | 'first' | 'warm' | 'add' | 'forget' | 'minisearch'>(
      name: Name,
      given?: number,
    ) =>
      tab.evaluate(
        ([step, value]) =>
          (globalThis as unknown as { bench: Record<string, (given?: number) => unknown> }).bench[step as string]?.(
            value as number,
          ),
        [name, given] as const,
      ) as Promise<Awaited<ReturnType<(typeof page)[Name]>>>;

    await visit();
    if (browser.complaints.length > 0) throw new Error(browser.complaints.join('\n'));
    const filled = await run('fill', messages);
    await visit();
    const before = await heap();
    const first = await run('first');
    const warm = await run('warm');
    const heapBytes = (await heap()) - before;
    const added = [];
    for (let rounds = ADD_ROUNDS; rounds > 0; rounds--) {
      await pause();
      added.push(await run('add'));
    }
    const forgetMs = await run('forget', messages);
    await visit();
    const empty = await heap();
    const beside = await run('minisearch', besideMessages);
    const besideHeap = (await heap()) - empty;
    return figuresOf({ filled, first, warm, heapBytes, added, forgetMs, beside, besideHeap });
  } finally {
    await browser.close();
    server.close();
  }
}
