/** Renewal: a new handshake inside a session, what may leave when, and what ends the session (spec/channel.md, renewal). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, encodeHex, encodeUtf8, equalBytes, parseHex } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import { type Primitives, primitives } from '@sotto/crypto/primitives';
import { primitives as webPrimitives } from '@sotto/crypto/primitives/web';
import { encapsulateFromSeed } from '@sotto/crypto/seeded-kem';
import type { Random } from '@sotto/ports';
import {
  createManualClock,
  createRealClock,
  createSeededRandom,
  createSocketPair,
  echoRequest,
  PAIR_NODE_ID,
  readBody,
  settle,
} from '@sotto/testkit';
import fc from 'fast-check';
import { createCiphers, toHandshakeError } from './connect.ts';
import { ChannelError } from './errors.ts';
import type { Frame } from './frames.ts';
import { connectChannel, type VerifiedChannel } from './initiator.ts';
import { InitiatorHandshake } from './initiator-handshake.ts';
import { type ChannelLimits, DEFAULT_LIMITS } from './limits.ts';
import { type HandshakeRole, HandshakeState } from './noise/handshake.ts';
import { NX_HFS } from './noise/pattern.ts';
import { run } from './noise/steps.ts';
import { RawPeer } from './raw-peer-for-testing.ts';
import { acceptChannel, type ResponderEpoch } from './responder.ts';
import type { ChannelCloseInfo } from './session.ts';
import { ALGORITHMS, encodeNodeStatement, encodePrologue, encodeRenewalPrologue, parseNodeStatement } from './suite.ts';
import { computeHandshake } from './transcript.ts';
import { type Case, loadVectors } from './vectors-for-testing.ts';

type Vector = Readonly<Record<`${string}_hex`, string>> & {
  readonly offered_suites: string[];
  readonly cases: (Case & { message2_hex: string })[];
  readonly sessions: (Case & { to: 'initiator' | 'responder'; records: string[][] })[];
};

const vector = loadVectors<Vector>('renewal.json');
const bytes = (name: `${string}_hex`) => parseHex(vector[name] as string);

/** Gives exactly these values, in order. */
function listed(...values: Uint8Array<ArrayBuffer>[]): Random {
  return { bytes: () => values.shift() as Uint8Array<ArrayBuffer> };
}

const fill = (length: number, value: number) => new Uint8Array(length).fill(value);
const hasCode = (code: string) => (error: unknown) => error instanceof ChannelError && error.code === code;
const PLATFORMS: readonly [string, Primitives][] = [
  ['at once', primitives],
  ['later', webPrimitives],
];

function epochOf(number: number): ResponderEpoch {
  const evidence = encodeUtf8(`evidence ${number}`);
  return {
    epochId: fill(16, number),
    staticPrivateKey: fill(32, 0x40 + number),
    evidence,
    evidenceDigest: sha256(evidence),
  };
}

async function expectedOf(epoch: ResponderEpoch) {
  const { evidenceDigest, epochId } = epoch;
  return { staticKey: await primitives.dhPublicKey(epoch.staticPrivateKey), evidenceDigest, epochId };
}

/** The two ends of a session whose node has another epoch for every handshake. */
async function open(options: { platform?: Primitives; limits?: Partial<ChannelLimits> } = {}) {
  let number = 0;
  /** What the node believes the session to stand on, request by request. */
  const seen: { handshakeHash: Uint8Array; epochId: Uint8Array }[] = [];
  const sockets = createSocketPair();
  const shared = {
    clock: createRealClock(),
    nodeId: PAIR_NODE_ID,
    ...(options.platform === undefined ? {} : { primitives: options.platform }),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  };
  const responder = acceptChannel({
    ...shared,
    socket: sockets.b,
    random: createSeededRandom('responder'),
    currentEpoch: () => epochOf(++number),
    onRequest: (request) => {
      seen.push(request.channel);
      echoRequest(request);
    },
  });
  const unverified = await connectChannel({ ...shared, socket: sockets.a, random: createSeededRandom('initiator') });
  const channel = unverified.promote(await expectedOf(epochOf(1)));
  return { channel, responder, sockets, seen };
}

async function renew(channel: VerifiedChannel, number: number): Promise<void> {
  const renewal = await channel.renew();
  await renewal.accept(await expectedOf(epochOf(number)));
}

async function echo(channel: VerifiedChannel, text: string): Promise<string> {
  const stream = channel.request(encodeUtf8('head'));
  await stream.write(encodeUtf8(text));
  await stream.end();
  return new TextDecoder().decode(await readBody(stream.body));
}

