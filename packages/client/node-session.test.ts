/** The whole private path in this process: real server, real enclave with the scripted engine, real sockets. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { CookieJar, createNodeConnectSocket, createNodeFetch } from '@sotto/adapters-node';
import type { Fetch } from '@sotto/ports';
import { createRealClock, createSeededRandom, scriptedEngine } from '@sotto/testkit';
import { type Policy, VerifyError } from '@sotto/verify';
import { type Enclave, startEnclave } from '../../apps/enclave/start.ts';
import { type RunningServer, startServer } from '../../apps/server/start.ts';
import { NodeConnection } from './connection.ts';
import type { ClientError } from './errors.ts';
import { type ClaimedNode, type KnownNode, NodeCache } from './node-cache.ts';
import { type ClientPorts, openNodeSession, type SessionPhase } from './node-session.ts';

let server: RunningServer;
let enclave: Enclave;
let dataDir: string;
let policy: Policy;
let seed = 0;

before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'sotto-session-'));
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

interface Wire {
  readonly ports: ClientPorts;
  /** Changes a frame that comes from the relay. */
  onFrame: ((frame: Uint8Array) => Uint8Array) | undefined;
  /** Sizes of the frames that the client sent, per connection. */
  readonly sent: number[][];
  distrust(): void;
  onAnswer: ((path: string, bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>) | undefined;
}

/** A client whose frames are counted and whose server's answers a test can change. */
function createWire(): Wire {
  const cookieJar = new CookieJar();
  const [plain, connect] = [createNodeFetch({ cookieJar }), createNodeConnectSocket({ cookieJar })];
  const sent: number[][] = [];
  let isDistrusted = false;
  const listeners = new Set<() => void>();
  const fetch: Fetch = async (url, init) => {
    const response = await plain(url, { ...init, headers: { ...init?.headers, origin: server.url } });
    const bytes = await response.bytes();
    return { ...response, bytes: async () => wire.onAnswer?.(new URL(url).pathname, bytes) ?? bytes };
  };
  const wire: Wire = {
    sent,
    onFrame: undefined,
    onAnswer: undefined,
    distrust() {
      isDistrusted = true;
      for (const listener of listeners) listener();
    },
    ports: {
      clock: createRealClock(),
      random: createSeededRandom(`session ${seed++}`),
      fetch,
      connect: async (url, signal) => {
        const socket = await connect(url, signal);
        const frames: number[] = [];
        sent.push(frames);
        const send = socket.send.bind(socket);
        socket.send = (message) => {
          frames.push(message.length);
          send(message);
        };
        const passed = Object.create(socket, {
          onMessage: {
            set: (handler: (message: Uint8Array) => void) => {
              socket.onMessage = (message) => handler(wire.onFrame?.(message) ?? message);
            },
          },
          onClose: {
            set: (handler: (code: number, reason: string) => void) => {
              socket.onClose = handler;
            },
          },
          bufferedBytes: { get: () => socket.bufferedBytes },
          send: { value: socket.send },
          close: { value: socket.close.bind(socket) },
        });
        return passed;
      },
      distrust: {
        isDistrusted: () => isDistrusted,
        subscribe: (listener) => {
          listeners.add(listener);
          return () => listeners.delete(listener);
        },
      },
    },
  };
  return wire;
}

const codeOf = (code: string) => (error: ClientError) => error.code === code;
const question = { model: 'scripted', messages: [{ role: 'user' as const, content: 'Say hello' }] };

test('a question is answered over a checked channel, and the phases are told in order', async () => {
  const phases: SessionPhase[] = [];
  const { ports } = createWire();
  const session = await openNodeSession(ports, { baseUrl: server.url, policy, onPhase: (phase) => phases.push(phase) });
  let text = '';
  let reason = '';
  for await (const event of session.chat(question)) {
    if (event.kind === 'text-delta') text += event.text;
    else reason = event.reason;
  }
  assert.ok(text.length > 0);
  assert.equal(reason, 'stop');
  assert.deepEqual(phases, ['finding', 'connecting', 'checking', 'verified']);
  assert.ok(session.report.checks.every((check) => check.status !== 'failed'));
  assert.equal((await session.models()).length, 1);
  session.close();
  assert.equal(await session.closed, undefined);
  await assert.rejects(session.models(), codeOf('node-lost'));
});

test('CL-01 a machine that does not prove itself gets the handshake and nothing more', async () => {
  const wire = createWire();
  const stranger: Policy = { kind: 'dev', version: 1, fingerprint: '00'.repeat(32) };
  await assert.rejects(openNodeSession(wire.ports, { baseUrl: server.url, policy: stranger }), VerifyError);
  // Message 1 (1,216 bytes) and at most the record that closes the channel; no record that asks for anything.
  assert.deepEqual(
    wire.sent.map((frames) => frames[0]),
    [1216],
  );
  assert.ok((wire.sent[0]?.length ?? 0) <= 2);
});

test('CL-01 an object that only looks like a verified node opens nothing', async () => {
  const wire = createWire();
  const forged = {
    holds: () => false,
    find: (_id: string, claim: ClaimedNode) => ({
      node: { ...claim, notAfterMs: Number.MAX_VALUE },
      report: {},
      bundle: [],
    }),
  } as unknown as NodeCache;
  const opening = openNodeSession(wire.ports, { baseUrl: server.url, policy, cache: forged });
  await assert.rejects(opening, codeOf('node-unverified'));
});

test('CL-03 another bundle than the one the handshake named is not judged: the node is asked for its own', async () => {
  for (const forged of [new Uint8Array(0), new Uint8Array(500).fill(7)]) {
    const wire = createWire();
    wire.onAnswer = (path, bytes) => (path.includes('/evidence/') ? forged : bytes);
    const session = await openNodeSession(wire.ports, { baseUrl: server.url, policy });
    assert.ok(session.bundle.length > 100);
    session.close();
  }
});

