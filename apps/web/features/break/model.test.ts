/** The rows are themselves checked: true against the real server and machine, and FAILED once a check is missing. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { CookieJar, createNodeConnectSocket, createNodeFetch, createNodeRandom } from '@sotto/adapters-node';
import {
  ClientError,
  type ClientPorts,
  type History,
  type NodeSession,
  openHistory,
  openNodeSession,
} from '@sotto/client';
import { createManualClock, createRealClock, scriptedEngine } from '@sotto/testkit';
import { type Enclave, startEnclave } from '../../../enclave/start.ts';
import { type RunningServer, startServer } from '../../../server/start.ts';
import { ATTACKS, type Lab, TEST_SENTENCE } from './attacks.ts';
import { createBreakModel, judge, type Result } from './model.ts';
import { createEvilNetwork } from './network.ts';

let server: RunningServer;
let enclave: Enclave;
let dataDir: string;
let lab: Lab;

before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'sotto-break-'));
  enclave = await startEnclave({ engine: scriptedEngine(), dataDir: join(dataDir, 'enclave') });
  const nodes = [{ baseUrl: enclave.url }];
  server = await startServer({ port: 0, dataDir: join(dataDir, 'server'), nodes, webDir: dataDir, logSink: () => {} });
  const cookieJar = new CookieJar();
  const plain = createNodeFetch({ cookieJar });
  const ports: ClientPorts = {
    clock: createRealClock(),
    random: createNodeRandom(),
    fetch: (url, init) => plain(url, { ...init, headers: { ...init?.headers, origin: server.url } }),
    connect: createNodeConnectSocket({ cookieJar }),
    distrust: { isDistrusted: () => false, subscribe: () => () => {} },
  };
  lab = { ports, baseUrl: server.url, fingerprint: enclave.devFingerprint, openNodeSession, openHistory };
});

after(async () => {
  await server.close();
  await enclave.close();
  await rm(dataDir, { recursive: true, force: true });
});

async function runAll(changes: Partial<Lab> = {}): Promise<{ rows: Map<string, Result>; summary: string }> {
  const model = createBreakModel(async () => ({ ...lab, ...changes }));
  await model.runAll();
  const { rows, summary, busy } = model.state.get();
  assert.equal(busy, false);
  return { rows: new Map(ATTACKS.map(({ id }) => [id, rows[id] as Result])), summary };
}

const headings = (rows: Map<string, Result>) => Object.fromEntries([...rows].map(([id, row]) => [id, row.heading]));

test('every row is true against the real server and machine', async () => {
  const { rows, summary } = await runAll();
  assert.deepEqual(headings(rows), {
    'other-machine': 'Refused by EV-34',
    evidence: 'Refused by CL-03, CH-21',
    suite: 'Refused by CH-02, CH-05',
    handshake: 'Refused by CH-05',
    replay: 'Refused by CH-05',
    'low-order': 'Refused by CH-03',
    'answer-bit': 'Refused by CH-21',
    'answer-frame': 'Refused by CH-21',
    splice: 'Refused by CH-21',
    records: 'Refused by VA-07',
    rollback: 'Refused by VA-107',
  });
  assert.equal(summary, '11 refused, 0 not detected in this version, 0 failed.');
  for (const [id, row] of rows)
    assert.match(row.left, id.startsWith('answer-') || id === 'splice' ? /^15 bytes, encrypted/ : /^None: 0/, id);
  for (const [id, row] of rows) assert.ok(row.saw.length > 20, id);
  assert.match(rows.get('rollback')?.saw ?? '', /older version/);
});

/** A client without any check: whatever stands at the other end gets the words. */
const openAnything = async (): Promise<NodeSession> =>
  ({
    models: async () => [],
    chat: async function* () {
      yield { kind: 'text-delta', text: 'hello' };
    },
    close: () => {},
  }) as unknown as NodeSession;

