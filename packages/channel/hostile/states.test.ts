/** The state machines of the specification, cell by cell: every frame in every state, at both ends (spec/channel.md). */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { concatBytes, encodeUtf8 } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import { primitives } from '@sotto/crypto/primitives';
import { createRealClock, createSeededRandom, createSocketPair, PAIR_NODE_ID, settle } from '@sotto/testkit';
import { type ChannelError, type ChannelErrorCode, connectChannel, type UnverifiedChannel } from '../initiator.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import { encodeFrame, type Frame, RawPeer } from '../raw-peer-for-testing.ts';
import { acceptChannel, type ChannelCloseInfo } from '../responder.ts';
import { answerHandshake } from '../responder-handshake.ts';
import { encodeRenewalPrologue, SUITE } from '../suite.ts';
import { attackerKeys, CANARY, EPOCH, fill } from './victims-for-testing.ts';

interface Cell {
  readonly frame: string;
  readonly state: string;
  readonly expect: string;
}

/** The cells of the table below the line that begins so. */
function readCells(opening: string): Cell[] {
  const text = readFileSync(new URL('../../../spec/channel.md', import.meta.url), 'utf8');
  const lines = text.slice(text.indexOf(`\n${opening}`)).split('\n');
  const rows = lines.slice(lines.findIndex((line) => line.startsWith('| frame |')));
  const table = rows.slice(
    0,
    rows.findIndex((line) => !line.startsWith('|')),
  );
  const cells = (line: string) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
  const [head = '', , ...body] = table;
  const states = cells(head).slice(1);
  return body.flatMap((line) => {
    const [frame = '', ...expected] = cells(line);
    assert.equal(expected.length, states.length, line);
    return states.map((state, place) => ({ frame, state, expect: expected[place] ?? '' }));
  });
}

interface Situation {
  readonly peer: RawPeer;
  ended(): Promise<ChannelCloseInfo>;
  /** Message 2 of the renewal that is asked for. */
  readonly answer?: Uint8Array;
}

const data = (stream: number): Frame => ({ kind: 'data', stream, bytes: encodeUtf8('x') });
const end = (stream: number): Frame => ({ kind: 'end', stream });
const credit = (stream: number): Frame => ({ kind: 'credit', stream, bytes: 1 });
const cancel = (stream: number): Frame => ({ kind: 'cancel', stream });
const head = (stream: number): Frame => ({ kind: 'head', stream, head: encodeUtf8('h') });
const open = (stream: number, words = ''): Frame => ({ kind: 'open', stream, head: encodeUtf8(words) });
const error = (stream: number): Frame => ({ kind: 'error', stream, reset: 1 });
const shape = (profile: number): Frame => ({ kind: 'shape', profile });
const rekey: Frame = { kind: 'rekey' };
const unknown = Uint8Array.of(0x7f);

async function message1(): Promise<Uint8Array> {
  const { ephemeral, hybrid } = attackerKeys(0x31);
  return concatBytes(await primitives.dhPublicKey(ephemeral), await primitives.kemPublicKey(hybrid));
}

// The responder. Streams, where there are any: 1 open, 2 open with its body whole, 3 cancelled.

const TO_RESPONDER: Record<string, readonly Frame[] | Uint8Array> = {
  verified: [{ kind: 'verified' }],
  'open, stream 0': [open(0)],
  'open, the next number': [open(4, 'next')],
  'open, a number used': [open(2, 'again')],
  'open, a number skipped': [open(5, 'skipped')],
  'data, open': [data(1)],
  'data, ended': [data(2)],
  'data, over': [data(3)],
  'data, never opened': [data(9)],
  'data, stream 0': [data(0)],
  'end, open': [end(1)],
  'end, ended': [end(2)],
  'end, over': [end(3)],
  'end, never opened': [end(9)],
  'end, stream 0': [end(0)],
  'credit, open': [credit(1)],
  'credit, over': [credit(3)],
  'credit, never opened': [credit(9)],
  'credit, stream 0': [credit(0)],
  'cancel, open': [cancel(1)],
  'cancel, over': [cancel(3)],
  'cancel, never opened': [cancel(9)],
  'cancel, stream 0': [cancel(0)],
  'padding alone': [],
  ping: [{ kind: 'ping', token: fill(8, 1) }],
  'pong, unasked': [{ kind: 'pong', token: fill(8, 1) }],
  rekey: [rekey],
  renew: [{ kind: 'renew', message: await message1() }],
  'renew, malformed': [{ kind: 'renew', message: fill(1215, 9) }],
  switch: [{ kind: 'switch' }],
  shape: [{ kind: 'shape', profile: 1 }],
  'verified and shape': [{ kind: 'verified' }, shape(1)],
  'verified and shape twice': [{ kind: 'verified' }, shape(1), shape(1)],
  'verified and shape, unknown': [{ kind: 'verified' }, shape(3)],
  head: [head(1)],
  error: [error(1)],
  renewed: [{ kind: 'renewed', message: fill(1248, 9) }],
  advice: [{ kind: 'advice', advice: 1 }],
  close: [{ kind: 'close', reason: 0 }],
  unknown: unknown,
};

