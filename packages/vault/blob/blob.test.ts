/** Blobs: the vectors of an independent writer, what a store may do to parts, and that memory stays that of a chunk. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { concatBytes, equalBytes, parseBase64, parseHex } from '@sotto/bytes';
import { createSeededRandom } from '@sotto/testkit';
import fc from 'fast-check';
import { VaultError } from '../error.ts';
import { BlobKey } from '../keys.ts';
import {
  BLOB_LIMIT_BYTES,
  BLOB_PART_LIMIT_BYTES,
  createBlobKey,
  type ExpectedBlob,
  openBlob,
  sealBlob,
  sizeOfBlob,
} from './blob.ts';
import { padme } from './padding.ts';

interface Vector {
  readonly id: string;
  readonly rule: string;
  readonly key: string;
  readonly expectedBlobId: string;
  readonly expectedLength: number;
  readonly parts: readonly string[];
  readonly expect: 'accept' | { readonly code: string };
  readonly content?: string;
  readonly salt?: string;
  readonly chunk?: number;
}

const vectors = JSON.parse(
  readFileSync(new URL('../../../vectors/vault-blob/blobs.json', import.meta.url), 'utf8'),
) as Vector[];
const random = createSeededRandom('blobs');

/** A reader that wants the whole file; parts that are not there are empty. */
async function readWhole(expected: ExpectedBlob, parts: readonly Uint8Array[]): Promise<Uint8Array> {
  const opener = await openBlob(expected, parts[0] ?? new Uint8Array());
  const pieces: Uint8Array[] = [];
  for (let i = 0; i < Math.max(opener.parts, parts.length); i++)
    pieces.push(await opener.open(i, parts[i] ?? new Uint8Array()));
  return concatBytes(...pieces);
}

async function hold(rule: string): Promise<void> {
  const mine = vectors.filter((vector) => vector.rule === rule);
  assert.ok(mine.length > 0, `no vector of ${rule}`);
  for (const { id, key, expectedBlobId, expectedLength, parts, expect, content = '' } of mine) {
    const expected = { key: new BlobKey(parseHex(key)), expectedBlobId: parseHex(expectedBlobId), expectedLength };
    const reading = () =>
      readWhole(
        expected,
        parts.map((part) => parseBase64(part)),
      );
    if (expect === 'accept') assert.ok(equalBytes(await reading(), parseBase64(content)), id);
    else await assert.rejects(reading, { name: 'VaultError', code: expect.code, rule }, id);
  }
}

async function sealed(content: Uint8Array, chunk = 12, key = createBlobKey(random), blobId = random.bytes(16)) {
  const parts: Uint8Array[] = [];
  const input = { key, blobId, length: content.length, content: [content], random, chunk };
  for await (const part of sealBlob(input)) parts.push(part.slice());
  return { parts, expected: { key, expectedBlobId: blobId, expectedLength: content.length } };
}

test('VA-190 every blob has a random key of its own, and every sealing a new salt', async () => {
  const [one, two] = [createBlobKey(random), createBlobKey(random)];
  const content = random.bytes(5000);
  const first = await sealed(content, 12, one);
  await assert.rejects(readWhole({ ...first.expected, key: two }, first.parts), { code: 'blob-commitment-mismatch' });
  const again = await sealed(content, 12, one, first.expected.expectedBlobId);
  assert.ok(first.parts.every((part, i) => !equalBytes(part, again.parts[i] ?? part)));
  assert.doesNotMatch(JSON.stringify({ one }) + String(one), /[0-9a-f]{8}/);
});

test('VA-191 what is no blob, or asks for chunks of another size, is refused', () => hold('VA-191'));
test('VA-192 a later version is refused', () => hold('VA-192'));
test('VA-193 another blob under this name is refused', () => hold('VA-193'));
test('VA-194 another key, and a changed header, are refused before anything is opened', () => hold('VA-194'));
test('VA-195 a blob that was cut or extended is refused', () => hold('VA-195'));
test('VA-196 parts that were changed, reordered, or taken from elsewhere are refused', () => hold('VA-196'));
test('VA-197 another length than the record says is refused', () => hold('VA-197'));
test('VA-198 padding that is not zero is refused', () => hold('VA-198'));
test('VA-199 genuine blobs open', () => hold('VA-199'));

