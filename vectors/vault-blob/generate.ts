/**
 * Writes the vectors of blobs: `node vectors/vault-blob/generate.ts`. Deterministic; made by the twin, never by the code under test. One
 * failure each. Chunks of 4,096 bytes keep them small; a reader takes any size from 2^12 to 2^20.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { type TwinBlob, twinParts } from './twin.ts';

const seeded = (seed: string, length: number): Buffer => {
  const blocks: Buffer[] = [];
  for (let i = 0; blocks.length * 32 < length; i++) blocks.push(createHash('sha256').update(`${seed}/${i}`).digest());
  return Buffer.concat(blocks).subarray(0, length);
};
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const good = {
  key: seeded('blob key', 32),
  blobId: seeded('blob', 16),
  salt: seeded('salt', 32),
  content: seeded('content', 9000),
  chunk: 12,
} satisfies TwinBlob;

type Expect = 'accept' | { code: string };
interface Change {
  readonly parts?: (parts: Buffer[]) => Buffer[];
  readonly key?: Uint8Array;
  readonly blobId?: Uint8Array;
  readonly expectedLength?: number;
}

const vector = (id: string, rule: string, note: string, blob: TwinBlob, expect: Expect, change: Change = {}) => ({
  id,
  rule,
  note,
  key: hex(change.key ?? blob.key),
  expectedBlobId: hex(change.blobId ?? blob.blobId),
  expectedLength: change.expectedLength ?? blob.content.length,
  parts: (change.parts ?? ((parts: Buffer[]) => parts))(twinParts(blob)).map((part) => part.toString('base64')),
  expect,
  ...(expect === 'accept'
    ? { content: Buffer.from(blob.content).toString('base64'), salt: hex(blob.salt), chunk: blob.chunk }
    : {}),
});
const flip = (index: number, at: number) => (parts: Buffer[]) =>
  parts.map((part, i) => {
    if (i !== index) return part;
    const changed = Buffer.from(part);
    const place = at < 0 ? changed.length + at : at;
    changed[place] = (changed[place] as number) ^ 1;
    return changed;
  });
const ofLength = (length: number): TwinBlob => ({ ...good, content: seeded('content', length) });
const malformed = { code: 'blob-malformed' };
const notOpened = { code: 'blob-open-failed' };
const other = twinParts({ ...good, salt: seeded('other salt', 32) });
const sibling = twinParts({ ...good, blobId: seeded('other blob', 16) });

const vectors = [
  vector('three-parts', 'VA-199', '9,000 bytes: padded to 9,216, three chunks', good, 'accept'),
  vector('empty', 'VA-199', 'an empty file is as long as one of 4,088 bytes', ofLength(0), 'accept'),
  vector('one', 'VA-199', 'one byte', ofLength(1), 'accept'),
  vector('full-least', 'VA-199', 'the least inside, full', ofLength(4088), 'accept'),
  vector('beyond-least', 'VA-199', 'one byte more than the least inside holds', ofLength(4089), 'accept'),
  vector('padding-chunk', 'VA-199', 'the last chunk is padding alone', ofLength(16_400), 'accept'),
  vector('one-chunk', 'VA-199', 'larger chunks: the same file in one', { ...good, chunk: 14 }, 'accept'),
  vector(
    'key-other',
    'VA-194',
    'another key',
    good,
    { code: 'blob-commitment-mismatch' },
    { key: seeded('other key', 32) },
  ),
  vector(
    'commitment',
    'VA-194',
    'a bit of the commitment',
    good,
    { code: 'blob-commitment-mismatch' },
    { parts: flip(0, 60) },
  ),
  vector('salt', 'VA-194', 'a bit of the salt', good, { code: 'blob-commitment-mismatch' }, { parts: flip(0, 21) }),
  vector(
    'chunk-other',
    'VA-194',
    'a bit of the chunk size',
    good,
    { code: 'blob-commitment-mismatch' },
    { parts: flip(0, 4) },
  ),
  vector('empty-part', 'VA-191', 'no byte at all', good, malformed, { parts: () => [Buffer.alloc(0)] }),
  vector('cut-prefix', 'VA-191', 'shorter than its prefix', good, malformed, {
    parts: ([first]) => [(first as Buffer).subarray(0, 84)],
  }),
  vector('magic', 'VA-191', 'the magic of a record', { ...good, magic: 'SVR' }, malformed),
  vector('chunk-small', 'VA-191', 'chunks of 2,048 bytes', { ...good, chunk: 11 }, malformed),
  vector('chunk-large', 'VA-191', 'chunks of 2 MiB', { ...good, chunk: 21 }, malformed),
  vector('version', 'VA-192', 'version 2', { ...good, version: 2 }, { code: 'blob-version-unsupported' }),
  vector(
    'id',
    'VA-193',
    'another blob under this name',
    good,
    { code: 'blob-id-mismatch' },
    { blobId: seeded('other blob', 16) },
  ),
  vector('truncated', 'VA-195', 'the last part is missing', good, malformed, { parts: (parts) => parts.slice(0, -1) }),
  vector('cut', 'VA-195', 'the last byte is missing', good, malformed, {
    parts: (parts) => parts.map((part, i) => (i === 2 ? part.subarray(0, -1) : part)),
  }),
  vector('extended', 'VA-195', 'a byte more', good, malformed, {
    parts: (parts) => parts.map((part, i) => (i === 2 ? Buffer.concat([part, Buffer.of(0)]) : part)),
  }),
  vector('extra', 'VA-195', 'a part behind the last', good, malformed, {
    parts: (parts) => [...parts, parts[2] as Buffer],
  }),
  vector(
    'reordered',
    'VA-196',
    'part 1 in the place of part 0',
    { ...good, content: seeded('content', 13_000) },
    notOpened,
    {
      parts: ([a, b, c, ...rest]) => [a, c, b, ...rest] as Buffer[],
    },
  ),
  vector('other-sealing', 'VA-196', 'a part of an earlier sealing of the same file', good, notOpened, {
    parts: ([a, , c]) => [a, other[1], c] as Buffer[],
  }),
  vector('other-blob', 'VA-196', 'a part of another blob under the same key', good, notOpened, {
    parts: ([a, , c]) => [a, sibling[1], c] as Buffer[],
  }),
  vector(
    'not-last',
    'VA-196',
    'the last chunk sealed as one that is not the last',
    { ...good, lastFlag: 0 },
    notOpened,
  ),
  vector('bit', 'VA-196', 'a bit of a chunk', good, notOpened, { parts: flip(1, 100) }),
  vector('tag', 'VA-196', 'a bit of a tag', good, notOpened, { parts: flip(2, -1) }),
  vector('aad', 'VA-196', 'sealed without its prefix', { ...good, aad: Buffer.alloc(0) }, notOpened),
  vector(
    'length',
    'VA-197',
    'another length than its record says',
    good,
    { code: 'blob-length-mismatch' },
    { expectedLength: 9001 },
  ),
  vector(
    'stated',
    'VA-197',
    'states another length inside',
    { ...good, statedLength: 8999 },
    { code: 'blob-length-mismatch' },
  ),
  vector('padding', 'VA-198', 'padding that is not zero', { ...good, paddingByte: 1 }, malformed),
  vector(
    'padding-behind',
    'VA-198',
    'a chunk of padding that is not zero',
    { ...ofLength(16_400), paddingByte: 1 },
    malformed,
  ),
];

const path = new URL('./blobs.json', import.meta.url);
const text = `${JSON.stringify(vectors, null, 1)}\n`;
if (!process.argv.includes('--check')) writeFileSync(path, text);
else if (readFileSync(path, 'utf8') !== text) throw new Error('blobs.json is not what the generator writes');
