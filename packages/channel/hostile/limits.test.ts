/** The table of caps in spec/channel.md says what the code says: each figure, and no row that nobody checks. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  CLOCK_TOLERANCE_MS,
  CREDIT_LIMIT_BYTES,
  DEFAULT_LIMITS,
  HEAD_LIMIT_BYTES,
  LARGEST_WINDOW_BYTES,
  LAST_STREAM,
  RECORD_LIMIT_BYTES,
  RECORDS_PER_KEY,
  STREAM_WINDOW_BYTES,
  STREAMS_LIMIT,
  WINDOW_GROWTH_BYTES,
} from '../limits.ts';
import {
  CHUNK_LIMIT_BYTES,
  CLAIMS_LIMIT,
  KEPT_ANSWER_LIMIT_BYTES,
  KEPT_CHUNKS_LIMIT,
  KEPT_TIME_MS,
} from '../recovery/limits.ts';
import { STRICT } from '../shaping/profiles.ts';
import { MESSAGE_1_BYTES, MESSAGE_2_BYTES } from '../suite.ts';

const L = DEFAULT_LIMITS;
const n = (value: number) => value.toLocaleString('en-US');
const power = (value: number) => `2^${Math.log2(value)}`;
const seconds = (ms: number) => `${n(ms / 1000)} s`;
const minutes = (ms: number) => `${n(ms / 60_000)} min`;
const mebibytes = (bytes: number) => `${bytes / 2 ** 20} MiB`;

/** Row by row, the figures that the cell must name, in its order. */
const ROWS: Record<string, readonly string[]> = {
  'handshake messages': [n(MESSAGE_1_BYTES), n(MESSAGE_2_BYTES)],
  'handshake, verification': [seconds(L.handshakeTimeoutMs), seconds(L.verificationTimeoutMs)],
  'record plaintext': [n(RECORD_LIMIT_BYTES), n(RECORD_LIMIT_BYTES + 16)],
  'records a direction, a key': [power(L.recordsPerDirection), power(RECORDS_PER_KEY)],
  'a key that protected something': [seconds(L.rekeyTicks * L.tickMs)],
  head: [n(HEAD_LIMIT_BYTES)],
  'streams open': [n(STREAMS_LIMIT)],
  'idle units': [n(L.idleWorkAtOnce), n(L.idleWorkPerSecond)],
  'streams begun': [n(L.opensAtOnce), n(L.opensPerSecond)],
  'streams in all': [`${power(LAST_STREAM + 1)} − 1`],
  'credit, initial and sum': [n(STREAM_WINDOW_BYTES), `${power(CREDIT_LIMIT_BYTES + 1)} − 1`, n(LARGEST_WINDOW_BYTES)],
  'bytes of a body that wait for their reader': [mebibytes(WINDOW_GROWTH_BYTES)],
  evidence: ['the caller'],
  'waiting to leave, to be opened': [mebibytes(L.outgoingBacklogBytes), mebibytes(L.incomingBacklogBytes)],
  'frames that wait for their record': [n(L.waitingFrames)],
  silence: [seconds(L.silentTicks * L.tickMs)],
  'a renewal is asked for': [minutes(L.renewTicks * L.tickMs), power(L.recordsPerDirection / 2)],
  'life without a renewal': [minutes(L.lifeTicks * L.tickMs)],
  'clocks may differ': [minutes(CLOCK_TOLERANCE_MS)],
  'renewals answered': [n(2 * L.renewalsAtOnce), `1 in ${1 / (2 * L.renewalsPerSecond)} s`],
  'advice followed': [n(L.renewalsAtOnce), `1 in ${1 / L.renewalsPerSecond} s`],
  'a kept answer': [
    mebibytes(KEPT_ANSWER_LIMIT_BYTES),
    n(KEPT_CHUNKS_LIMIT),
    n(CHUNK_LIMIT_BYTES),
    minutes(KEPT_TIME_MS),
  ],
  'claims of an answer': [n(CLAIMS_LIMIT)],
  'cover of profile `strict`': [n(STRICT.budgetRecords)],
};

test('every cap of the table is the code’s, and every row is compared', () => {
  assert.equal(L.outgoingBacklogBytes, L.incomingBacklogBytes);
  const spec = readFileSync(new URL('../../../spec/channel.md', import.meta.url), 'utf8');
  const section = spec.split('\n## Caps\n')[1]?.split('\n## ')[0] ?? '';
  const rows = section
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) => line.split('|').map((cell) => cell.trim()));
  assert.deepEqual(
    rows.map(([, what]) => what),
    Object.keys(ROWS),
  );
  for (const [, what = '', cap = ''] of rows) {
    let at = 0;
    // A figure that two names share is said once, with “each”.
    for (const figure of new Set(ROWS[what])) {
      const found = cap.indexOf(figure, at);
      assert.ok(found >= 0, `${what}: “${cap}” does not say ${figure}`);
      at = found + figure.length;
    }
  }
});