test('CH-75 a renewal gives both ends the same new handshake, and the session goes on under it', async () => {
  for (const [name, platform] of PLATFORMS) {
    const { channel, responder, seen } = await open({ platform });
    const hashes = [channel.handshakeHash];
    assert.equal(await echo(channel, 'one'), 'one', name);
    for (const number of [2, 3, 4]) {
      await renew(channel, number);
      hashes.push(channel.handshakeHash);
      assert.equal(await echo(channel, `epoch ${number}`), `epoch ${number}`, name);
    }
    assert.equal(new Set(hashes.map(String)).size, 4);
    assert.deepEqual(
      seen.map(({ handshakeHash }) => String(handshakeHash)),
      hashes.map(String),
    );
    assert.deepEqual(
      seen.map(({ epochId }) => epochId[0]),
      [1, 2, 3, 4],
    );
    channel.close();
    assert.deepEqual(await responder.closed, { kind: 'closed', by: 'peer' });
  }
});

test('CH-76 streams go on through renewals, with not a byte lost, repeated or moved', async () => {
  for (const [name, platform] of PLATFORMS) {
    const { channel } = await open({ platform });
    const [count, size] = [8, 45_000];
    const bodies = Array.from({ length: count }, (_, i) => createSeededRandom(`body ${i}`).bytes(size));
    const streams = bodies.map(() => channel.request(encodeUtf8('head')));
    const reading = streams.map((stream) => readBody(stream.body));
    const writing = streams.map(async (stream, i) => {
      for (let at = 0; at < size; at += 3000) {
        await stream.write((bodies[i] as Uint8Array).subarray(at, at + 3000));
        await new Promise(setImmediate);
      }
      await stream.end();
    });
    for (const number of [2, 3, 4, 5]) await renew(channel, number);
    await Promise.all(writing);
    for (const [i, body] of (await Promise.all(reading)).entries())
      assert.ok(equalBytes(body, bodies[i] as Uint8Array), name);
    channel.close();
  }
});

test('CH-76 a stream that was opened during a renewal is answered, whatever happens first', async () => {
  const { channel, seen } = await open();
  const renewal = await channel.renew();
  const before = channel.handshakeHash;
  const early = channel.request(encodeUtf8('early'));
  const accepting = renewal.accept(await expectedOf(epochOf(2)));
  const late = channel.request(encodeUtf8('late'));
  await Promise.all([early.end(), late.end(), accepting]);
  assert.deepEqual(await Promise.all([readBody(early.body), readBody(late.body)]), [fill(0, 0), fill(0, 0)]);
  assert.deepEqual(
    seen.map(({ handshakeHash }) => handshakeHash),
    [before, channel.handshakeHash],
  );
});

test('CH-72 one renewal at a time', async () => {
  const { channel } = await open();
  const first = channel.renew();
  await assert.rejects(channel.renew(), hasCode('renewal-running'));
  const renewal = await first;
  await assert.rejects(channel.renew(), hasCode('renewal-running'));
  await renewal.accept(await expectedOf(epochOf(2)));
  await renew(channel, 3);
});

for (const [rule, field] of [
  ['CH-14', 'staticKey'],
  ['CH-15', 'evidenceDigest'],
  ['CH-16', 'epochId'],
] as const) {
  test(`${rule} a renewal by somebody else than was verified ends the session: ${field}`, async () => {
    const { channel, responder } = await open();
    const renewal = await channel.renew();
    const expected = await expectedOf(epochOf(2));
    const wrong = { ...expected, [field]: fill(expected[field].length, 9) };
    await assert.rejects(renewal.accept(wrong), (error) => error instanceof ChannelError && error.rule === rule);
    assert.deepEqual(await channel.closed, { kind: 'failed', code: 'peer-mismatch', by: 'us' });
    assert.equal((await responder.closed).kind, 'failed');
    await assert.rejects(channel.renew(), hasCode('peer-mismatch'));
  });
}

test('CH-74 a renewal is decided once', async () => {
  const { channel } = await open();
  const renewal = await channel.renew();
  const expected = await expectedOf(epochOf(2));
  await renewal.accept(expected);
  await assert.rejects(renewal.accept(expected), hasCode('session-closed'));
  renewal.refuse();
  await renew(channel, 3);
  const refused = await channel.renew();
  refused.refuse();
  assert.deepEqual(await channel.closed, { kind: 'failed', code: 'peer-mismatch', by: 'us' });
  await assert.rejects(refused.accept(await expectedOf(epochOf(4))), ChannelError);
});

