/**
 * Hostile clients against the real programs: server and enclave in processes of their own. Attackers sit where a dishonest
 * relay sits, at the node's door, with sessions of their own. A person's answers must go on, and the node's memory stay bounded.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import {
  CookieJar,
  createNodeClock,
  createNodeConnectSocket,
  createNodeFetch,
  createNodeRandom,
} from '@sotto/adapters-node';
import { socketOfWebSocket } from '@sotto/adapters-node/socket';
import { concatBytes, encodeUtf8, parseHex } from '@sotto/bytes';
import { encodeFrame, type Frame, RawPeer } from '@sotto/channel/raw-peer-for-testing';
import { type NodeSession, openNodeSession } from '@sotto/client';
import { devPolicy } from '@sotto/verify';
import { encodeRequestHead, WIRE_VERSION } from '@sotto/wire';
import { WebSocket } from 'ws';
import { type System, startSystem } from '../harness/system.ts';

const MIB = 1024 * 1024;
let system: System;
let person: NodeSession;

before(async () => {
  system = await startSystem();
  const cookieJar = new CookieJar();
  const plain = createNodeFetch({ cookieJar });
  const ports = {
    clock: createNodeClock(),
    random: createNodeRandom(),
    connect: createNodeConnectSocket({ cookieJar }),
    fetch: (url: string, init?: Parameters<typeof plain>[1]) =>
      plain(url, { ...init, headers: { ...init?.headers, origin: system.url } }),
    distrust: { isDistrusted: () => false, subscribe: () => () => {} },
  };
  person = await openNodeSession(ports, { baseUrl: system.url, policy: devPolicy(system.devFingerprint) });
});

after(async () => {
  person.close();
  await system.stop();
});

/** The person's session, which was open before the attack, still gets whole answers. */
async function assertServed(): Promise<void> {
  let text = '';
  const messages = [{ role: 'user' as const, content: 'still there?' }];
  for await (const event of person.chat({ model: 'scripted', messages })) {
    if (event.kind === 'text-delta') text += event.text;
  }
  assert.ok(text.length > 0);
}

