/** Strangers at the handshake: every key that gives a secret away, messages cut, repeated, mixed, slow or endless. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, parseHex } from '@sotto/bytes';
import { type Primitives, primitives } from '@sotto/crypto/primitives';
import {
  createManualClock,
  createRealClock,
  createSeededRandom,
  createSocketPair,
  openChannelPair,
  PAIR_NODE_ID,
  settle,
} from '@sotto/testkit';
import { connectChannel } from '../initiator.ts';
import { RawPeer } from '../raw-peer-for-testing.ts';
import type { ChannelCloseInfo } from '../responder.ts';
import {
  attackerKeys,
  CANARY,
  createBystander,
  fill,
  heldBy,
  MIB,
  type ResponderOptions,
  startResponder,
} from './victims-for-testing.ts';

/** Every u-coordinate of small order on Curve25519 and its twist, also unreduced and with the ignored bit set. */
const LOW_ORDER = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
]
  .map((hex) => parseHex(hex))
  .flatMap((point) => [point, point.with(31, (point[31] as number) | 0x80) as Uint8Array<ArrayBuffer>]);

/** The two messages and the records of a genuine session, as the relay saw them. */
async function recorded() {
  const pair = await openChannelPair();
  pair.channel.request(CANARY);
  while (pair.sockets.sent.filter(({ from }) => from === 'a').length < 2) await settle();
  const of = (side: 'a' | 'b') => pair.sockets.sent.filter(({ from }) => from === side).map(({ bytes }) => bytes);
  const [client, node] = [of('a'), of('b')];
  pair.channel.close();
  return { message1: client[0] as Uint8Array, message2: node[0] as Uint8Array, records: client.slice(1) };
}

interface Outcome {
  readonly closed: ChannelCloseInfo;
  /** What the stranger was sent. */
  readonly answered: number;
}

/** @param act what a stranger does to a fresh responder, whose handshake must then end by itself */
async function strangerTo(
  act: (inject: (bytes: Uint8Array) => void) => Promise<void> | void,
  options: ResponderOptions = {},
): Promise<Outcome> {
  const sockets = createSocketPair();
  const { closed, requests } = startResponder(sockets, options);
  await act((bytes) => sockets.inject('b', bytes));
  const info = await closed;
  assert.equal(requests.length, 0);
  return { closed: info, answered: sockets.sent.length };
}

const failed = (code: string) => ({ kind: 'failed', code, by: 'us' });

async function connectTo(message2: Uint8Array | ((message1: Uint8Array) => Promise<Uint8Array>)): Promise<unknown> {
  const sockets = createSocketPair();
  const options = {
    socket: sockets.a,
    random: createSeededRandom('i'),
    clock: createRealClock(),
    nodeId: PAIR_NODE_ID,
  };
  const connecting = connectChannel(options);
  connecting.catch(() => undefined);
  await settle();
  const message1 = sockets.sent[0]?.bytes as Uint8Array;
  sockets.inject('a', message2 instanceof Uint8Array ? message2 : await message2(message1));
  return connecting;
}

test('CH-03 every point of low order is refused: the client’s key, the node’s fresh key, its static key', async () => {
  const bystander = await createBystander();
  const { message1, message2 } = await recorded();
  for (const point of LOW_ORDER) {
    const outcome = await strangerTo((inject) => inject(concatBytes(point, message1.subarray(32))));
    assert.deepEqual(outcome, { closed: failed('low-order-point'), answered: 0 });
    await assert.rejects(connectTo(concatBytes(point, message2.subarray(32))), { code: 'low-order-point' });
    // A node that claims a static key of low order: its `es` is known to everybody.
    const sockets = createSocketPair();
    const connecting = connectChannel({
      socket: sockets.a,
      random: createSeededRandom('i'),
      clock: createRealClock(),
      nodeId: PAIR_NODE_ID,
    });
    const isStatic = (key: Uint8Array) => key.every((byte) => byte === 4);
    const evil: Primitives = {
      ...primitives,
      dhPublicKey: (key) => (isStatic(key) ? point : primitives.dhPublicKey(key)),
      dh: (key, other) => (isStatic(key) ? fill(32, 1) : primitives.dh(key, other)),
    };
    const options = { role: 'responder', nodeId: PAIR_NODE_ID, keys: attackerKeys(), primitives: evil } as const;
    RawPeer.connect({ socket: sockets.b, ...options }).catch(() => undefined);
    await assert.rejects(connecting, { code: 'low-order-point' });
  }
  await bystander.assertUnharmed();
});

