/** The relay over real sockets, between a client of the `ws` package and a node that only echoes or only listens. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { encodeHex } from '@sotto/bytes';
import { createManualClock, createSeededRandom } from '@sotto/testkit';
import { type ClientOptions, WebSocket, WebSocketServer } from 'ws';
import { accountRequest, createBrowser, createTestServer, randomHex, temporaryFolder } from './fixture-for-testing.ts';
import type { Limits } from './limits.ts';
import { Relay } from './relay.ts';
import { type RunningServer, startServer } from './start.ts';

const random = createSeededRandom('relay');

interface FakeNode {
  readonly baseUrl: string;
  readonly nodeId: string;
  /** Sockets that the relay opened, newest last. */
  readonly sockets: WebSocket[];
  stop(): Promise<void>;
}

async function startNode(t: TestContext, onSocket: (socket: WebSocket) => void): Promise<FakeNode> {
  const nodeId = randomHex();
  const listing = { nodeId, suites: ['sotto-1'], evidenceDigest: randomHex(32), epochId: randomHex() };
  const http = createServer((_, response) => response.end(JSON.stringify(listing)));
  const webSockets = new WebSocketServer({ server: http, path: '/channel', perMessageDeflate: false });
  const sockets: WebSocket[] = [];
  webSockets.on('connection', (socket) => {
    sockets.push(socket);
    onSocket(socket);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const stop = async () => {
    for (const socket of sockets) socket.terminate();
    http.close();
    http.closeAllConnections();
  };
  t.after(stop);
  return { baseUrl: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, nodeId, sockets, stop };
}

const echo = (socket: WebSocket) => socket.on('message', (data, binary) => socket.send(data, { binary }));

async function start(t: TestContext, node: { baseUrl: string }, limits: Partial<Limits> = {}) {
  const clock = createManualClock();
  const log: string[] = [];
  const server = await startServer({
    port: 0,
    dataDir: await temporaryFolder(t),
    webDir: '/nowhere',
    nodes: [{ baseUrl: node.baseUrl }],
    clock,
    limits,
    logSink: (line) => log.push(line),
  });
  let running = true;
  const stop = async () => {
    if (running) await server.close();
    running = false;
  };
  t.after(stop);
  return { server, clock, log, stop, guest: () => guest(server) };
}

const fetchFrom = (server: RunningServer) => (url: string, init: RequestInit) => {
  const headers = { ...(init.headers as Record<string, string>), origin: server.url };
  return fetch(url.replace('http://localhost:8787', server.url), { ...init, headers });
};

async function guest(server: RunningServer) {
  const browser = createBrowser(fetchFrom(server));
  const { guestId } = (await browser.call('POST', '/api/guest')).json;
  return { browser, guestId: guestId as string };
}

function open(server: RunningServer, nodeId: string, cookie: string, options: ClientOptions = {}): WebSocket {
  const url = `${server.url.replace(/^http/, 'ws')}/relay/${nodeId}`;
  const socket = new WebSocket(url, { perMessageDeflate: false, headers: { cookie, origin: server.url }, ...options });
  socket.on('error', () => undefined);
  return socket;
}

/** A test that waits in vain fails by this, instead of hanging. */
const WAIT_MS = 5000;

async function event(socket: WebSocket, name: string): Promise<unknown[]> {
  return once(socket, name, { signal: AbortSignal.timeout(WAIT_MS) });
}

/** Open, and through to an echoing node. */
async function opened(socket: WebSocket): Promise<void> {
  await event(socket, 'open');
  socket.send(random.bytes(3));
  await event(socket, 'message');
}

async function closed(socket: WebSocket): Promise<[number, string]> {
  const [code, reason] = (await event(socket, 'close')) as [number, Buffer];
  return [code, reason.toString()];
}

async function refusedStatus(socket: WebSocket): Promise<number | undefined> {
  const [, response] = (await event(socket, 'unexpected-response')) as [unknown, IncomingMessage];
  socket.terminate();
  return response.statusCode;
}

test('SV-34 binary frames pass both ways unchanged and in order, and their heads are captured', async (t) => {
  const node = await startNode(t, echo);
  const { server, guest: enter } = await start(t, node);
  const { browser, guestId } = await enter();
  const socket = open(server, node.nodeId, browser.cookie);
  const sent = [0, 1, 48, 49, 1000, 65_535].map((size) => random.bytes(size));
  const received: Uint8Array[] = [];
  const all = new Promise<void>((resolve) => {
    socket.on('message', (data: Buffer, binary) => {
      assert.ok(binary);
      received.push(new Uint8Array(data));
      if (received.length === sent.length) resolve();
    });
  });
  await event(socket, 'open');
  for (const frame of sent) socket.send(frame);
  await all;
  assert.deepEqual(received.map(encodeHex), sent.map(encodeHex));

  const { json } = await browser.call('GET', '/api/operator-view');
  assert.equal(json.subject.id, guestId);
  const toNode = json.relay.filter((frame: { direction: string }) => frame.direction === 'to-node');
  assert.deepEqual(
    toNode.map((frame: { sizeBytes: number }) => frame.sizeBytes),
    [0, 1, 48, 49, 1000, 65_535],
  );
  assert.deepEqual(
    toNode.map((frame: { firstBytesHex: string }) => frame.firstBytesHex),
    sent.map((frame) => encodeHex(frame.slice(0, 48))),
  );
  assert.equal(json.relay.length, 12);
  socket.close();
});

test('SV-34 when one end closes, the other does too', async (t) => {
  const node = await startNode(t, echo);
  const { server, guest: enter } = await start(t, node);
  const { browser } = await enter();
  const first = open(server, node.nodeId, browser.cookie);
  await opened(first);
  first.close();
  await closed(node.sockets[0] as WebSocket);

  const second = open(server, node.nodeId, browser.cookie);
  await opened(second);
  node.sockets[1]?.close(1000);
  assert.deepEqual(await closed(second), [1000, 'ended']);
});

test('SV-34 text closes the relay', async (t) => {
  const node = await startNode(t, echo);
  const { server, guest: enter } = await start(t, node);
  const socket = open(server, node.nodeId, (await enter()).browser.cookie);
  await event(socket, 'open');
  socket.send('text');
  assert.deepEqual(await closed(socket), [1003, 'binary-only']);
});

test('SV-34 a node that does not read is not read for: the sender waits, and nothing is lost', async (t) => {
  let take = 0;
  const node = await startNode(t, (socket) => {
    socket.pause();
    socket.on('message', () => take++);
  });
  const frames = 800;
  const { server, guest: enter } = await start(t, node, {
    relayFrames: { burst: 1e9, perSecond: 1 },
    relayBytes: { burst: 1e12, perSecond: 1 },
    capturedFrames: 10_000,
  });
  const { browser } = await enter();
  const socket = open(server, node.nodeId, browser.cookie);
  await event(socket, 'open');
  for (let i = 0; i < frames; i++) socket.send(new Uint8Array(60_000));
  const passed = async () => (await browser.call('GET', '/api/operator-view')).json.relay.length as number;
  let before = -1;
  let now = await passed();
  // Still when two looks, far apart in work, see the same.
  for (let still = 0; still < 5; still = now === before ? still + 1 : 0) {
    before = now;
    now = await passed();
  }
  assert.ok(now > 0 && now < frames - 100, `${now} of ${frames} frames were read while nobody took them`);
  const done = new Promise<void>((resolve) => {
    node.sockets[0]?.on('message', () => take === frames && resolve());
  });
  node.sockets[0]?.resume();
  await done;
  socket.terminate();
});

test('SV-29 a relay needs a session', async (t) => {
  const node = await startNode(t, echo);
  const { server } = await start(t, node);
  for (const cookie of ['', 'sotto=x', `sotto-${server.port}=${'A'.repeat(43)}`]) {
    assert.deepEqual(await closed(open(server, node.nodeId, cookie)), [4401, 'signed-out']);
  }
  assert.equal(node.sockets.length, 0);
});

test('SV-19 signing out closes the session’s relays and no other', async (t) => {
  const node = await startNode(t, echo);
  const { server, guest: enter } = await start(t, node);
  const [mine, theirs] = [await enter(), await enter()];
  const socket = open(server, node.nodeId, mine.browser.cookie);
  const other = open(server, node.nodeId, theirs.browser.cookie);
  await Promise.all([opened(socket), opened(other)]);
  const end = closed(socket);
  await mine.browser.call('POST', '/api/sign-out', {});
  assert.deepEqual(await end, [4401, 'signed-out']);
  other.send(random.bytes(3));
  await event(other, 'message');

  const becoming = closed(other);
  await theirs.browser.call('POST', '/api/accounts', accountRequest().body);
  assert.deepEqual(await becoming, [4401, 'signed-out']);
});

test('SV-30 a relay to a node outside the configuration is refused', async (t) => {
  const node = await startNode(t, echo);
  const { server, guest: enter } = await start(t, node);
  const { cookie } = (await enter()).browser;
  assert.deepEqual(await closed(open(server, randomHex(), cookie)), [4404, 'node-unknown']);
  for (const path of ['x', '../channel', `${node.nodeId}/x`, `${node.nodeId}?x=1`]) {
    assert.equal(await refusedStatus(open(server, path, cookie)), 404, path);
  }
});

test('SV-01 SV-02 an upgrade at another host or from another site is refused', async (t) => {
  const node = await startNode(t, echo);
  const { server, guest: enter } = await start(t, node);
  const { cookie } = (await enter()).browser;
  const foreign = open(server, node.nodeId, cookie, { headers: { cookie, origin: 'http://evil.example' } });
  assert.equal(await refusedStatus(foreign), 403);
  const headers = { cookie, origin: server.url, host: `127.0.0.1:${server.port}` };
  assert.equal(await refusedStatus(open(server, node.nodeId, cookie, { headers })), 421);
  const program = open(server, node.nodeId, cookie, { headers: { cookie } });
  await opened(program);
  program.close();
});

test('SV-31 a frame beyond the cap closes the relay before the node sees it', async (t) => {
  let seen = 0;
  const node = await startNode(t, (socket) => socket.on('message', () => seen++));
  const { server, guest: enter } = await start(t, node);
  const { cookie } = (await enter()).browser;
  const socket = open(server, node.nodeId, cookie);
  await event(socket, 'open');
  socket.send(new Uint8Array(65_536));
  assert.equal((await closed(socket))[0], 1009);
  assert.equal(seen, 0);

  const fromNode = await startNode(t, (one) => one.send(new Uint8Array(65_536)));
  const second = await start(t, fromNode);
  const victim = open(second.server, fromNode.nodeId, (await second.guest()).browser.cookie);
  let received = 0;
  victim.on('message', () => received++);
  assert.equal((await closed(victim))[1], 'node-unavailable');
  assert.equal(received, 0);
});

test('SV-32 frames beyond the rate close the relay', async (t) => {
  const node = await startNode(t, () => undefined);
  const { server, guest: enter } = await start(t, node, { relayFrames: { burst: 5, perSecond: 1 } });
  const socket = open(server, node.nodeId, (await enter()).browser.cookie);
  await event(socket, 'open');
  for (let i = 0; i < 6; i++) socket.send(random.bytes(10));
  assert.deepEqual(await closed(socket), [4429, 'rate-limited']);
});

test('SV-32 openings and relays open at once are limited by session', async (t) => {
  const node = await startNode(t, echo);
  const limits = { relaysPerSession: 2, relayOpens: { burst: 4, perSecond: 1 } };
  const { server, clock, guest: enter } = await start(t, node, limits);
  const { cookie } = (await enter()).browser;
  await opened(open(server, node.nodeId, cookie));
  await opened(open(server, node.nodeId, cookie));
  assert.deepEqual(await closed(open(server, node.nodeId, cookie)), [4430, 'too-many-relays']);
  assert.deepEqual(await closed(open(server, node.nodeId, cookie)), [4430, 'too-many-relays']);
  assert.deepEqual(await closed(open(server, node.nodeId, cookie)), [4429, 'rate-limited']);
  await opened(open(server, node.nodeId, (await enter()).browser.cookie));
  await clock.advance(1000);
  assert.deepEqual(await closed(open(server, node.nodeId, cookie)), [4430, 'too-many-relays']);
});

test('SV-33 a relay without a frame for its time is closed, one with a frame stays', async (t) => {
  const node = await startNode(t, echo);
  const testServer = await createTestServer(t, { nodes: [{ baseUrl: node.baseUrl }], limits: { relayIdleMs: 60_000 } });
  const http = createServer();
  const relay = new Relay(testServer.graph.services);
  http.on('upgrade', relay.onUpgrade);
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    relay.close();
    http.close();
    http.closeAllConnections();
  });
  const browser = testServer.browser();
  await browser.call('POST', '/api/guest');
  const headers = { cookie: browser.cookie, host: 'localhost:8787' };
  const connect = () =>
    new WebSocket(`ws://127.0.0.1:${(http.address() as AddressInfo).port}/relay/${node.nodeId}`, { headers });
  const exchange = async (socket: WebSocket) => {
    socket.send(random.bytes(3));
    await event(socket, 'message');
  };
  const [silent, busy] = [connect(), connect()];
  await Promise.all([opened(silent), opened(busy)]);
  await testServer.clock.advance(40_000);
  await exchange(busy);
  relay.endIdle();
  await exchange(busy);
  await testServer.clock.advance(40_000);
  const end = closed(silent);
  relay.endIdle();
  assert.deepEqual(await end, [4408, 'idle']);
  await exchange(busy);
  busy.close();
});

