/** vectors/evidence-tpm/event-logs.json: one failure each, by rule; caps; and the same logs as noise. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { encodeHex, encodeUtf8, parseBase64, parseHex } from '@sotto/bytes';
import { encodeTcgLog } from '@sotto/testkit/evidence-tpm';
import { JudgementError } from '../judgement-error.ts';
import { checkRegisters, type EventLogFormat, parseEventLog, replayEventLog } from './index.ts';

interface Vector {
  readonly id: string;
  readonly rule: string;
  readonly format: EventLogFormat;
  readonly log: string;
  readonly expected_hex?: Record<string, string>;
  readonly expect: { registers_hex: Record<string, string> } | { class: string; code: string };
}
const file = new URL('../../../vectors/evidence-tpm/event-logs.json', import.meta.url);
const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as { vectors: Vector[] };

function replay(vector: Vector): Record<string, string> {
  const log = parseEventLog(parseBase64(vector.log), vector.format);
  const expected = Object.entries(vector.expected_hex ?? {}).map(([name, hex]) => [name, parseHex(hex)] as const);
  checkRegisters(log, new Map(expected));
  return Object.fromEntries([...replayEventLog(log)].map(([name, value]) => [name, encodeHex(value)]));
}

function judge(rule: string): void {
  const ofRule = vectors.filter((vector) => vector.rule === rule);
  assert.notEqual(ofRule.length, 0, `no vector for ${rule}`);
  for (const vector of ofRule) {
    if ('registers_hex' in vector.expect) {
      const registers = replay(vector);
      assert.deepEqual({ ...registers, ...vector.expect.registers_hex }, registers, vector.id);
    } else {
      const { class: failureClass, code } = vector.expect;
      assert.throws(
        () => replay(vector),
        { name: 'JudgementError', failureClass, code, rule, action: 'stop' },
        vector.id,
      );
    }
  }
}

test('EV-301 another beginning is refused', () => judge('EV-301'));
test('EV-302 a header with other banks is refused', () => judge('EV-302'));
test('EV-303 a field beyond the end is refused', () => judge('EV-303'));
test('EV-304 an entry with other digests than the banks is refused', () => judge('EV-304'));
test('EV-305 registers are those that can be extended', () => judge('EV-305'));
test('EV-306 padding ends the log, and nothing stands behind it', () => judge('EV-306'));
test('EV-307 what informs extends nothing', () => judge('EV-307'));
test('EV-308 registers start as zeros, those of a dynamic launch as ones', () => judge('EV-308'));
test('EV-309 the startup locality is where PCR 0 starts, said once and first', () => judge('EV-309'));
test('EV-310 a dstack log has its fields', () => judge('EV-310'));
test('EV-311 an event of the application is hashed again', () => judge('EV-311'));
test('EV-312 a canonical log has its fields', () => judge('EV-312'));
test('EV-313 record numbers rise', () => judge('EV-313'));
test('EV-314 an expected register is compared', () => judge('EV-314'));
test('EV-315 a bank is replayed where every entry has a digest of it', () => judge('EV-315'));

test('EV-300 a log of 4 MiB and of 16,384 entries is read, a larger one refused', () => {
  const tooLarge = { code: 'event-log-too-large', failureClass: 'format', rule: 'EV-300' };
  const entry = { index: 0, eventType: 4, digests: {}, data: new Uint8Array() };
  const entries = Array.from({ length: 16_384 }, () => entry);
  const log = (list: typeof entries) => encodeTcgLog({ banks: ['sha256'], entries: list });
  assert.equal(parseEventLog(log(entries), 'tcg2').events.length, 16_384);
  assert.throws(() => parseEventLog(log([...entries, entry]), 'tcg2'), tooLarge);
  const json = (count: number) => encodeUtf8(JSON.stringify(Array.from({ length: count }, () => ({}))));
  for (const format of ['canonical-json', 'dstack-json'] as const) {
    assert.throws(() => parseEventLog(json(16_385), format), tooLarge);
    assert.throws(() => parseEventLog(json(16_384), format), { code: 'event-log-malformed' });
    assert.throws(() => parseEventLog(new Uint8Array(4 * 1024 * 1024 + 1), format), tooLarge);
  }
  assert.throws(() => parseEventLog(new Uint8Array(4 * 1024 * 1024 + 1), 'ccel'), tooLarge);
  const padding = new Uint8Array(4 * 1024 * 1024 - log([]).length);
  assert.equal(parseEventLog(encodeTcgLog({ banks: ['sha256'], entries: [], padding }), 'tcg2').events.length, 0);
});

test('EV-303 every prefix, every longer log and every flipped byte ends in registers or in a refusal of ours', () => {
  const whole = vectors.filter((vector) => 'registers_hex' in vector.expect);
  let count = 0;
  for (const { log, format } of whole) {
    const bytes = parseBase64(log);
    for (let at = 0; at <= bytes.length; at++) {
      const flipped = bytes.slice();
      if (at < bytes.length) flipped[at] = (flipped[at] as number) ^ 0x81;
      for (const changed of [bytes.slice(0, at), flipped]) {
        count++;
        try {
          replayEventLog(parseEventLog(changed, format));
        } catch (error) {
          assert.ok(error instanceof JudgementError, `${format} ${at}: ${error}`);
        }
      }
    }
  }
  assert.ok(count > 5000, String(count));
});

test('EV-310, EV-312 a million brackets are refused in bounded time', () => {
  for (const format of ['canonical-json', 'dstack-json'] as const) {
    const nested = encodeUtf8('['.repeat(1_000_000));
    assert.throws(() => parseEventLog(nested, format), { code: 'event-log-malformed' });
    const closed = encodeUtf8(`${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`);
    assert.throws(() => parseEventLog(closed, format), { code: 'event-log-malformed' });
  }
});
