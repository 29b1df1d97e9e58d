/** Suite `confer-1` under attack: both ends of ours with a hostile network, and hostile peers with good keys. */
import assert from 'node:assert/strict';
import { test as nodeTest } from 'node:test';
import { encodeUtf8 } from '@sotto/bytes';
import { primitives } from '@sotto/crypto/primitives';
import type { Socket } from '@sotto/ports';
import { createManualClock, createSeededRandom, createSocketPair, type Intercept, settle } from '@sotto/testkit';
import { run } from '../noise/steps.ts';
import type { ConferError } from './errors.ts';
import type { ConferChannel } from './exchanges.ts';
import { encodeFrame, encodeFrames, parseFrame } from './frames.ts';
import { createConferCiphers, createXx } from './handshake.ts';
import { connectConfer } from './initiator.ts';
import { encodeConferRequest, encodeConferResponse } from './messages.ts';
import { acceptConfer, type ConferIncomingRequest } from './responder.ts';
import { CONFER_LIMITS, type ConferLimits, EMPTY } from './suite.ts';

/** With a limit of its own, so that a check that is missing is noticed at once and not by silence. */
const test = (title: string, body: () => void | Promise<void>) => nodeTest(title, { timeout: 5000 }, body);

const evidence = encodeUtf8('{"platform":"TDX"}');
const ping = { verb: 'GET', path: '/ping', body: EMPTY };
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
let seeds = 0;
const fresh = () => createSeededRandom(`confer ${seeds++}`);

interface Setup {
  intercept?: Intercept;
  onRequest?: (request: ConferIncomingRequest) => Promise<void>;
  limits?: Partial<ConferLimits>;
}

const echo = async (request: ConferIncomingRequest): Promise<void> => {
  await request.respond(200, request.body.length === 0 ? encodeUtf8('PONG') : request.body);
};

function listen(socket: Socket, clock: ReturnType<typeof createManualClock>, setup: Setup) {
  return acceptConfer({
    socket,
    random: fresh(),
    clock,
    staticPrivateKey: fresh().bytes(32),
    evidence,
    onRequest: setup.onRequest ?? echo,
    ...(setup.limits === undefined ? {} : { limits: setup.limits }),
  });
}

/** Our client with our machine. */
async function connect(setup: Setup = {}) {
  const clock = createManualClock();
  const pair = createSocketPair(setup.intercept);
  const machine = listen(pair.b, clock, setup);
  const limits = setup.limits === undefined ? {} : { limits: setup.limits };
  const unjudged = await connectConfer({ socket: pair.a, random: fresh(), clock, ...limits });
  const channel = await unjudged.proceed(unjudged.staticKey);
  return { clock, pair, machine, channel };
}

/** A hostile client with good keys: seals whatever it is given. */
async function hostileClient(setup: Setup = {}) {
  const clock = createManualClock();
  const pair = createSocketPair();
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    pair.a.onClose = (code, reason) => resolve({ code, reason });
  });
  const machine = listen(pair.b, clock, setup);
  const state = createXx('initiator', fresh(), fresh().bytes(32));
  pair.a.send(await run(state.writeMessage(EMPTY), primitives));
  const answer = await new Promise<Uint8Array>((resolve) => {
    pair.a.onMessage = resolve;
  });
  await run(state.readMessage(answer), primitives);
  pair.a.send(await run(state.writeMessage(EMPTY), primitives));
  const { sending } = await createConferCiphers(state, 'initiator', primitives, CONFER_LIMITS);
  const send = async (plaintext: Uint8Array) => pair.a.send(await sending.seal(plaintext));
  return { clock, pair, machine, send, closed };
}

/** A hostile machine with good keys, and our client that talks to it. */
async function hostileMachine(limits: Partial<ConferLimits> = {}) {
  const clock = createManualClock();
  const pair = createSocketPair();
  const state = createXx('responder', fresh(), fresh().bytes(32));
  const ready = new Promise<(plaintext: Uint8Array) => Promise<void>>((resolve) => {
    let count = 0;
    pair.b.onMessage = async (message) => {
      count++;
      if (count > 2) return;
      await run(state.readMessage(message), primitives);
      if (count === 1) {
        pair.b.send(await run(state.writeMessage(evidence), primitives));
        return;
      }
      const { sending } = await createConferCiphers(state, 'responder', primitives, CONFER_LIMITS);
      resolve(async (plaintext) => pair.b.send(await sending.seal(plaintext)));
    };
  });
  const unjudged = await connectConfer({ socket: pair.a, random: fresh(), clock, limits });
  const channel = await unjudged.proceed(unjudged.staticKey);
  const send = await ready;
  const respond = async (id: bigint, body = EMPTY, status = 200) => {
    const response = encodeConferResponse({ id, status, body, headers: new Map() });
    for (const frame of encodeFrames(1n, response)) await send(frame);
  };
  return { clock, pair, channel, send, respond };
}

