import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createNodeConnectSocket } from '@sotto/adapters-node/socket';
import { encodeUtf8, parseHex } from '@sotto/bytes';
import type { VerifiedChannel } from '@sotto/channel';
import { connectChannel } from '@sotto/channel/initiator';
import { createRealClock, createSeededRandom, type ScriptedEngineOptions, scriptedEngine } from '@sotto/testkit';
import { verifyNode } from '@sotto/verify';
import {
  CHAT_REQUEST_LIMIT_BYTES,
  encodeRequestHead,
  type Method,
  parseErrorAnswer,
  parseJson,
  parseNodeListing,
  parseResponseHead,
  WIRE_VERSION,
} from '@sotto/wire';
import { type Enclave, type EnclaveOptions, startEnclave } from './start.ts';

async function createEnclave(t: TestContext, scripted: ScriptedEngineOptions = {}, more: Partial<EnclaveOptions> = {}) {
  const dataDir = await mkdtemp(join(tmpdir(), 'sotto-enclave-'));
  const engine = scriptedEngine(scripted);
  const lines: string[] = [];
  const log = (event: string, fields?: object): void => void lines.push(JSON.stringify({ event, ...fields }));
  const enclave = await startEnclave({ engine, dataDir, log, ...more });
  t.after(async () => {
    await enclave.close();
    await rm(dataDir, { recursive: true });
  });
  return { enclave, engine, lines };
}

/** A channel to the enclave that passed verification under the policy that names its key. */
async function openChannel(t: TestContext, enclave: Enclave): Promise<VerifiedChannel> {
  const socket = await createNodeConnectSocket()(`${enclave.url.replace('http', 'ws')}/channel`);
  const clock = createRealClock();
  const nodeId = parseHex(enclave.nodeId, 16);
  const channel = await connectChannel({ socket, clock, random: createSeededRandom(`${Math.random()}`), nodeId });
  const { node } = await verifyNode({
    bundle: await channel.fetchEvidence(400_000),
    policy: { kind: 'dev', version: 1, fingerprint: enclave.devFingerprint },
    nowMs: clock.nowMs(),
    expectedEvidenceDigest: channel.evidenceDigest,
    expectedNodeId: nodeId,
    expectedStaticKey: channel.staticKey,
    expectedEpochId: channel.epochId,
    expectedSuite: 'sotto-1',
    distrust: { isDistrusted: () => false, subscribe: () => () => undefined },
  });
  const verified = channel.promote(node);
  t.after(() => verified.close());
  return verified;
}

function send(channel: VerifiedChannel, method: Method, path: string, body?: string | Uint8Array) {
  const stream = channel.request(encodeRequestHead({ version: WIRE_VERSION, method, path, headers: [] }));
  const bytes = typeof body === 'string' ? encodeUtf8(body) : body;
  const sent = (async () => {
    if (bytes !== undefined) await stream.write(bytes);
    await stream.end();
  })().catch(() => undefined);
  return { stream, sent };
}

async function answerOf(channel: VerifiedChannel, method: Method, path: string, body?: string | Uint8Array) {
  const { stream } = send(channel, method, path, body);
  const { status } = parseResponseHead(await stream.head);
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of stream.body) text += decoder.decode(chunk, { stream: true });
  return { status, text };
}

function chat(content: string): string {
  return JSON.stringify({ model: '', stream: true, messages: [{ role: 'user', content }] });
}

async function until(condition: () => boolean): Promise<void> {
  for (let round = 0; round < 400 && !condition(); round++) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.ok(condition());
}

test('a verified client gets an answer through the channel', async (t) => {
  const { enclave, lines } = await createEnclave(t);
  const channel = await openChannel(t, enclave);
  const { status, text } = await answerOf(channel, 'POST', '/v1/chat/completions', chat('canary hello'));
  assert.equal(status, 200);
  assert.match(text, /" canary"/);
  assert.match(text, /\[DONE\]\n\n$/);
  assert.match((await answerOf(channel, 'GET', '/v1/models')).text, /"scripted"/);
  await until(() => lines.filter((line) => line.includes('"request"')).length === 2);
  assert.ok(!lines.join('\n').includes('canary'));
});

test('an answer of many words arrives whole, in order, beside others', async (t) => {
  const { enclave } = await createEnclave(t);
  const channel = await openChannel(t, enclave);
  const answers = await Promise.all(
    [1, 2, 3, 4].map(() => answerOf(channel, 'POST', '/v1/chat/completions', chat('/lorem 3000'))),
  );
  for (const { text } of answers) {
    const words = [...text.matchAll(/"content":"([^"]*)"/g)].map(([, content]) => content).join('');
    assert.equal(words.split(' ').length, 3000);
    assert.match(text, /"completion_tokens":3000/);
  }
});

test('EN-04 a body over the limit is refused with its limit, and the session goes on', async (t) => {
  const { enclave, engine } = await createEnclave(t);
  const channel = await openChannel(t, enclave);
  const { status, text } = await answerOf(
    channel,
    'POST',
    '/v1/chat/completions',
    new Uint8Array(CHAT_REQUEST_LIMIT_BYTES + 1),
  );
  assert.equal(status, 413);
  assert.equal(parseErrorAnswer(parseJson(text, 4096)).error.code, 'body-too-large');
  assert.equal(engine.counts.started, 0);
  const claim = await answerOf(channel, 'POST', '/v1/answers/claim', new Uint8Array(4096));
  assert.equal(claim.status, 413);
  assert.equal(parseErrorAnswer(parseJson(claim.text, 4096)).error.code, 'body-too-large');
  assert.equal((await answerOf(channel, 'GET', '/v1/models')).status, 200);
});

