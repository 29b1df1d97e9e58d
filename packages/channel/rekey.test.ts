/** Keys that are replaced while a session runs: our vectors, both kinds of primitives, and what each side must do by itself. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeUtf8, parseHex } from '@sotto/bytes';
import { type Primitives, primitives } from '@sotto/crypto/primitives';
import { primitives as webPrimitives } from '@sotto/crypto/primitives/web';
import {
  createManualClock,
  createRealClock,
  createSeededRandom,
  createSocketPair,
  echoRequest,
  openChannelPair,
  PAIR_NODE_ID,
  readBody,
  settle,
} from '@sotto/testkit';
import { ChannelError } from './errors.ts';
import type { Frame } from './frames.ts';
import { connectChannel } from './initiator.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import type { HandshakeRole } from './noise/handshake.ts';
import { RawPeer } from './raw-peer-for-testing.ts';
import { RecordCipher } from './records.ts';
import { acceptChannel, type IncomingRequest } from './responder.ts';
import { openRecords } from './transcript.ts';
import { type Case, loadVectors } from './vectors-for-testing.ts';

interface RekeyCase extends Case {
  readonly from: HandshakeRole;
  readonly records_hex: readonly string[];
}

const { keys_hex, cases } = loadVectors<{ keys_hex: string[]; cases: RekeyCase[] }>('rekey.json');
const fill = (length: number, value: number) => new Uint8Array(length).fill(value);
const firstKey = () => parseHex(keys_hex[0] as string);
const platforms: [string, Primitives][] = [
  ['at once', primitives],
  ['later', webPrimitives],
];

async function vectors(rule: string): Promise<void> {
  const chosen = cases.filter((one) => one.rule === rule);
  assert.ok(chosen.length > 0);
  for (const [, platform] of platforms) {
    for (const { id, from, records_hex, expect } of chosen) {
      const records = records_hex.map((hex) => parseHex(hex));
      const got = await openRecords({ key: firstKey(), from, counter: 0, records, primitives: platform }).then(
        (opened) => ({ kinds: opened.map((frames) => frames.map(({ kind }) => kind)) }),
        (error) => ({ code: (error as ChannelError).code }),
      );
      assert.deepEqual(got, expect, id);
    }
  }
}

test('CH-60 a record is under the key that the rekeys before it made', () => vectors('CH-60'));
test('CH-62 records of an answer that keeps its key are refused', () => vectors('CH-62'));

test('CH-60 what a sender seals, a receiver opens, from key to key', async () => {
  for (const [name, platform] of platforms) {
    const [sending, receiving] = await Promise.all(
      [0, 1].map(() => RecordCipher.create(platform, firstKey(), DEFAULT_LIMITS.recordsPerDirection)),
    );
    for (let i = 0; i < 5; i++) {
      const sealed = sending?.seal(fill(3, i)) as Uint8Array;
      sending?.rekey();
      const opened = (await receiving?.open(await sealed)) as Uint8Array;
      receiving?.rekey();
      assert.deepEqual(opened.subarray(0, 3), fill(3, i), name);
    }
  }
});

test('CH-60 two ends go on under new keys, answer after answer', { timeout: 6000 }, async () => {
  const pair = await openChannelPair({ onRequest: echoRequest });
  for (let i = 0; i < 3; i++) {
    const stream = pair.channel.request(fill(1, i));
    await stream.end();
    await readBody(stream.body);
  }
  const records = pair.sockets.sent.slice(2).map(({ bytes }) => bytes.length);
  assert.ok(records.length >= 6);
  pair.channel.close();
  assert.deepEqual(await pair.responder.closed, { kind: 'closed', by: 'peer' });
  const sealing = await RecordCipher.create(primitives, firstKey(), 100);
  const before = await sealing.seal(fill(1, 1));
  sealing.rekey();
  const opening = await RecordCipher.create(primitives, parseHex(keys_hex[1] as string), 100, 1);
  assert.equal((await opening.open(await sealing.seal(fill(1, 2))))[0], 2);
  assert.equal(before.length, 272);
});

test('CH-63 a key seals and opens no more records than it may', async () => {
  const cipher = () => RecordCipher.create(primitives, firstKey(), 100, 0, 2);
  const [sending, receiving] = [await cipher(), await cipher()];
  for (let i = 0; i < 2; i++) await receiving.open(await sending.seal(fill(1, 0)));
  assert.throws(() => sending.seal(fill(1, 0)), { code: 'rekey-missing' });
  assert.throws(() => receiving.open(fill(272, 0)), { code: 'rekey-missing' });
  sending.rekey();
  assert.equal((await sending.seal(fill(1, 0))).length, 272);
  assert.equal(DEFAULT_LIMITS.recordsPerKey, 65_536);
});

/** A raw initiator at a real responder. */
async function rawInitiator(onRequest: (request: IncomingRequest) => void, options: object = {}): Promise<RawPeer> {
  const sockets = createSocketPair();
  acceptChannel({
    socket: sockets.b,
    random: createSeededRandom('responder'),
    clock: createRealClock(),
    nodeId: PAIR_NODE_ID,
    currentEpoch: () => ({
      epochId: fill(16, 3),
      staticPrivateKey: fill(32, 4),
      evidence: encodeUtf8('evidence'),
      evidenceDigest: fill(32, 5),
    }),
    onRequest,
    ...options,
  });
  const keys = { ephemeral: fill(32, 1), hybrid: fill(64, 2) };
  const peer = await RawPeer.connect({ socket: sockets.a, role: 'initiator', nodeId: PAIR_NODE_ID, keys });
  await peer.send({ kind: 'verified' });
  return peer;
}