test('VA-197 a file that gives more or less than it said, or too much, is not sealed', async () => {
  const drain = async (length: number, content: Iterable<Uint8Array>, blobId = random.bytes(16)) => {
    let count = 0;
    for await (const _ of sealBlob({ key: createBlobKey(random), blobId, length, content, random, chunk: 12 })) count++;
    return count;
  };
  await assert.rejects(drain(100, [new Uint8Array(99)]), { code: 'blob-length-mismatch', rule: 'VA-197' });
  await assert.rejects(drain(100, [new Uint8Array(99), new Uint8Array(2)]), { code: 'blob-length-mismatch' });
  await assert.rejects(drain(BLOB_LIMIT_BYTES + 1, []), { code: 'blob-too-large', action: 'fix-input' });
  await assert.rejects(drain(0, [], random.bytes(15)), { code: 'blob-too-large' });
  assert.equal(await drain(100, [new Uint8Array(40), new Uint8Array(60)]), 1);
});

test('VA-199 our own writer gives the bytes of the independent one, and the lengths of Padmé', async () => {
  for (const { id, key, expectedBlobId, parts, content, salt, chunk, expect } of vectors) {
    if (expect !== 'accept') continue;
    const bytes = parseBase64(content ?? '');
    const input = {
      key: new BlobKey(parseHex(key)),
      blobId: parseHex(expectedBlobId),
      length: bytes.length,
      content: [bytes.subarray(0, 7), bytes.subarray(7)],
      random: { bytes: () => parseHex(salt ?? '') as Uint8Array<ArrayBuffer> },
      chunk: chunk ?? 12,
    };
    const ours: string[] = [];
    for await (const part of sealBlob(input)) ours.push(Buffer.from(part).toString('base64'));
    assert.deepEqual(ours, parts, id);
  }
  for (const length of [1, 2, 8, 9, 1000, 65_535, 65_537, 1_000_000, 104_857_600]) {
    const padded = padme(length);
    assert.ok(padded >= length && padded <= length * 1.12 + 1, String(length));
    assert.equal(padme(padded), padded);
  }
  // All files within a step look alike.
  assert.deepEqual(sizeOfBlob(0), sizeOfBlob(4088));
  assert.deepEqual(sizeOfBlob(1_000_000), sizeOfBlob(1_001_000));
  const { parts } = await sealed(new Uint8Array(600_000), 18);
  assert.deepEqual(sizeOfBlob(600_000), {
    parts: parts.length,
    bytes: parts.reduce((sum, one) => sum + one.length, 0),
  });
  assert.ok(parts.every((part) => part.length <= BLOB_PART_LIMIT_BYTES));
});

test('VA-195 VA-196 whatever a store does to the parts, the file comes whole or not at all', async () => {
  const content = random.bytes(30_000);
  const { parts, expected } = await sealed(content);
  const change = fc.oneof(
    fc.tuple(fc.constant('swap'), fc.nat(parts.length - 1), fc.nat(parts.length - 1)),
    fc.tuple(fc.constant('drop'), fc.nat(parts.length - 1), fc.constant(0)),
    fc.tuple(fc.constant('twice'), fc.nat(parts.length - 1), fc.nat(parts.length)),
    fc.tuple(fc.constant('flip'), fc.nat(parts.length - 1), fc.nat(4000)),
    fc.tuple(fc.constant('cut'), fc.nat(parts.length - 1), fc.nat(4000)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
      const served: Uint8Array[] = parts.map((part) => part.slice());
      for (const [what, i, j] of changes) {
        const at = Math.min(i, served.length - 1);
        const part = served[at];
        if (part === undefined) continue;
        if (what === 'swap') {
          const to = Math.min(j, served.length - 1);
          [served[at], served[to]] = [served[to] as Uint8Array, part];
        } else if (what === 'drop') served.splice(at, 1);
        else if (what === 'twice') served.splice(j, 0, part.slice());
        else if (what === 'flip' && j < part.length) part[j] = (part[j] as number) ^ 1;
        else if (what === 'cut') served[at] = part.subarray(0, j);
      }
      const isAsItWas = served.length === parts.length && served.every((part, i) => equalBytes(part, parts[i] ?? part));
      try {
        const opened = await readWhole(expected, served);
        assert.ok(isAsItWas && equalBytes(opened, content));
      } catch (error) {
        assert.ok(error instanceof VaultError && !isAsItWas, String(error));
      }
    }),
    { numRuns: 150 },
  );
});

test('the vectors are what the generator writes', () => {
  const generator = fileURLToPath(new URL('../../../vectors/vault-blob/generate.ts', import.meta.url));
  execFileSync(process.execPath, [generator, '--check'], { stdio: 'pipe' });
});
