/** Stage `event-log` over the genuine logs, with the registers that hardware signed or that others published. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge } from '../testing/recorded-judge.ts';
import { readShared, skipWithoutSharedVectors as skip } from '../testing/shared-vectors.ts';

/** Where RTMR 0 to 3 stand in a TDX quote of version 4. */
const RTMR_OFFSET = 48 + 328;

test('EV-314 the genuine CCEL logs give the registers of their quote, and those published', { skip }, async (t) => {
  const quote = readShared('tdx-eventlog/go-tdx-guest/cos-113-tdx-quote.dat').toString('hex');
  const quoted = [0, 1, 2, 3].map((index) => [
    `rtmr${index}`,
    quote.slice(2 * (RTMR_OFFSET + 48 * index), 2 * (RTMR_OFFSET + 48 * (index + 1))),
  ]);
  const cases: [log: string, events: number, registers: Record<string, string>][] = [
    ['go-tdx-guest/ccel_data.dat', 43, Object.fromEntries(quoted)],
    ['trustee/CCEL_data', 5, { rtmr0: '2dc712306a96', rtmr1: '0fa3be56af61' }],
    ['trustee/CCEL_data_ovmf', 20, { rtmr0: '8566f998798d', rtmr1: '775b9f6bfe99', rtmr2: '94eaf7a7bf39' }],
  ];
  for (const [name, events, registers] of cases) {
    const log = readShared(`tdx-eventlog/${name}`).toString('base64');
    const { exit, output } = await judge('event-log', () => ({ log, format: 'ccel' }));
    assert.deepEqual([exit, output.events_count], [0, events], name);
    const replayed = output.registers_hex as Record<string, string>;
    for (const [register, value] of Object.entries(registers)) {
      assert.equal(replayed[register]?.slice(0, value.length), value, `${name} ${register}`);
    }
    const again = await judge('event-log', () => ({ log, format: 'ccel', expected_hex: replayed }));
    assert.equal(again.exit, 0);
    const other = { ...replayed, rtmr1: replayed.rtmr0 as string };
    const refused = await judge('event-log', () => ({ log, format: 'ccel', expected_hex: other }));
    assert.deepEqual([refused.exit, refused.output.code, refused.output.class], [10, 'register-mismatch', 'binding']);
  }
  t.diagnostic(`${cases.length} logs, ${cases.reduce((sum, [, events]) => sum + events, 0)} entries`);
});

test('EV-314 every byte of a genuine log changed: other registers, a refusal, or a malleable byte', {
  skip,
}, async (t) => {
  const whole = readShared('tdx-eventlog/trustee/CCEL_data_ovmf');
  const end = whole.findLastIndex((byte) => byte !== 0xff) + 1;
  const bytes = whole.subarray(0, end);
  const first = await judge('event-log', () => ({ log: bytes.toString('base64'), format: 'ccel' }));
  const expected = { expected_hex: first.output.registers_hex };
  const counts: Record<string, number> = {};
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] as number) ^ 1;
    const input = { log: changed.toString('base64'), format: 'ccel', ...expected };
    const { exit, output } = await judge('event-log', () => input);
    const key = `${exit} ${output.code ?? 'malleable'}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  t.diagnostic(JSON.stringify(counts));
  assert.deepEqual(Object.keys(counts).sort(), ['0 malleable', '10 event-log-malformed', '10 register-mismatch']);
  assert.ok((counts['10 register-mismatch'] as number) >= 20 * 48);
});

test('CF-03 a format, a digest or a field of another kind is not a case', async () => {
  const input = { log: '', format: 'ccel', expected_hex: {} };
  for (const change of [{ format: 'other' }, { expected_hex: { rtmr0: '00' } }, { expected_hex: [] }, { log: '*' }]) {
    assert.equal((await judge('event-log', () => ({ ...input, ...change }))).exit, 30, JSON.stringify(change));
  }
  assert.equal((await judge('event-log', () => input)).exit, 10);
});
