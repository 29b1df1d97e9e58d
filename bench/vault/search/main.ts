/**
 * Search over a history of years, in Node and in Chromium, against its budgets; minisearch and SQLite's FTS5 beside it.
 *
 *   node --expose-gc bench/vault/search/main.ts [--messages 100000] [--beside 10000] [--only node,chromium,sqlite] [--json FILE]
 *
 * Prints every figure, writes them as JSON, and exits with 1 when a budget is over or could not be measured.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createNodeRandom } from '@sotto/adapters-node';
import { createMemoryStore } from '@sotto/client/search';
import { createRealClock } from '@sotto/testkit';
import { judge, report } from '../../report.ts';
import { median, percentile, round } from '../../statistics.ts';
import { measureMiniSearch } from './beside.ts';
import { measureInChromium } from './browser.ts';
import budgets from './budgets.json' with { type: 'json' };
import { figuresOf, type SearchFigures } from './figures.ts';
import { ADD_ROUNDS, createSearching, pause } from './searching.ts';
import { measureSqlite } from './sqlite.ts';

const text = { type: 'string' } as const;
const { values: flags } = parseArgs({ options: { messages: text, beside: text, only: text, json: text } });
const messages = Number(flags.messages ?? 100_000);
const besideMessages = Number(flags.beside ?? 10_000);
const only = flags.only === undefined ? undefined : new Set(flags.only.split(','));
const jsonPath = flags.json ?? join(import.meta.dirname, '../../results/search.json');
const { gc } = globalThis as { gc?: () => void };
if (gc === undefined) throw new Error('run it with --expose-gc: memory is read after a collection');

const heap = () => {
  gc();
  gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

async function measureInNode(): Promise<SearchFigures> {
  const now = () => performance.now();
  const steps = createSearching({
    store: createMemoryStore(),
    random: createNodeRandom(),
    clock: createRealClock(),
    now,
  });
  const before = heap();
  const filled = await steps.fill(messages);
  const first = await steps.first();
  const warm = await steps.warm();
  // What stands for the disk here is memory as well.
  const heapBytes = heap() - before - filled.bytes;
  const added = [];
  for (let rounds = ADD_ROUNDS; rounds > 0; rounds--) {
    await pause();
    added.push(await steps.add());
  }
  const forgetMs = await steps.forget(messages);
  const empty = heap();
  const { figures: beside, index } = measureMiniSearch(besideMessages, now);
  const besideHeap = heap() - empty;
  if (index === undefined) throw new Error('it was freed before its memory was read');
  return figuresOf({ filled, first, warm, heapBytes, added, forgetMs, beside, besideHeap });
}

const results: Record<string, SearchFigures | string> = {};

async function measure(name: string, run: () => Promise<SearchFigures>): Promise<SearchFigures | undefined> {
  if (only?.has(name.toLowerCase()) === false) return undefined;
  try {
    const figures = await run();
    results[name] = figures;
    process.stdout.write(`${name}\n${JSON.stringify(figures, null, 1).replace(/^/gm, '  ')}\n`);
    return figures;
  } catch (error) {
    results[name] = `not measured: ${error instanceof Error ? error.message : error}`;
    process.stdout.write(`${name}: ${results[name]}\n`);
    return undefined;
  }
}

const node = await measure('Node', measureInNode);
const chromium = await measure('Chromium', () => measureInChromium(messages, besideMessages));
await measure('SQLite', async () => {
  const { buildMs, megabytes, queryMs } = measureSqlite(messages);
  return {
    'made, ms': round(buildMs, 0),
    'index, MB': round(megabytes),
    'warm query, median ms': round(median(queryMs)),
    'warm query, p95 ms': round(percentile(queryMs, 0.95)),
  };
});
const measured: Record<string, number | undefined> = {};
for (const [platform, figures] of [
  ['Node', node],
  ['Chromium', chromium],
] as const) {
  for (const [name, value] of Object.entries(figures ?? {})) measured[`${platform}: ${name}`] = value;
}
const lines = judge(measured, budgets);
process.exit(report(lines, { results, jsonPath, isPartial: only !== undefined }) ? 0 : 1);