test('SV-35 a node that is down, or is lost in mid-answer, is named', async (t) => {
  const node = await startNode(t, echo);
  const { server, clock, guest: enter } = await start(t, node);
  const { cookie } = (await enter()).browser;
  const socket = open(server, node.nodeId, cookie);
  await opened(socket);
  const lost = closed(socket);
  await node.stop();
  assert.deepEqual(await lost, [4503, 'node-unavailable']);
  assert.deepEqual(await closed(open(server, node.nodeId, cookie)), [4503, 'node-unavailable']);
  await clock.advance(10_000);
  assert.deepEqual(await closed(open(server, node.nodeId, cookie)), [4503, 'node-unavailable']);
});

test('SV-35 a server that stops says so, and stops at once', async (t) => {
  const node = await startNode(t, echo);
  const { server, stop, guest: enter } = await start(t, node);
  const socket = open(server, node.nodeId, (await enter()).browser.cookie);
  await opened(socket);
  const end = closed(socket);
  await stop();
  assert.deepEqual(await end, [1001, 'shutting-down']);
});

test('SV-32 relays that are opened all at once are counted like any others', async (t) => {
  const node = await startNode(t, echo);
  const { server, guest } = await start(t, node, { relaysPerSession: 2 });
  const { browser } = await guest();
  const sockets = Array.from({ length: 6 }, () => open(server, node.nodeId, browser.cookie));
  const ends = await Promise.all(
    sockets.map((socket) => Promise.race([opened(socket).then(() => 'open'), closed(socket).then(([code]) => code)])),
  );
  assert.equal(ends.filter((end) => end === 'open').length, 2);
  assert.equal(ends.filter((end) => end === 4430).length, 4);
});

