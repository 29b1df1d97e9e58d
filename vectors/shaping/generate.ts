/**
 * Writes the vectors of this folder: sessions that say `shape` where they may and where they may not, and what leaves when
 * under profile `balanced`. Computed here from the paper's figures, without the product's code.
 *
 *   node vectors/shaping/generate.ts
 */
import { writeFileSync } from 'node:fs';

const save = (name: string, value: unknown) =>
  writeFileSync(new URL(name, import.meta.url), `${JSON.stringify(value, null, 1)}\n`);

const VERIFIED = '01';
const shape = (profile: number) => `20${profile.toString(16).padStart(2, '0')}`;
/** Stream 1 with an empty head. */
const OPEN = '0200000001'.concat('0000');

const session = (id: string, rule: string, note: string, records: readonly string[][], code?: string) => ({
  id,
  rule,
  note,
  records,
  expect: code === undefined ? 'accept' : { code },
});

save('sessions.json', {
  what: 'records that an initiator sends after the handshake: frames in hex; the responder accepts them or ends the session',
  cases: [
    session('compact', 'SH-01', 'the profile that needs no word, said', [[VERIFIED, shape(0)]]),
    session('balanced', 'SH-01', 'with verified', [[VERIFIED, shape(1)]]),
    session('strict', 'SH-01', 'in a record of its own', [[VERIFIED], [shape(2)]]),
    session('before-verified', 'SH-01', 'before verified', [[shape(1)]], 'frame-misplaced'),
    session('twice', 'SH-01', 'a second time', [[VERIFIED, shape(1), shape(1)]], 'frame-misplaced'),
    session('after-request', 'SH-01', 'after a request', [[VERIFIED, OPEN, shape(1)]], 'frame-misplaced'),
    session('number-3', 'SH-02', 'the first number without a profile', [[VERIFIED, shape(3)]], 'frame-malformed'),
    session('number-255', 'SH-02', 'the last one', [[VERIFIED, shape(255)]], 'frame-malformed'),
  ],
});

const TICK_MS = 50;
const WINDOW = 320;

/** Records of a window whose answer ended after so many milliseconds. */
function recordsOf(endMs: number): number {
  const left = Math.floor(endMs / TICK_MS);
  let records = WINDOW;
  while (records < left) records += records;
  return records;
}

const answer = (endMs: number) => ({
  id: `answer-${endMs}`,
  rule: 'SH-12',
  note: `an answer that ended ${endMs} ms after its acceptance`,
  events: [
    { atMs: 0, what: 'accepted', stream: 1 },
    { atMs: endMs, what: 'over', stream: 1 },
  ],
  expect: { firstMs: TICK_MS, everyMs: TICK_MS, records: recordsOf(endMs), bytes: 256 },
});

const upload = (bytes: number, sizes: readonly number[]) => ({
  id: `upload-${bytes}`,
  rule: 'SH-20',
  note: `a request of ${bytes} bytes of frames`,
  bytes,
  expect: { sizes },
});
const full = (count: number) => new Array<number>(count).fill(16_384);

save('schedules.json', {
  what: 'profile balanced: what leaves on the node for events at times, and on the client for a request of a size',
  node: [
    ...[0, 20, 15_000, 15_990, 16_030, 16_060, 31_980, 32_060, 63_000, 64_060].map(answer),
    {
      id: 'overlap',
      rule: 'SH-14',
      note: 'the second of two requests decides when both are over early',
      events: [
        { atMs: 0, what: 'accepted', stream: 1 },
        { atMs: 3_010, what: 'accepted', stream: 2 },
        { atMs: 4_000, what: 'over', stream: 2 },
        { atMs: 9_000, what: 'over', stream: 1 },
      ],
      expect: { firstMs: TICK_MS, everyMs: TICK_MS, records: 60 + WINDOW, bytes: 256 },
    },
    {
      id: 'overlap-long',
      rule: 'SH-14',
      note: 'the first decides when it doubles',
      events: [
        { atMs: 0, what: 'accepted', stream: 1 },
        { atMs: 3_010, what: 'accepted', stream: 2 },
        { atMs: 4_000, what: 'over', stream: 2 },
        { atMs: 17_000, what: 'over', stream: 1 },
      ],
      expect: { firstMs: TICK_MS, everyMs: TICK_MS, records: 2 * WINDOW, bytes: 256 },
    },
  ],
  client: [
    upload(1, [4096]),
    upload(4096, [4096]),
    upload(4097, [8192]),
    upload(8193, [16_384]),
    upload(16_384, [16_384]),
    upload(16_385, full(2)),
    upload(32_769, full(4)),
    upload(65_536, full(4)),
  ],
});
