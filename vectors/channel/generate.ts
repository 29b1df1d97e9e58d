/**
 * Writes the vectors of this folder. The handshake is computed here in a straight line on noble, without the product's
 * Noise core; frames and records are put together byte by byte.
 *
 *   node vectors/channel/generate.ts
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
const u32 = (value: number) =>
  Uint8Array.of((value >>> 24) & 255, (value >> 16) & 255, (value >> 8) & 255, value & 255);
const vector16 = (bytes: Uint8Array) => concatBytes(u16(bytes.length), bytes);
const text = encodeUtf8;
const hash = (...parts: Uint8Array[]) => sha256(concatBytes(...parts));
const mac = (key: Uint8Array, ...parts: Uint8Array[]) => hmac(sha256, key, concatBytes(...parts));
const save = (name: string, value: unknown) =>
  writeFileSync(new URL(name, import.meta.url), `${JSON.stringify(value, null, 1)}\n`);

/** Hex in which 64 or more equal bytes are written `(01x16000)`. */
function shortHex(bytes: Uint8Array): string {
  return encodeHex(bytes).replace(/(..)(?:\1){63,}/g, (run, byte) => `(${byte}x${run.length / 2})`);
}

// The handshake, step by step.

const nodeId = fill(16, 0xab);
const keys = {
  initiator_ephemeral: fill(32, 0x11),
  initiator_kem_seed: fill(64, 0x12),
  responder_ephemeral: fill(32, 0x21),
  responder_static: fill(32, 0x22),
  encapsulation_seed: fill(32, 0x23),
};
const evidenceDigest = hash(text('evidence'));
const epochId = fill(16, 0x03);

function prologueOf(suite: string, version: number, offered: string[], node: Uint8Array): Uint8Array {
  const list = concatBytes(Uint8Array.of(offered.length), ...offered.map((name) => vector16(text(name))));
  return concatBytes(vector16(text('sotto/channel/v1')), vector16(text(suite)), u16(version), hash(list), node);
}

interface Change {
  prologue?: Uint8Array;
  initiatorPublic?: Uint8Array;
  kemPublic?: Uint8Array;
  responderPublic?: Uint8Array;
}

function handshake(change: Change = {}) {
  const prologue = change.prologue ?? prologueOf('sotto-1', 1, ['sotto-1'], nodeId);
  const name = text('Noise_NXhfs_25519+MLKEM768_AESGCM_SHA256');
  let h = name.length > 32 ? hash(name) : concatBytes(name, fill(32 - name.length, 0));
  let ck = h;
  let k = fill(32, 0);
  let n = 0;
  const mixHash = (data: Uint8Array) => {
    h = hash(h, data);
  };
  const mixKey = (secret: Uint8Array) => {
    const extracted = mac(ck, secret);
    ck = mac(extracted, fill(1, 1)) as Uint8Array<ArrayBuffer>;
    k = mac(extracted, ck, fill(1, 2)) as Uint8Array<ArrayBuffer>;
    n = 0;
  };
  const encryptAndHash = (plaintext: Uint8Array) => {
    const sealed = gcm(k, concatBytes(fill(8, 0), u32(n++)), h).encrypt(plaintext);
    mixHash(sealed);
    return sealed;
  };
  mixHash(prologue);
  const e = change.initiatorPublic ?? x25519.getPublicKey(keys.initiator_ephemeral);
  const kem = ml_kem768.keygen(keys.initiator_kem_seed);
  const e1 = change.kemPublic ?? kem.publicKey;
  mixHash(e);
  mixHash(e1);
  mixHash(new Uint8Array(0));
  const message1 = concatBytes(e, e1);

  const re = change.responderPublic ?? x25519.getPublicKey(keys.responder_ephemeral);
  mixHash(re);
  const isSound = change.initiatorPublic === undefined && change.kemPublic === undefined;
  if (!isSound || change.responderPublic !== undefined) {
    return { prologue, message1, message2: concatBytes(re, fill(1216, 0)), h, fromInitiator: k, fromResponder: k };
  }
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
  return { prologue, message1, message2: concatBytes(re, ekem1, s, payload), h, fromInitiator, fromResponder };
}

