/**
 * Writes renewal.json: a handshake inside a session, computed in a straight line on noble without the product's Noise core,
 * and what is refused (spec/channel.md, renewal). Deterministic.
 *
 *   node vectors/channel/generate-renewal.ts
 */
import { writeFileSync } from 'node:fs';
import { gcm } from '@noble/ciphers/aes.js';
import { x25519 } from '@noble/curves/ed25519.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { concatBytes, encodeHex, encodeUtf8 } from '@sotto/bytes';

const fill = (length: number, value: number) => new Uint8Array(length).fill(value);
const u16 = (value: number) => Uint8Array.of(value >> 8, value & 255);
const vector16 = (bytes: Uint8Array) => concatBytes(u16(bytes.length), bytes);
const text = encodeUtf8;
const hash = (...parts: Uint8Array[]): Uint8Array => sha256(concatBytes(...parts));
const mac = (key: Uint8Array, ...parts: Uint8Array[]): Uint8Array => hmac(sha256, key, concatBytes(...parts));

const nodeId = fill(16, 0xab);
const keys = {
  initiator_ephemeral: fill(32, 0x41),
  initiator_kem_seed: fill(64, 0x42),
  responder_ephemeral: fill(32, 0x51),
  responder_static: fill(32, 0x52),
  encapsulation_seed: fill(32, 0x53),
};
const evidenceDigest = hash(text('evidence of the next epoch'));
const epochId = fill(16, 0x04);
/** Of the session's first handshake: any 32 bytes that both ends know. */
const sessionHash = hash(text('the handshake before'));

const listOf = (suites: string[]) =>
  hash(Uint8Array.of(suites.length), ...suites.map((suite) => vector16(text(suite))));
const renewalPrologue = (change: { label?: string; suites?: string[]; node?: Uint8Array; before?: Uint8Array } = {}) =>
  concatBytes(
    vector16(text(change.label ?? 'sotto/channel/renew/v1')),
    listOf(change.suites ?? ['sotto-1']),
    change.node ?? nodeId,
    change.before ?? sessionHash,
  );
const firstPrologue = concatBytes(
  vector16(text('sotto/channel/v1')),
  vector16(text('sotto-1')),
  u16(1),
  listOf(['sotto-1']),
  nodeId,
);

function handshake(prologue: Uint8Array) {
  const name = text('Noise_NXhfs_25519+MLKEM768_AESGCM_SHA256');
  let h = hash(name);
  let ck = h;
  let k = fill(32, 0) as Uint8Array;
  let n = 0;
  const mixHash = (data: Uint8Array) => {
    h = hash(h, data);
  };
  const mixKey = (secret: Uint8Array) => {
    const extracted = mac(ck, secret);
    ck = mac(extracted, fill(1, 1));
    k = mac(extracted, ck, fill(1, 2));
    n = 0;
  };
  const encryptAndHash = (plaintext: Uint8Array) => {
    const sealed = gcm(k, concatBytes(fill(11, 0), fill(1, n++)), h).encrypt(plaintext);
    mixHash(sealed);
    return sealed;
  };
  mixHash(prologue);
  const e = x25519.getPublicKey(keys.initiator_ephemeral);
  const e1 = ml_kem768.keygen(keys.initiator_kem_seed).publicKey;
  for (const part of [e, e1, new Uint8Array(0)]) mixHash(part);
  const re = x25519.getPublicKey(keys.responder_ephemeral);
  mixHash(re);
  mixKey(x25519.getSharedSecret(keys.responder_ephemeral, e));
  const { cipherText, sharedSecret } = ml_kem768.encapsulate(e1, keys.encapsulation_seed);
  const ekem1 = encryptAndHash(cipherText);
  mixKey(sharedSecret);
  const s = encryptAndHash(x25519.getPublicKey(keys.responder_static));
  mixKey(x25519.getSharedSecret(keys.responder_static, e));
  const payload = encryptAndHash(concatBytes(evidenceDigest, epochId));
  const extracted = mac(ck, new Uint8Array(0));
  const fromInitiator = mac(extracted, fill(1, 1));
  const fromResponder = mac(extracted, fromInitiator, fill(1, 2));
  return {
    message1: concatBytes(e, e1),
    message2: concatBytes(re, ekem1, s, payload),
    h,
    fromInitiator,
    fromResponder,
  };
}

