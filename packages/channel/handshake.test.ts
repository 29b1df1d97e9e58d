/** The handshake of suite `sotto-1`: our vectors, every byte flipped, and what a hostile peer may try. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeHex, parseHex } from '@sotto/bytes';
import { CryptoError, type Primitives, primitives } from '@sotto/crypto/primitives';
import { primitives as webPrimitives } from '@sotto/crypto/primitives/web';
import { encapsulateFromSeed } from '@sotto/crypto/seeded-kem';
import type { Random } from '@sotto/ports';
import {
  createManualClock,
  createRealClock,
  createSeededRandom,
  createSocketPair,
  PAIR_NODE_ID,
  settle,
  startChannelPair,
} from '@sotto/testkit';
import { ChannelError } from './errors.ts';
import { IncomingSocket } from './incoming-socket.ts';
import { connectChannel } from './initiator.ts';
import { HandshakeState } from './noise/handshake.ts';
import { NX_HFS } from './noise/pattern.ts';
import { runSync } from './noise/steps.ts';
import { acceptChannel } from './responder.ts';
import { ALGORITHMS, encodeNodeStatement, encodePrologue, parseNodeStatement } from './suite.ts';
import { type Case, loadVectors } from './vectors-for-testing.ts';

type Hex = Record<`${string}_hex`, string>;
type Refused = Case & { to: 'initiator' | 'responder'; message1_hex?: string; message2_hex?: string };
const vector = loadVectors<Hex & { offered_suites: string[]; refused: Refused[] }>('handshake.json');
const bytes = (name: `${string}_hex`) => parseHex(vector[name] as string);
const nodeId = bytes('node_id_hex');
const fill = (length: number, value: number) => new Uint8Array(length).fill(value);
const seeded: Primitives = {
  ...primitives,
  encapsulate: encapsulateFromSeed(bytes('encapsulation_seed_hex')),
};
const hasCode = (code: string) => (error: unknown) => error instanceof ChannelError && error.code === code;

const initiatorState = (prologue = encodePrologue(vector.offered_suites, nodeId)) =>
  new HandshakeState({
    pattern: NX_HFS,
    algorithms: ALGORITHMS,
    role: 'initiator',
    prologue,
    keys: { ephemeral: bytes('initiator_ephemeral_hex'), hybrid: bytes('initiator_kem_seed_hex') },
  });
const responderState = (prologue = encodePrologue(vector.offered_suites, nodeId)) =>
  new HandshakeState({
    pattern: NX_HFS,
    algorithms: ALGORITHMS,
    role: 'responder',
    prologue,
    keys: { ephemeral: bytes('responder_ephemeral_hex'), static: bytes('responder_static_hex') },
  });

/** Gives exactly these values, in order. */
function listed(...values: Uint8Array<ArrayBuffer>[]): Random {
  return {
    bytes(length) {
      const value = values.shift() as Uint8Array<ArrayBuffer>;
      assert.equal(value.length, length);
      return value;
    },
  };
}

/** What a real initiator makes of this message 2. */
async function connect(message2: Uint8Array, options: { primitives?: Primitives } = {}) {
  const sockets = createSocketPair();
  sockets.b.onMessage = () => sockets.b.send(message2);
  return connectChannel({
    socket: sockets.a,
    random: listed(bytes('initiator_ephemeral_hex'), bytes('initiator_kem_seed_hex')),
    clock: createRealClock(),
    nodeId,
    ...options,
  });
}

/** How a real responder ends after this message 1, and what it answered. */
async function accept(message1: Uint8Array, options: { primitives?: Primitives } = {}) {
  const sockets = createSocketPair();
  const channel = acceptChannel({
    socket: sockets.b,
    random: listed(bytes('responder_ephemeral_hex')),
    clock: createRealClock(),
    nodeId,
    currentEpoch: () => ({
      epochId: bytes('epoch_id_hex'),
      staticPrivateKey: bytes('responder_static_hex'),
      evidence: new Uint8Array(0),
      evidenceDigest: bytes('evidence_digest_hex'),
    }),
    onRequest: () => undefined,
    primitives: seeded,
    ...options,
  });
  const answer = new Promise<Uint8Array>((resolve) => {
    sockets.a.onMessage = resolve;
  });
  sockets.a.send(message1);
  return { channel, answer };
}