const good = handshake();
const outside = ml_kem768.keygen(keys.initiator_kem_seed).publicKey.slice();
outside[0] = 0x01; // the first coefficient becomes 0xd01 = 3329
outside[1] = ((outside[1] ?? 0) & 0xf0) | 0x0d;
const order4 = Uint8Array.from(Buffer.from('e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800', 'hex'));

const cases: object[] = [];
const toResponder = (id: string, rule: string, note: string, message1: Uint8Array, code: string) =>
  cases.push({ id, rule, note, to: 'responder', message1_hex: encodeHex(message1), expect: { code } });
const toInitiator = (id: string, rule: string, note: string, message2: Uint8Array, code: string) =>
  cases.push({ id, rule, note, to: 'initiator', message2_hex: encodeHex(message2), expect: { code } });
const malformed = 'handshake-malformed';
toResponder('m1-empty', 'CH-01', 'an empty message 1', new Uint8Array(0), malformed);
toResponder('m1-short', 'CH-01', 'message 1 without its last byte', good.message1.slice(0, -1), malformed);
toResponder(
  'm1-long',
  'CH-01',
  'message 1 with a payload of one byte',
  concatBytes(good.message1, fill(1, 0)),
  malformed,
);
toInitiator('m2-short', 'CH-01', 'message 2 without its last byte', good.message2.slice(0, -1), malformed);
toInitiator('m2-long', 'CH-01', 'message 2 and one more byte', concatBytes(good.message2, fill(1, 0)), malformed);
const views: [string, string, Uint8Array][] = [
  ['another-node', 'the node meant another node', prologueOf('sotto-1', 1, ['sotto-1'], fill(16, 0xac))],
  ['another-suite', 'the node meant another suite', prologueOf('sotto-0', 1, ['sotto-1'], nodeId)],
  ['another-version', 'the node meant another version', prologueOf('sotto-1', 2, ['sotto-1'], nodeId)],
  ['shortened-list', 'the node offered a better suite first', prologueOf('sotto-1', 1, ['sotto-2', 'sotto-1'], nodeId)],
];
for (const [id, note, prologue] of views) {
  toInitiator(id, 'CH-02', note, handshake({ prologue }).message2, 'handshake-failed');
}
const zero = fill(32, 0);
toResponder(
  'e-zero',
  'CH-03',
  "the initiator's key is zero",
  handshake({ initiatorPublic: zero }).message1,
  'low-order-point',
);
toResponder(
  'e-order',
  'CH-03',
  "the initiator's key has order 8",
  handshake({ initiatorPublic: order4 }).message1,
  'low-order-point',
);
toInitiator(
  're-zero',
  'CH-03',
  "the responder's key is zero",
  handshake({ responderPublic: zero }).message2,
  'low-order-point',
);
toResponder(
  'e1-outside',
  'CH-04',
  'a coefficient of 3329',
  handshake({ kemPublic: outside }).message1,
  'kem-key-not-canonical',
);
toResponder(
  'e1-ones',
  'CH-04',
  'every coefficient 4095',
  handshake({ kemPublic: fill(1184, 255) }).message1,
  'kem-key-not-canonical',
);
for (const [id, at] of [
  ['m2-e', 0],
  ['m2-ekem1', 40],
  ['m2-s', 1140],
  ['m2-payload', 1190],
] as const) {
  const altered = good.message2.slice();
  altered[at] = (altered[at] ?? 0) ^ 1;
  toInitiator(id, 'CH-05', `byte ${at} of message 2 altered`, altered, 'handshake-failed');
}

save('handshake.json', {
  suite: 'sotto-1',
  protocol: 'Noise_NXhfs_25519+MLKEM768_AESGCM_SHA256',
  node_id_hex: encodeHex(nodeId),
  offered_suites: ['sotto-1'],
  ...Object.fromEntries(Object.entries(keys).map(([name, key]) => [`${name}_hex`, encodeHex(key)])),
  evidence_digest_hex: encodeHex(evidenceDigest),
  epoch_id_hex: encodeHex(epochId),
  prologue_hex: encodeHex(good.prologue),
  message1_hex: encodeHex(good.message1),
  message2_hex: encodeHex(good.message2),
  handshake_hash_hex: encodeHex(good.h),
  from_initiator_key_hex: encodeHex(good.fromInitiator),
  from_responder_key_hex: encodeHex(good.fromResponder),
  refused: cases,
});