test('CH-77 a session that ends during a renewal ends the renewal', async () => {
  for (const end of ['close', 'cut'] as const) {
    const { channel, sockets } = await open();
    const renewing = channel.renew();
    if (end === 'close') channel.close();
    else sockets.cut();
    await assert.rejects(renewing, ChannelError);
  }
  const { channel, sockets } = await open();
  const renewal = await channel.renew();
  sockets.paused = true;
  const accepting = renewal.accept(await expectedOf(epochOf(2)));
  sockets.cut();
  sockets.paused = false;
  await assert.rejects(accepting, hasCode('session-truncated'));
});

// A raw peer at one end: what a hostile one may send, and what arrives at it.

const KEYS = { ephemeral: fill(32, 1), hybrid: fill(64, 2), static: fill(32, 0x41) };
const copies = () => ({ ephemeral: fill(32, 5), hybrid: fill(64, 6), static: fill(32, 0x42) });

function handshakeOf(role: HandshakeRole, prologue: Uint8Array): HandshakeState {
  return new HandshakeState({ pattern: NX_HFS, algorithms: ALGORITHMS, role, prologue, keys: copies() });
}

const ofRenewal = (hash: Uint8Array) => encodeRenewalPrologue(['sotto-1'], PAIR_NODE_ID, hash);
const statement = () => encodeNodeStatement(epochOf(2).evidenceDigest, epochOf(2).epochId);

/** A node that is a raw peer, and a real client that was promoted. */
async function rawNode(limits: Partial<ChannelLimits> = {}, clock = createRealClock()) {
  const sockets = createSocketPair();
  const connecting = connectChannel({
    socket: sockets.a,
    random: createSeededRandom('initiator'),
    clock,
    nodeId: PAIR_NODE_ID,
    limits,
  });
  const keys = { ...KEYS, ephemeral: fill(32, 1) };
  const peer = await RawPeer.connect({ socket: sockets.b, role: 'responder', nodeId: PAIR_NODE_ID, keys });
  const unverified = await connecting;
  return { peer, channel: unverified.promote(unverified), sockets };
}

/** Answers the client's `renew` as a node would, under a prologue of the test's choice. */
async function answer(peer: RawPeer, prologue: Uint8Array): Promise<Uint8Array> {
  const frame = (await peer.frame(({ kind }) => kind === 'renew')) as Frame & { kind: 'renew' };
  const state = handshakeOf('responder', prologue);
  await run(state.readMessage(frame.message), primitives);
  const message = await run(state.writeMessage(statement()), primitives);
  peer.next = await createCiphers(state, 'responder', primitives, DEFAULT_LIMITS);
  return message;
}

/** A client that is a raw peer, and a real node; `verified` was said. */
async function rawClient(limits: Partial<ChannelLimits> = {}) {
  const sockets = createSocketPair();
  let number = 0;
  const { closed } = acceptChannel({
    socket: sockets.b,
    random: createSeededRandom('responder'),
    clock: createRealClock(),
    nodeId: PAIR_NODE_ID,
    currentEpoch: () => epochOf(++number),
    onRequest: echoRequest,
    limits,
  });
  const keys = { ephemeral: fill(32, 1), hybrid: fill(64, 2) };
  const peer = await RawPeer.connect({ socket: sockets.a, role: 'initiator', nodeId: PAIR_NODE_ID, keys });
  return { peer, closed };
}

const nth = (peer: RawPeer, kind: Frame['kind'], count: number) =>
  peer.frame((frame) => frame.kind === kind && peer.frames.filter((one) => one.kind === kind)[count - 1] === frame);

const failedWith = (code: string): ChannelCloseInfo => ({ kind: 'failed', code: code as never, by: 'us' });
const message1 = fill(1216, 9);

test('CH-70 a renewal answered under another prologue ends the session', async () => {
  const other = encodeUtf8('sotto/channel/renew/v2');
  const wrong: [string, (hash: Uint8Array) => Uint8Array][] = [
    ['another session', () => ofRenewal(fill(32, 7))],
    ['a first handshake', () => encodePrologue(['sotto-1'], PAIR_NODE_ID)],
    ['other suites', (hash) => encodeRenewalPrologue(['sotto-1', 'sotto-2'], PAIR_NODE_ID, hash)],
    ['another node', (hash) => encodeRenewalPrologue(['sotto-1'], fill(16, 1), hash)],
    ['another label', (hash) => Uint8Array.of(...ofRenewal(hash)).map((byte, i) => other[i - 2] ?? byte)],
  ];
  for (const [name, prologueOf] of wrong) {
    const { peer, channel } = await rawNode();
    const renewing = channel.renew();
    await peer.send({ kind: 'renewed', message: await answer(peer, prologueOf(peer.handshakeHash)) });
    await assert.rejects(renewing, hasCode('handshake-failed'), name);
    assert.deepEqual(await channel.closed, failedWith('handshake-failed'), name);
  }
  const { peer, channel } = await rawNode();
  const renewing = channel.renew();
  await peer.send({ kind: 'renewed', message: await answer(peer, ofRenewal(peer.handshakeHash)) });
  assert.deepEqual((await renewing).epochId, epochOf(2).epochId);
});

