/** Frames and records against our vectors. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHex } from '@sotto/bytes';
import { CryptoError, primitives } from '@sotto/crypto/primitives';
import fc from 'fast-check';
import { ChannelError } from './errors.ts';
import { encodeFrame, type Frame, parseFrames } from './frames.ts';
import { RecordCipher } from './records.ts';
import { type Case, loadVectors, parseShortHex } from './vectors-for-testing.ts';

interface FrameCase extends Case {
  readonly from: 'initiator' | 'responder';
  readonly plaintext_hex: string;
}
interface RecordCase extends Case {
  readonly counter: number;
  readonly frames_hex?: string;
  readonly record_hex: string;
}

const frameCases = loadVectors<{ cases: FrameCase[] }>('frames.json').cases;
const { key_hex, cases: recordCases } = loadVectors<{ key_hex: string; cases: RecordCase[] }>('records.json');

const codeOf = (error: unknown): string => {
  if (error instanceof CryptoError) return 'record-forged';
  assert.ok(error instanceof ChannelError, `a foreign error: ${error}`);
  return error.code;
};

function frames(rule: string): void {
  const cases = frameCases.filter((one) => one.rule === rule);
  assert.ok(cases.length > 0);
  for (const { id, from, plaintext_hex, expect } of cases) {
    let got: unknown;
    try {
      got = { kinds: parseFrames(parseShortHex(plaintext_hex), from).map((frame) => frame.kind) };
    } catch (error) {
      got = { code: codeOf(error) };
    }
    assert.deepEqual(got, expect, id);
  }
}

async function cipherAt(counter: number): Promise<RecordCipher> {
  const cipher = await RecordCipher.create(primitives, parseHex(key_hex), 100);
  for (let i = 0; i < counter; i++) await cipher.seal(new Uint8Array(0));
  return cipher;
}

async function records(rule: string): Promise<void> {
  const cases = recordCases.filter((one) => one.rule === rule);
  assert.ok(cases.length > 0);
  for (const { id, counter, frames_hex, record_hex, expect } of cases) {
    const cipher = await cipherAt(counter);
    try {
      const plaintext = await cipher.open(parseHex(record_hex));
      assert.equal(expect, 'accept', id);
      const expected = parseShortHex(frames_hex ?? '');
      assert.deepEqual(plaintext.subarray(0, expected.length), expected, id);
      assert.deepEqual(await (await cipherAt(counter)).seal(expected), parseHex(record_hex), id);
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      assert.deepEqual({ code: codeOf(error) }, expect, id);
    }
  }
}

test('CH-20 only the sizes of the profile are records', () => records('CH-20'));
test('CH-21 a record opens under its own counter alone', () => records('CH-21'));
test('CH-22 padding is zeros', () => frames('CH-22'));
test('CH-24 a sender pads to the smallest bucket', () => records('CH-24'));
test('CH-30 an unknown kind is refused', () => frames('CH-30'));
test('CH-31 a frame that ends early is refused', () => frames('CH-31'));
test('CH-32 a frame from the wrong side is refused', () => frames('CH-32'));
test('CH-33 a head has a limit', () => frames('CH-33'));
test('CH-61 the frame that ends a key is the last of its record', () => frames('CH-61'));
test('CH-62 an answer ends with its key', () => frames('CH-62'));
test('CH-34 data and credit are of at least one byte', () => frames('CH-34'));

test('CH-23 a cipher stops at its last record', async () => {
  const [sending, receiving] = [0, 1].map(() => RecordCipher.create(primitives, parseHex(key_hex), 2));
  const [a, b] = [await sending, await receiving] as [RecordCipher, RecordCipher];
  for (let i = 0; i < 2; i++) await b.open(await a.seal(Uint8Array.of(0)));
  assert.throws(() => a.seal(Uint8Array.of(0)), { code: 'session-exhausted' });
  assert.throws(() => b.open(new Uint8Array(272)), { code: 'session-exhausted' });
});

test('every frame survives encoding, and any bytes parse to frames or to one of our errors', () => {
  const stream = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 60 });
  const token = fc.uint8Array({ minLength: 8, maxLength: 8 });
  const frame: fc.Arbitrary<Frame> = fc.oneof(
    fc.record({ kind: fc.constant('data' as const), stream, bytes }),
    fc.record({ kind: fc.constant('end' as const), stream }),
    fc.record({ kind: fc.constant('credit' as const), stream, bytes: fc.integer({ min: 1, max: 2 ** 32 - 1 }) }),
    fc.record({ kind: fc.constant('open' as const), stream, head: bytes }),
    fc.record({ kind: fc.constant('ping' as const), token }),
    fc.record({ kind: fc.constant('close' as const), reason: fc.integer({ min: 0, max: 65_535 }) }),
  );
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 5 }), fc.nat(300), (list, padding) => {
      const plaintext = Uint8Array.from([...list.flatMap((one) => [...encodeFrame(one)]), ...new Uint8Array(padding)]);
      assert.deepEqual(parseFrames(plaintext, 'initiator').map(plain), list.map(plain));
    }),
  );
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 80 }),
      fc.constantFrom('initiator' as const, 'responder' as const),
      (junk, from) => {
        try {
          parseFrames(junk, from);
        } catch (error) {
          codeOf(error);
        }
      },
    ),
  );
});

/** The same frame with plain arrays for bytes. */
const plain = (frame: Frame) =>
  Object.fromEntries(
    Object.entries(frame).map(([key, value]) => [key, value instanceof Uint8Array ? [...value] : value]),
  );