// Records.

const recordKey = fill(32, 0x31);
const record = (counter: number, frames: Uint8Array, size: number) =>
  gcm(recordKey, concatBytes(fill(8, 0), u32(counter))).encrypt(concatBytes(frames, fill(size - frames.length, 0)));
const records: object[] = [];
const addRecord = (
  id: string,
  rule: string,
  note: string,
  counter: number,
  bytes: Uint8Array,
  expect: unknown,
  frames?: Uint8Array,
) =>
  records.push({
    id,
    rule,
    note,
    counter,
    ...(frames === undefined ? {} : { frames_hex: shortHex(frames) }),
    record_hex: encodeHex(bytes),
    expect,
  });
for (const [length, size] of [
  [1, 256],
  [256, 256],
  [257, 512],
  [3000, 4096],
  [16384, 16384],
  [16385, 32768],
  [65519, 65519],
] as const) {
  const frames = fill(length, 0x41);
  addRecord(
    `bucket-${length}`,
    'CH-24',
    `${length} bytes of frames in ${size}`,
    7,
    record(7, frames, size),
    'accept',
    frames,
  );
}
addRecord('unpadded', 'CH-20', 'a plaintext of 255 bytes', 0, record(0, fill(1, 1), 255), { code: 'record-malformed' });
addRecord('between', 'CH-20', 'a plaintext of 300 bytes', 0, record(0, fill(1, 1), 300), { code: 'record-malformed' });
addRecord('empty', 'CH-20', 'no bytes at all', 0, new Uint8Array(0), { code: 'record-malformed' });
addRecord('replayed', 'CH-21', 'the record of counter 0 at counter 1', 1, record(0, fill(1, 1), 256), {
  code: 'record-forged',
});
addRecord('early', 'CH-21', 'the record of counter 2 at counter 1', 1, record(2, fill(1, 1), 256), {
  code: 'record-forged',
});
const tagged = record(0, fill(1, 1), 256);
tagged[271] = (tagged[271] ?? 0) ^ 0x80;
addRecord('altered', 'CH-21', 'the last byte altered', 0, tagged, { code: 'record-forged' });
save('records.json', { key_hex: encodeHex(recordKey), cases: records });

// Frames: the plaintext of one record, unpadded.

const frame = {
  verified: Uint8Array.of(1),
  open: (stream: number, head: Uint8Array) => concatBytes(Uint8Array.of(2), u32(stream), vector16(head)),
  head: (stream: number, head: Uint8Array) => concatBytes(Uint8Array.of(3), u32(stream), vector16(head)),
  data: (stream: number, bytes: Uint8Array) => concatBytes(Uint8Array.of(4), u32(stream), vector16(bytes)),
  end: (stream: number) => concatBytes(Uint8Array.of(5), u32(stream)),
  cancel: (stream: number) => concatBytes(Uint8Array.of(6), u32(stream)),
  error: (stream: number, reset: number) => concatBytes(Uint8Array.of(7), u32(stream), u16(reset)),
  credit: (stream: number, bytes: number) => concatBytes(Uint8Array.of(8), u32(stream), u32(bytes)),
  ping: (token: Uint8Array) => concatBytes(Uint8Array.of(9), token),
  pong: (token: Uint8Array) => concatBytes(Uint8Array.of(10), token),
  close: (reason: number) => concatBytes(Uint8Array.of(11), u16(reason)),
  rekey: Uint8Array.of(0x10),
  renew: (message: Uint8Array) => concatBytes(Uint8Array.of(0x11), vector16(message)),
  renewed: (message: Uint8Array) => concatBytes(Uint8Array.of(0x12), vector16(message)),
  switch: Uint8Array.of(0x13),
  advice: (advice: number) => Uint8Array.of(0x14, advice),
  shape: (profile: number) => Uint8Array.of(0x20, profile),
};
const none = new Uint8Array(0);
const frames: object[] = [];
type From = 'initiator' | 'responder';
const addFrame = (id: string, rule: string, note: string, from: From, bytes: Uint8Array, expect: unknown) =>
  frames.push({ id, rule, note, from, plaintext_hex: shortHex(bytes), expect });
