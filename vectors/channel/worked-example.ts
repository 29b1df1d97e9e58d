/**
 * One session with every byte, from fixed seeds: the handshake token by token, then records both ways. Computed in a straight
 * line on noble, without the product's code. Writes `worked-example.json` and the same as text, `spec/channel-example.md`.
 *
 *   node vectors/channel/worked-example.ts
 */
import { writeFileSync } from 'node:fs';
import { gcm } from '@noble/ciphers/aes.js';
import { x25519 } from '@noble/curves/ed25519.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { concatBytes, encodeHex, encodeUtf8 } from '@sotto/bytes';

type Bytes = Uint8Array;

/** One value with its name; `note` says what it is made of. */
export interface ExampleValue {
  readonly name: string;
  readonly note: string;
  readonly hex: string;
}

export interface ExampleSection {
  readonly title: string;
  readonly text: string;
  readonly values: readonly ExampleValue[];
}

const fill = (length: number, value: number) => new Uint8Array(length).fill(value);
const u16 = (value: number) => Uint8Array.of(value >> 8, value & 255);
const u32 = (value: number) => concatBytes(u16(value >>> 16), u16(value & 0xffff));
const vector16 = (bytes: Bytes) => concatBytes(u16(bytes.length), bytes);
const text = encodeUtf8;
const hash = (...parts: Bytes[]): Bytes => sha256(concatBytes(...parts));
const mac = (key: Bytes, ...parts: Bytes[]): Bytes => hmac(sha256, key, concatBytes(...parts));
const nonce = (counter: number) => concatBytes(fill(8, 0), u32(counter));
const NOTHING = new Uint8Array(0);

const REKEY_NONCE = concatBytes(fill(4, 0), fill(8, 0xff));
const rekeyed = (key: Bytes): Bytes => gcm(key, REKEY_NONCE).encrypt(fill(32, 0)).slice(0, 32);

const seedsOf = (first: number, evidence: string, epoch: number) => ({
  initiatorEphemeral: fill(32, first + 0x01),
  initiatorKem: fill(64, first + 0x02),
  responderEphemeral: fill(32, first + 0x11),
  responderStatic: fill(32, first + 0x12),
  encapsulation: fill(32, first + 0x13),
  evidence: text(evidence),
  epochId: fill(16, epoch),
});
export const NODE_ID = fill(16, 0xab);
/** Of the first handshake, and of the renewal: the node has begun another epoch. */
export const SEEDS = seedsOf(0x10, 'evidence', 3);
export const RENEWAL_SEEDS = seedsOf(0x30, 'evidence of another epoch', 4);

/** The Noise symmetric state, in the open. */
interface Noise {
  h: Bytes;
  ck: Bytes;
  k: Bytes;
  n: number;
}