test('SV-19 a session that ends while its relay is being opened opens none', async (t) => {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  const nodeId = randomHex();
  let connections = 0;
  const http = createServer(async (_, response) => {
    asked.resolve();
    await answer.promise;
    response.end(JSON.stringify({ nodeId, suites: ['sotto-1'], evidenceDigest: randomHex(32), epochId: randomHex() }));
  });
  http.on('upgrade', (_, socket) => {
    connections++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  t.after(() => http.close());
  const { server, guest } = await start(t, { baseUrl: `http://127.0.0.1:${(http.address() as AddressInfo).port}` });
  const { browser } = await guest();
  const socket = open(server, nodeId, browser.cookie);
  const end = closed(socket);
  await asked.promise;
  assert.equal((await browser.call('POST', '/api/sign-out')).status, 204);
  answer.resolve();
  assert.deepEqual(await end, [4401, 'signed-out']);
  await delay(50);
  assert.equal(connections, 0);
});

test('SV-41 a refused upgrade is cut, and does not delay the end of the server', async (t) => {
  const node = await startNode(t, echo);
  const { server, stop } = await start(t, node);
  const strangers = Array.from({ length: 5 }, () => {
    const stranger = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true });
    stranger.on('error', () => undefined).resume();
    const head = [
      'GET /relay/x HTTP/1.1',
      `Host: localhost:${server.port}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
    ];
    stranger.write(`${head.join('\r\n')}\r\n\r\n`);
    return stranger;
  });
  await Promise.all(strangers.map((stranger) => once(stranger, 'end', { signal: AbortSignal.timeout(WAIT_MS) })));
  const isStopped = await Promise.race([stop().then(() => true), delay(3000, false)]);
  for (const stranger of strangers) stranger.destroy();
  assert.ok(isStopped);
});