async function refused(rule: string): Promise<void> {
  const cases = vector.refused.filter((one) => one.rule === rule);
  assert.ok(cases.length > 0);
  for (const { id, to, message1_hex, message2_hex, expect } of cases) {
    const { code } = expect as { code: string };
    if (to === 'initiator') await assert.rejects(connect(parseHex(message2_hex ?? '')), hasCode(code), id);
    else {
      const { channel } = await accept(parseHex(message1_hex ?? ''));
      assert.deepEqual(await channel.closed, { kind: 'failed', code, by: 'us' }, id);
    }
  }
}

test('CH-07 both ends reproduce the vector, every byte, with every implementation', async () => {
  for (const own of [primitives, webPrimitives]) {
    const { channel, answer } = await accept(bytes('message1_hex'));
    assert.equal(encodeHex(await answer), vector.message2_hex);
    channel.close();
    const unverified = await connect(bytes('message2_hex'), { primitives: own });
    assert.equal(encodeHex(unverified.handshakeHash), vector.handshake_hash_hex);
    assert.deepEqual(unverified.evidenceDigest, bytes('evidence_digest_hex'));
    assert.deepEqual(unverified.epochId, bytes('epoch_id_hex'));
    assert.deepEqual(unverified.staticKey, await primitives.dhPublicKey(bytes('responder_static_hex')));
    unverified.close();
  }
  const [initiator, responder] = [initiatorState(), responderState()];
  const message1 = runSync(initiator.writeMessage(new Uint8Array(0)), seeded);
  assert.equal(encodeHex(message1), vector.message1_hex);
  runSync(responder.readMessage(message1), seeded);
  const statement = encodeNodeStatement(bytes('evidence_digest_hex'), bytes('epoch_id_hex'));
  runSync(initiator.readMessage(runSync(responder.writeMessage(statement), seeded)), seeded);
  const keys = { fromInitiator: bytes('from_initiator_key_hex'), fromResponder: bytes('from_responder_key_hex') };
  assert.deepEqual(initiator.split(), keys);
  assert.deepEqual(responder.split(), keys);
});

test('CH-01 a message of another length is refused', { timeout: 6000 }, () => refused('CH-01'));

test('CH-02 another node, suite, version or list of suites ends the handshake', async () => {
  assert.equal(encodeHex(encodePrologue(['sotto-1'], nodeId)), vector.prologue_hex);
  await refused('CH-02');
  const views = [{ expectedNodeId: fill(16, 1) }, { suites: ['sotto-2', 'sotto-1'] }, { suites: [] }];
  for (const view of views) await assert.rejects(startChannelPair(view).connecting, hasCode('handshake-failed'));
});

test('CH-03 a point of low order is refused, also where the library would let it pass', async () => {
  await refused('CH-03');
  const lenient: Primitives = { ...seeded, dh: () => new Uint8Array(32) };
  await assert.rejects(connect(bytes('message2_hex'), { primitives: lenient }), hasCode('low-order-point'));
  const { channel } = await accept(bytes('message1_hex'), { primitives: lenient });
  assert.deepEqual(await channel.closed, { kind: 'failed', code: 'low-order-point', by: 'us' });
});

test('CH-04 an ML-KEM key that is not canonical is refused, also where the library would let it pass', async () => {
  await refused('CH-04');
  const lenient: Primitives = {
    ...seeded,
    encapsulate: () => ({ ciphertext: new Uint8Array(1088), sharedSecret: fill(32, 1) }),
  };
  for (const one of vector.refused.filter(({ rule }) => rule === 'CH-04')) {
    const { channel } = await accept(parseHex(one.message1_hex ?? ''), { primitives: lenient });
    assert.deepEqual(await channel.closed, { kind: 'failed', code: 'kem-key-not-canonical', by: 'us' });
  }
});