async function responderIn(state: string): Promise<Situation> {
  const sockets = createSocketPair();
  const evidence = fill(100_000, 5);
  const channel = acceptChannel({
    socket: sockets.b,
    random: createSeededRandom('responder'),
    clock: createRealClock(),
    nodeId: PAIR_NODE_ID,
    currentEpoch: () => ({ ...EPOCH, evidence, evidenceDigest: sha256(evidence) }),
    onRequest: () => undefined,
  });
  const keys = attackerKeys();
  const peer = await RawPeer.connect({ socket: sockets.a, role: 'initiator', nodeId: PAIR_NODE_ID, keys });
  if (state === 'fetching') {
    await peer.send(open(0));
    await peer.frame(({ kind }) => kind === 'data');
  } else if (state === 'closed') {
    await peer.send({ kind: 'close', reason: 0 });
    await channel.closed;
  } else if (state !== 'unverified') {
    await peer.send({ kind: 'verified' }, open(1), open(2), end(2), open(3), cancel(3));
  }
  if (state === 'renewing') {
    await peer.send({ kind: 'renew', message: await message1() });
    await peer.frame(({ kind }) => kind === 'renewed');
  }
  if (state === 'leaving') {
    await assertAlive({ peer }, 'before it leaves');
    channel.leave();
    await peer.frame(({ kind }) => kind === 'advice');
  }
  return { peer, ended: () => channel.closed };
}

// The initiator. Streams, where there are any: 1 waits for its head, 2 has it, 3 cancelled.

const TO_INITIATOR: Record<string, readonly Frame[] | Uint8Array | ((situation: Situation) => readonly Frame[])> = {
  'head, open': [head(1)],
  'head, a second': [head(2)],
  'head, over': [head(3)],
  'head, never opened': [head(9)],
  'data, after a head': [data(2)],
  'data, before a head': [data(1)],
  'data, over': [data(3)],
  'data, never opened': [data(9)],
  'data, stream 0': [data(0)],
  'end, after a head': [end(2), rekey],
  'end, without rekey': [end(2)],
  'end, before a head': [end(1), rekey],
  'end, over': [end(3), rekey],
  'end, stream 0': [end(0), rekey],
  'error, open': [error(1), rekey],
  'error, over': [error(3), rekey],
  'error, never opened': [error(9), rekey],
  'error, stream 0': [error(0), rekey],
  'credit, open': [credit(1)],
  'credit, over': [credit(3)],
  'credit, never opened': [credit(9)],
  'padding alone': [],
  ping: [{ kind: 'ping', token: fill(8, 1) }],
  'pong, unasked': [{ kind: 'pong', token: fill(8, 1) }],
  rekey: [rekey],
  renewed: ({ answer }) => [{ kind: 'renewed', message: answer ?? fill(1248, 9) }],
  'renewed, of another session': [{ kind: 'renewed', message: await foreignMessage2() }],
  switch: [{ kind: 'switch' }],
  advice: [{ kind: 'advice', advice: 1 }],
  'advice, unknown': [{ kind: 'advice', advice: 77 }],
  verified: [{ kind: 'verified' }],
  open: [open(1)],
  cancel: [cancel(1)],
  renew: [{ kind: 'renew', message: await message1() }],
  shape: [{ kind: 'shape', profile: 1 }],
  close: [{ kind: 'close', reason: 0 }],
  unknown: unknown,
};

function answer(message: Uint8Array, handshakeHash: Uint8Array) {
  return answerHandshake({
    message,
    prologue: encodeRenewalPrologue([SUITE], PAIR_NODE_ID, handshakeHash),
    random: createSeededRandom('renewal'),
    primitives,
    limits: DEFAULT_LIMITS,
    currentEpoch: () => EPOCH,
  });
}

async function foreignMessage2(): Promise<Uint8Array> {
  return (await answer(await message1(), fill(32, 0))).answer;
}

async function initiatorIn(state: string): Promise<Situation> {
  const sockets = createSocketPair();
  const connecting = connectChannel({
    socket: sockets.a,
    random: createSeededRandom('initiator'),
    clock: createRealClock(),
    nodeId: PAIR_NODE_ID,
  });
  const keys = attackerKeys();
  const peer = await RawPeer.connect({ socket: sockets.b, role: 'responder', nodeId: PAIR_NODE_ID, keys });
  const unverified = await connecting;
  if (state === 'unverified' || state === 'fetching') {
    const fetched = state === 'fetching' ? unverified.fetchEvidence(1000) : undefined;
    const refused = fetched?.then(() => undefined).catch((caught: ChannelError) => caught.code);
    if (fetched !== undefined) await peer.frame(({ kind }) => kind === 'open');
    return { peer, ended: () => endOf(unverified, peer, refused) };
  }
  const channel = unverified.promote(unverified);
  const ended = () => channel.closed;
  for (const word of ['waiting', 'answered', 'over']) {
    const stream = channel.request(encodeUtf8(word));
    stream.head.catch(() => undefined);
    if (word === 'over') stream.cancel();
  }
  await peer.frame(({ kind }) => kind === 'cancel');
  await peer.send(head(2));
  if (state === 'closed') {
    await peer.send({ kind: 'close', reason: 0 });
    await ended();
  }
  if (state !== 'asked' && state !== 'deciding' && state !== 'switching') return { peer, ended };
  const renewing = channel.renew();
  renewing.catch(() => undefined);
  const renew = await peer.frame(({ kind }) => kind === 'renew');
  assert.ok(renew?.kind === 'renew');
  const answered = await answer(renew.message, peer.handshakeHash);
  if (state !== 'asked') {
    await peer.send({ kind: 'renewed', message: answered.answer });
    const renewal = await renewing;
    peer.next = answered.ciphers;
    if (state === 'switching') {
      renewal.accept(renewal).catch(() => undefined);
      await peer.frame(({ kind }) => kind === 'switch');
    }
  }
  return { peer, ended, answer: answered.answer };
}

