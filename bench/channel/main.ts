/**
 * The channel beside what it is made of: handshakes, records, bulk, many sessions. Ratios of one run; nothing here depends
 * on how fast the machine is, but for the few budgets that are times.
 *
 *   npm run bench:channel [-- --only handshake,records,wire,calls,idle,streams,browser] [--sessions 5000] [--json FILE]
 *
 * On a machine that others use at the same time, run it above them: `chrt -r 1 npm run bench:channel` (root).
 *
 * Prints a table, writes every figure as JSON, and exits with 1 when a budget is over or could not be measured.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { judge, report } from '../report.ts';
import { measureBrowser } from './browser.ts';
import budgets from './budgets.json' with { type: 'json' };
import { measureCalls } from './calls.ts';
import { measureHandshake } from './handshake.ts';
import { measureIdle } from './idle.ts';
import { measureRecords } from './records.ts';
import { measureStreams } from './streams.ts';
import { measureWire } from './wire.ts';

type Figures = Record<string, number>;

const text = { type: 'string' } as const;
const { values: flags } = parseArgs({ options: { only: text, sessions: text, json: text } });
const only = flags.only === undefined ? undefined : new Set(flags.only.split(','));
const jsonPath = flags.json ?? join(import.meta.dirname, '../results/channel.json');
const results: Record<string, Figures | string> = {};

/** Undefined, with the reason printed, where it cannot be measured on this machine. */
async function measure(group: string, name: string, run: () => Promise<Figures>): Promise<Figures | undefined> {
  if (only?.has(group) === false) return undefined;
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

const handshake = await measure('handshake', 'handshake', measureHandshake);
const small = await measure('records', 'records of 16 KiB', () => measureRecords(16_384));
// The largest record there is.
const large = await measure('records', 'records of 64 KiB', () => measureRecords(65_519));
const raw = large ?? (only?.has('wire') === true ? await measureRecords(65_519) : undefined);
const wire = await measure('wire', 'process to process', () => measureWire(raw?.['raw MB/s'] ?? Number.NaN));
const calls = await measure('calls', 'AEAD calls', () => measureCalls(100));
const idle = await measure('idle', 'idle sessions', () => measureIdle(Number(flags.sessions ?? 5000)));
const streams = await measure('streams', 'active streams', () => measureStreams(200));
const browser = await measure('browser', 'Chromium', measureBrowser);

const lines = judge(
  {
    'handshake: node ÷ raw operations': handshake?.ratio,
    'seal at 16 KiB ÷ raw': small?.['seal ratio'],
    'open at 16 KiB ÷ raw': small?.['open ratio'],
    'seal at 64 KiB ÷ raw': large?.['seal ratio'],
    'open at 64 KiB ÷ raw': large?.['open ratio'],
    'process to process ÷ raw': wire?.ratio,
    'tokens per AEAD call at 100 tokens/s': calls?.['tokens per AEAD call'],
    '5,000 idle sessions: KiB each': idle?.['KiB each'],
    '200 streams: added p99, ms': streams?.['added ms p99'],
    'Chromium, full handshake: CPU ms': browser?.['full: CPU ms'],
    'Chromium, resumed handshake: CPU ms': browser?.['resumed: CPU ms'],
  },
  budgets,
);
process.exit(report(lines, { results, jsonPath, isPartial: only !== undefined }) ? 0 : 1);
