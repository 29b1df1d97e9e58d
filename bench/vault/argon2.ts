/**
 * `node bench/vault/argon2.ts [--runs 9] [--json FILE]`: one passphrase stretched as the vault asks for it, in Chromium's worker
 * (started anew each time, as in the app) and in Node, in turn; the best of all runs is what the machine allows. Exit code 1 above
 * the budget.
 */
import { argon2Sync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'vite';
import { openBrowser } from '../../e2e/browser.ts';
import { judge, report } from '../report.ts';
import { median, round } from '../statistics.ts';
import budgets from './budgets.json' with { type: 'json' };

const POLICY = "default-src 'none'; script-src 'wasm-unsafe-eval'";
const text = { type: 'string' } as const;
const { values: flags } = parseArgs({ options: { runs: text, json: text } });
const runs = Number(flags.runs ?? 9);
const jsonPath = flags.json ?? join(import.meta.dirname, '../results/vault-argon2.json');

const built = await build({
  configFile: false,
  logLevel: 'silent',
  build: {
    write: false,
    target: 'es2024',
    lib: {
      entry: fileURLToPath(new URL('../../apps/web/features/unlocking/argon2-worker.ts', import.meta.url)),
      name: 'worker',
      formats: ['iife'],
    },
  },
});
const [output] = Array.isArray(built) ? built : [built];
if (output === undefined || !('output' in output)) throw new Error('vite built nothing');
const code = output.output[0].code;

const server = createServer((request, response) => {
  const isWorker = request.url === '/worker.js';
  response.writeHead(200, {
    'content-type': isWorker ? 'text/javascript' : 'text/html',
    ...(isWorker ? { 'content-security-policy': POLICY } : {}),
  });
  response.end(isWorker ? code : '<!doctype html>');
});
await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
const browser = await openBrowser();
try {
  await browser.page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
  const inChromium = () =>
    browser.page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          const startMs = performance.now();
          const worker = new Worker('/worker.js');
          worker.onmessage = () => {
            worker.terminate();
            resolve(performance.now() - startMs);
          };
          const salt = new Uint8Array(16).fill(9);
          worker.postMessage({ message: new Uint8Array(24), salt, memoryKiB: 65_536, passes: 3, lanes: 1 });
        }),
    );
  const inNode = () => {
    const startMs = performance.now();
    const input = { message: Buffer.alloc(24), nonce: Buffer.alloc(16, 9), parallelism: 1, tagLength: 32 };
    argon2Sync('argon2id', { ...input, memory: 65_536, passes: 3 });
    return performance.now() - startMs;
  };
  const times: Record<'chromium' | 'node', number[]> = { chromium: [], node: [] };
  for (let i = 0; i < runs; i++) {
    times.node.push(inNode());
    times.chromium.push(await inChromium());
  }
  const [chromium, node] = [figures(times.chromium), figures(times.node)];
  console.log(`Argon2id, 64 MiB, 3 passes, 1 lane, ${runs} runs each (${code.length} bytes of worker)`);
  console.log(`Chromium's worker: best ${chromium.best} ms, median ${chromium.median} ms`);
  console.log(`Node: best ${node.best} ms, median ${node.median} ms`);
  const lines = judge({ 'Chromium: Argon2id, ms': chromium.best }, budgets.argon2);
  process.exitCode = report(lines, { results: { chromium, node }, jsonPath, isPartial: false }) ? 0 : 1;
} finally {
  await browser.close();
  server.close();
}

function figures(values: readonly number[]): { readonly best: number; readonly median: number } {
  return { best: round(Math.min(...values), 0), median: round(median(values), 0) };
}