test('CH-05 every byte of both messages, flipped, ends the handshake', async () => {
  (await connect(bytes('message2_hex'))).close();
  await refused('CH-05');
  const flip = (message: Uint8Array, at: number) => {
    const altered = message.slice();
    altered[at] = (altered[at] as number) ^ (1 << (at % 8));
    return altered;
  };
  const isRefusal = (error: unknown) => error instanceof CryptoError || error instanceof ChannelError;
  const publicKey = await primitives.dhPublicKey(bytes('initiator_ephemeral_hex'));
  const kemKey = await primitives.kemPublicKey(bytes('initiator_kem_seed_hex'));
  const quick: Primitives = { ...primitives, dhPublicKey: () => publicKey, kemPublicKey: () => kemKey };
  const initiator = () => {
    const state = initiatorState();
    runSync(state.writeMessage(new Uint8Array(0)), quick);
    return state;
  };
  const honest = encodeHex(initiator().handshakeHash);
  const statement = encodeNodeStatement(bytes('evidence_digest_hex'), bytes('epoch_id_hex'));
  const message1 = bytes('message1_hex');
  for (let at = 0; at < message1.length; at++) {
    const responder = responderState();
    try {
      runSync(responder.readMessage(flip(message1, at)), primitives);
    } catch (error) {
      assert.ok(isRefusal(error));
      continue;
    }
    // What was read differs, so what answers it cannot open; shown in full for some bytes.
    assert.notEqual(encodeHex(responder.handshakeHash), honest, `message 1, byte ${at}`);
    if (at % 97 !== 0) continue;
    const answer = runSync(responder.writeMessage(statement), primitives);
    assert.throws(() => runSync(initiator().readMessage(answer), primitives), isRefusal, `message 1, byte ${at}`);
  }
  const message2 = bytes('message2_hex');
  for (let at = 0; at < message2.length; at++) {
    const altered = flip(message2, at);
    assert.throws(() => runSync(initiator().readMessage(altered), primitives), isRefusal, `message 2, byte ${at}`);
  }
});

test('CH-06 a handshake that does not go on is given up, at both ends', async () => {
  const stillWaiting = () => settle().then(() => 'waiting');
  const clock = createManualClock();
  const alone = createSocketPair();
  const options = { socket: alone.a, random: createSeededRandom('initiator'), clock, nodeId };
  const initiator = connectChannel(options).then(
    () => 'connected',
    (error: ChannelError) => error.code,
  );
  await clock.advance(9_999);
  assert.equal(await Promise.race([initiator, stillWaiting()]), 'waiting');
  await clock.advance(1);
  assert.equal(await Promise.race([initiator, stillWaiting()]), 'handshake-timeout');
  const responder = acceptChannel({
    ...options,
    socket: createSocketPair().b,
    currentEpoch: () => assert.fail('nobody asked'),
    onRequest: () => undefined,
  });
  await clock.advance(10_000);
  const expected = { kind: 'failed', code: 'handshake-timeout', by: 'us' };
  assert.deepEqual(await Promise.race([responder.closed, stillWaiting()]), expected);
});

test('CH-08 ephemeral keys are overwritten when a handshake ends, well or not', async () => {
  for (const message2 of [bytes('message2_hex'), fill(1248, 1)]) {
    const [ephemeral, seed] = [bytes('initiator_ephemeral_hex'), bytes('initiator_kem_seed_hex')];
    const sockets = createSocketPair();
    sockets.b.onMessage = () => sockets.b.send(message2);
    const random = listed(ephemeral, seed);
    const options = { socket: sockets.a, random, clock: createRealClock(), nodeId };
    await connectChannel(options).then(
      (channel) => channel.close(),
      () => undefined,
    );
    assert.deepEqual([ephemeral, seed], [new Uint8Array(32), new Uint8Array(64)]);
  }
});

test('a handshake ends with its signal, and with its line', async () => {
  const options = () => {
    const sockets = createSocketPair();
    const random = createSeededRandom('initiator');
    return { sockets, connect: { socket: sockets.a, random, clock: createRealClock(), nodeId: PAIR_NODE_ID } };
  };
  const stopped = options();
  const stop = new AbortController();
  const connecting = connectChannel({ ...stopped.connect, signal: stop.signal });
  stop.abort(new Error('enough'));
  await assert.rejects(connecting, { message: 'enough' });
  const cut = options();
  const waiting = connectChannel(cut.connect);
  cut.sockets.cut();
  await assert.rejects(waiting, hasCode('session-truncated'));
});

test('CH-52 what arrives before the handshake is over has a limit', async () => {
  const sockets = createSocketPair();
  let closedWith: string | undefined;
  sockets.b.onClose = (_, reason) => {
    closedWith = reason;
  };
  new IncomingSocket(sockets.a);
  for (let i = 0; i < 4; i++) sockets.inject('a', fill(65_535, 0));
  await settle();
  assert.equal(closedWith, undefined);
  sockets.inject('a', fill(5, 0));
  await settle();
  assert.equal(closedWith, 'backlog');
});

test('the statement of message 2 has one length', () => {
  const statement = encodeNodeStatement(fill(32, 1), fill(16, 2));
  assert.deepEqual(parseNodeStatement(statement), { evidenceDigest: fill(32, 1), epochId: fill(16, 2) });
  assert.throws(() => parseNodeStatement(statement.slice(1)));
  assert.throws(() => parseNodeStatement(fill(49, 1)));
});