const accepted = (...kinds: string[]) => ({ kinds });
addFrame('padding', 'CH-22', 'nothing but zeros', 'initiator', fill(256, 0), accepted());
addFrame(
  'both',
  'CH-31',
  'two frames and padding',
  'initiator',
  concatBytes(frame.verified, frame.open(1, text('h')), fill(9, 0)),
  accepted('verified', 'open'),
);
addFrame(
  'answer',
  'CH-31',
  'an answer',
  'responder',
  concatBytes(frame.head(1, text('h')), frame.data(1, text('d')), frame.end(1), frame.rekey),
  accepted('head', 'data', 'end', 'rekey'),
);
addFrame(
  'renewal-initiator',
  'CH-31',
  'what an initiator says of itself',
  'initiator',
  concatBytes(frame.shape(1), frame.renew(fill(1216, 1)), frame.switch),
  accepted('shape', 'renew', 'switch'),
);
addFrame(
  'renewal-responder',
  'CH-31',
  'what a responder says of itself',
  'responder',
  concatBytes(frame.advice(1), frame.renewed(fill(1248, 1)), frame.switch),
  accepted('advice', 'renewed', 'switch'),
);
addFrame('rekey', 'CH-61', 'rekey and padding', 'initiator', concatBytes(frame.rekey, fill(9, 0)), accepted('rekey'));
addFrame(
  'key-end',
  'CH-62',
  'an answer that ends',
  'responder',
  concatBytes(frame.end(1), frame.rekey),
  accepted('end', 'rekey'),
);
addFrame(
  'key-switch',
  'CH-62',
  'an answer that ends as the keys do',
  'responder',
  concatBytes(frame.end(1), frame.switch),
  accepted('end', 'switch'),
);
addFrame('request-end', 'CH-62', 'a request that ends', 'initiator', frame.end(1), accepted('end'));
for (const [kind, bytes] of [
  ['rekey', frame.rekey],
  ['switch', frame.switch],
] as const) {
  addFrame(`after-${kind}`, 'CH-61', `a frame after ${kind}`, 'initiator', concatBytes(bytes, frame.verified), {
    code: 'frame-malformed',
  });
  addFrame(
    `hidden-after-${kind}`,
    'CH-61',
    `a byte in the padding after ${kind}`,
    'responder',
    concatBytes(bytes, fill(3, 0), fill(1, 9)),
    {
      code: 'frame-malformed',
    },
  );
}
for (const [kind, bytes] of [
  ['end', frame.end(1)],
  ['error', frame.error(1, 1)],
] as const) {
  addFrame(`kept-${kind}`, 'CH-62', `${kind} without rekey`, 'responder', bytes, { code: 'rekey-missing' });
  addFrame(
    `kept-${kind}-data`,
    'CH-62',
    `${kind}, then data of another stream, without rekey`,
    'responder',
    concatBytes(bytes, frame.data(2, text('x'))),
    {
      code: 'rekey-missing',
    },
  );
}
addFrame(
  'session',
  'CH-31',
  'the frames of the session',
  'responder',
  concatBytes(frame.ping(fill(8, 1)), frame.pong(fill(8, 1)), frame.credit(1, 5), frame.close(0)),
  accepted('ping', 'pong', 'credit', 'close'),
);
addFrame('long-head', 'CH-33', 'a head of 15,360 bytes', 'initiator', frame.open(1, fill(15_360, 1)), accepted('open'));
addFrame(
  'hidden',
  'CH-22',
  'a byte within the padding',
  'initiator',
  concatBytes(frame.verified, fill(9, 0), fill(1, 7)),
  { code: 'frame-malformed' },
);
for (const kind of [0x0c, 0x0f, 0x15, 0x21, 0x30, 0x7f, 0x80, 0xff]) {
  addFrame(`kind-${kind}`, 'CH-30', `kind ${kind}`, 'initiator', concatBytes(Uint8Array.of(kind), fill(8, 0)), {
    code: 'frame-unknown',
  });
}
const whole: [string, From, Uint8Array][] = [
  ['open', 'initiator', frame.open(1, text('head'))],
  ['head', 'responder', frame.head(1, text('head'))],
  ['data', 'initiator', frame.data(1, text('data'))],
  ['end', 'initiator', frame.end(1)],
  ['cancel', 'initiator', frame.cancel(1)],
  ['error', 'responder', frame.error(1, 1)],
  ['credit', 'initiator', frame.credit(1, 1)],
  ['ping', 'initiator', frame.ping(fill(8, 1))],
  ['pong', 'initiator', frame.pong(fill(8, 1))],
  ['close', 'initiator', frame.close(0)],
  ['renew', 'initiator', frame.renew(fill(1216, 1))],
  ['renewed', 'responder', frame.renewed(fill(1248, 1))],
  ['advice', 'responder', frame.advice(1)],
  ['shape', 'initiator', frame.shape(1)],
];
for (const [kind, from, bytes] of whole) {
  addFrame(`short-${kind}`, 'CH-31', `${kind} without its last byte`, from, bytes.slice(0, -1), {
    code: 'frame-malformed',
  });
  addFrame(`bare-${kind}`, 'CH-31', `${kind} without its body`, from, bytes.slice(0, 1), { code: 'frame-malformed' });
}
for (const [kind, bytes] of [
  ['verified', frame.verified],
  ['open', frame.open(1, none)],
  ['cancel', frame.cancel(1)],
  ['renew', frame.renew(none)],
  ['shape', frame.shape(1)],
] as const) {
  addFrame(`responder-${kind}`, 'CH-32', `${kind} from the responder`, 'responder', bytes, { code: 'frame-misplaced' });
}
for (const [kind, bytes] of [
  ['head', frame.head(1, none)],
  ['error', frame.error(1, 1)],
  ['renewed', frame.renewed(none)],
  ['advice', frame.advice(1)],
] as const) {
  addFrame(`initiator-${kind}`, 'CH-32', `${kind} from the initiator`, 'initiator', bytes, { code: 'frame-misplaced' });
}
addFrame('too-long-head', 'CH-33', 'a head of 15,361 bytes', 'initiator', frame.open(1, fill(15_361, 1)), {
  code: 'frame-malformed',
});
addFrame('empty-data', 'CH-34', 'data of no bytes', 'initiator', frame.data(1, none), { code: 'frame-malformed' });
addFrame('empty-credit', 'CH-34', 'credit of no bytes', 'initiator', frame.credit(1, 0), { code: 'frame-malformed' });
save('frames.json', { cases: frames });

