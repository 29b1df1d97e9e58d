import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { ENCODINGS } from './encodings.ts';
import { PIECE_BYTES, Searcher } from './search.ts';

const text = {
  name: 'prompt',
  bytes: Buffer.from('Kürbis "7f3k-qx" schöne /weite\\ Welt? zpq88'),
  kind: 'text' as const,
};
const key = { name: 'key', bytes: randomBytes(32), kind: 'key' as const };
const noise = () => randomBytes(5000);

test('every encoding of a text is found at every offset, whole and as a 12-byte piece', () => {
  for (const encoding of ENCODINGS) {
    const encoded = encoding.encode(text.bytes);
    const piece = encoded.subarray(7, 7 + PIECE_BYTES);
    for (const planted of [encoded, piece]) {
      const finds = new Searcher([text]).search('x', Buffer.concat([noise(), planted, noise()]));
      assert.ok(finds.length >= 1, encoding.name);
    }
  }
});

test('key bytes are found raw, in hex, in base64 at three offsets and as a list of numbers', () => {
  for (const shift of [0, 1, 2]) {
    const around = Buffer.concat([randomBytes(shift), key.bytes, randomBytes(5)]);
    for (const planted of [around.toString('base64'), around.toString('base64url'), around.toString('hex')]) {
      const finds = new Searcher([key]).search('x', Buffer.from(`{"k":"${planted}"}`));
      assert.equal(finds.length >= 1, true);
    }
  }
  assert.equal(new Searcher([key]).search('x', Buffer.from(`[${[...key.bytes].join(',')}]`))[0]?.encoding, 'byte-list');
});

test('what was packed is unpacked: zlib and gzip anywhere, deflate and brotli as a whole', () => {
  const plain = Buffer.concat([Buffer.alloc(300, 'a'), text.bytes, Buffer.alloc(300, 'b')]);
  const packed: [string, Buffer][] = [
    ['zlib:raw', Buffer.concat([noise(), deflateSync(plain)])],
    ['gzip:raw', Buffer.concat([noise(), gzipSync(plain), noise()])],
    ['deflate:raw', deflateRawSync(plain)],
    ['brotli:raw', brotliCompressSync(plain)],
  ];
  for (const [name, bytes] of packed) {
    assert.ok(
      new Searcher([text]).search('x', bytes).some((find) => find.encoding === name),
      name,
    );
  }
});

test('of a needle that says how long a piece must be, a shorter one is no find', () => {
  const phrase = { ...text, bytes: Buffer.from('one two three four five six seven eight'), pieceBytes: 24 };
  const searcher = new Searcher([phrase]);
  assert.equal(searcher.search('x', phrase.bytes.subarray(3, 26)).length, 0);
  assert.equal(searcher.search('x', phrase.bytes.subarray(3, 27)).length, 1);
});

test('noise holds no finds, and the search says how much it looked at', () => {
  const searcher = new Searcher([text, key]);
  assert.deepEqual(searcher.search('x', randomBytes(200_000)), []);
  assert.ok(searcher.searchedBytes >= 200_000);
});

test('a needle too short to be told from chance is refused', () => {
  assert.throws(() => new Searcher([{ name: 'short', bytes: Buffer.from('hello'), kind: 'text' }]), /too short/);
});