test('EN-10 generation stops when the stream is cancelled', async (t) => {
  const { enclave, engine } = await createEnclave(t);
  const channel = await openChannel(t, enclave);
  const { stream } = send(channel, 'POST', '/v1/chat/completions', chat('/slow 1000'));
  await stream.head;
  stream.cancel();
  await until(() => engine.counts.stopped === 1);
  assert.ok(engine.counts.tokens < 20);
});

test('EN-10 generation stops when the channel is lost', async (t) => {
  const { enclave, engine } = await createEnclave(t);
  const channel = await openChannel(t, enclave);
  const { stream } = send(channel, 'POST', '/v1/chat/completions', chat('/slow 1000'));
  await stream.head;
  stream.body[Symbol.asyncIterator]()
    .next()
    .catch(() => undefined);
  channel.close();
  await until(() => engine.counts.stopped === 1);
});

test('a malformed head is answered, not fatal', async (t) => {
  const { enclave } = await createEnclave(t);
  const channel = await openChannel(t, enclave);
  const stream = channel.request(encodeUtf8('not a head'));
  await stream.end();
  assert.equal(parseResponseHead(await stream.head).status, 400);
  assert.equal((await answerOf(channel, 'GET', '/v1/models')).status, 200);
});

test('the door names the node, its epoch and its evidence', async (t) => {
  const { enclave } = await createEnclave(t);
  const listing = parseNodeListing(await (await fetch(`${enclave.url}/node`)).json());
  assert.equal(listing.nodeId, enclave.nodeId);
  const bundle = await fetch(`${enclave.url}/evidence/${listing.evidenceDigest}`);
  assert.equal(bundle.status, 200);
  assert.equal((await fetch(`${enclave.url}/evidence/${'0'.repeat(64)}`)).status, 404);
  assert.equal((await fetch(`${enclave.url}/healthz`)).status, 200);
  assert.equal((await fetch(`${enclave.url}/v1/models`)).status, 404);
  assert.equal((await fetch(`${enclave.url}/node`, { method: 'POST' })).status, 405);
});

/** Opens a WebSocket by hand, so that every header is ours to choose. */
async function upgradeStatus(enclave: Enclave, headers: Record<string, string>, path = '/channel'): Promise<number> {
  const { request } = await import('node:http');
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const upgrade = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
  };
  const asked = request(`${enclave.url}${path}`, { headers: { ...upgrade, ...headers } });
  asked.on('upgrade', (_, stream) => {
    stream.destroy();
    resolve(101);
  });
  asked.on('response', (response) => {
    response.resume();
    resolve(response.statusCode ?? 0);
  });
  asked.on('error', reject);
  asked.end();
  return promise;
}

test('EN-01 a web page cannot reach the node', async (t) => {
  const { enclave } = await createEnclave(t);
  assert.equal(await upgradeStatus(enclave, {}), 101);
  assert.equal(await upgradeStatus(enclave, { origin: 'http://localhost:7070' }), 403);
  assert.equal((await fetch(`${enclave.url}/node`, { headers: { origin: 'null' } })).status, 403);
});

test('EN-02 another name for this machine is refused', async (t) => {
  const { enclave } = await createEnclave(t);
  assert.equal(await upgradeStatus(enclave, { host: 'rebound.example.com' }), 421);
  assert.equal(await upgradeStatus(enclave, { host: 'localhost:1234' }), 101);
});

test('a channel has one path', async (t) => {
  const { enclave } = await createEnclave(t);
  assert.equal(await upgradeStatus(enclave, {}, '/other'), 404);
});

test('EN-03 the node listens on loopback alone', async (t) => {
  const { enclave } = await createEnclave(t);
  assert.equal(new URL(enclave.url).hostname, '127.0.0.1');
  const { networkInterfaces } = await import('node:os');
  const outside = Object.values(networkInterfaces())
    .flat()
    .find((address) => address?.family === 'IPv4' && !address.internal);
  if (outside === undefined) return t.skip('no address but loopback (2026-11-21)');
  await assert.rejects(fetch(`http://${outside.address}:${new URL(enclave.url).port}/healthz`));
});

test('EN-06 sessions have an end', async (t) => {
  const { enclave } = await createEnclave(t, {}, { sessionLimit: 2 });
  const connect = createNodeConnectSocket();
  const url = `${enclave.url.replace('http', 'ws')}/channel`;
  const sockets = await Promise.all([connect(url), connect(url)]);
  assert.equal(await upgradeStatus(enclave, {}), 503);
  for (const socket of sockets) socket.close();
});

test('a taken port is named as such', async (t) => {
  const { enclave } = await createEnclave(t);
  const dataDir = await mkdtemp(join(tmpdir(), 'sotto-enclave-'));
  t.after(() => rm(dataDir, { recursive: true }));
  await assert.rejects(startEnclave({ engine: null, dataDir, port: Number(new URL(enclave.url).port) }), {
    code: 'port-taken',
  });
});

test('EN-26 a refused upgrade is cut, and does not delay the end of the program', async (t) => {
  const { enclave } = await createEnclave(t);
  const { port } = new URL(enclave.url);
  const stranger = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true });
  stranger.on('error', () => undefined).resume();
  stranger.write(`GET /x HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
  await once(stranger, 'end', { signal: AbortSignal.timeout(5000) });
  const isClosed = await Promise.race([enclave.close().then(() => true), delay(3000, false)]);
  stranger.destroy();
  assert.ok(isClosed);
});
