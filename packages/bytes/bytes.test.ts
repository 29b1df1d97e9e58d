/** Properties of the readers, writers and text encodings: what was written is read, and no input makes them do anything else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  ByteReader,
  BytesError,
  ByteWriter,
  concatBytes,
  encodeBase64,
  encodeBase64Url,
  encodeHex,
  encodeUtf8,
  equalBytes,
  parseBase64,
  parseBase64Url,
  parseHex,
  parseUtf8,
} from './index.ts';

const bytes = fc.uint8Array({ maxLength: 300 });
const hasCode = (code: string) => (error: unknown) => error instanceof BytesError && error.code === code;

type Field =
  | { kind: 'u8' | 'u16' | 'u32'; value: number }
  | { kind: 'u64'; value: bigint }
  | { kind: 'raw' | 'vector16' | 'vector32'; value: Uint8Array };
const integer = (kind: 'u8' | 'u16' | 'u32', bits: number) =>
  fc.record({ kind: fc.constant(kind), value: fc.integer({ min: 0, max: 2 ** bits - 1 }) });
const field: fc.Arbitrary<Field> = fc.oneof(
  integer('u8', 8),
  integer('u16', 16),
  integer('u32', 32),
  fc.record({ kind: fc.constant('u64' as const), value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) }),
  fc.record({ kind: fc.constantFrom('raw' as const, 'vector16' as const, 'vector32' as const), value: bytes }),
);

function write(writer: ByteWriter, { kind, value }: Field): void {
  (writer[kind] as (value: unknown) => unknown).call(writer, value);
}

function read(reader: ByteReader, { kind, value }: Field): unknown {
  if (kind === 'raw') return reader.take((value as Uint8Array).length);
  if (kind === 'vector16' || kind === 'vector32') return reader[kind](300);
  return reader[kind]();
}

test('what is written is read, in order, to the last byte', () => {
  fc.assert(
    fc.property(fc.array(field, { maxLength: 20 }), fc.nat(64), (fields, capacity) => {
      const writer = new ByteWriter(capacity);
      for (const one of fields) write(writer, one);
      const whole = writer.finish();
      const reader = new ByteReader(whole);
      for (const one of fields) assert.deepEqual(read(reader, one), one.value);
      reader.end();
      assert.equal(reader.offset, whole.length);
    }),
  );
});

test('a structure cut anywhere is truncated, and one byte more is trailing', () => {
  fc.assert(
    fc.property(fc.array(field, { minLength: 1, maxLength: 6 }), fc.nat(), (fields, at) => {
      const writer = new ByteWriter();
      for (const one of fields) write(writer, one);
      const whole = writer.finish();
      const readAll = (input: Uint8Array) => {
        const reader = new ByteReader(input);
        for (const one of fields) read(reader, one);
        reader.end();
      };
      if (whole.length > 0) assert.throws(() => readAll(whole.slice(0, at % whole.length)), hasCode('bytes-truncated'));
      assert.throws(() => readAll(concatBytes(whole, Uint8Array.of(0))), hasCode('bytes-trailing'));
    }),
  );
});

test('a reader over a slice of a larger buffer sees the slice alone, and gives copies', () => {
  const buffer = Uint8Array.of(9, 9, 1, 2, 3, 9);
  const reader = new ByteReader(buffer.subarray(2, 5));
  const taken = reader.take(2);
  taken[0] = 7;
  assert.deepEqual([...buffer], [9, 9, 1, 2, 3, 9]);
  assert.equal(reader.u8(), 3);
  assert.throws(() => reader.u8(), hasCode('bytes-truncated'));
  for (const length of [-1, 1.5, Number.NaN, 2 ** 53]) {
    assert.throws(() => new ByteReader(buffer).take(length), hasCode('bytes-truncated'));
  }
});

test('a cap is checked before the length is believed', () => {
  const claims = new ByteWriter().u32(0xffff_ffff).finish();
  assert.throws(() => new ByteReader(claims).vector32(10), hasCode('bytes-too-long'));
  assert.throws(() => new ByteReader(claims).view32(10), hasCode('bytes-too-long'));
  assert.throws(() => new ByteReader(claims).vector16(10), hasCode('bytes-too-long'));
  assert.throws(() => new ByteReader(Uint8Array.of(0, 5, 1)).vector16(10), hasCode('bytes-truncated'));
});

test('an integer that does not fit is refused, in both directions', () => {
  for (const value of [-1, 256, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => new ByteWriter().u8(value), hasCode('bytes-out-of-range'));
  }
  assert.throws(() => new ByteWriter().u64(2n ** 64n), hasCode('bytes-out-of-range'));
  assert.throws(() => new ByteWriter().u64(-1), hasCode('bytes-out-of-range'));
  const large = new ByteWriter().u64(2n ** 53n).finish();
  assert.throws(() => new ByteReader(large).u64Number(), hasCode('bytes-out-of-range'));
  assert.equal(new ByteReader(new ByteWriter().u64(2 ** 53 - 1).finish()).u64Number(), 2 ** 53 - 1);
});

const encodings = [
  { name: 'hex', encode: encodeHex, parse: (text: string) => parseHex(text), node: 'hex' },
  { name: 'base64', encode: encodeBase64, parse: parseBase64, node: 'base64' },
  { name: 'base64url', encode: encodeBase64Url, parse: parseBase64Url, node: 'base64url' },
] as const;

for (const { name, encode, parse, node } of encodings) {
  test(`${name} has one spelling: it agrees with Node, and whatever parses is what encoding gives`, () => {
    fc.assert(
      fc.property(bytes, (value) => {
        assert.equal(encode(value), Buffer.from(value).toString(node));
        assert.deepEqual(parse(encode(value)), value);
      }),
    );
    const alphabet = fc.constantFrom(...'ABab09+/-_= \n=z'.split(''));
    fc.assert(
      fc.property(fc.string({ unit: alphabet, maxLength: 12 }), (text) => {
        let value: Uint8Array;
        try {
          value = parse(text);
        } catch (error) {
          assert.ok(hasCode('bytes-bad-encoding')(error));
          return;
        }
        assert.equal(encode(value), text);
      }),
      { numRuns: 500 },
    );
  });
}

test('text that spells a value in a second way is refused', () => {
  for (const text of ['AB', '0g', 'abc', ' ab']) assert.throws(() => parseHex(text), hasCode('bytes-bad-encoding'));
  assert.throws(() => parseHex('abcd', 3), hasCode('bytes-bad-encoding'));
  for (const text of ['AB==', 'AA', 'A===', 'AA=A', '====', 'AAA=\n', 'AA-_']) {
    assert.throws(() => parseBase64(text), hasCode('bytes-bad-encoding'), text);
  }
  for (const text of ['AB', 'AA==', 'A', 'AA+/']) {
    assert.throws(() => parseBase64Url(text), hasCode('bytes-bad-encoding'), text);
  }
});

test('UTF-8 is well-formed or refused, and a byte order mark is kept', () => {
  const points = fc.array(fc.integer({ min: 0, max: 0x10ffff }), { maxLength: 40 });
  fc.assert(
    fc.property(points, (list) => {
      const text = String.fromCodePoint(...list);
      assert.equal(parseUtf8(encodeUtf8(text)), text.toWellFormed());
    }),
  );
  assert.equal(parseUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61)), '\ufeffa');
  for (const bad of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82]]) {
    assert.throws(() => parseUtf8(Uint8Array.from(bad)), hasCode('bytes-bad-encoding'));
  }
});

test('equality is of length and of every byte; joining keeps order', () => {
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      assert.equal(equalBytes(a, b), Buffer.from(a).equals(b));
      assert.equal(equalBytes(a, a.slice()), true);
      assert.deepEqual([...concatBytes(a, b)], [...a, ...b]);
    }),
  );
});