test('CH-04 an ML-KEM key with one coefficient out of range, anywhere, is refused', async () => {
  const { message1 } = await recorded();
  const withCoefficient = (index: number, value: number) => {
    const altered = message1.slice();
    const at = 32 + Math.floor(index / 2) * 3;
    const [a, b, c] = [altered[at] as number, altered[at + 1] as number, altered[at + 2] as number];
    const [low, high] = index % 2 === 0 ? [value, (b >> 4) | (c << 4)] : [a | ((b & 15) << 8), value];
    altered.set([low & 255, (low >> 8) | ((high & 15) << 4), high >> 4], at);
    return altered;
  };
  for (const index of [0, 1, 2, 255, 256, 383, 511, 766, 767]) {
    for (const value of [3329, 3330, 4095]) {
      const outcome = await strangerTo((inject) => inject(withCoefficient(index, value)));
      assert.deepEqual(outcome, { closed: failed('kem-key-not-canonical'), answered: 0 }, `${index}: ${value}`);
    }
    // The largest that is allowed is another key, and a handshake like any other.
    const sockets = createSocketPair();
    startResponder(sockets);
    sockets.inject('b', withCoefficient(index, 3328));
    await settle();
    assert.equal(sockets.sent.length, 1);
  }
});

test('CH-01 messages cut, joined, empty, of one byte or of the largest size end the handshake', async () => {
  const { message1, message2, records } = await recorded();
  const wrong = [
    fill(0, 0),
    message1.subarray(0, 1),
    message1.subarray(0, 1215),
    concatBytes(message1, fill(1, 0)),
    concatBytes(message1, message1),
    concatBytes(message1, records[0] as Uint8Array),
    fill(65_535, 0xff),
  ];
  for (const message of wrong) {
    const outcome = await strangerTo((inject) => inject(message));
    assert.deepEqual(outcome, { closed: failed('handshake-malformed'), answered: 0 });
  }
  for (const message of [fill(0, 0), message2.subarray(0, 1247), concatBytes(message2, fill(1, 0)), message1]) {
    await assert.rejects(connectTo(message), { code: 'handshake-malformed' });
  }
});

test('CH-21 a whole session replayed to the node begins another one, in which nothing of it opens', async () => {
  const { message1, records } = await recorded();
  const outcome = await strangerTo((inject) => {
    inject(message1);
    for (const record of records) inject(record);
  });
  assert.equal(outcome.closed.kind === 'failed' && outcome.closed.code, 'record-forged');
});

test('CH-05 message 2 of another session, or message 1 sent back, makes no channel', async () => {
  const { message2 } = await recorded();
  // The seeds of `recorded` are the same in each run; another client's keys are not.
  const sockets = createSocketPair();
  const options = { socket: sockets.a, clock: createRealClock(), nodeId: PAIR_NODE_ID };
  const connecting = connectChannel({ ...options, random: createSeededRandom('another client') });
  sockets.inject('a', message2);
  await assert.rejects(connecting, { code: 'handshake-failed' });
  const mirrored = connectTo(async (message1) => concatBytes(message1, fill(32, 0)));
  await assert.rejects(mirrored, { code: 'handshake-failed' });
});

test('CH-02 a list of suites that was shortened, lengthened or turned around between the ends makes no channel', async () => {
  const offered = ['sotto-2', 'sotto-1'];
  const told = [
    ['sotto-1'],
    ['sotto-1', 'sotto-2'],
    ['sotto-2', 'sotto-1', 'sotto-1'],
    ['sotto-2', 'plain-0', 'sotto-1'],
  ];
  const attempt = async (suites: readonly string[]) => {
    const sockets = createSocketPair();
    const node = startResponder(sockets, { suites: offered });
    const options = { socket: sockets.a, random: createSeededRandom('i'), clock: createRealClock() };
    const channel = await connectChannel({ ...options, nodeId: PAIR_NODE_ID, suites });
    channel.close();
    await node.closed;
    return sockets.sent.length;
  };
  for (const suites of told) await assert.rejects(attempt(suites), { code: 'handshake-failed' });
  assert.ok((await attempt(offered)) > 2, 'the same list makes a channel');
});

test('CH-06 strangers who say nothing, or connect in hundreds, are gone after ten seconds', async () => {
  const bystander = await createBystander();
  const clock = createManualClock();
  const lines = Array.from({ length: 200 }, () => startResponder(createSocketPair(), { clock }).closed);
  await clock.advance(9_999);
  assert.equal(await Promise.race([...lines, settle().then(() => 'open')]), 'open');
  await clock.advance(1);
  for (const closed of lines) assert.deepEqual(await closed, failed('handshake-timeout'));
  assert.equal(clock.sleeping, 0);
  await bystander.assertUnharmed();
});

test('CH-52 who talks before the handshake is over is heard up to a limit, and costs no more', async () => {
  const { message1 } = await recorded();
  const { bytes, value } = await heldBy(() =>
    strangerTo((inject) => {
      inject(message1);
      for (let i = 0; i < 100; i++) inject(fill(65_535, i));
    }),
  );
  assert.equal(value.closed.kind, 'failed');
  assert.ok(bytes < 2 * MIB, `${bytes} bytes held`);
});
