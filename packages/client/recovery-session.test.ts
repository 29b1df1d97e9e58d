/** Lost answers over the real path: two enclaves, the real server and its relay, and a line that the test cuts. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { CookieJar, createNodeConnectSocket, createNodeFetch } from '@sotto/adapters-node';
import type { Socket } from '@sotto/ports';
import { createRealClock, createSeededRandom, scriptedEngine } from '@sotto/testkit';
import type { Policy } from '@sotto/verify';
import { startEnclave } from '../../apps/enclave/start.ts';
import { type RunningServer, startServer } from '../../apps/server/start.ts';
import type { ChatEvent } from './chat.ts';
import { type ClientPorts, openNodeSession } from './node-session.ts';
import type { AnswerTicket } from './recovery.ts';

type Node = Awaited<ReturnType<typeof startEnclave>>;
const engines = [scriptedEngine(), scriptedEngine()] as const;
const nodes: Node[] = [];
let server: RunningServer;
let dataDir: string;
let policy: Policy;

before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'sotto-lost-'));
  // One development key for both would make them one node: each has its own, and the policy pins the first.
  for (const [index, engine] of engines.entries()) {
    nodes.push(await startEnclave({ engine, dataDir: join(dataDir, `enclave-${index}`) }));
  }
  const addresses = nodes.map(({ url }) => ({ baseUrl: url }));
  server = await startServer({
    port: 0,
    dataDir: join(dataDir, 'server'),
    nodes: addresses,
    webDir: dataDir,
    logSink: () => {},
  });
  policy = { kind: 'dev', version: 1, fingerprint: nodes[0]?.devFingerprint ?? '' };
});
after(async () => {
  await server.close();
  for (const node of nodes) await node.close();
  await rm(dataDir, { recursive: true, force: true });
});

/** A client whose connections are noted and can be cut. */
function createClient(seed: string) {
  const cookieJar = new CookieJar();
  const [fetch, connect] = [createNodeFetch({ cookieJar }), createNodeConnectSocket({ cookieJar })];
  const asked: string[] = [];
  const sockets: Socket[] = [];
  const ports: ClientPorts = {
    clock: createRealClock(),
    random: createSeededRandom(seed),
    fetch: (url, init) => fetch(url, { ...init, headers: { ...init?.headers, origin: server.url } }),
    connect: async (url, signal) => {
      asked.push(url.split('/').at(-1) ?? '');
      const socket = await connect(url, signal);
      sockets.push(socket);
      return socket;
    },
    distrust: { isDistrusted: () => false, subscribe: () => () => {} },
  };
  const open = () => openNodeSession(ports, { baseUrl: server.url, policy, nodeId: nodes[0]?.nodeId ?? '' });
  return { ports, open, asked, cut: () => sockets.at(-1)?.close() };
}

const question = (content: string) => ({ model: 'scripted', messages: [{ role: 'user' as const, content }] });

async function read(events: AsyncIterable<ChatEvent>, onText: (text: string) => void = () => {}): Promise<string> {
  let text = '';
  let isWhole = false;
  for await (const event of events) {
    if (event.kind === 'finish') isWhole = true;
    else {
      text += event.text;
      onText(text);
    }
  }
  assert.ok(isWhole);
  return text;
}

test('CL-41 a cut line is followed by a claim at the same node, however many there are, and the answer is whole', async () => {
  const started = engines.map(({ counts }) => counts.started);
  for (let round = 0; round < 2; round++) {
    const client = createClient(`cut ${round}`);
    const session = await client.open();
    let cuts = 0;
    const text = await read(session.chat(question('/slow 60 60')), (so) => {
      if (so.split(' ').length >= 10 * (cuts + 1) && cuts < 3) {
        cuts += 1;
        client.cut();
      }
    });
    assert.equal(text.trim().split(/\s+/).length, 60);
    assert.equal(cuts, 3);
    assert.deepEqual(new Set(client.asked), new Set([nodes[0]?.nodeId]));
    assert.equal(client.asked.length, 4);
    session.close();
  }
  assert.deepEqual(
    engines.map(({ counts }, index) => counts.started - (started[index] ?? 0)),
    [2, 0],
    'each was computed once, and nowhere else',
  );
});

test('CL-40 every question has a recovery key of its own', async () => {
  const client = createClient('keys');
  const session = await client.open();
  const keys: string[] = [];
  const onTicket = ({ recoveryKey }: AnswerTicket) => void keys.push(Buffer.from(recoveryKey).toString('hex'));
  for (let round = 0; round < 3; round++) await read(session.chat(question('/lorem 3'), { onTicket }));
  assert.equal(new Set(keys).size, 3);
  session.close();
});

test('stop stops the engine, also when the line was cut and found again', async () => {
  const client = createClient('stop');
  const session = await client.open();
  const [{ counts }] = engines;
  const stopped = counts.stopped;
  const abort = new AbortController();
  const lines: string[] = [];
  const onLine = (line: string) => void lines.push(line);
  const reading = read(session.chat(question('/slow 200 40'), { signal: abort.signal, onLine }), (text) => {
    if (text.length > 40 && lines.length === 0) client.cut();
    if (text.length > 200) abort.abort();
  });
  await assert.rejects(reading);
  assert.deepEqual(lines, ['lost', 'back']);
  for (let round = 0; round < 100 && counts.stopped === stopped; round++) await delay(20);
  assert.equal(counts.stopped, stopped + 1);
});

test('a ticket fetches the answer after its program ended, and only once it ended there', async () => {
  const first = createClient('before');
  const session = await first.open();
  let ticket: AnswerTicket | undefined;
  const onTicket = (made: AnswerTicket) => {
    ticket = { ...made, recoveryKey: made.recoveryKey.slice() };
  };
  const events = session.chat(question('/slow 40 40'), { onTicket })[Symbol.asyncIterator]();
  await events.next();
  first.cut(); // and nobody reads on: the program is gone
  await delay(300);
  const second = createClient('after');
  const again = await second.open();
  assert.ok(ticket !== undefined);
  const text = await read(again.resume(ticket, { haveText: 'lorem ipsum' }));
  assert.equal(`lorem ipsum${text}`.split(' ').length, 40);
  await assert.rejects(read(again.resume({ ...ticket, claims: 0 }, { haveText: 'something else' })), {
    action: 'stop',
  });
  again.close();
});