test('CH-70 a node answers under the prologue of the session and of no other', async () => {
  for (const [hashOf, opens] of [
    [(peer: RawPeer) => peer.handshakeHash, true],
    [() => fill(32, 7), false],
  ] as const) {
    const { peer } = await rawClient();
    const state = handshakeOf('initiator', ofRenewal(hashOf(peer)));
    const message = await run(state.writeMessage(fill(0, 0)), primitives);
    await peer.send({ kind: 'verified' }, { kind: 'renew', message });
    const renewed = (await peer.frame(({ kind }) => kind === 'renewed')) as Frame & { kind: 'renewed' };
    const read = async () => parseNodeStatement(await run(state.readMessage(renewed.message), primitives));
    if (opens) assert.deepEqual((await read()).epochId, fill(16, 2));
    else await assert.rejects(read);
  }
});

test('CH-70 the messages, the hash and the keys of a renewal are those of the vector', async () => {
  const prologue = encodeRenewalPrologue(
    vector.offered_suites,
    bytes('node_id_hex'),
    bytes('session_handshake_hash_hex'),
  );
  assert.equal(encodeHex(prologue), vector.prologue_hex);
  const seeds = {
    initiatorEphemeral: bytes('initiator_ephemeral_hex'),
    initiatorKem: bytes('initiator_kem_seed_hex'),
    responderEphemeral: bytes('responder_ephemeral_hex'),
    responderStatic: bytes('responder_static_hex'),
  };
  const computed = await computeHandshake({
    seeds,
    prologue,
    evidenceDigest: bytes('evidence_digest_hex'),
    epochId: bytes('epoch_id_hex'),
    primitives: { ...primitives, encapsulate: encapsulateFromSeed(bytes('encapsulation_seed_hex')) },
  });
  assert.deepEqual(computed.messages.map(encodeHex), [vector.message1_hex, vector.message2_hex]);
  assert.equal(encodeHex(computed.handshakeHash), vector.handshake_hash_hex);
  assert.equal(encodeHex(computed.fromInitiator), vector.from_initiator_key_hex);
  assert.equal(encodeHex(computed.fromResponder), vector.from_responder_key_hex);
});

test('CH-70 an answer that was made for anything else is refused', async () => {
  for (const { id, message2_hex, expect } of vector.cases) {
    const handshake = new InitiatorHandshake({
      prologue: bytes('prologue_hex'),
      random: listed(bytes('initiator_ephemeral_hex'), bytes('initiator_kem_seed_hex')),
      primitives,
      limits: DEFAULT_LIMITS,
    });
    assert.equal(encodeHex(await handshake.begin()), vector.message1_hex);
    const finished = await handshake.finish(parseHex(message2_hex)).then(
      ({ claim }) => encodeHex(claim.handshakeHash),
      (error: unknown) => ({ code: (toHandshakeError(error) as ChannelError).code }),
    );
    assert.deepEqual(finished, expect === 'accept' ? vector.handshake_hash_hex : expect, id);
  }
});

test('CH-70 messages of another length, or that do not compute, end the session', async () => {
  for (const [message, code] of [
    [fill(1215, 1), 'handshake-malformed'],
    [fill(0, 1), 'handshake-malformed'],
    [fill(1216, 0xff), 'kem-key-not-canonical'],
    [fill(1216, 0), 'low-order-point'],
  ] as const) {
    const { peer, closed } = await rawClient();
    await peer.send({ kind: 'verified' }, { kind: 'renew', message });
    assert.deepEqual(await closed, failedWith(code));
  }
  for (const [message, code] of [
    [fill(1247, 1), 'handshake-malformed'],
    [fill(1248, 1), 'handshake-failed'],
  ] as const) {
    const { peer, channel } = await rawNode();
    const renewing = channel.renew();
    await peer.frame(({ kind }) => kind === 'renew');
    await peer.send({ kind: 'renewed', message });
    await assert.rejects(renewing, hasCode(code));
    assert.deepEqual(await channel.closed, failedWith(code));
  }
});