test('with a client that checks nothing, each row says FAILED, and what left', async () => {
  const { rows } = await runAll({ openNodeSession: openAnything });
  for (const { id, leaves } of ATTACKS) {
    if (id === 'records' || id === 'rollback') continue;
    assert.match(rows.get(id)?.heading ?? '', /^FAILED: [\w, -]+ did not refuse it$/, id);
    if (leaves === 'nothing') assert.match(rows.get(id)?.left ?? '', /^15 bytes went out before/, id);
    assert.match(rows.get(id)?.saw ?? '', /hello/, id);
  }
});

test('with a history that opens anything, the swapped chats say FAILED', async () => {
  const gullible = async (): Promise<History> =>
    ({
      createConversation: async () => 'c',
      saveMessage: async () => 'm',
      damaged: new Map(),
      damagedCount: 0,
      thread: () => [{ text: 'of the other chat' }],
      settled: async () => {},
      findings: [],
    }) as unknown as History;
  const { rows } = await runAll({ openHistory: gullible });
  assert.equal(rows.get('records')?.verdict, 'failed');
  assert.equal(rows.get('rollback')?.verdict, 'failed');
});

test('what breaks in an unforeseen way is FAILED; with no machine to trust nothing was tried', async () => {
  const { rows } = await runAll({ openHistory: () => Promise.reject(new ClientError('busy')) });
  assert.equal(rows.get('records')?.verdict, 'failed');
  const model = createBreakModel(() => Promise.reject(new ClientError('no-node')));
  await model.run('records');
  assert.equal((model.state.get().rows.records as Result).verdict, 'untried');
});

test('refused by another rule than its own is FAILED, and so is refused after words had left', () => {
  const attack = ATTACKS[0];
  assert.ok(attack !== undefined);
  const outcome = { rule: 'EV-34', saw: '', wordBytes: 0, inClear: false };
  assert.equal(judge(attack, outcome).verdict, 'refused');
  assert.equal(judge(attack, { ...outcome, rule: 'EV-41' }).verdict, 'failed');
  assert.equal(judge(attack, { ...outcome, rule: undefined }).verdict, 'failed');
  assert.equal(judge(attack, { ...outcome, wordBytes: 15 }).verdict, 'failed');
  assert.equal(judge(attack, { ...outcome, inClear: true }).verdict, 'failed');
  assert.equal(judge(attack, { ...outcome, hindrance: 'nobody', rule: undefined }).verdict, 'untried');
});

test('a server that cannot be reached tests no check, and the row says that', async () => {
  const { rows, summary } = await runAll({ baseUrl: 'http://localhost:9' });
  assert.equal(rows.get('handshake')?.heading, 'Could not be tried');
  assert.equal(summary, '2 refused, 0 not detected in this version, 0 failed, 9 could not be tried.');
});

test('a machine that falls silent is not a refusal: the row ends, and says FAILED', async () => {
  const clock = createManualClock();
  const mute: typeof openAnything = async () => ({ ...(await openAnything()), models: () => new Promise(() => {}) });
  const model = createBreakModel(async () => ({ ...lab, ports: { ...lab.ports, clock }, openNodeSession: mute }));
  const running = model.run('handshake');
  await clock.advance(30_000);
  await running;
  assert.equal((model.state.get().rows.handshake as Result).verdict, 'failed');
});

test('the evil network notices words that go out readable', async () => {
  const fetch: ClientPorts['fetch'] = async () => ({
    status: 200,
    header: () => undefined,
    bytes: async () => new Uint8Array(0),
  });
  const network = createEvilNetwork({ ...lab.ports, fetch }, {});
  await network.ports.fetch('http://localhost/', { method: 'POST', body: 'not the words' });
  assert.equal(network.carried(TEST_SENTENCE), false);
  await network.ports.fetch('http://localhost/', { method: 'POST', body: `so: ${TEST_SENTENCE}!` });
  assert.equal(network.carried(TEST_SENTENCE), true);
});
