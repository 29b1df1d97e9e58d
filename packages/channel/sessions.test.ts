/** Whole sessions against our vectors: a raw peer plays the frames to a real end, and the end says how it ended. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, encodeUtf8 } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import { createRealClock, createSeededRandom, createSocketPair, PAIR_NODE_ID } from '@sotto/testkit';
import fc from 'fast-check';
import type { Frame } from './frames.ts';
import { connectChannel } from './initiator.ts';
import type { ChannelLimits } from './limits.ts';
import { RawPeer } from './raw-peer-for-testing.ts';
import { acceptChannel, type IncomingRequest } from './responder.ts';
import type { ChannelCloseInfo } from './session.ts';
import { type Case, loadVectors, parseShortHex } from './vectors-for-testing.ts';

interface SessionCase extends Case {
  readonly to: 'initiator' | 'responder';
  readonly records: readonly (readonly string[])[];
}

const { cases } = loadVectors<{ cases: SessionCase[] }>('sessions.json');
const fill = (length: number, value: number) => new Uint8Array(length).fill(value);

interface Target {
  readonly peer: RawPeer;
  readonly closed: Promise<ChannelCloseInfo>;
}

function onRequest(request: IncomingRequest): void {
  if (request.head.length === 6) void request.respond(encodeUtf8('ok')).end();
}

async function responderTarget(limits: Partial<ChannelLimits> = {}): Promise<Target> {
  const sockets = createSocketPair();
  const evidence = encodeUtf8('evidence');
  const { closed } = acceptChannel({
    socket: sockets.b,
    random: createSeededRandom('responder'),
    clock: createRealClock(),
    nodeId: PAIR_NODE_ID,
    currentEpoch: () => ({
      epochId: fill(16, 3),
      staticPrivateKey: fill(32, 4),
      evidence,
      evidenceDigest: sha256(evidence),
    }),
    onRequest,
    limits,
  });
  const keys = { ephemeral: fill(32, 1), hybrid: fill(64, 2) };
  return { peer: await RawPeer.connect({ socket: sockets.a, role: 'initiator', nodeId: PAIR_NODE_ID, keys }), closed };
}

async function initiatorTarget(): Promise<Target> {
  const sockets = createSocketPair();
  const connecting = connectChannel({
    socket: sockets.a,
    random: createSeededRandom('initiator'),
    clock: createRealClock(),
    nodeId: PAIR_NODE_ID,
  });
  const keys = { ephemeral: fill(32, 1), static: fill(32, 4) };
  const peer = await RawPeer.connect({ socket: sockets.b, role: 'responder', nodeId: PAIR_NODE_ID, keys });
  const unverified = await connecting;
  const channel = unverified.promote(unverified);
  for (const head of ['a', 'b']) channel.request(encodeUtf8(head));
  return { peer, closed: channel.closed };
}

async function sessions(rule: string): Promise<void> {
  const chosen = cases.filter((one) => one.rule === rule);
  assert.ok(chosen.length > 0);
  for (const { id, to, records, expect } of chosen) {
    const { peer, closed } = await (to === 'responder' ? responderTarget() : initiatorTarget());
    for (const frames of records) await peer.sendPlaintext(concatBytes(...frames.map(parseShortHex)));
    if (expect === 'accept') {
      await peer.send({ kind: 'ping', token: fill(8, 9) });
      const pong = await peer.frame((frame) => frame.kind === 'pong');
      assert.ok(pong, `${id}: the session was over`);
      await peer.send({ kind: 'close', reason: 0 });
      assert.deepEqual(await closed, { kind: 'closed', by: 'peer' }, id);
    } else if (expect === 'closed') assert.deepEqual(await closed, { kind: 'closed', by: 'peer' }, id);
    else {
      await peer.send({ kind: 'close', reason: 0 });
      assert.deepEqual(await closed, { kind: 'failed', by: 'us', ...(expect as object) }, id);
    }
  }
}

test('CH-10 nothing but the evidence is open before verification', () => sessions('CH-10'));
test('CH-11 stream 0 is opened once, empty, and before verification', () => sessions('CH-11'));
test('CH-19 verified is sent once', () => sessions('CH-19'));
test('CH-30 a session ends at an unknown kind', () => sessions('CH-30'));
test('CH-32 a session ends at a frame from the wrong side', () => sessions('CH-32'));
test('CH-36 a pong answers a ping', () => sessions('CH-36'));
test('CH-40 streams are numbered one after the other', () => sessions('CH-40'));
test('CH-41 a frame belongs to a stream that was opened', () => sessions('CH-41'));
test('CH-43 data stays within its credit', () => sessions('CH-43'));
test('CH-44 nothing follows an end', () => sessions('CH-44'));
test('CH-45 an answer is one head, data, one end', () => sessions('CH-45'));
test('CH-49 credit has a sum', () => sessions('CH-49'));

test('CH-60 a session follows its peer from key to key', () => sessions('CH-60'));
test('CH-61 a session ends at what follows the end of a key', () => sessions('CH-61'));
test('CH-62 a session ends at an answer that keeps its key', () => sessions('CH-62'));

test('CH-21 a replayed, reordered or forged record ends a session', async () => {
  for (const counter of [0, 2, 7]) {
    const { peer, closed } = await responderTarget();
    await peer.send({ kind: 'verified' });
    await peer.sendUnpadded(fill(256, 0), counter);
    assert.deepEqual(await closed, { kind: 'failed', code: 'record-forged', by: 'us' });
  }
});

test('CH-20 a session ends at a record of another size', async () => {
  for (const bytes of [fill(0, 0), fill(16, 0), fill(271, 0), fill(65_534, 0)]) {
    const { peer, closed } = await responderTarget();
    peer.sendBytes(bytes);
    assert.deepEqual(await closed, { kind: 'failed', code: 'record-malformed', by: 'us' });
  }
});

test('CH-23 a session ends after its last record', async () => {
  const { peer, closed } = await responderTarget({ recordsPerDirection: 3 });
  for (let i = 0; i < 4; i++) await peer.sendPlaintext(fill(1, 0));
  assert.deepEqual(await closed, { kind: 'failed', code: 'session-exhausted', by: 'us' });
});

test('CH-42 the 129th open stream is reset, and the others go on', { timeout: 6000 }, async () => {
  const { peer, closed } = await responderTarget();
  await peer.send({ kind: 'verified' });
  for (let stream = 1; stream <= 129; stream++) await peer.send({ kind: 'open', stream, head: encodeUtf8('h') });
  assert.deepEqual(await peer.frame((frame) => frame.kind === 'error'), { kind: 'error', stream: 129, reset: 2 });
  await peer.send({ kind: 'cancel', stream: 1 }, { kind: 'open', stream: 130, head: encodeUtf8('answer') });
  assert.ok(await peer.frame((frame) => frame.kind === 'end' && frame.stream === 130));
  await peer.send({ kind: 'close', reason: 0 });
  assert.deepEqual(await closed, { kind: 'closed', by: 'peer' });
});

test('CH-50 a responder gives up a peer that says nothing', { timeout: 6000 }, async () => {
  const { closed } = await responderTarget({ tickMs: 2, silentTicks: 3 });
  assert.deepEqual(await closed, { kind: 'failed', code: 'session-idle', by: 'us' });
});

test('CH-52 records that wait to be opened have a limit', async () => {
  const { peer, closed } = await responderTarget({ incomingBacklogBytes: 1000 });
  peer.sendBytes(fill(1001, 0));
  assert.deepEqual(await closed, { kind: 'failed', code: 'backlog', by: 'us' });
});

test('any frames in any order leave a session open or end it with one of our codes', async () => {
  const stream = fc.constantFrom(0, 1, 2, 3, 0x80000000);
  const small = fc.uint8Array({ minLength: 1, maxLength: 20 });
  const frame: fc.Arbitrary<Frame> = fc.oneof(
    fc.constant<Frame>({ kind: 'verified' }),
    fc.record({ kind: fc.constantFrom('open' as const, 'head' as const), stream, head: small }),
    fc.record({ kind: fc.constantFrom('end' as const, 'cancel' as const), stream }),
    fc.record({ kind: fc.constant('data' as const), stream, bytes: small }),
    fc.record({ kind: fc.constant('credit' as const), stream, bytes: fc.integer({ min: 1, max: 2 ** 32 - 1 }) }),
    fc.record({ kind: fc.constant('error' as const), stream, reset: fc.nat(9) }),
  );
  const record = fc.oneof({ weight: 5, arbitrary: fc.array(frame, { maxLength: 6 }) }, { weight: 1, arbitrary: small });
  const target = fc.constantFrom(responderTarget, initiatorTarget);
  await fc.assert(
    fc.asyncProperty(target, fc.array(record, { minLength: 1, maxLength: 6 }), async (create, records) => {
      const { peer, closed } = await create();
      for (const one of records) await (Array.isArray(one) ? peer.send(...one) : peer.sendPlaintext(one));
      await peer.send({ kind: 'close', reason: 0 });
      const info = await closed;
      if (info.kind === 'failed') assert.match(info.code, /^(frame-|not-verified|flow-control|rekey-missing)/);
    }),
    { numRuns: 60 },
  );
});