async function sessions(rule: string): Promise<void> {
  const chosen = vector.sessions.filter((one) => one.rule === rule);
  assert.ok(chosen.length > 0);
  for (const { id, to, records, expect } of chosen) {
    const { peer, closed } =
      to === 'responder'
        ? await rawClient()
        : await rawNode().then((node) => ({ ...node, closed: node.channel.closed }));
    for (const frames of records) await peer.sendPlaintext(concatBytes(...frames.map((one) => parseHex(one))));
    // A session that took what it must not take ends well.
    await peer.send({ kind: 'close', reason: 0 });
    assert.deepEqual(await closed, { kind: 'failed', by: 'us', ...(expect as object) }, id);
  }
}

test('CH-71 a session that nobody verified is not renewed', () => sessions('CH-71'));
test('CH-72 a renewal that nobody asked for, or a second one, ends the session', () => sessions('CH-72'));
test('CH-73 a switch out of turn ends the session', () => sessions('CH-73'));

test('CH-72 an answer that comes twice ends the session', async () => {
  const { peer, channel } = await rawNode();
  const renewing = channel.renew();
  const message = await answer(peer, ofRenewal(peer.handshakeHash));
  await peer.send({ kind: 'renewed', message }, { kind: 'renewed', message });
  await assert.rejects(renewing, hasCode('frame-misplaced'));
});

test('CH-73 a switch of a node before the renewal was accepted ends the session', async () => {
  const { peer, channel } = await rawNode();
  const renewing = channel.renew();
  await peer.send({ kind: 'renewed', message: await answer(peer, ofRenewal(peer.handshakeHash)) });
  await renewing;
  await peer.send({ kind: 'switch' });
  await peer.send({ kind: 'close', reason: 0 });
  assert.deepEqual(await channel.closed, failedWith('frame-misplaced'));
});

test('CH-74 nothing leaves under the new keys before the new evidence was accepted', async () => {
  const { peer, channel } = await rawNode();
  const renewing = channel.renew();
  await peer.send({ kind: 'renewed', message: await answer(peer, ofRenewal(peer.handshakeHash)) });
  const renewal = await renewing;
  // A person goes on writing while the evidence is judged; a raw peer opens under the old key alone.
  const stream = channel.request(encodeUtf8('head'));
  for (let i = 0; i < 20; i++) {
    await stream.write(encodeUtf8(`words ${i}`));
    await new Promise((resolve) => setTimeout(resolve, 6));
  }
  const heard = () => peer.frames.filter(({ kind }) => kind === 'data').length;
  await peer.frame((frame) => frame.kind === 'data' && new TextDecoder().decode(frame.bytes).includes('words 19'));
  assert.ok(heard() > 10);
  assert.ok(!peer.frames.some(({ kind }) => kind === 'switch'));
  const accepting = renewal.accept(renewal);
  await stream.write(encodeUtf8('under the new key'));
  await peer.frame(({ kind }) => kind === 'switch');
  const words = await peer.frame((frame) => frame.kind === 'data' && frame.bytes.length === 17);
  assert.ok(words !== undefined);
  assert.ok(peer.frames.indexOf(words) > peer.frames.findIndex(({ kind }) => kind === 'switch'));
  await peer.send({ kind: 'switch' });
  await accepting;
  await peer.send({ kind: 'head', stream: 1, head: encodeUtf8('answer') });
  assert.deepEqual(await stream.head, encodeUtf8('answer'));
});

test('CH-75 after a switch the old key opens nothing more', async () => {
  const { peer, closed } = await rawClient();
  const state = handshakeOf('initiator', ofRenewal(peer.handshakeHash));
  await peer.send(
    { kind: 'verified' },
    { kind: 'renew', message: await run(state.writeMessage(fill(0, 0)), primitives) },
  );
  const renewed = (await peer.frame(({ kind }) => kind === 'renewed')) as Frame & { kind: 'renewed' };
  await run(state.readMessage(renewed.message), primitives);
  // The peer goes on under the old key after its `switch`.
  await peer.send({ kind: 'switch' });
  await peer.send({ kind: 'ping', token: fill(8, 1) });
  assert.deepEqual(await closed, failedWith('record-forged'));
});