const good = handshake(renewalPrologue());
const cases: object[] = [];
const toInitiator = (id: string, note: string, message2: Uint8Array, expect: unknown) =>
  cases.push({ id, rule: 'CH-70', note, message2_hex: encodeHex(message2), expect });
const failed = { code: 'handshake-failed' };
toInitiator('good', 'the answer of the node of this session', good.message2, 'accept');
for (const [id, note, prologue] of [
  ['session-other', 'made for another session, or another time of this one', renewalPrologue({ before: fill(32, 1) })],
  ['first-handshake', 'made for a first handshake', firstPrologue],
  ['suites-other', 'a node that offers another list', renewalPrologue({ suites: ['sotto-2', 'sotto-1'] })],
  ['node-other', 'another node', renewalPrologue({ node: fill(16, 1) })],
  ['label-other', 'another label', renewalPrologue({ label: 'sotto/channel/renew/v2' })],
] as const) {
  toInitiator(id, note, handshake(prologue).message2, failed);
}
for (const [id, at] of [
  ['m2-e', 0],
  ['m2-ekem1', 40],
  ['m2-s', 1140],
  ['m2-payload', 1190],
] as const) {
  const altered = good.message2.slice();
  altered[at] = (altered[at] ?? 0) ^ 1;
  toInitiator(id, `byte ${at} of message 2 altered`, altered, failed);
}
toInitiator('m2-short', 'without its last byte', good.message2.slice(0, -1), { code: 'handshake-malformed' });

// Frames in an order that no renewal has.

const frame = {
  verified: Uint8Array.of(0x01),
  renew: concatBytes(Uint8Array.of(0x11), vector16(good.message1)),
  renewed: concatBytes(Uint8Array.of(0x12), vector16(good.message2)),
  switch: Uint8Array.of(0x13),
};
const sessions: object[] = [];
const addSession = (id: string, rule: string, note: string, to: string, records: Uint8Array[][], code: string) =>
  sessions.push({
    id,
    rule,
    note,
    to,
    records: records.map((frames) => frames.map((one) => encodeHex(one))),
    expect: { code },
  });
const [node, client] = ['responder', 'initiator'];
addSession('renew-unverified', 'CH-71', 'renew before verified', node, [[frame.renew]], 'not-verified');
addSession('switch-unverified', 'CH-71', 'switch before verified', node, [[frame.switch]], 'not-verified');
addSession(
  'renew-twice',
  'CH-72',
  'a second renew while the first is answered',
  node,
  [[frame.verified, frame.renew, frame.renew]],
  'frame-misplaced',
);
addSession('renewed-unasked', 'CH-72', 'renewed without renew', client, [[frame.renewed]], 'frame-misplaced');
addSession(
  'switch-first',
  'CH-73',
  'switch without renew',
  node,
  [[frame.verified], [frame.switch]],
  'frame-misplaced',
);
addSession(
  'switch-early',
  'CH-73',
  'switch in the same record as renew: before any answer',
  node,
  [[frame.verified], [frame.renew, frame.switch]],
  'frame-misplaced',
);
addSession('switch-unasked', 'CH-73', 'switch without renew', client, [[frame.switch]], 'frame-misplaced');

const value = {
  suite: 'sotto-1',
  node_id_hex: encodeHex(nodeId),
  offered_suites: ['sotto-1'],
  session_handshake_hash_hex: encodeHex(sessionHash),
  ...Object.fromEntries(Object.entries(keys).map(([name, key]) => [`${name}_hex`, encodeHex(key)])),
  evidence_digest_hex: encodeHex(evidenceDigest),
  epoch_id_hex: encodeHex(epochId),
  prologue_hex: encodeHex(renewalPrologue()),
  message1_hex: encodeHex(good.message1),
  message2_hex: encodeHex(good.message2),
  handshake_hash_hex: encodeHex(good.h),
  from_initiator_key_hex: encodeHex(good.fromInitiator),
  from_responder_key_hex: encodeHex(good.fromResponder),
  cases,
  sessions,
};
writeFileSync(new URL('renewal.json', import.meta.url), `${JSON.stringify(value, null, 1)}\n`);
