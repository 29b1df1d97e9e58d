/**
 * Writes recovery.json of this folder: keys, sealed chunks and claims' bodies of the recovery of a running answer
 * (spec/channel.md), computed here on noble without the product's code.
 *
 *   node vectors/recovery/generate.ts
 */
import { writeFileSync } from 'node:fs';
import { gcm } from '@noble/ciphers/aes.js';
import { hkdf } from '@noble/hashes/hkdf.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, encodeHex, encodeUtf8 } from '@sotto/bytes';

const recoveryKey = Uint8Array.from({ length: 32 }, (_, index) => index);
const u16 = (value: number) => Uint8Array.of(value >> 8, value & 255);
const u32 = (value: number) => Uint8Array.of(value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255);
const u64 = (value: number) => concatBytes(u32(0), u32(value));
const derive = (key: Uint8Array, label: string, length: number) =>
  hkdf(sha256, key, undefined, encodeUtf8(label), length);
const mac = (key: Uint8Array, label: string) => hmac(sha256, key, encodeUtf8(label));

const claims = [derive(recoveryKey, 'sotto/recovery/claims/v1', 32)];
const ladder = [0, 1, 2].map((n) => {
  const okm = derive(claims[n] as Uint8Array, 'sotto/recovery/claim/v1', 80);
  claims.push(okm.slice(48));
  return { id_hex: encodeHex(okm.slice(0, 16)), token_hex: encodeHex(okm.slice(16, 48)) };
});
const chain = [derive(recoveryKey, 'sotto/recovery/chain/v1', 32)];
for (let i = 0; i < 4; i++) chain.push(mac(chain[i] as Uint8Array, 'sotto/recovery/next/v1'));
const chunkKeys = chain.map((key) => mac(key, 'sotto/recovery/chunk/v1'));

function seal(index: number, position: number, bytes: Uint8Array): Uint8Array {
  const place = concatBytes(u32(index), u64(position));
  return gcm(chunkKeys[index] as Uint8Array, new Uint8Array(12), place).encrypt(bytes);
}

const head = encodeUtf8('a head');
const stream = concatBytes(u16(head.length), head, encodeUtf8('the first words, then more, and the end'));
const cuts = [0, 8, 20, stream.length];
const parts = [0, 1, 2].map((i) => stream.slice(cuts[i], cuts[i + 1]));
const chunks = parts.map((part, index) => seal(index, cuts[index] as number, part));
const [first, second, third] = chunks as [Uint8Array, Uint8Array, Uint8Array];
const framed = (sealed: Uint8Array) => concatBytes(u16(sealed.length), sealed);
const body = (index: number, position: number, sealed: readonly Uint8Array[]) =>
  concatBytes(u32(index), u64(position), ...sealed.map(framed));

const vectors: unknown[] = [];
const malformed = { code: 'recovery-malformed' };
const forged = { code: 'recovery-forged' };
function claim(id: string, rule: string, note: string, have: number, bytes: Uint8Array, expect: unknown): void {
  const accepted = expect === 'accept' ? { rest_hex: encodeHex(stream.slice(have)) } : {};
  const recovery = { recovery_key_hex: encodeHex(recoveryKey), have_bytes: have, body_hex: encodeHex(bytes) };
  vectors.push({ id, rule, note, ...recovery, ...accepted, expect });
}

claim('whole', 'CH-91', 'the whole answer', 0, body(0, 0, chunks), 'accept');
claim('from-a-chunk', 'CH-93', 'from where a chunk begins', 8, body(1, 8, [second, third]), 'accept');
claim('inside-a-chunk', 'CH-93', 'from inside a chunk', 13, body(1, 8, [second, third]), 'accept');
claim('nothing-left', 'CH-93', 'the client has it all', stream.length, body(3, stream.length, []), 'accept');
claim('altered', 'CH-92', 'one bit of a chunk', 0, body(0, 0, [flip(first, 3), second, third]), forged);
claim('altered-tag', 'CH-92', 'one bit of a tag', 0, body(0, 0, [flip(first, first.length - 1)]), forged);
claim('repeated', 'CH-92', 'a chunk twice', 0, body(0, 0, [first, first]), forged);
claim('left-out', 'CH-92', 'a chunk left out', 0, body(0, 0, [first, third]), forged);
claim('reordered', 'CH-92', 'two chunks in turn', 0, body(0, 0, [second, first]), forged);
claim('moved', 'CH-92', 'a chunk at another position', 8, body(1, 7, [second]), forged);
claim('renumbered', 'CH-92', 'a chunk under another number', 8, body(2, 8, [second]), forged);
claim('ahead', 'CH-93', 'a start beyond the position', 7, body(1, 8, [second, third]), malformed);
claim('index', 'CH-94', 'a first index above 16,384', 0, body(16_385, 0, []), malformed);
claim('empty-chunk', 'CH-94', 'a chunk of nothing', 0, body(0, 0, [new Uint8Array(16)]), malformed);
claim('long-chunk', 'CH-94', 'a chunk of 16,385 bytes', 0, body(0, 0, [new Uint8Array(16_401)]), malformed);
claim('no-start', 'CH-94', 'half a start', 0, body(0, 0, []).slice(0, 7), malformed);
claim('cut', 'CH-94', 'ends inside a chunk', 0, body(0, 0, [first]).slice(0, -1), malformed);
claim('cut-length', 'CH-94', 'ends inside a length', 0, concatBytes(body(0, 0, [first]), Uint8Array.of(0)), malformed);

function flip(bytes: Uint8Array, at: number): Uint8Array {
  const changed = bytes.slice();
  changed[at] = (changed[at] as number) ^ 1;
  return changed;
}

const keys = {
  id: 'keys',
  rule: 'CH-90',
  note: 'every key of one recovery key',
  recovery_key_hex: encodeHex(recoveryKey),
  claims: ladder,
  chain_keys_hex: chain.map(encodeHex),
  chunk_keys_hex: chunkKeys.map(encodeHex),
  expect: 'accept',
};
const file = { source: 'vectors/recovery/generate.ts', keys, vectors };
writeFileSync(new URL('recovery.json', import.meta.url), `${JSON.stringify(file, null, 1)}\n`);