test('CH-77 a refused renewal sends nothing of what waits', async () => {
  const { peer, channel } = await rawNode();
  const stream = channel.request(encodeUtf8('head'));
  const renewing = channel.renew();
  await peer.send({ kind: 'renewed', message: await answer(peer, ofRenewal(peer.handshakeHash)) });
  const renewal = await renewing;
  void stream.write(encodeUtf8('words that wait')).catch(() => undefined);
  renewal.refuse();
  await peer.frame(({ kind }) => kind === 'close');
  assert.ok(!peer.frames.some(({ kind }) => kind === 'data'));
  assert.deepEqual(peer.frames.at(-1)?.kind, 'close');
});

test('CH-83 a session that is abandoned sends nothing of what waits', async () => {
  const { peer, channel } = await rawNode();
  const stream = channel.request(encodeUtf8('head'));
  await peer.frame(({ kind }) => kind === 'open');
  void stream.write(encodeUtf8('words that wait')).catch(() => undefined);
  channel.abandon();
  await peer.frame(({ kind }) => kind === 'close');
  assert.ok(!peer.frames.some(({ kind }) => kind === 'data'));
  assert.deepEqual(await channel.closed, { kind: 'closed', by: 'us' });
});

test('CH-78 a stranger renews only so often', async () => {
  const { peer, closed } = await rawClient({ renewalsAtOnce: 1, renewalsPerSecond: 0 });
  await peer.send({ kind: 'verified' });
  let hash = peer.handshakeHash;
  for (const count of [1, 2]) {
    const state = handshakeOf('initiator', ofRenewal(hash));
    await peer.send({ kind: 'renew', message: await run(state.writeMessage(fill(0, 0)), primitives) });
    const renewed = (await nth(peer, 'renewed', count)) as Frame & { kind: 'renewed' };
    await run(state.readMessage(renewed.message), primitives);
    hash = state.handshakeHash.slice();
    peer.next = await createCiphers(state, 'initiator', primitives, DEFAULT_LIMITS);
    await peer.send({ kind: 'switch' });
    await nth(peer, 'switch', count);
  }
  await peer.send({ kind: 'renew', message: message1 }, { kind: 'close', reason: 0 });
  assert.deepEqual(await closed, failedWith('session-exhausted'));
});

test('CH-79 an initiator follows only so much advice, and of unknown kinds none', async () => {
  const { peer, channel } = await rawNode({ renewalsAtOnce: 2, renewalsPerSecond: 0 });
  const notices: string[] = [];
  channel.onNotice = (notice) => notices.push(notice);
  for (let i = 0; i < 5; i++) await peer.send({ kind: 'advice', advice: 1 }, { kind: 'advice', advice: 99 });
  await peer.send({ kind: 'ping', token: fill(8, 1) });
  await peer.frame(({ kind }) => kind === 'pong');
  assert.deepEqual(notices, ['renewal-due', 'renewal-due']);
});

// Session life

test('CH-80 a session is due for renewal after 15 minutes and ends after 20 [CH-82]', async () => {
  const clock = createManualClock();
  const { peer, channel } = await rawNode({}, clock);
  let closed: ChannelCloseInfo | undefined;
  void channel.closed.then((info) => {
    closed = info;
  });
  const notices: [string, number][] = [];
  const startMs = clock.nowMs();
  channel.onNotice = (notice) => notices.push([notice, (clock.nowMs() - startMs) / 60_000]);
  // A peer that answers every ping, and nothing else.
  let answered = 0;
  const step = async () => {
    await clock.advance(30_000);
    const pings = peer.frames.filter((frame) => frame.kind === 'ping');
    for (const ping of pings.slice(answered)) await peer.send({ kind: 'pong', token: ping.token });
    answered = pings.length;
    await settle();
  };
  for (let i = 0; i < 39; i++) await step();
  assert.equal(closed, undefined);
  assert.deepEqual([notices[0], notices.length], [['renewal-due', 15], 10]);
  await step();
  assert.deepEqual(closed, failedWith('session-expired'));
  assert.deepEqual(peer.frames.at(-1), { kind: 'close', reason: 5 });
  assert.throws(() => channel.request(encodeUtf8('head')), hasCode('session-expired'));
});

test('CH-80 a responder ends a session that is not renewed', async () => {
  const { closed } = await rawClient({ tickMs: 5, lifeTicks: 3, silentTicks: 100 });
  assert.deepEqual(await closed, failedWith('session-expired'));
});

