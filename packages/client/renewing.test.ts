/** Sessions that outlive their epoch: real server, real enclave whose epochs turn fast, real sockets. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { CookieJar, createNodeConnectSocket, createNodeFetch } from '@sotto/adapters-node';
import { encodeHex } from '@sotto/bytes';
import type { Socket } from '@sotto/ports';
import { createRealClock, createSeededRandom, scriptedEngine } from '@sotto/testkit';
import { type Policy, VerifyError } from '@sotto/verify';
import { type Enclave, type EnclaveOptions, startEnclave } from '../../apps/enclave/start.ts';
import { type RunningServer, startServer } from '../../apps/server/start.ts';
import { NodeConnection } from './connection.ts';
import type { ClientError } from './errors.ts';
import type { ClientPorts, NodeSession } from './node-session.ts';
import { openNodeSession } from './node-session.ts';

interface System {
  readonly enclave: Enclave;
  readonly server: RunningServer;
  readonly policy: Policy;
  readonly lines: string[];
}

async function createSystem(t: TestContext, options: Partial<EnclaveOptions> = {}): Promise<System> {
  const dataDir = await mkdtemp(join(tmpdir(), 'sotto-renewing-'));
  const lines: string[] = [];
  const log = (event: string): void => void lines.push(event);
  const enclave = await startEnclave({ engine: scriptedEngine(), dataDir: join(dataDir, 'enclave'), log, ...options });
  const nodes = [{ baseUrl: enclave.url }];
  const server = await startServer({
    port: 0,
    dataDir: join(dataDir, 'server'),
    nodes,
    webDir: dataDir,
    logSink: () => {},
  });
  t.after(async () => {
    await server.close();
    await enclave.close();
    await rm(dataDir, { recursive: true, force: true });
  });
  return { enclave, server, lines, policy: { kind: 'dev', version: 1, fingerprint: enclave.devFingerprint } };
}

interface Person {
  readonly ports: ClientPorts;
  /** Sizes of what left, socket by socket. */
  readonly sent: number[][];
  /** Withdraws what the test names. */
  distrusts: (subject: { evidenceDigest: Uint8Array; staticKey: Uint8Array }) => boolean;
  /** Tells the client that something was withdrawn. */
  announce(): void;
}

let seed = 0;

function createPerson(server: RunningServer): Person {
  const cookieJar = new CookieJar();
  const [fetch, connect] = [createNodeFetch({ cookieJar }), createNodeConnectSocket({ cookieJar })];
  const listeners = new Set<() => void>();
  const person: Person = {
    sent: [],
    distrusts: () => false,
    announce: () => {
      for (const listener of listeners) listener();
    },
    ports: {
      clock: createRealClock(),
      random: createSeededRandom(`renewing ${seed++}`),
      fetch: (url, init) => fetch(url, { ...init, headers: { ...init?.headers, origin: server.url } }),
      connect: async (url, signal): Promise<Socket> => {
        const socket = await connect(url, signal);
        const sizes: number[] = [];
        person.sent.push(sizes);
        const send = socket.send.bind(socket);
        socket.send = (message) => {
          sizes.push(message.length);
          send(message);
        };
        return socket;
      },
      distrust: {
        isDistrusted: (subject) => person.distrusts(subject),
        subscribe: (listener) => {
          listeners.add(listener);
          return () => listeners.delete(listener);
        },
      },
    },
  };
  return person;
}

const question = (text: string) => ({ model: 'scripted', messages: [{ role: 'user' as const, content: text }] });

async function answerOf(session: NodeSession, text: string): Promise<string> {
  let answer = '';
  for await (const event of session.chat(question(text))) if (event.kind === 'text-delta') answer += event.text;
  return answer;
}

async function until(condition: () => boolean, ms = 5000): Promise<void> {
  const untilMs = Date.now() + ms;
  while (!condition() && Date.now() < untilMs) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(condition());
}

const FAST = { rotateMs: 900, validMs: 30_000, graceMs: 300 };
const hex = (session: NodeSession) => encodeHex(session.node.epochId);

for (const { profile, count, words, least } of [
  { profile: 'compact', count: 50, words: 120, least: 4 },
  // A shaped client says something twice a second: three things to say take a second and a half.
  { profile: 'balanced', count: 5, words: 100, least: 2 },
] as const) {
  test(`CH-76 ${count} answers run on through turning epochs, and nothing is lost (${profile})`, {
    timeout: 60_000,
  }, async (t) => {
    const { server, policy, lines } = await createSystem(t, {
      times: FAST,
      queue: { running: 50, waiting: 64, perSession: 64 },
    });
    const session = await openNodeSession(createPerson(server).ports, { baseUrl: server.url, policy, profile });
    const epochs = new Set([hex(session)]);
    const watch = setInterval(() => epochs.add(hex(session)), 20);
    t.after(() => clearInterval(watch));
    // As often as it takes: on a busy machine epochs turn while a handshake waits for its turn.
    do {
      const asking = Array.from({ length: count }, () => answerOf(session, `/slow ${words} 45`));
      const [expected, ...answers] = await Promise.all(asking);
      assert.ok((expected?.split(' ').length ?? 0) >= words);
      assert.ok(answers.every((answer) => answer === expected));
    } while (epochs.size < least);
    assert.equal(lines.filter((line) => line === 'session-open').length, 1);
    assert.equal((await session.proveLive()).trust, 'development');
    session.close();
    assert.equal(await session.closed, undefined);
  });
}

