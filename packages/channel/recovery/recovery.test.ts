import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, encodeHex, encodeUtf8 } from '@sotto/bytes';
import { hmacSha256 } from '@sotto/crypto/hash';
import { hkdfSha256 } from '@sotto/crypto/kdf';
import {
  AnswerSealer,
  bodyPosition,
  CHUNK_LIMIT_BYTES,
  deriveClaim,
  deriveRoots,
  encodeClaimStart,
  encodeKeptHead,
  encodeSealedChunk,
  KEPT_CHUNKS_LIMIT,
  openClaimBody,
  readKeptHead,
} from './index.ts';

const KEY = new Uint8Array(32).map((_, index) => index);
const chainKey = () => deriveRoots(KEY).chainKey;
const PARTS = ['The first, ', 'the second ', 'and the third.'].map(encodeUtf8);

async function sealed(parts: readonly Uint8Array[] = PARTS): Promise<Uint8Array<ArrayBuffer>[]> {
  const sealer = new AnswerSealer(chainKey());
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for (const part of parts) chunks.push(await sealer.seal(part));
  sealer.erase();
  return chunks;
}

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}

async function opened(body: Uint8Array, haveBytes = 0, pieceBytes = 7): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of openClaimBody(inPieces(body, pieceBytes), chainKey(), haveBytes)) parts.push(part.slice());
  return new TextDecoder().decode(concatBytes(...parts));
}

const bodyOf = (chunks: readonly Uint8Array[], index = 0, offset = 0) =>
  concatBytes(encodeClaimStart(index, offset), ...chunks.map(encodeSealedChunk));

test('CH-90 every key comes from the recovery key by its own label', () => {
  const { claimKey, chainKey: chain } = deriveRoots(KEY);
  const none = new Uint8Array(0);
  assert.deepEqual(claimKey, hkdfSha256(KEY, none, encodeUtf8('sotto/recovery/claims/v1'), 32));
  assert.deepEqual(chain, hkdfSha256(KEY, none, encodeUtf8('sotto/recovery/chain/v1'), 32));
  const claim = deriveClaim(claimKey);
  const okm = hkdfSha256(claimKey, none, encodeUtf8('sotto/recovery/claim/v1'), 80);
  assert.deepEqual(concatBytes(claim.id, claim.token, claim.nextKey), okm);
  const second = deriveClaim(claim.nextKey);
  const all = [claimKey, chain, claim.token, claim.nextKey, second.token, second.nextKey].map(encodeHex);
  assert.equal(new Set(all).size, all.length);
});

test('CH-91 each chunk has its own key, and what is used is overwritten', async () => {
  const key = chainKey();
  const sealer = new AnswerSealer(key);
  const same = encodeUtf8('the same words');
  const [first, second] = [await sealer.seal(same), await sealer.seal(same)];
  assert.notDeepEqual(first, second);
  assert.deepEqual(key, new Uint8Array(32), 'the first chain key is gone');
  // An independent opening: key of chunk 1 by hand.
  const chain1 = hmacSha256(chainKey(), encodeUtf8('sotto/recovery/next/v1'));
  const { openAes256Gcm } = await import('@sotto/crypto/aead');
  const key1 = hmacSha256(chain1, encodeUtf8('sotto/recovery/chunk/v1'));
  const place = Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, same.length);
  assert.deepEqual(await openAes256Gcm(key1, new Uint8Array(12), second, place), same);
});

test('CH-91 after the end nothing more can be opened with what the node still holds', async () => {
  const key = chainKey();
  const sealer = new AnswerSealer(key);
  sealer.erase();
  assert.deepEqual(key, new Uint8Array(32));
  const [first] = await sealed();
  const fromZeros = await sealer.seal(PARTS[0] as Uint8Array);
  assert.notDeepEqual(fromZeros, first);
});

test('an answer is opened whole, in pieces of any size, and from any position', async () => {
  const chunks = await sealed();
  const text = 'The first, the second and the third.';
  for (const size of [1, 2, 13, 1000]) assert.equal(await opened(bodyOf(chunks), 0, size), text);
  for (let have = 0; have <= text.length; have++) assert.equal(await opened(bodyOf(chunks), have), text.slice(have));
  assert.equal(await opened(bodyOf(chunks.slice(1), 1, 11), 15), text.slice(15));
  assert.equal(await opened(bodyOf([], 3, 36), 36), '');
});

test('CH-92 a chunk that was changed, repeated, moved or left out does not open', async () => {
  const chunks = await sealed();
  const [a, b, c] = chunks as [Uint8Array, Uint8Array, Uint8Array];
  const forged = { name: 'RecoveryError', code: 'recovery-forged', action: 'stop' };
  for (const order of [[b], [a, a], [a, c, b], [a, c]]) await assert.rejects(opened(bodyOf(order)), forged);
  await assert.rejects(opened(bodyOf([b], 1, 10), 11), forged, 'another offset');
  for (let at = 0; at < a.length; at++) {
    const changed = a.slice();
    changed[at] = (changed[at] as number) ^ 1;
    await assert.rejects(opened(bodyOf([changed])), forged);
  }
});

test('CH-93 a start beyond what the client has is refused', async () => {
  const chunks = await sealed();
  await assert.rejects(opened(bodyOf(chunks.slice(1), 1, 11), 10), { code: 'recovery-malformed', rule: 'CH-93' });
});

test('CH-94 lengths, numbers and ends that no node makes are refused', async () => {
  const malformed = { code: 'recovery-malformed', rule: 'CH-94' };
  const chunks = await sealed();
  const body = bodyOf(chunks);
  await assert.rejects(opened(bodyOf([], KEPT_CHUNKS_LIMIT + 1, 0)), malformed);
  assert.equal(await opened(bodyOf([], KEPT_CHUNKS_LIMIT, 0)), '');
  await assert.rejects(opened(bodyOf([new Uint8Array(16)])), malformed);
  await assert.rejects(opened(bodyOf([new Uint8Array(CHUNK_LIMIT_BYTES + 17)])), malformed);
  for (const cut of [0, 5, 12 + 1, body.length - 1]) await assert.rejects(opened(body.slice(0, cut)), malformed);
});

test('CH-94 more than a node keeps is not read', async () => {
  const parts = Array.from({ length: 65 }, () => new Uint8Array(CHUNK_LIMIT_BYTES));
  const body = bodyOf(await sealed(parts));
  await assert.rejects(opened(body, 0, body.length), { code: 'recovery-malformed', rule: 'CH-94' });
});

test('CH-94 a kept stream without its whole head is refused', async () => {
  const head = encodeUtf8('a head');
  const stream = concatBytes(encodeKeptHead(head), encodeUtf8('and a body'));
  for (const size of [1, 3, 100]) {
    const read = await readKeptHead(inPieces(stream, size));
    assert.deepEqual(read.head, head);
    const parts: Uint8Array[] = [];
    for await (const part of read.body) parts.push(part);
    assert.equal(new TextDecoder().decode(concatBytes(...parts)), 'and a body');
  }
  assert.equal(bodyPosition(head), stream.length - 'and a body'.length);
  for (const length of [0, 1, 2, 7]) {
    await assert.rejects(readKeptHead(inPieces(stream.slice(0, length), 4)), { code: 'recovery-malformed' });
  }
});