test('CH-80 a renewal starts the time anew at both ends', { timeout: 8000 }, async () => {
  const { channel, responder } = await open({
    limits: { tickMs: 20, renewTicks: 4, lifeTicks: 12, silentTicks: 100, renewalsAtOnce: 100 },
  });
  let ended = false;
  void Promise.race([channel.closed, responder.closed]).then(() => {
    ended = true;
  });
  let number = 1;
  let running: Promise<void> | undefined;
  channel.onNotice = () => {
    running ??= renew(channel, ++number).then(() => {
      running = undefined;
    });
  };
  while (number < 6) await new Promise((resolve) => setTimeout(resolve, 10));
  await running;
  assert.equal(ended, false);
  channel.onNotice = undefined;
  assert.equal((await channel.closed).kind, 'failed');
});

test('CH-81 a session ends with the evidence of its epoch', async () => {
  const clock = createManualClock();
  const sockets = createSocketPair();
  const shared = { clock, nodeId: PAIR_NODE_ID };
  const notAfterMs = clock.nowMs() + 60_000;
  const responder = acceptChannel({
    ...shared,
    socket: sockets.b,
    random: createSeededRandom('responder'),
    currentEpoch: () => ({ ...epochOf(1), notAfterMs }),
    onRequest: echoRequest,
  });
  const unverified = await connectChannel({ ...shared, socket: sockets.a, random: createSeededRandom('initiator') });
  const channel = unverified.promote(await expectedOf(epochOf(1)));
  await clock.advance(59_999);
  assert.equal(await echoWithin(clock, channel), 'still here');
  await clock.advance(1);
  // A responder that goes on ends by the silence, with another reason.
  await clock.advance(120_000);
  assert.deepEqual(await responder.closed, failedWith('session-expired'));
  assert.deepEqual(await channel.closed, { kind: 'failed', code: 'session-expired', by: 'peer' });
});

test('CH-81 an initiator sends no request once what it verified is over, five minutes of tolerance included', async () => {
  const clock = createManualClock();
  const sockets = createSocketPair();
  const connecting = connectChannel({
    socket: sockets.a,
    random: createSeededRandom('i'),
    clock,
    nodeId: PAIR_NODE_ID,
  });
  const keys = { ephemeral: fill(32, 1), static: fill(32, 0x41) };
  await RawPeer.connect({ socket: sockets.b, role: 'responder', nodeId: PAIR_NODE_ID, keys });
  const unverified = await connecting;
  const channel = unverified.promote({ ...unverified, notAfterMs: clock.nowMs() - 290_000 });
  await clock.advance(9_999);
  channel.request(encodeUtf8('head'));
  await clock.advance(1);
  // Between two ticks: the request itself looks at the clock.
  assert.throws(() => channel.request(encodeUtf8('head')), hasCode('session-expired'));
  await clock.advance(120_000);
  assert.deepEqual(await channel.closed, failedWith('session-expired'));
});

test('CH-82 a renewal is due after half the records of a session', async () => {
  const { peer, channel } = await rawNode({
    tickMs: 10,
    recordsPerDirection: 40,
    silentTicks: 1000,
    renewTicks: 1000,
    lifeTicks: 2000,
  });
  let notices = 0;
  channel.onNotice = () => notices++;
  for (let i = 0; i < 19; i++) await peer.sendPlaintext(fill(1, 0));
  await new Promise((resolve) => setTimeout(resolve, 40));
  assert.equal(notices, 0);
  await peer.sendPlaintext(fill(1, 0));
  await new Promise((resolve) => setTimeout(resolve, 40));
  assert.ok(notices > 0);
});

async function echoWithin(clock: ReturnType<typeof createManualClock>, channel: VerifiedChannel): Promise<string> {
  const answering = echo(channel, 'still here');
  await settle();
  await clock.advance(0);
  return answering;
}

/** A second at most: what does not end has failed. */
const soon = <Value>(value: Promise<Value>) =>
  Promise.race([value, new Promise((resolve) => setTimeout(resolve, 1000))]);