test('CH-83 a node that is withdrawn between the judgement of its new epoch and the renewal hears nothing more', async (t) => {
  const { server, policy } = await createSystem(t, { times: FAST });
  const person = createPerson(server);
  const session = await openNodeSession(person.ports, { baseUrl: server.url, policy, profile: 'compact' });
  const first = session.node.evidenceDigest;
  // `verifyNode` asks once for the new evidence; the last look, before `switch`, asks again.
  let asked = 0;
  person.distrusts = ({ evidenceDigest }) => encodeHex(evidenceDigest) !== encodeHex(first) && ++asked > 1;
  assert.equal(((await session.closed) as ClientError).code, 'node-distrusted');
  assert.equal(asked, 2);
  assert.equal(encodeHex(session.node.evidenceDigest), encodeHex(first), 'the new epoch was never taken');
  const count = person.sent[0]?.length;
  await assert.rejects(session.models(), (error: ClientError) => error.code === 'node-distrusted');
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(person.sent[0]?.length, count);
});

test('CH-83 a node that is withdrawn between the judgement of its evidence and the first word hears none', async (t) => {
  const { server, policy } = await createSystem(t);
  const person = createPerson(server);
  let asked = 0;
  person.distrusts = () => ++asked > 1;
  const opening = openNodeSession(person.ports, { baseUrl: server.url, policy, profile: 'compact' });
  await assert.rejects(opening, (error: ClientError) => error.code === 'node-distrusted');
  // Message 1, at most the record that asks for evidence, and the one that closes.
  assert.ok((person.sent[0]?.length ?? 0) <= 3);
});

test('CH-77 new evidence that does not pass ends the session, and its reason is told', async (t) => {
  const { server, policy } = await createSystem(t, { times: FAST });
  const person = createPerson(server);
  const session = await openNodeSession(person.ports, { baseUrl: server.url, policy, profile: 'compact' });
  const first = encodeHex(session.node.evidenceDigest);
  person.distrusts = ({ evidenceDigest }) => encodeHex(evidenceDigest) !== first;
  const error = (await session.closed) as VerifyError;
  assert.ok(error instanceof VerifyError);
  assert.deepEqual([error.code, error.rule], ['node-distrusted', 'EV-35']);
  await assert.rejects(session.models(), VerifyError);
});

// Shaped sessions last until their windows are over (SH-17); here it is the draining that is looked at.
test('CH-89 a node that stops finishes what runs, takes nothing new, and the next question finds another', {
  timeout: 30_000,
}, async (t) => {
  const { enclave, server, policy, lines } = await createSystem(t);
  const connection = new NodeConnection(createPerson(server).ports, {
    baseUrl: server.url,
    policy,
    profile: 'compact',
  });
  const session = await connection.session();
  const idle = await openNodeSession(createPerson(server).ports, { baseUrl: server.url, policy, profile: 'compact' });
  const running = answerOf(session, '/slow 30 30');
  await until(() => lines.includes('session-open'));
  await new Promise((resolve) => setTimeout(resolve, 200));
  const startMs = Date.now();
  const left = enclave.leave();
  await until(() => !session.isOpen);
  // Nothing ran here: it is closed in order at once.
  assert.equal(((await idle.closed) as ClientError).code, 'node-lost');
  await assert.rejects(session.models(), (error: ClientError) => (error.code as string) === 'node-leaving');
  assert.equal((await running).split(' ').length >= 30, true);
  await left;
  assert.ok(Date.now() - startMs < 10_000);
  await session.closed;
  // No other node is there: the connection looks for one by itself, and says so.
  await assert.rejects(connection.session(), (error: ClientError) => error.action === 'retry');
});

test('CH-89 an answer that does not end keeps no node', async (t) => {
  const { enclave, server, policy } = await createSystem(t);
  const session = await openNodeSession(createPerson(server).ports, {
    baseUrl: server.url,
    policy,
    profile: 'compact',
  });
  const events = session.chat(question('/slow 10000 20'));
  const iterator = events[Symbol.asyncIterator]();
  await iterator.next();
  await enclave.leave(200);
  await session.closed;
  assert.equal(session.isOpen, false);
  await iterator.return?.(undefined);
});

test('CH-89 while a node stops, the next question goes to another by itself', { timeout: 30_000 }, async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'sotto-draining-'));
  // Two nodes with one development key would be one node; the policy names one key, so both stand on the same folder.
  const start = () => startEnclave({ engine: scriptedEngine(), dataDir: join(dataDir, 'enclave') });
  const [one, port] = [await start(), await freePort()];
  const nodes = [{ baseUrl: one.url }, { baseUrl: `http://127.0.0.1:${port}` }];
  const server = await startServer({
    port: 0,
    dataDir: join(dataDir, 'server'),
    nodes,
    webDir: dataDir,
    logSink: () => {},
  });
  let other: Enclave | undefined;
  t.after(async () => {
    await server.close();
    await Promise.all([one.close(), other?.close()]);
    await rm(dataDir, { recursive: true, force: true });
  });
  const policy: Policy = { kind: 'dev', version: 1, fingerprint: one.devFingerprint };
  const connection = new NodeConnection(createPerson(server).ports, {
    baseUrl: server.url,
    policy,
    profile: 'compact',
  });
  const session = await connection.session();
  const running = answerOf(session, '/slow 120 30');
  await new Promise((resolve) => setTimeout(resolve, 200));
  const leaving = one.leave();
  other = await startEnclave({ engine: scriptedEngine(), dataDir: join(dataDir, 'enclave'), port });
  await until(() => !session.isOpen);
  // The directory remembers for two seconds what it was told.
  await new Promise((resolve) => setTimeout(resolve, 2100));
  const next = await connection.session();
  assert.notEqual(next, session);
  assert.match(await answerOf(next, 'hello'), /hello/);
  assert.equal((await running).split(' ').length >= 120, true);
  await leaving;
  connection.close();
});

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