function exampleSections(): ExampleSection[] {
  const sections: ExampleSection[] = [];
  let values: ExampleValue[] = [];
  const section = (title: string, words: string) => {
    values = [];
    sections.push({ title, text: words, values });
  };
  const show = <Value extends Bytes>(name: string, note: string, bytes: Value): Value => {
    values.push({ name, note, hex: encodeHex(bytes) });
    return bytes;
  };

  const inputs = (seeds: typeof SEEDS) => {
    show('client X25519 private', 'e', seeds.initiatorEphemeral);
    show('client ML-KEM seed', 'd ‖ z', seeds.initiatorKem);
    show('node X25519 private', 'e', seeds.responderEphemeral);
    show('node static private', 's', seeds.responderStatic);
    show('encapsulation seed', 'm', seeds.encapsulation);
    show('evidence', `the bundle: the letters \`${new TextDecoder().decode(seeds.evidence)}\``, seeds.evidence);
    show('epoch id', '', seeds.epochId);
  };

  section('Inputs', 'Seeds of 32 or 64 equal bytes, so that nobody has to type. A real session draws them at random.');
  show('node id', '', NODE_ID);
  inputs(SEEDS);

  section('Prologue', 'Each side writes it from what it knows.');
  const offered = show(
    'offered suites',
    'u8 count ‖ vector16 each',
    concatBytes(Uint8Array.of(1), vector16(text('sotto-1'))),
  );
  const offeredHash = show('offeredSuitesHash', 'SHA-256 of it', hash(offered));
  const prologue = show(
    'prologue',
    'label ‖ suite ‖ version ‖ offeredSuitesHash ‖ nodeId',
    concatBytes(vector16(text('sotto/channel/v1')), vector16(text('sotto-1')), u16(1), offeredHash, NODE_ID),
  );

  const handshake = (first: Bytes, seeds: typeof SEEDS, where: string) => {
    const statement = concatBytes(hash(seeds.evidence), seeds.epochId);
    const name = text('Noise_NXhfs_25519+MLKEM768_AESGCM_SHA256');
    const state: Noise = { h: hash(name), ck: hash(name), k: NOTHING, n: 0 };
    const mixHash = (data: Bytes, after: string) => {
      state.h = hash(state.h, data);
      show('h', after, state.h);
    };
    const mixKey = (secret: Bytes, after: string) => {
      const extracted = mac(state.ck, secret);
      state.ck = mac(extracted, fill(1, 1));
      state.k = mac(extracted, state.ck, fill(1, 2));
      state.n = 0;
      show('ck', after, state.ck);
      show('k', after, state.k);
    };
    const seal = (plaintext: Bytes) => gcm(state.k, nonce(state.n++), state.h).encrypt(plaintext);

    section(`${where}Message 1`, 'Client to node: `e, e1`, empty payload. 1,216 bytes.');
    show('h', 'SHA-256 of the protocol name; also ck', state.h);
    mixHash(first, 'after the prologue');
    const e = show('e', 'client X25519 public', x25519.getPublicKey(seeds.initiatorEphemeral));
    mixHash(e, 'after e');
    const kem = ml_kem768.keygen(seeds.initiatorKem);
    const e1 = show('e1', 'client ML-KEM-768 encapsulation key', kem.publicKey);
    mixHash(e1, 'after e1');
    mixHash(NOTHING, 'after the empty payload');
    const message1 = show('message 1', 'e ‖ e1', concatBytes(e, e1));

    section(`${where}Message 2`, 'Node to client: `e, ee, ekem1, s, es`, payload 48 bytes. 1,248 bytes.');
    const re = show('e', 'node X25519 public', x25519.getPublicKey(seeds.responderEphemeral));
    mixHash(re, 'after e');
    mixKey(show('ee', 'X25519', x25519.getSharedSecret(seeds.responderEphemeral, e)), 'after ee');
    const { cipherText, sharedSecret } = ml_kem768.encapsulate(e1, seeds.encapsulation);
    show('ML-KEM ciphertext', '', cipherText);
    const ekem1 = show('ekem1', 'EncryptAndHash(ciphertext)', seal(cipherText));
    mixHash(ekem1, 'after ekem1');
    mixKey(show('ML-KEM secret', '', sharedSecret), 'after ekem1');
    const staticPublic = show('static public', '', x25519.getPublicKey(seeds.responderStatic));
    const s = show('s', 'EncryptAndHash(static public)', seal(staticPublic));
    mixHash(s, 'after s');
    mixKey(show('es', 'X25519', x25519.getSharedSecret(seeds.responderStatic, e)), 'after es');
    show('statement', 'evidence digest ‖ epoch id', statement);
    const payload = show('payload', 'EncryptAndHash(statement)', seal(statement));
    mixHash(payload, 'after the payload: the handshake hash');
    const message2 = show('message 2', 'e ‖ ekem1 ‖ s ‖ payload', concatBytes(re, ekem1, s, payload));
    const extracted = mac(state.ck, NOTHING);
    const fromClient = mac(extracted, fill(1, 1));
    const fromNode = mac(extracted, fromClient, fill(1, 2));
    return { message1, message2, h: state.h, fromClient, fromNode };
  };
  const first = handshake(prologue, SEEDS, '');

  section('Keys', 'Split: one key a direction. Counters start at 0.');
  const keys = {
    client: show('client → node', '', first.fromClient),
    node: show('node → client', '', first.fromNode),
  };
  const counters = { client: 0, node: 0 };

  const record = (from: 'client' | 'node', ...frames: (readonly [string, string, Bytes])[]) => {
    for (const [name, note, bytes] of frames) show(name, note, bytes);
    const content = concatBytes(...frames.map(([, , bytes]) => bytes));
    const plaintext = fill(content.length > 256 ? 2048 : 256, 0);
    plaintext.set(content);
    show('plaintext', `the frames and zeros, ${plaintext.length} bytes`, plaintext);
    const counter = counters[from]++;
    show('nonce', `counter ${counter}`, nonce(counter));
    show('record', `${plaintext.length + 16} bytes`, gcm(keys[from], nonce(counter)).encrypt(plaintext));
    if (frames.at(-1)?.[0] === 'rekey') {
      const who = from === 'client' ? 'client → node' : 'node → client';
      keys[from] = show(`next key, ${who}`, 'rekey(key)', rekeyed(keys[from]));
    }
  };
  const frame = (kind: number, ...fields: Bytes[]) => concatBytes(Uint8Array.of(kind), ...fields);
  const rekey = ['rekey', '0x10: the last record under this key', frame(0x10)] as const;

  section('Client record 0', 'The evidence was accepted; one request, whole.');
  record(
    'client',
    ['verified', '0x01', frame(0x01)],
    ['open', '0x02, stream 1, head `head`', frame(0x02, u32(1), vector16(text('head')))],
    ['data', '0x04, stream 1, `a question`', frame(0x04, u32(1), vector16(text('a question')))],
    ['end', '0x05, stream 1', frame(0x05, u32(1))],
  );
  section('Node record 0', 'The answer, whole; and the end of the key that it was under.');
  record(
    'node',
    ['head', '0x03, stream 1, head `ok`', frame(0x03, u32(1), vector16(text('ok')))],
    ['data', '0x04, stream 1, `an answer`', frame(0x04, u32(1), vector16(text('an answer')))],
    ['end', '0x05, stream 1', frame(0x05, u32(1))],
    rekey,
  );
  section('Client record 1', 'The client ends its key too.');
  record('client', rekey);
  section('Client record 2', 'Still there? Under the next key, with the next counter.');
  record('client', ['ping', '0x09, eight bytes', frame(0x09, fill(8, 0x5a))]);
  section('Node record 1', 'Yes.');
  record('node', ['pong', '0x0a, the same eight bytes', frame(0x0a, fill(8, 0x5a))]);

  section('Renewal', 'A quarter of an hour later: another handshake inside the session, with the node’s next epoch.');
  inputs(RENEWAL_SEEDS);
  const again = show(
    'renewal prologue',
    'label ‖ offeredSuitesHash ‖ nodeId ‖ handshake hash of the first handshake',
    concatBytes(vector16(text('sotto/channel/renew/v1')), offeredHash, NODE_ID, first.h),
  );
  const second = handshake(again, RENEWAL_SEEDS, 'Renewal: ');
  section('Client record 3', 'Message 1 of the renewal.');
  record('client', ['renew', '0x11, vector16 message 1', frame(0x11, vector16(second.message1))]);
  section('Node record 2', 'Message 2 of the renewal.');
  record('node', ['renewed', '0x12, vector16 message 2', frame(0x12, vector16(second.message2))]);
  section('Client record 4', 'The new evidence was accepted: the last record under the old key.');
  record('client', ['switch', '0x13', frame(0x13)]);
  section('Node record 3', 'The same from the node.');
  record('node', ['switch', '0x13', frame(0x13)]);
  section('Renewal: Keys', 'Split of the second handshake. Counters start at 0 again.');
  keys.client = show('client → node', '', second.fromClient);
  keys.node = show('node → client', '', second.fromNode);
  counters.client = 0;
  section('Renewal: Client record 0', 'The session is over, in order.');
  record('client', ['close', '0x0b, reason 0 (done)', frame(0x0b, u16(0))]);
  return sections;
}