test('CH-84 a node that leaves takes no new request, finishes those that run, and closes in order', async () => {
  const gate = Promise.withResolvers<void>();
  const sockets = createSocketPair();
  const responder = acceptChannel({
    socket: sockets.b,
    random: createSeededRandom('responder'),
    clock: createRealClock(),
    nodeId: PAIR_NODE_ID,
    currentEpoch: () => epochOf(1),
    onRequest: (request) => {
      const writer = request.respond(encodeUtf8('answer'));
      void gate.promise.then(async () => {
        await writer.write(encodeUtf8('to its end'));
        await writer.end();
      });
    },
  });
  const keys = { ephemeral: fill(32, 1), hybrid: fill(64, 2) };
  const peer = await RawPeer.connect({ socket: sockets.a, role: 'initiator', nodeId: PAIR_NODE_ID, keys });
  await peer.send({ kind: 'verified' }, { kind: 'open', stream: 1, head: encodeUtf8('one') });
  await peer.frame(({ kind }) => kind === 'head');
  responder.leave();
  responder.leave();
  assert.deepEqual(await peer.frame(({ kind }) => kind === 'advice'), { kind: 'advice', advice: 2 });
  // One that was under way when the node said so.
  await peer.send({ kind: 'open', stream: 2, head: encodeUtf8('two') });
  assert.deepEqual(await peer.frame(({ kind }) => kind === 'error'), { kind: 'error', stream: 2, reset: 4 });
  await peer.send({ kind: 'open', stream: 3, head: encodeUtf8('three') });
  await nth(peer, 'error', 2);
  gate.resolve();
  assert.deepEqual(await soon(responder.closed), { kind: 'closed', by: 'us' });
  await peer.frame(({ kind }) => kind === 'close');
  const heard = peer.frames.map((frame) =>
    frame.kind === 'data' ? new TextDecoder().decode(frame.bytes) : frame.kind,
  );
  assert.deepEqual(
    heard.filter((one) => one !== 'rekey'),
    ['head', 'advice', 'error', 'error', 'to its end', 'end', 'close'],
  );
  assert.deepEqual(peer.frames.at(-1), { kind: 'close', reason: 0 });
  assert.equal(peer.frames.filter(({ kind }) => kind === 'advice').length, 1);
});

test('CH-84 an initiator that was told so opens no stream', async () => {
  const { peer, channel } = await rawNode();
  const notices: string[] = [];
  channel.onNotice = (notice) => notices.push(notice);
  const running = channel.request(encodeUtf8('one'));
  await peer.send({ kind: 'advice', advice: 2 }, { kind: 'advice', advice: 2 });
  await peer.send({ kind: 'head', stream: 1, head: encodeUtf8('answer') });
  assert.deepEqual(await running.head, encodeUtf8('answer'));
  assert.deepEqual([notices, channel.isLeaving], [['leaving'], true]);
  assert.throws(() => channel.request(encodeUtf8('two')), hasCode('node-leaving'));
});

test('CH-84 a node that leaves closes at once where nothing runs, also before the end of the handshake', async () => {
  const idle = await open();
  idle.responder.leave();
  assert.deepEqual(await soon(idle.responder.closed), { kind: 'closed', by: 'us' });
  assert.deepEqual(await idle.channel.closed, { kind: 'closed', by: 'peer' });
  const responder = acceptChannel({
    socket: createSocketPair().b,
    random: createSeededRandom('responder'),
    clock: createRealClock(),
    nodeId: PAIR_NODE_ID,
    currentEpoch: () => epochOf(1),
    onRequest: echoRequest,
  });
  responder.leave();
  assert.deepEqual(await soon(responder.closed), { kind: 'closed', by: 'us' });
});

test('CH-77 any frames of a renewal in any order leave a session open or end it with one of our codes', async () => {
  const good = parseHex(vector.message1_hex as string);
  const kinds: fc.Arbitrary<Frame> = fc.oneof(
    fc.constantFrom<Frame>({ kind: 'verified' }, { kind: 'switch' }, { kind: 'rekey' }),
    fc.record({ kind: fc.constant('renew' as const), message: fc.constantFrom(good, message1, fill(3, 1)) }),
    fc.record({ kind: fc.constant('renewed' as const), message: fc.constantFrom(fill(1248, 1), fill(1, 1)) }),
    fc.record({ kind: fc.constant('advice' as const), advice: fc.nat(3) }),
    fc.record({ kind: fc.constant('open' as const), stream: fc.constantFrom(1, 2), head: fc.constant(fill(4, 1)) }),
  );
  const node = () =>
    rawNode().then(({ peer, channel }) => ({ peer, closed: channel.closed, renew: () => channel.renew() }));
  const client = () =>
    rawClient().then((one) => ({ ...one, renew: () => Promise.reject(new Error('a node asks for none')) }));
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(node, client),
      fc.boolean(),
      fc.array(fc.array(kinds, { maxLength: 3 }), { minLength: 1, maxLength: 5 }),
      async (create, asks, records) => {
        const { peer, closed, renew } = await create();
        if (asks) void renew().catch(() => undefined);
        for (const frames of records) await peer.send(...frames);
        await peer.send({ kind: 'close', reason: 0 });
        const info = await closed;
        if (info.kind === 'failed') assert.match(info.code, /^(frame-|not-verified|handshake-|record-forged)/);
      },
    ),
    { numRuns: 80 },
  );
});