// Sessions: records (each a list of frames) sent to a real end, and the code with which it ends the session.
// A responder answers a head of `answer` with a head, `ok` and an end; other requests stay open and unread.
// An initiator has been promoted and has opened streams 1 and 2.

const sessions: object[] = [];
const addSession = (
  id: string,
  rule: string,
  note: string,
  to: From,
  sent: Uint8Array[][],
  expect: unknown = { code: 'frame-misplaced' },
) => sessions.push({ id, rule, note, to, records: sent.map((one) => one.map(shortHex)), expect });
const one = frame.open(1, text('h'));
const window = Array.from({ length: 4 }, () => [frame.data(1, fill(16_000, 1))]);
const { verified } = frame;
addSession(
  'plain',
  'CH-40',
  'two requests',
  'responder',
  [[verified, one, frame.end(1)], [frame.open(2, none)]],
  'accept',
);
addSession(
  'evidence',
  'CH-11',
  'evidence, then a request',
  'responder',
  [[frame.open(0, none)], [verified, one]],
  'accept',
);
addSession(
  'late-frames',
  'CH-41',
  'frames for a stream that is over',
  'responder',
  [
    [verified, one, frame.cancel(1)],
    [frame.data(1, text('x')), frame.end(1), frame.credit(1, 1), frame.cancel(1)],
  ],
  'accept',
);
addSession(
  'window',
  'CH-43',
  'exactly a window of data',
  'responder',
  [[verified, one], ...window, [frame.data(1, fill(1536, 1))]],
  'accept',
);
addSession(
  'after-close',
  'CH-40',
  'anything after close',
  'responder',
  [[frame.close(0), frame.open(9, none)]],
  'closed',
);
const early = { code: 'not-verified' };
addSession('early-open', 'CH-10', 'a request before verified', 'responder', [[one]], early);
addSession(
  'early-after-evidence',
  'CH-10',
  'a request after the evidence, before verified',
  'responder',
  [[frame.open(0, none), one]],
  early,
);
addSession(
  'data-on-0',
  'CH-10',
  'data on stream 0',
  'responder',
  [[frame.open(0, none), frame.data(0, text('secret'))]],
  early,
);
addSession('end-on-0', 'CH-10', 'an end on stream 0', 'responder', [[frame.open(0, none), frame.end(0)]], early);
addSession('twice-0', 'CH-11', 'stream 0 opened twice', 'responder', [[frame.open(0, none)], [frame.open(0, none)]]);
addSession('head-on-0', 'CH-11', 'stream 0 with a head', 'responder', [[frame.open(0, text('secret'))]]);
addSession('0-after-verified', 'CH-11', 'stream 0 after verified', 'responder', [[verified, frame.open(0, none)]]);
addSession('verified-twice', 'CH-19', 'verified twice', 'responder', [[verified], [verified]]);
addSession('pong', 'CH-36', 'an answer to no ping', 'responder', [[frame.pong(fill(8, 0))]]);
addSession('pong-initiator', 'CH-36', 'an answer to no ping', 'initiator', [[frame.pong(fill(8, 0))]]);
addSession('skip', 'CH-40', 'stream 2 before stream 1', 'responder', [[verified, frame.open(2, none)]]);
addSession('again', 'CH-40', 'stream 1 twice', 'responder', [[verified, one, one]]);
addSession('back', 'CH-40', 'stream 1 after stream 2', 'responder', [[verified, one, frame.open(2, none), one]]);
addSession('reserved', 'CH-40', 'a number kept for responders', 'responder', [
  [verified, frame.open(0x80000001, none)],
]);
for (const [kind, bytes] of [
  ['data', frame.data(1, text('x'))],
  ['end', frame.end(1)],
  ['credit', frame.credit(1, 1)],
  ['cancel', frame.cancel(1)],
] as const) {
  addSession(`unopened-${kind}`, 'CH-41', `${kind} for a stream never opened`, 'responder', [[verified, bytes]]);
}
addSession('unopened-0', 'CH-41', 'credit for a stream 0 never opened', 'responder', [[frame.credit(0, 1)]]);
for (const [kind, bytes] of [
  ['head', frame.head(3, none)],
  ['data', frame.data(3, text('x'))],
  ['end', concatBytes(frame.end(3), frame.rekey)],
  ['error', concatBytes(frame.error(3, 1), frame.rekey)],
  ['credit', frame.credit(3, 1)],
  ['data-0', frame.data(0, text('x'))],
] as const) {
  addSession(`unasked-${kind}`, 'CH-41', `${kind} for a stream never opened`, 'initiator', [[bytes]]);
}
addSession(
  'over-window',
  'CH-43',
  'one byte more than a window',
  'responder',
  [[verified, one], ...window, [frame.data(1, fill(1537, 1))]],
  { code: 'flow-control' },
);
addSession(
  'over-window-initiator',
  'CH-43',
  'one byte more than a window',
  'initiator',
  [[frame.head(1, none)], ...window, [frame.data(1, fill(1537, 1))]],
  { code: 'flow-control' },
);
addSession('data-after-end', 'CH-44', 'data after the end', 'responder', [
  [verified, one, frame.end(1), frame.data(1, text('x'))],
]);
addSession('end-after-end', 'CH-44', 'a second end', 'responder', [[verified, one, frame.end(1), frame.end(1)]]);
addSession('two-heads', 'CH-45', 'two heads', 'initiator', [[frame.head(1, text('a')), frame.head(1, text('b'))]]);
addSession(
  'key-kept',
  'CH-62',
  'an answer that ends without rekey',
  'initiator',
  [[frame.head(1, none), frame.end(1)]],
  {
    code: 'rekey-missing',
  },
);
addSession('key-kept-reset', 'CH-62', 'a reset without rekey', 'initiator', [[frame.error(1, 1)]], {
  code: 'rekey-missing',
});
addSession('after-rekey', 'CH-61', 'a frame after rekey', 'responder', [[frame.rekey, verified]], {
  code: 'frame-malformed',
});
addSession(
  'rekeys',
  'CH-60',
  'a request in pieces, each under a key of its own',
  'responder',
  [
    [verified, frame.rekey],
    [one, frame.rekey],
    [frame.end(1), frame.rekey],
  ],
  'accept',
);
addSession(
  'answer-rekeyed',
  'CH-60',
  'two answers, each under a key of its own',
  'initiator',
  [
    [frame.head(1, none), frame.end(1), frame.rekey],
    [frame.head(2, none), frame.end(2), frame.rekey],
  ],
  'accept',
);
addSession('data-first', 'CH-45', 'data before a head', 'initiator', [[frame.data(1, text('x'))]]);
addSession('end-first', 'CH-45', 'an end before a head', 'initiator', [[frame.end(1), frame.rekey]]);
const most = frame.credit(1, 0x7fffffff);
addSession('credit-sum', 'CH-49', 'credit beyond 2^31 - 1', 'responder', [[verified, one, most]], {
  code: 'flow-control',
});
addSession('credit-sum-initiator', 'CH-49', 'credit beyond 2^31 - 1', 'initiator', [[most]], { code: 'flow-control' });
addSession('cancel-from-responder', 'CH-32', 'cancel from the responder', 'initiator', [[frame.cancel(1)]]);
addSession('unknown', 'CH-30', 'an unknown kind', 'initiator', [[Uint8Array.of(0x44)]], { code: 'frame-unknown' });
save('sessions.json', { cases: sessions });