/** A raw responder and a real initiator that has been promoted. */
async function rawResponder(options: object = {}) {
  const sockets = createSocketPair();
  const connecting = connectChannel({
    socket: sockets.a,
    random: createSeededRandom('initiator'),
    clock: createRealClock(),
    nodeId: PAIR_NODE_ID,
    ...options,
  });
  const keys = { ephemeral: fill(32, 1), static: fill(32, 4) };
  const peer = await RawPeer.connect({ socket: sockets.b, role: 'responder', nodeId: PAIR_NODE_ID, keys });
  const unverified = await connecting;
  return { peer, channel: unverified.promote(unverified) };
}

const kindsOf = (peer: RawPeer, ...some: Frame['kind'][]) =>
  peer.frames.map(({ kind }) => kind).filter((kind) => some.includes(kind));

test('CH-64 a responder rekeys in the record that ends a stream', { timeout: 6000 }, async () => {
  const peer = await rawInitiator((request) => {
    if (request.head[0] === 1) request.reject('busy');
    else void request.respond(fill(1, 1)).end();
  });
  await peer.send({ kind: 'open', stream: 1, head: fill(1, 1) });
  await peer.frame(({ kind }) => kind === 'rekey');
  assert.deepEqual(kindsOf(peer, 'error', 'rekey'), ['error', 'rekey']);
  await peer.send({ kind: 'open', stream: 2, head: fill(1, 2) });
  await peer.frame(({ kind }) => kind === 'end');
  assert.deepEqual(kindsOf(peer, 'end', 'rekey'), ['rekey', 'end', 'rekey']);
});

test('CH-65 an initiator rekeys when a stream is over', { timeout: 6000 }, async () => {
  const { peer, channel } = await rawResponder();
  channel.request(fill(1, 1));
  await peer.frame(({ kind }) => kind === 'open');
  await peer.send({ kind: 'head', stream: 1, head: fill(1, 1) }, { kind: 'end', stream: 1 }, { kind: 'rekey' });
  await peer.frame(({ kind }) => kind === 'rekey');
  assert.deepEqual(kindsOf(peer, 'open', 'rekey'), ['open', 'rekey']);
  channel.request(fill(1, 1)).cancel();
  await peer.frame(({ kind }) => kind === 'cancel');
  assert.deepEqual(kindsOf(peer, 'cancel', 'rekey'), ['rekey', 'cancel', 'rekey']);
  channel.close();
});

