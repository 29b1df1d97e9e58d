/** The live level end to end: real server, real enclave, real sockets; and what is done with an answer that is not good. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { CookieJar, createNodeConnectSocket, createNodeFetch } from '@sotto/adapters-node';
import { encodeHex } from '@sotto/bytes';
import { createManualClock, createRealClock, createSeededRandom, scriptedEngine } from '@sotto/testkit';
import { type Policy, type VerifiedNode, VerifyError } from '@sotto/verify';
import { type Enclave, startEnclave } from '../../apps/enclave/start.ts';
import { type RunningServer, startServer } from '../../apps/server/start.ts';
import type { ClientError } from './errors.ts';
import { askLive, type LiveQuestion } from './live-proof.ts';
import { type ClientPorts, type NodeSession, openNodeSession } from './node-session.ts';
import type { NodeResponse } from './response.ts';

let server: RunningServer;
let enclave: Enclave;
let dataDir: string;
let policy: Policy;
let isWithdrawn = false;
/** Sizes of what the client sent. */
const sent: number[] = [];

before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'sotto-live-'));
  enclave = await startEnclave({ engine: scriptedEngine(), dataDir: join(dataDir, 'enclave') });
  const nodes = [{ baseUrl: enclave.url }];
  server = await startServer({ port: 0, dataDir: join(dataDir, 'server'), nodes, webDir: dataDir, logSink: () => {} });
  policy = { kind: 'dev', version: 1, fingerprint: enclave.devFingerprint };
});

after(async () => {
  await server.close();
  await enclave.close();
  await rm(dataDir, { recursive: true, force: true });
});

async function open(): Promise<NodeSession> {
  isWithdrawn = false;
  const cookieJar = new CookieJar();
  const [fetch, connect] = [createNodeFetch({ cookieJar }), createNodeConnectSocket({ cookieJar })];
  const ports: ClientPorts = {
    clock: createRealClock(),
    random: createSeededRandom(`live ${Math.random()}`),
    fetch: (url, init) => fetch(url, { ...init, headers: { ...init?.headers, origin: server.url } }),
    connect: async (url, signal) => {
      const socket = await connect(url, signal);
      const send = socket.send.bind(socket);
      socket.send = (message) => {
        sent.push(message.length);
        send(message);
      };
      return socket;
    },
    distrust: { isDistrusted: () => isWithdrawn, subscribe: () => () => {} },
  };
  return openNodeSession(ports, { baseUrl: server.url, policy });
}

test('CH-85 a machine proves itself for this connection, now, as often as it is asked', async () => {
  const session = await open();
  const [first, second] = [await session.proveLive(), await session.proveLive()];
  const observed = (report: typeof first, rule: string) => report.checks.find((line) => line.rule === rule)?.observed;
  assert.equal(first.trust, 'development');
  assert.ok(first.checks.every((line) => line.status !== 'failed'));
  assert.match(observed(first, 'EV-66') ?? '', /^[0-9a-f]{64}$/);
  assert.notEqual(observed(first, 'EV-66'), observed(second, 'EV-66'), 'another nonce for another question');
  assert.equal(observed(first, 'EV-67'), observed(second, 'EV-67'), 'the same handshake');
  assert.equal((await session.models()).length, 1);
  session.close();
  const other = await open();
  assert.notEqual(observed(await other.proveLive(), 'EV-67'), observed(first, 'EV-67'), 'another handshake');
  other.close();
});

test('CH-86 a machine that does not prove itself receives nothing more', async () => {
  const session = await open();
  isWithdrawn = true;
  await assert.rejects(session.proveLive(), VerifyError);
  const count = sent.length;
  await assert.rejects(session.models(), (error: VerifyError) => error.code === 'node-distrusted');
  assert.equal(((await session.closed) as VerifyError).code, 'node-distrusted');
  assert.equal(session.isOpen, false);
  assert.equal(sent.length, count, 'nothing was sent after the refusal but what closed the session');
});

/** A question whose answer the test makes. */
function ask(answer: (options: { body: Uint8Array; signal: AbortSignal }) => Promise<NodeResponse>) {
  const clock = createManualClock();
  const bodies: string[] = [];
  const question: LiveQuestion = {
    ports: {
      clock,
      random: createSeededRandom('live'),
      distrust: { isDistrusted: () => false, subscribe: () => () => {} },
    },
    policy: { kind: 'dev', version: 1, fingerprint: '00'.repeat(32) },
    suite: 'sotto-1',
    node: {} as VerifiedNode,
    handshakeHash: new Uint8Array(32),
    request: (_method, _path, options) => {
      bodies.push(encodeHex(options.body));
      return answer(options);
    },
  };
  return { clock, bodies, asked: () => askLive(question) };
}

async function* bodyOf(bytes: Uint8Array) {
  yield bytes;
}

test('CH-85 every question has 32 random bytes of its own', async () => {
  const { bodies, asked } = ask(async () => ({ status: 503, headers: [], body: bodyOf(new Uint8Array(0)) }));
  for (let i = 0; i < 20; i++) await assert.rejects(asked(), (error: ClientError) => error.code === 'node-refused');
  assert.equal(new Set(bodies).size, 20);
  assert.ok(bodies.every((body) => body.length === 64));
});

test('CH-87 a machine that is slow or says nothing has proven nothing, and is not accused', async () => {
  const never = ({ signal }: { signal: AbortSignal }) =>
    new Promise<NodeResponse>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  const { clock, asked } = ask(never);
  const asking = assert.rejects(
    asked(),
    (error: ClientError) => error.code === 'node-unavailable' && error.action === 'retry',
  );
  await clock.advance(29_999);
  assert.equal(clock.sleeping, 1);
  await clock.advance(1);
  await asking;
  assert.equal(clock.sleeping, 0);
});

test('CH-88 an answer of any length is bounded', async () => {
  async function* endless() {
    for (let i = 0; i < 10; i++) yield new Uint8Array(65_536);
  }
  const { asked } = ask(async () => ({ status: 200, headers: [], body: endless() }));
  await assert.rejects(asked(), (error: ClientError) => error.code === 'node-malformed');
});