const failure = async (channel: ConferChannel) => (await channel.closed)?.code;
const bodyOf = async (channel: ConferChannel, body: Uint8Array = EMPTY) =>
  (await channel.request({ ...ping, body }).next()).body;

test('CO-27 messages of every size come whole, together, in frames of at most 65,489 bytes', async () => {
  const { channel, pair } = await connect();
  for (const length of [1, 65_400, 65_489, 200_000, 1_000_000]) {
    const body = Uint8Array.from({ length }, (_, index) => index % 251);
    assert.deepEqual(await bodyOf(channel, body), body);
  }
  const both = await Promise.all([200_000, 200_001].map((length) => bodyOf(channel, new Uint8Array(length))));
  assert.deepEqual(
    both.map((body) => body.length),
    [200_000, 200_001],
  );
  assert.ok(pair.sent.every(({ bytes }) => bytes.length <= 65_535));
  assert.ok(pair.sent.filter(({ bytes }) => bytes.length >= 65_520).length > 30);
  channel.close();
});

test('CO-27 65,489 bytes are one frame, one more are two', () => {
  const frames = (length: number) => [...encodeFrames(-1n, new Uint8Array(length))].map(parseFrame);
  assert.deepEqual(
    [0, 65_489, 65_490].map((length) => frames(length).map(({ payload }) => payload.length)),
    [[0], [65_489], [65_489, 1]],
  );
  assert.ok(frames(65_490).every(({ chunkId, total }) => chunkId === -1n && total === 2));
});

test('CO-05 each byte of each handshake message, altered, ends it, and no request is seen', async () => {
  const sizes = [32, 96 + evidence.length, 64];
  let tried = 0;
  for (const [number, size] of sizes.entries()) {
    for (let at = 0; at < size; at++) {
      tried++;
      let seen = 0;
      const pair = createSocketPair(({ from, index, bytes }) => {
        const isIt = number === 1 ? from === 'b' && index === 0 : from === 'a' && index === number / 2;
        if (!isIt) return undefined;
        const changed = bytes.slice();
        changed[at] = (changed[at] ?? 0) ^ 0x01;
        return [changed];
      });
      const clock = createManualClock();
      const machine = listen(pair.b, clock, { onRequest: async () => void seen++ });
      const client = connectConfer({ socket: pair.a, random: fresh(), clock })
        .then((unjudged) => unjudged.proceed(unjudged.staticKey))
        .then((channel) => channel.request(ping).next());
      await assert.rejects(client);
      assert.notEqual(await machine.closed, undefined);
      assert.equal(seen, 0);
    }
  }
  assert.equal(tried, 32 + 114 + 64);
});

test('CO-06 a machine that never answers, and a client that never ends the handshake', async () => {
  const clock = createManualClock();
  const silent = createSocketPair();
  const connecting = connectConfer({ socket: silent.a, random: fresh(), clock });
  await Promise.all([assert.rejects(connecting, { code: 'confer-handshake-timeout' }), clock.advance(30_000)]);
  const pair = createSocketPair();
  const machine = listen(pair.b, clock, {});
  const unjudged = await connectConfer({ socket: pair.a, random: fresh(), clock });
  await clock.advance(30_000);
  assert.equal((await machine.closed)?.code, 'confer-handshake-timeout');
  unjudged.close();
});

test('CO-07 message 3 leaves only for the key that was judged, and once', async () => {
  const pair = createSocketPair();
  const clock = createManualClock();
  const machine = listen(pair.b, clock, {});
  const unjudged = await connectConfer({ socket: pair.a, random: fresh(), clock });
  const other = unjudged.staticKey.slice();
  other[31] = (other[31] ?? 0) ^ 1;
  await assert.rejects(unjudged.proceed(other), { code: 'confer-peer-mismatch' });
  await assert.rejects(unjudged.proceed(unjudged.staticKey), { code: 'confer-closed' });
  assert.equal(pair.sent.filter(({ from }) => from === 'a').length, 1);
  assert.equal((await machine.closed)?.code, 'confer-lost');

  const line = createSocketPair();
  listen(line.b, clock, {});
  const twice = await connectConfer({ socket: line.a, random: fresh(), clock });
  const channel = await twice.proceed(twice.staticKey);
  await assert.rejects(twice.proceed(twice.staticKey), { code: 'confer-closed' });
  assert.equal(text(await bodyOf(channel)), 'PONG');
  channel.close();
});