test('CH-66 a key that protects something is replaced within 60 seconds, at both ends', { timeout: 6000 }, async () => {
  const rekeys = (peer: RawPeer) => kindsOf(peer, 'rekey').length;
  const clock = createManualClock();
  const { peer, channel } = await rawResponder({ clock });
  channel.request(fill(1, 1));
  await clock.advance(59_000);
  await peer.frame(({ kind }) => kind === 'open');
  assert.equal(rekeys(peer), 0);
  await peer.send({ kind: 'ping', token: fill(8, 1) });
  await clock.advance(1_000);
  await settle();
  assert.equal(rekeys(peer), 1);
  // Nothing but pings since: nothing to protect.
  await clock.advance(100_000);
  assert.equal(rekeys(peer), 1);

  const nodeClock = createManualClock();
  const client = await rawInitiator((request) => void request.respond(fill(1, 1)), { clock: nodeClock });
  await client.send({ kind: 'open', stream: 1, head: fill(1, 1) });
  await settle();
  await nodeClock.advance(60_000);
  await settle();
  assert.deepEqual(kindsOf(client, 'head', 'rekey'), ['head', 'rekey']);
});

test('CH-67 a sender rekeys before its key is used up', { timeout: 6000 }, async () => {
  const pair = await openChannelPair({ onRequest: echoRequest, limits: { recordsPerKey: 2 } });
  const stream = pair.channel.request(fill(1, 1));
  const body = createSeededRandom('body').bytes(300_000);
  const [echoed] = await Promise.all([readBody(stream.body), stream.write(body).then(() => stream.end())]);
  assert.deepEqual(echoed, body);
  pair.channel.close();
  assert.deepEqual(await pair.responder.closed, { kind: 'closed', by: 'peer' });
});

test('CH-68 order holds where a new key is made later', { timeout: 10_000 }, async () => {
  const pair = await openChannelPair({
    onRequest: echoRequest,
    limits: { recordsPerKey: 1 },
    primitives: webPrimitives,
  });
  const bodies = Array.from({ length: 4 }, (_, i) => createSeededRandom(`body ${i}`).bytes(100_000));
  await Promise.all(
    bodies.map(async (body) => {
      const stream = pair.channel.request(fill(1, 1));
      const [echoed] = await Promise.all([readBody(stream.body), stream.write(body).then(() => stream.end())]);
      assert.deepEqual(echoed, body);
    }),
  );
  pair.channel.close();
  assert.deepEqual(await pair.responder.closed, { kind: 'closed', by: 'peer' });
});

test('CH-69 the bytes of a key are gone once it is imported', async () => {
  for (const [name, platform] of platforms) {
    const seen: Uint8Array[] = [];
    const importAead: Primitives['importAead'] = (key) => {
      seen.push(key);
      assert.ok(key.some((byte) => byte !== 0));
      return platform.importAead(key);
    };
    const cipher = await RecordCipher.create({ ...platform, importAead }, firstKey(), 100);
    cipher.rekey();
    cipher.rekey();
    await cipher.seal(fill(1, 1));
    assert.equal(seen.length, 3, name);
    for (const key of seen) assert.deepEqual(key, fill(32, 0), name);
  }
});

test('a session that ends while a key is being made ends as it should', { timeout: 6000 }, async () => {
  const pair = await openChannelPair({ onRequest: echoRequest, primitives: webPrimitives });
  pair.channel.request(fill(1, 1)).cancel();
  await new Promise((resolve) => setTimeout(resolve, 5));
  pair.sockets.cut();
  const info = await pair.channel.closed;
  assert.ok(info.kind === 'failed' && new ChannelError(info.code).code === 'session-truncated');
});