/** How an unverified channel ended: it says so to who would promote it. */
async function endOf(
  unverified: UnverifiedChannel,
  peer: RawPeer,
  refused: Promise<ChannelErrorCode | undefined> | undefined,
): Promise<ChannelCloseInfo> {
  await peer.frame(() => peer.isClosed);
  const evidence = await refused;
  if (evidence?.startsWith('evidence')) return { kind: 'failed', code: evidence, by: 'us' };
  try {
    unverified.promote(unverified);
  } catch (caught) {
    const { code } = caught as ChannelError;
    return code === 'session-closed' ? { kind: 'closed', by: 'peer' } : { kind: 'failed', code, by: 'us' };
  }
  return { kind: 'closed', by: 'us' };
}

async function assertAlive({ peer }: Pick<Situation, 'peer'>, where: string): Promise<void> {
  const token = fill(8, 0x77);
  await peer.send({ kind: 'ping', token });
  const pong = await peer.frame((frame) => frame.kind === 'pong' && frame.token[0] === 0x77);
  assert.ok(pong, `${where}: the session is over`);
}

async function play(cell: Cell, situation: Situation, sent: readonly Frame[] | Uint8Array): Promise<void> {
  const { peer, ended } = situation;
  const where = `${cell.frame}, ${cell.state}`;
  const before = peer.frames.length;
  await peer.sendPlaintext(sent instanceof Uint8Array ? sent : concatBytes(...sent.map(encodeFrame)));
  if (cell.state === 'closed') {
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(await ended(), { kind: 'closed', by: 'peer' }, where);
    assert.equal(peer.frames.length, before, where);
    return;
  }
  if (cell.expect === 'closed') assert.deepEqual(await ended(), { kind: 'closed', by: 'peer' }, where);
  else if (cell.expect !== 'ok' && cell.expect !== 'dropped') {
    // Where nothing refuses, the session ends in order, and that is a failure. A handshake is refused some turns later.
    await settle();
    await peer.send({ kind: 'close', reason: 0 });
    assert.deepEqual(await ended(), { kind: 'failed', code: cell.expect, by: 'us' }, where);
  } else if (cell.frame === 'switch' && cell.state === 'renewing') {
    // What follows is under keys that this peer never made.
    assert.ok(await peer.frame(({ kind }) => kind === 'switch'), where);
  } else {
    await assertAlive(situation, where);
    const said = peer.frames.slice(before).filter(({ kind }) => kind !== 'pong' && kind !== 'rekey');
    if (cell.expect === 'dropped') assert.deepEqual(said, [], where);
    await peer.send({ kind: 'close', reason: 0 });
    assert.deepEqual(await ended(), { kind: 'closed', by: 'peer' }, where);
  }
}

test('CH-32 every frame in every state of the responder does what the table says', { timeout: 60_000 }, async () => {
  const cells = readCells('Responder, what the initiator sends:');
  assert.deepEqual([...new Set(cells.map(({ frame }) => frame))], Object.keys(TO_RESPONDER));
  for (const cell of cells) {
    const sent = TO_RESPONDER[cell.frame];
    assert.ok(sent);
    await play(cell, await responderIn(cell.state), sent);
  }
});

test('CH-32 every frame in every state of the initiator does what the table says', { timeout: 60_000 }, async () => {
  const cells = readCells('Initiator, what the responder sends');
  assert.deepEqual([...new Set(cells.map(({ frame }) => frame))], Object.keys(TO_INITIATOR));
  for (const cell of cells) {
    const situation = await initiatorIn(cell.state);
    const sent = TO_INITIATOR[cell.frame];
    assert.ok(sent);
    await play(cell, situation, typeof sent === 'function' ? sent(situation) : sent);
  }
});

test('the tables have a row for every frame there is', () => {
  const spec = readFileSync(new URL('../../../spec/channel.md', import.meta.url), 'utf8');
  const names = [...spec.matchAll(/^\| 0x[0-9a-f]{2} \| (\w+) \|/gm)].map(([, name]) => name);
  assert.ok(names.length > 15);
  for (const table of [TO_RESPONDER, TO_INITIATOR]) {
    for (const name of names)
      assert.ok(
        Object.keys(table).some((row) => row.split(/[ ,]/)[0] === name),
        name,
      );
  }
  assert.ok(CANARY.length > 0);
});