function residentBytes(): number {
  const status = readFileSync(`/proc/${system.enclave.child.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

/** A session of the attacker's at the node's door. */
async function attack(): Promise<{ peer: RawPeer; webSocket: WebSocket }> {
  const webSocket = await knock();
  const random = createNodeRandom();
  const peer = await RawPeer.connect({
    socket: socketOfWebSocket(webSocket),
    role: 'initiator',
    nodeId: parseHex(system.nodeId, 16),
    keys: { ephemeral: random.bytes(32), hybrid: random.bytes(64) },
  });
  await peer.send({ kind: 'verified' });
  return { peer, webSocket };
}

async function knock(): Promise<WebSocket> {
  const webSocket = new WebSocket(`${system.enclave.ready.url.replace('http', 'ws')}/channel`);
  webSocket.on('error', () => undefined);
  await new Promise((resolve, reject) => webSocket.once('open', resolve).once('error', reject));
  return webSocket;
}

const closed = (webSocket: WebSocket): Promise<number> =>
  new Promise((resolve) => {
    if (webSocket.readyState === WebSocket.CLOSED) resolve(0);
    else webSocket.once('close', (code) => resolve(code));
  });

const head = (path: string) => encodeRequestHead({ version: WIRE_VERSION, method: 'POST', path, headers: [] });
const chat = head('/v1/chat/completions');
const open = (stream: number, bytes = chat): Frame => ({ kind: 'open', stream, head: bytes });

test('bodies that never end, on hundreds of streams, cost what their cap says', {
  timeout: 120_000,
}, async (t) => {
  const before = residentBytes();
  const piece = new Uint8Array(16_000).fill(0x20);
  const attackers = await Promise.all(Array.from({ length: 4 }, attack));
  await Promise.all(
    attackers.map(async ({ peer }) => {
      for (let stream = 1; stream <= 60; stream++) await peer.send(open(stream));
      for (let round = 0; round < 4; round++) {
        for (let stream = 1; stream <= 60; stream++) await peer.send({ kind: 'data', stream, bytes: piece });
      }
    }),
  );
  await assertServed();
  const grown = residentBytes() - before;
  t.diagnostic(`${Math.round(grown / MIB)} MiB more`);
  // 4 sessions × 60 streams × 64 kB wait, 15 MB; what Node keeps of freed buffers comes on top.
  assert.ok(grown < 128 * MIB, `${Math.round(grown / MIB)} MiB`);
  for (const { webSocket } of attackers) webSocket.terminate();
  await assertServed();
});

const FLOODS: Record<string, () => Uint8Array> = {
  pings: () =>
    concatBytes(...Array.from({ length: 1800 }, () => encodeFrame({ kind: 'ping', token: new Uint8Array(8) }))),
  'records of nothing': () => new Uint8Array(0),
  'renewals of nothing': () => encodeFrame({ kind: 'renew', message: new Uint8Array(1216) }),
};

test('floods end the attacker’s session alone', { timeout: 120_000 }, async () => {
  const before = residentBytes();
  for (const [name, record] of Object.entries(FLOODS)) {
    const { peer, webSocket } = await attack();
    const bytes = record();
    const end = closed(webSocket);
    // Whoever sends no more than is allowed floods nobody: a machine that is busy sends on until it has been too much.
    for (let i = 0; i < 100_000 && webSocket.readyState === WebSocket.OPEN; i++) {
      await peer.sendPlaintext(bytes);
      if (i % 64 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(await end, 4000, name);
    await assertServed();
  }
  assert.ok(residentBytes() - before < 96 * MIB);
});

test('requests that are opened and given up without end do not keep others from theirs', {
  timeout: 120_000,
}, async () => {
  const { peer, webSocket } = await attack();
  const models = encodeRequestHead({ version: WIRE_VERSION, method: 'GET', path: '/v1/models', headers: [] });
  for (let stream = 1; stream <= 2000; stream += 100) {
    const pairs = Array.from({ length: 100 }, (_, i) =>
      concatBytes(encodeFrame(open(stream + i, models)), encodeFrame({ kind: 'cancel', stream: stream + i })),
    );
    await peer.sendPlaintext(concatBytes(...pairs));
  }
  await assertServed();
  webSocket.terminate();
});

test('strangers who say nothing, too much, or text are shown out', { timeout: 120_000 }, async () => {
  const silent = await Promise.all(Array.from({ length: 40 }, knock));
  const wordy = await knock();
  wordy.send('text');
  assert.equal(await closed(wordy), 1003);
  const large = await knock();
  large.send(new Uint8Array(65_536));
  assert.equal(await closed(large), 1009);
  const drip = await knock();
  for (let i = 0; i < 20; i++) drip.send(Uint8Array.of(i));
  assert.equal(await closed(drip), 4000);
  await assertServed();
  const codes = await Promise.all(silent.map(closed));
  assert.ok(
    codes.every((code) => code === 4000),
    `${codes}`,
  );
  await assertServed();
});

test('an attacker that asks and never reads holds no more than the answers’ windows', {
  timeout: 120_000,
}, async () => {
  const before = residentBytes();
  const { peer, webSocket } = await attack();
  // What the kernel has taken is not read either: nothing leaves the node's socket any more.
  (webSocket as unknown as { _socket: { pause(): void } })._socket.pause();
  const words = encodeUtf8(
    JSON.stringify({ model: '', stream: true, messages: [{ role: 'user', content: '/slow 400' }] }),
  );
  for (let stream = 1; stream <= 8; stream++) {
    await peer.send(open(stream), { kind: 'data', stream, bytes: words }, { kind: 'end', stream });
  }
  await assertServed();
  assert.ok(residentBytes() - before < 64 * MIB);
  webSocket.terminate();
  await assertServed();
});