test('CL-05 a failed verification is reported and not tried again in silence', async () => {
  const wire = createWire();
  const stranger: Policy = { kind: 'dev', version: 1, fingerprint: '11'.repeat(32) };
  const connection = new NodeConnection(wire.ports, { baseUrl: server.url, policy: stranger });
  await assert.rejects(connection.session(), (error: VerifyError) => {
    assert.equal(error.action, 'stop');
    assert.equal(error.report.checks[0]?.status, 'failed');
    return true;
  });
  assert.equal(wire.sent.length, 1);
});

test('CL-06 a session closes at once when its node is withdrawn, and carries nothing more', async () => {
  const wire = createWire();
  const session = await openNodeSession(wire.ports, { baseUrl: server.url, policy });
  wire.distrust();
  await assert.rejects(session.models(), codeOf('node-distrusted'));
  assert.equal(((await session.closed) as ClientError).code, 'node-distrusted');
  assert.equal(session.isOpen, false);
});

test('a connection keeps its session, shares one attempt and checks the same epoch once', async () => {
  const wire = createWire();
  const connection = new NodeConnection(wire.ports, { baseUrl: server.url, policy });
  const [a, b] = await Promise.all([connection.session(), connection.session()]);
  assert.equal(a, b);
  assert.equal(await connection.session(), a);
  a.close();
  await a.closed;
  const c = await connection.session();
  assert.notEqual(c, a);
  assert.equal(c.node, a.node);
  assert.equal(wire.sent.length, 2);
  connection.close();
});

test('CL-02 a listing without a suite that this client speaks offers no node', async () => {
  const wire = createWire();
  wire.onAnswer = (path, bytes) =>
    path === '/api/nodes'
      ? new TextEncoder().encode(new TextDecoder().decode(bytes).replace('sotto-1', 'sotto-0'))
      : bytes;
  await assert.rejects(openNodeSession(wire.ports, { baseUrl: server.url, policy }), codeOf('no-node'));
  assert.equal(wire.sent.length, 0);
});

test('CH-02 a directory that adds a suite the node does not offer ends the handshake', async () => {
  const wire = createWire();
  wire.onAnswer = (path, bytes) =>
    path === '/api/nodes'
      ? new TextEncoder().encode(new TextDecoder().decode(bytes).replace('"sotto-1"', '"plain-0","sotto-1"'))
      : bytes;
  await assert.rejects(openNodeSession(wire.ports, { baseUrl: server.url, policy }), codeOf('handshake-failed'));
});

test('CL-04 a cached verdict is used for the same claim only, in its time, and never once withdrawn', () => {
  const claim: ClaimedNode = {
    staticKey: new Uint8Array(32).fill(1),
    evidenceDigest: new Uint8Array(32).fill(2),
    epochId: new Uint8Array(16).fill(3),
  };
  const known = { node: { ...claim, notAfterMs: 1000 } } as unknown as KnownNode;
  const cache = new NodeCache();
  cache.remember('n', known);
  const nobody = { isDistrusted: () => false, subscribe: () => () => {} };
  assert.equal(cache.find('n', claim, 999, nobody), known);
  assert.equal(cache.find('m', claim, 999, nobody), undefined);
  assert.equal(cache.find('n', { ...claim, staticKey: new Uint8Array(32) }, 999, nobody), undefined);
  assert.equal(cache.find('n', { ...claim, evidenceDigest: new Uint8Array(32) }, 999, nobody), undefined);
  assert.equal(cache.find('n', { ...claim, epochId: new Uint8Array(16) }, 999, nobody), undefined);
  assert.equal(cache.find('n', claim, 1000, nobody), undefined);
  assert.equal(cache.find('n', claim, 999, { ...nobody, isDistrusted: () => true }), undefined);
});

test('CL-19 an altered answer is told as what it is and not as a lost connection', async () => {
  const wire = createWire();
  const session = await openNodeSession(wire.ports, { baseUrl: server.url, policy });
  wire.onFrame = (frame) => frame.map((byte, index) => (index === 20 ? byte ^ 1 : byte));
  await assert.rejects(
    async () => {
      for await (const _event of session.chat(question));
    },
    (error: ClientError) => {
      assert.deepEqual([error.code as string, error.action, error.rule], ['record-forged', 'stop', 'CH-21']);
      return true;
    },
  );
});

test('CL-19 altered evidence is told as what it is and not as a lost connection', async () => {
  const wire = createWire();
  wire.onAnswer = (path, bytes) => (path.includes('/evidence/') ? bytes.map((byte) => byte ^ 1) : bytes);
  let frames = 0;
  wire.onFrame = (frame) => (frames++ === 0 ? frame : frame.map((byte, index) => (index === 20 ? byte ^ 1 : byte)));
  await assert.rejects(openNodeSession(wire.ports, { baseUrl: server.url, policy }), (error: ClientError) => {
    assert.deepEqual([error.code as string, error.action, error.rule], ['record-forged', 'stop', 'CH-21']);
    return true;
  });
});

test('SH-04 a session is shaped unless one asks for less', async () => {
  const uploads: number[] = [];
  for (const profile of [undefined, 'compact'] as const) {
    const wire = createWire();
    const session = await openNodeSession(wire.ports, {
      baseUrl: server.url,
      policy,
      ...(profile === undefined ? {} : { profile }),
    });
    await session.models();
    session.close();
    uploads.push(Math.max(...(wire.sent[0] ?? []).slice(1)));
  }
  assert.deepEqual(uploads, [4096 + 16, 256 + 16]);
});