test('CO-10 a message of 65,536 bytes closes with 1003', async () => {
  const { machine, pair, closed } = await hostileClient();
  pair.a.send(new Uint8Array(65_536));
  assert.equal((await machine.closed)?.code, 'confer-message-too-large');
  assert.deepEqual(await closed, { code: 1003, reason: 'Message too large' });
});

const attacks: [string, Intercept][] = [
  ['flipped', ({ bytes }) => [bytes.map((byte, at) => (at === bytes.length - 1 ? byte ^ 1 : byte))]],
  ['truncated', ({ bytes }) => [bytes.slice(0, -1)]],
  ['emptied', () => [new Uint8Array(0)]],
  ['repeated', ({ bytes }) => [bytes, bytes]],
];
for (const [name, attack] of attacks) {
  for (const victim of ['a', 'b'] as const) {
    test(`CO-11 a message ${name} on its way to ${victim} ends the connection`, async () => {
      const { channel, machine, pair } = await connect();
      assert.equal(text(await bodyOf(channel)), 'PONG');
      pair.intercept = (message) => (message.from === victim ? undefined : attack(message));
      const exchange = channel.request(ping);
      // A repeated answer still arrives the first time.
      await exchange.next().catch(() => undefined);
      const ended = victim === 'a' ? channel.closed : machine.closed;
      assert.equal((await ended)?.code, 'confer-message-forged');
    });
  }
}

test('CO-11 messages that change places, or of which one is lost, end the connection', async () => {
  for (const isLost of [true, false]) {
    const { channel, machine, pair } = await connect();
    let held: Uint8Array | undefined;
    pair.intercept = ({ from, bytes }) => {
      if (from === 'b') return undefined;
      if (held === undefined) {
        held = bytes;
        return [];
      }
      return isLost ? [bytes] : [bytes, held];
    };
    const exchanges = [channel.request(ping), channel.request(ping)];
    assert.equal((await machine.closed)?.code, 'confer-message-forged');
    for (const exchange of exchanges) await assert.rejects(exchange.next(), { code: 'confer-lost' });
  }
});

test('CO-12 a direction that has carried its messages ends', async () => {
  const { channel } = await connect({ limits: { messagesPerDirection: 2 } });
  await bodyOf(channel);
  await bodyOf(channel);
  await assert.rejects(bodyOf(channel), { code: 'confer-exhausted' });
});

test('CO-13 what comes faster than it is opened, and what a peer does not take, is bounded', async () => {
  const { channel, pair } = await connect({ limits: { backlogBytes: 100_000 } });
  pair.paused = true;
  const exchanges = Array.from({ length: 4 }, () => channel.request({ ...ping, body: new Uint8Array(60_000) }));
  assert.equal(await failure(channel), 'confer-backlog');
  for (const exchange of exchanges) await assert.rejects(exchange.next());

  const flood = await hostileClient({ limits: { backlogBytes: 100_000 } });
  await settle();
  flood.pair.paused = true;
  const payload = new Uint8Array(60_000);
  for (let index = 0; index < 4; index++) await flood.send(encodeFrame({ chunkId: 1n, index, total: 4, payload }));
  flood.pair.paused = false;
  assert.equal((await flood.machine.closed)?.code, 'confer-backlog');
});

test('CO-23 a message is refused as soon as it is too long', async () => {
  const { machine, send, closed } = await hostileClient({ limits: { messageBytes: 1000 } });
  await send(encodeFrame({ chunkId: 1n, index: 0, total: 3, payload: new Uint8Array(600) }));
  await send(encodeFrame({ chunkId: 1n, index: 1, total: 3, payload: new Uint8Array(600) }));
  assert.equal((await machine.closed)?.code, 'confer-assembly-limit');
  assert.equal((await closed).code, 1011);
});

test('CO-24 what all open messages hold is bounded, and given back when one is whole', async () => {
  const { machine, send } = await hostileClient({ limits: { assemblyBytes: 1000 } });
  const part = (chunkId: bigint, index: number) =>
    send(encodeFrame({ chunkId, index, total: 2, payload: index === 0 ? new Uint8Array(600) : EMPTY }));
  const request = encodeConferRequest({ id: 1n, ...ping });
  for (let round = 0; round < 3; round++) {
    await send(encodeFrame({ chunkId: 9n, index: 1, total: 2, payload: request.slice(5) }));
    await send(encodeFrame({ chunkId: 9n, index: 0, total: 2, payload: request.slice(0, 5) }));
  }
  await part(1n, 0);
  await part(2n, 0);
  assert.equal((await machine.closed)?.code, 'confer-assembly-limit');
});

