/** Renewals, rekeys and advice misused: at the wrong time, twice, without end, from another session, to another key. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, encodeUtf8 } from '@sotto/bytes';
import { primitives } from '@sotto/crypto/primitives';
import { createManualClock, createSeededRandom, PAIR_NODE_ID, readBody, settle } from '@sotto/testkit';
import { InitiatorHandshake } from '../initiator-handshake.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import type { Frame, RawPeer } from '../raw-peer-for-testing.ts';
import { answerHandshake } from '../responder-handshake.ts';
import { encodePrologue, encodeRenewalPrologue, SUITE } from '../suite.ts';
import {
  assertEnded,
  attackInitiator,
  attackVerifiedResponder,
  CANARY,
  createBystander,
  EPOCH,
  fill,
  heldBy,
  MIB,
} from './victims-for-testing.ts';

const shared = { random: createSeededRandom('renewals'), primitives, limits: DEFAULT_LIMITS };
const renewalPrologue = (hash: Uint8Array, node = PAIR_NODE_ID, suites: readonly string[] = [SUITE]) =>
  encodeRenewalPrologue(suites, node, hash);

async function isFrame(peer: RawPeer, kind: Frame['kind'], count = 1): Promise<Frame | undefined> {
  for (;;) {
    const found = peer.frames.filter((frame) => frame.kind === kind)[count - 1];
    if (found !== undefined || peer.isClosed) return found;
    await settle();
  }
}

/** One whole renewal by an attacker with a session. @returns the new handshake hash */
async function renew(peer: RawPeer, hash: Uint8Array, count: number): Promise<Uint8Array | undefined> {
  const handshake = new InitiatorHandshake({ ...shared, prologue: renewalPrologue(hash) });
  await peer.send({ kind: 'renew', message: await handshake.begin() });
  const renewed = await isFrame(peer, 'renewed', count);
  if (renewed?.kind !== 'renewed') return undefined;
  const { claim, ciphers } = await handshake.finish(renewed.message);
  peer.next = ciphers;
  await peer.send({ kind: 'switch' });
  await isFrame(peer, 'switch', count);
  return claim.handshakeHash;
}

test('CH-78 endless renewals end the session, and cost no memory', async () => {
  const bystander = await createBystander();
  const attacked = await attackVerifiedResponder();
  const { peer, sockets } = attacked;
  let done = 0;
  const { bytes } = await heldBy(async () => {
    let hash: Uint8Array | undefined = peer.handshakeHash;
    while (hash !== undefined && done < 100) {
      hash = await renew(peer, hash, done + 1);
      if (hash !== undefined) done++;
    }
    (sockets.sent as unknown[]).length = 0;
    peer.frames.length = 0;
  });
  await assertEnded(attacked, 'session-exhausted');
  assert.ok(done >= 16 && done <= 18, `${done} renewals`);
  assert.ok(bytes < 2 * MIB, `${bytes} bytes held`);
  await bystander.assertUnharmed();
});

test('CH-70 message 1 of anything else than this renewal leads to no session keys', async () => {
  const prologues: Record<string, (hash: Uint8Array) => Uint8Array> = {
    'a first handshake': () => encodePrologue([SUITE], PAIR_NODE_ID),
    'another session': () => renewalPrologue(fill(32, 9)),
    'another node': (hash) => renewalPrologue(hash, fill(16, 9)),
    'other suites': (hash) => renewalPrologue(hash, PAIR_NODE_ID, [SUITE, 'sotto-2']),
  };
  for (const [name, prologue] of Object.entries(prologues)) {
    // A node answers, as it answers every stranger; what it answers opens for nobody who meant something else.
    const node = await attackVerifiedResponder();
    const handshake = new InitiatorHandshake({ ...shared, prologue: prologue(node.peer.handshakeHash) });
    await node.peer.send({ kind: 'renew', message: await handshake.begin() });
    const renewed = await isFrame(node.peer, 'renewed');
    assert.ok(renewed?.kind === 'renewed');
    await assert.rejects(handshake.finish(renewed.message), { name: /Error/ }, name);
    // A client refuses an answer to something else, and its session is over before another word is sent.
    const client = await attackInitiator();
    const renewing = client.channel.renew();
    const renew = await client.peer.frame(({ kind }) => kind === 'renew');
    assert.ok(renew?.kind === 'renew');
    const answered = await answerHandshake({
      ...shared,
      message: renew.message,
      prologue: prologue(client.peer.handshakeHash),
      currentEpoch: () => EPOCH,
    });
    await client.peer.send({ kind: 'renewed', message: answered.answer });
    await assert.rejects(renewing, { code: 'handshake-failed' }, name);
    await assertEnded(client, 'handshake-failed');
  }
});

