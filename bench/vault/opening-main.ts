/**
 * How long a history of years takes to open, in Node and in Chromium, against its budgets; exit code 1 when one is missed.
 *
 *   node --expose-gc bench/vault/opening-main.ts [--messages 100000] [--only node,chromium] [--json FILE]
 */
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createNodeRandom } from '@sotto/adapters-node';
import { createMemorySealedStore, createRealClock } from '@sotto/testkit';
import { judge, report } from '../report.ts';
import { round } from '../statistics.ts';
import { measureInBrowser } from './browser.ts';
import budgets from './budgets.json' with { type: 'json' };
import { FULL_HISTORY } from './made-history.ts';
import { measureOpening, type OpeningFigures } from './opening.ts';

const text = { type: 'string' } as const;
const { values: flags } = parseArgs({ options: { messages: text, only: text, json: text } });
const messages = Number(flags.messages ?? FULL_HISTORY.messages);
const conversations = Math.ceil((FULL_HISTORY.conversations * messages) / FULL_HISTORY.messages);
const options = { ...FULL_HISTORY, messages, conversations };
const only = flags.only === undefined ? undefined : new Set(flags.only.split(','));
const jsonPath = flags.json ?? join(import.meta.dirname, '../results/vault-opening.json');
const { gc } = globalThis as { gc?: () => void };
const log = (line: string) => console.log(`  ${line}; load ${round(loadavg()[0] as number, 1)}`);

const measureInNode = () =>
  measureOpening(
    {
      sealed: createMemorySealedStore(),
      random: createNodeRandom(),
      clock: createRealClock(),
      now: () => performance.now(),
      cpuMs: () => {
        const { user, system } = process.cpuUsage();
        return (user + system) / 1000;
      },
      heapBytes: () => {
        gc?.();
        return process.memoryUsage().heapUsed;
      },
      log,
    },
    options,
  );

const results: Record<string, OpeningFigures | string> = {};
const values: Record<string, number | undefined> = {};

async function measure(where: string, run: () => Promise<OpeningFigures>): Promise<void> {
  if (only?.has(where.toLowerCase()) === false) return;
  console.log(where);
  try {
    const figures = await run();
    const { records, firstSync, list, chat, save, heapMB } = figures;
    results[where] = figures;
    values[`${where}: unlock to a visible list, ms`] = round(list.ms, 0);
    values[`${where}: opening a chat of 500 messages, ms`] = round(chat.ms, 0);
    values[`${where}: first sync without a server, records/s`] = round((records * 1000) / firstSync.ms, 0);
    if (heapMB !== undefined) values[`${where}: memory, MB`] = round(heapMB, 0);
    console.log(`  saving a message in it: ${save.ms.toFixed(1)} ms`);
  } catch (error) {
    results[where] = `not measured: ${error instanceof Error ? error.message : error}`;
    console.log(`  ${results[where]}`);
  }
}

await measure('Node', measureInNode);
await measure('Chromium', () => measureInBrowser(options, log));
const isPartial = only !== undefined;
process.exit(report(judge(values, budgets.opening), { results, jsonPath, isPartial }) ? 0 : 1);