// Rekey: records of one direction from counter 0, and what the frames in them are; the last may be refused.

const nextKey = (key: Uint8Array) =>
  gcm(key, concatBytes(fill(4, 0), fill(8, 0xff)))
    .encrypt(fill(32, 0))
    .slice(0, 32);
const keyChain = [fill(32, 0x51)];
for (let i = 0; i < 3; i++) keyChain.push(nextKey(keyChain[i] as Uint8Array));
const rekeys: object[] = [];
/** @param sent frames of each record, and how many rekeys went before it */
function addRekey(id: string, rule: string, note: string, from: From, sent: [Uint8Array, number][], expect: unknown) {
  const sealed = sent.map(([frames, age], counter) =>
    gcm(keyChain[age] as Uint8Array, concatBytes(fill(8, 0), u32(counter))).encrypt(
      concatBytes(frames, fill(256 - frames.length, 0)),
    ),
  );
  rekeys.push({ id, rule, note, from, records_hex: sealed.map(encodeHex), expect });
}
const answer = concatBytes(frame.head(1, text('h')), frame.data(1, text('d')));
const over = concatBytes(frame.end(1), frame.rekey);
const ping = frame.ping(fill(8, 1));
const kinds = (...list: string[][]) => ({ kinds: list });
addRekey(
  'once',
  'CH-60',
  'a ping under the key after rekey',
  'initiator',
  [
    [frame.rekey, 0],
    [ping, 1],
  ],
  kinds(['rekey'], ['ping']),
);
addRekey(
  'answers',
  'CH-60',
  'two answers',
  'responder',
  [
    [answer, 0],
    [over, 0],
    [answer, 1],
    [over, 1],
    [ping, 2],
  ],
  kinds(['head', 'data'], ['end', 'rekey'], ['head', 'data'], ['end', 'rekey'], ['ping']),
);
addRekey(
  'thrice',
  'CH-60',
  'three rekeys in a row',
  'initiator',
  [
    [frame.rekey, 0],
    [frame.rekey, 1],
    [frame.rekey, 2],
    [ping, 3],
  ],
  kinds(['rekey'], ['rekey'], ['rekey'], ['ping']),
);
addRekey(
  'old-key',
  'CH-60',
  'a record under the key before rekey',
  'initiator',
  [
    [frame.rekey, 0],
    [ping, 0],
  ],
  { code: 'record-forged' },
);
addRekey(
  'unasked',
  'CH-60',
  'a record under the next key without rekey',
  'initiator',
  [
    [ping, 0],
    [ping, 1],
  ],
  { code: 'record-forged' },
);
addRekey(
  'too-far',
  'CH-60',
  'a record under the key after the next',
  'initiator',
  [
    [frame.rekey, 0],
    [ping, 2],
  ],
  { code: 'record-forged' },
);
addRekey(
  'kept',
  'CH-62',
  'an answer that ends without rekey',
  'responder',
  [
    [answer, 0],
    [frame.end(1), 0],
  ],
  { code: 'rekey-missing' },
);
save('rekey.json', { keys_hex: keyChain.map(encodeHex), cases: rekeys });