test('CH-74 a renewal to a key that nobody vouched for ends the session before anything is under it', async () => {
  const client = await attackInitiator();
  const { channel, peer } = client;
  const running = channel.request(encodeUtf8('a question'));
  running.head.catch(() => undefined);
  const renewing = channel.renew();
  const renew = await peer.frame(({ kind }) => kind === 'renew');
  assert.ok(renew?.kind === 'renew');
  const thief = { ...EPOCH, staticPrivateKey: fill(32, 0x66) };
  const prologue = renewalPrologue(peer.handshakeHash);
  const answered = await answerHandshake({ ...shared, message: renew.message, prologue, currentEpoch: () => thief });
  await peer.send({ kind: 'renewed', message: answered.answer });
  const renewal = await renewing;
  const waiting = running.write(CANARY);
  waiting.catch(() => undefined);
  const before = peer.frames.length;
  // What verification established is the genuine node's key.
  const { evidenceDigest, epochId } = renewal;
  const genuine = { staticKey: await primitives.dhPublicKey(EPOCH.staticPrivateKey), evidenceDigest, epochId };
  await assert.rejects(renewal.accept(genuine), { code: 'peer-mismatch' });
  await assertEnded(client, 'peer-mismatch');
  await settle();
  assert.ok(peer.frames.slice(before).every(({ kind }) => kind !== 'switch'));
  await assert.rejects(readBody(running.body), { code: 'stream-truncated' });
});

test('CH-72 renew and renewed at the wrong time, twice or together with a switch end the session', async () => {
  const message = concatBytes(await primitives.dhPublicKey(fill(32, 5)), await primitives.kemPublicKey(fill(64, 6)));
  const twice = await attackVerifiedResponder();
  await twice.peer.send({ kind: 'renew', message }, { kind: 'renew', message });
  await assertEnded(twice, 'frame-misplaced');
  const early = await attackVerifiedResponder();
  await early.peer.send({ kind: 'renew', message }, { kind: 'switch' });
  await assertEnded(early, 'frame-misplaced');
  const unasked = await attackInitiator();
  await unasked.peer.send({ kind: 'renewed', message: fill(1248, 7) });
  await assertEnded(unasked, 'frame-misplaced');
});

test('CH-75 after a switch the old key opens nothing, and a record under it ends the session', async () => {
  const attacked = await attackVerifiedResponder();
  const { peer } = attacked;
  const hash = await renew(peer, peer.handshakeHash, 1);
  assert.ok(hash !== undefined);
  // The key and counter from before.
  await peer.sendUnpadded(fill(256, 0), 3);
  await assertEnded(attacked, 'record-forged');
});

test('CH-79 advice without end does nothing but cost its sender the session', async () => {
  const clock = createManualClock();
  const client = await attackInitiator({}, clock);
  let due = 0;
  client.channel.onNotice = () => {
    due += 1;
  };
  const advice: Frame[] = Array.from({ length: 1000 }, () => ({ kind: 'advice', advice: 1 }));
  for (let i = 0; i < 6; i++) await client.peer.send(...advice);
  await client.peer.send({ kind: 'close', reason: 0 });
  await clock.advance(5);
  await assertEnded(client, 'flood');
  assert.equal(due, 8);
});

test('CH-76 streams outlive an attacker’s renewal with their windows as they were', async () => {
  const attacked = await attackVerifiedResponder();
  const { peer } = attacked;
  await peer.send({ kind: 'open', stream: 1, head: CANARY });
  await peer.send({ kind: 'data', stream: 1, bytes: fill(60_000, 1) });
  assert.ok((await renew(peer, peer.handshakeHash, 1)) !== undefined);
  await peer.send({ kind: 'data', stream: 1, bytes: fill(5537, 1) });
  await assertEnded(attacked, 'flow-control');
});