test('CO-26 a message that never ends, ends the connection', async () => {
  const { clock, machine, send } = await hostileClient();
  await send(encodeFrame({ chunkId: 1n, index: 0, total: 2, payload: EMPTY }));
  await clock.advance(29_999);
  await send(encodeFrame({ chunkId: 2n, index: 0, total: 2, payload: EMPTY }));
  await clock.advance(1);
  assert.equal((await machine.closed)?.code, 'confer-assembly-timeout');
  assert.equal(clock.sleeping, 0);
});

test('CO-20 CO-30 a frame or a request that cannot be read closes as the proxy does', async () => {
  const frame = await hostileClient();
  await frame.send(Uint8Array.of(0x08));
  assert.deepEqual(await frame.closed, { code: 1011, reason: 'Frame decode failed' });
  const request = await hostileClient();
  await request.send(encodeFrame({ chunkId: 1n, index: 0, total: 1, payload: Uint8Array.of(0x08, 0x01) }));
  assert.deepEqual(await request.closed, { code: 1003, reason: 'Invalid request' });
  assert.equal((await request.machine.closed)?.code, 'confer-message-malformed');
});

test('CO-32 an answer to what was never asked ends the connection; one that is late is dropped', async () => {
  for (const id of [0n, 2n, -1n]) {
    const { channel, respond } = await hostileMachine();
    const exchange = channel.request(ping);
    await respond(id);
    assert.equal(await failure(channel), 'confer-id-unknown');
    await assert.rejects(exchange.next(), { code: 'confer-id-unknown' });
  }
  const { channel, respond } = await hostileMachine();
  const first = channel.request(ping);
  first.done();
  await respond(1n);
  const second = channel.request(ping);
  await respond(2n, encodeUtf8('here'));
  assert.equal(text((await second.next()).body), 'here');
  channel.close();
});

test('CO-33 answers that nobody reads are bounded', async () => {
  const { channel, respond } = await hostileMachine({ unreadBytes: 1000 });
  const exchange = channel.request(ping);
  await respond(1n, new Uint8Array(600));
  await exchange.next();
  await respond(1n, new Uint8Array(600));
  await exchange.next();
  for (let count = 0; count < 3; count++) await respond(1n, new Uint8Array(600));
  assert.equal(await failure(channel), 'confer-backlog');
});

test('CO-35 a client does not send, and a responder does not take, more requests than it may', async () => {
  const held: ConferIncomingRequest[] = [];
  const onRequest = (request: ConferIncomingRequest): Promise<void> => {
    held.push(request);
    return new Promise(() => undefined);
  };
  const { channel } = await connect({ limits: { openRequests: 2 }, onRequest });
  const [first] = [channel.request(ping), channel.request(ping)];
  assert.throws(() => channel.request(ping), { code: 'confer-too-many-requests' });
  first?.done();
  const third = channel.request(ping);
  assert.equal((await third.next()).status, 503);
  assert.equal(held.length, 2);
  channel.close();
});

test('CO-36 a connection that is lost ends every request, and tells the machine to stop', async () => {
  let signal: AbortSignal | undefined;
  const { channel, machine, pair } = await connect({
    onRequest: (request) => {
      signal = request.signal;
      return new Promise(() => undefined);
    },
  });
  const exchanges = [channel.request(ping), channel.request(ping)];
  await settle();
  assert.equal(signal?.aborted, false);
  pair.cut();
  for (const exchange of exchanges) await assert.rejects(exchange.next(), { code: 'confer-lost' });
  assert.equal((await machine.closed)?.code, 'confer-lost');
  assert.equal(signal?.aborted, true);
  assert.throws(() => channel.request(ping), { code: 'confer-closed' });
});

test('CO-37 a handler that fails is answered with 500 and nothing of why', async () => {
  const { channel } = await connect({
    onRequest: async () => {
      throw new Error('what was asked');
    },
  });
  const { status, body } = await channel.request(ping).next();
  assert.deepEqual([status, text(body)], [500, 'Internal Server Error']);
  channel.close();
});

test('CO-30 parts of an upload are dropped, and the connection goes on', async () => {
  const { machine, pair, send } = await hostileClient();
  const answers: number[] = [];
  pair.a.onMessage = (message) => answers.push(message.length);
  await send(encodeFrame({ chunkId: 1n, index: 0, total: 1, payload: Uint8Array.of(0x08, 0x03, 0x2a, 0x00) }));
  for (const frame of encodeFrames(2n, encodeConferRequest({ id: 4n, ...ping }))) await send(frame);
  while (answers.length === 0) await settle();
  assert.equal(answers.length, 1);
  machine.close();
  const ended: ConferError | undefined = await machine.closed;
  assert.equal(ended, undefined);
});