/** The file `worked-example.json`. */
export function exampleJson(): string {
  const sections = exampleSections();
  return `${JSON.stringify({ note: 'one session with every byte; see spec/channel-example.md', sections }, null, 1)}\n`;
}

const LINE_BYTES = 48;

/** The file `spec/channel-example.md`. */
export function exampleText(): string {
  const lines = [
    '# Channel: a worked example',
    '',
    'Every byte of one session (`channel.md`), in hexadecimal. Written by `node vectors/channel/worked-example.ts` from fixed seeds, on',
    'another implementation of the primitives than the product’s; `vectors/channel/worked-example.json` holds the same for programs. A test',
    'computes it with the product and fails when a byte differs or when this text is not current. No rule stands here: `channel.md` has them.',
  ];
  for (const { title, text: words, values } of exampleSections()) {
    lines.push('', `## ${title}`, '', words, '', '```');
    for (const { name, note, hex } of values) {
      lines.push(`${name} (${hex.length / 2})${note === '' ? '' : `: ${note}`}`);
      for (let at = 0; at < hex.length; at += 2 * LINE_BYTES) lines.push(`  ${hex.slice(at, at + 2 * LINE_BYTES)}`);
    }
    lines.push('```');
  }
  return `${lines.join('\n')}\n`;
}

if (import.meta.main) {
  writeFileSync(new URL('worked-example.json', import.meta.url), exampleJson());
  writeFileSync(new URL('../../spec/channel-example.md', import.meta.url), exampleText());
}
