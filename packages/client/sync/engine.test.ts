import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { encodeHex } from '@sotto/bytes';
import type { SealedChange, StoredRecord } from '@sotto/ports';
import { createManualClock, createMemorySealedStore, createSeededRandom, type MemorySealedStore } from '@sotto/testkit';
import { createLocalKey, type LocalOwner } from '@sotto/vault';
import type { BatchAnswer, BatchWrite, RecordBulkPage, RecordIndexPage } from '@sotto/wire';
import { ClientError, type ClientErrorCode } from '../errors.ts';
import { createTurns } from '../watch/turns.ts';
import { Engine } from './engine.ts';
import { localSeal } from './local-seal.ts';
import type { OutgoingWrite, SyncedHistory } from './sync-types.ts';

const random = createSeededRandom('sync engine');
const owner: LocalOwner = { accountId: random.bytes(16), key: createLocalKey(random) };
const id = (n: number) => n.toString(16).padStart(32, '0');
const bytes = (n: number) => Uint8Array.of(n, n, n);

/** A server of one account that can be told to lie and to fail. */
function createServer() {
  const rows = new Map<string, StoredRecord>();
  const server = {
    rows,
    newest: 0,
    fails: [] as ClientErrorCode[],
    sent: [] as (readonly BatchWrite[])[],
    asked: [] as number[],
    answer: undefined as ((writes: readonly BatchWrite[]) => BatchAnswer) | undefined,
    pageOf: undefined as ((after: number) => RecordBulkPage) | undefined,
    indexOf: undefined as ((after: string) => RecordIndexPage) | undefined,
    /** Called before a batch is applied. */
    beforeSend: (): void => undefined,
    put(recordId: string, envelope: Uint8Array<ArrayBuffer> | undefined) {
      rows.delete(recordId);
      rows.set(recordId, { recordId, sequence: ++server.newest, envelope });
    },
    failing() {
      const code = server.fails.shift();
      if (code !== undefined) throw new ClientError(code);
    },
    async page(after: number): Promise<RecordBulkPage> {
      server.failing();
      server.asked.push(after);
      if (server.pageOf !== undefined) return server.pageOf(after);
      const newer = [...rows.values()].filter(({ sequence }) => sequence > after);
      return { records: newer.slice(0, 2), newest: server.newest, more: newer.length > 2 };
    },
    async index(after: string): Promise<RecordIndexPage> {
      server.failing();
      if (server.indexOf !== undefined) return server.indexOf(after);
      const all = [...rows.values()].filter(({ envelope, recordId }) => envelope !== undefined && recordId > after);
      const entries = all.map(({ recordId, sequence }) => ({ recordId, sequence }));
      entries.sort((a, b) => (a.recordId < b.recordId ? -1 : 1));
      return { entries: entries.slice(0, 2), newest: server.newest, more: entries.length > 2 };
    },
    async send(writes: readonly BatchWrite[]): Promise<BatchAnswer> {
      server.failing();
      server.beforeSend();
      server.sent.push(writes);
      if (server.answer !== undefined) return server.answer(writes);
      const sequences: number[] = [];
      for (const { recordId, base, envelope } of writes) {
        const before = rows.get(recordId);
        if (before !== undefined && String(before.envelope) === String(envelope)) sequences.push(before.sequence);
        else if (before !== undefined && before.sequence > base) return { sequences, refused: 'record-conflict' };
        else {
          server.put(recordId, envelope);
          sequences.push(server.newest);
        }
      }
      return { sequences };
    },
  };
  return server;
}

/** The greater first byte wins. */
class FakeHistory implements SyncedHistory {
  readonly held = new Map<string, Uint8Array<ArrayBuffer>>();
  readonly shown = new Set<string>();
  readonly gone: string[] = [];
  readonly lost: string[] = [];
  restarts = 0;
  engine!: Engine;

  async apply(records: readonly StoredRecord[]) {
    const superseded: string[] = [];
    const changes: SealedChange[] = [];
    for (const { recordId, envelope } of records) {
      if (envelope === undefined) this.shown.delete(recordId);
      else this.shown.add(recordId);
      const held = this.held.get(recordId);
      if (envelope === undefined || (held !== undefined && (held[0] ?? 0) >= (envelope[0] ?? 0))) continue;
      if (this.engine.isWaiting(recordId)) superseded.push(recordId);
      this.held.set(recordId, envelope);
      changes.push({ name: `pack/${recordId}`, value: envelope });
    }
    return { changes, superseded };
  }

  async pulled() {
    return { removed: this.gone };
  }

  restarted() {
    this.restarts++;
    this.shown.clear();
  }

  shownIds() {
    return this.shown;
  }

  async missing(recordIds: readonly string[]) {
    this.lost.push(...recordIds);
  }
}

async function setUp(
  _: TestContext,
  given: { store?: MemorySealedStore; server?: ReturnType<typeof createServer> } = {},
) {
  const store = given.store ?? createMemorySealedStore();
  const server = given.server ?? createServer();
  const history = new FakeHistory();
  const clock = createManualClock();
  const seal = localSeal(owner, random);
  const { accountId } = owner;
  const takingTurns = createTurns();
  const engine = new Engine({ accountId, store, seal, remote: server, history, clock, takingTurns });
  history.engine = engine;
  await engine.load();
  const write = (...writes: OutgoingWrite[]) =>
    engine.inTurn(async () => {
      const { changes, ended } = await engine.enqueue(writes);
      try {
        await store.write(changes);
      } catch (error) {
        ended(false);
        throw error;
      }
      ended(true);
      for (const { recordId, envelope } of writes) if (envelope !== undefined) history.held.set(recordId, envelope);
    });
  return { store, server, history, engine, clock, write };
}

const put = (n: number, value = n): OutgoingWrite => ({ recordId: id(n), envelope: bytes(value) });
const removal = (n: number): OutgoingWrite => ({ recordId: id(n), envelope: undefined });
const head = (n: number, value: number): OutgoingWrite => ({ ...put(n, value), isHead: true });
const sentIds = (server: ReturnType<typeof createServer>) =>
  server.sent.flat().map(({ recordId, envelope }) => [Number.parseInt(recordId, 16), envelope?.[0]]);

test('CL-208 a write waits on the device, sealed, until the server has said that it is stored', async (t) => {
  const { store, server, engine, write } = await setUp(t);
  await write(put(1), put(2));
  assert.equal(engine.state.pendingCount, 2);
  const [entry] = await store.list('acct/');
  assert.ok(entry !== undefined && !encodeHex(entry.value).includes('010101'));
  server.fails = ['network-unreachable'];
  await assert.rejects(engine.push(), { code: 'network-unreachable' });
  assert.deepEqual([engine.state.pendingCount, engine.state.problem, engine.state.online], [2, 'offline', false]);
  const again = await setUp(t, { store: store.reopen(), server });
  assert.equal(again.engine.state.pendingCount, 2);
  assert.ok(again.engine.isWaiting(id(1)));
  await again.engine.push();
  assert.deepEqual(sentIds(server), [
    [1, 1],
    [2, 2],
  ]);
  assert.deepEqual(again.engine.state, { pendingCount: 0, lastSyncedAtMs: undefined, online: true });
  assert.deepEqual(
    store.names().filter((name) => name.includes('outbox')),
    [],
  );
});

test('CL-208 what the server took and this device could not note is sent again, and is one write', async (t) => {
  const { store, server, engine, write } = await setUp(t);
  await write(put(1));
  store.failWrites('lost');
  await assert.rejects(engine.push(), { code: 'store-unavailable' });
  assert.equal(engine.state.problem, 'device-unavailable');
  assert.equal(engine.state.pendingCount, 1);
  await engine.push();
  assert.equal(server.newest, 1);
  assert.equal(engine.state.pendingCount, 0);
});

test('CL-209 what waits is sent in order; a record written again keeps its place, a head stands behind all it lists', async (t) => {
  const { server, engine, write } = await setUp(t);
  await write(put(1, 1));
  await write(head(9, 1));
  await write(put(2));
  await write(put(1, 5));
  await write(head(9, 2));
  await write(put(1, 6), put(3));
  assert.equal(engine.state.pendingCount, 4);
  await engine.push();
  assert.deepEqual(sentIds(server), [
    [1, 6],
    [2, 2],
    [9, 2],
    [3, 3],
  ]);
});

test('CL-202 a head that tells of a removal reaches the server before it, also when it is written again', async (t) => {
  const { server, engine, write } = await setUp(t);
  await write(put(1, 1));
  await write(head(9, 1));
  await write(removal(1));
  await write(removal(1));
  await write(head(9, 2));
  await write(head(9, 3));
  await write(put(1, 7));
  assert.equal(engine.state.pendingCount, 5);
  await engine.push();
  assert.deepEqual(sentIds(server), [
    [1, 1],
    [9, 1],
    [1, undefined],
    [9, 3],
    [1, 7],
  ]);
});

test('CL-209 what is written while it is on its way is sent after it', async (t) => {
  const { server, engine, write } = await setUp(t);
  await write(put(1, 1));
  let more: Promise<void> | undefined;
  server.beforeSend = () => {
    more ??= write(put(1, 2));
  };
  await engine.push();
  await more;
  await engine.push();
  assert.deepEqual(server.rows.get(id(1))?.envelope, bytes(2));
  assert.equal(engine.state.pendingCount, 0);
});

test('CL-210 an entry that does not open is left out, and what stands behind it is sent', async (t) => {
  const { store, server, write } = await setUp(t);
  await write(put(1), put(2), put(3));
  const [first, second] = store.names();
  store.damage(first ?? '', bytes(9));
  const [, value] = await store.get([first ?? '', second ?? '']);
  store.damage('acct/x/outbox/odd', value);
  const again = await setUp(t, { store: store.reopen(), server });
  await again.engine.push();
  assert.deepEqual(sentIds(server), [
    [2, 2],
    [3, 3],
  ]);
  assert.equal(again.engine.state.pendingCount, 0);
});

test('CL-210 an entry under another name does not open', async (t) => {
  const { store, server, write } = await setUp(t);
  await write(put(1), put(2));
  const [first = '', second = ''] = store.names();
  const [one, two] = await store.get([first, second]);
  store.damage(first, two);
  store.damage(second, one);
  const again = await setUp(t, { store: store.reopen(), server });
  await again.engine.push();
  assert.deepEqual(sentIds(server), []);
});

test('CL-211 a write that was refused and applied all the same waits, and one that was lost does not', async (t) => {
  const { store, server, engine, write } = await setUp(t);
  store.failWrites('applied');
  await assert.rejects(write(put(1)));
  store.failWrites('lost');
  await assert.rejects(write(put(2)));
  await engine.push();
  assert.deepEqual(sentIds(server), [[1, 1]]);
});

test('CL-212 the cursor is stored with what it brought, or neither is', async (t) => {
  const { store, server, engine, history } = await setUp(t);
  for (let n = 1; n <= 5; n++) server.put(id(n), bytes(n));
  store.failWrites('power-cut', 1, 1);
  await assert.rejects(engine.pull(), { code: 'store-unavailable' });
  assert.equal(engine.cursor, 2);
  const again = await setUp(t, { store: store.reopen(), server });
  assert.equal(again.engine.cursor, 2);
  assert.deepEqual(
    (await again.store.list('pack/')).map(({ name }) => name),
    [id(1), id(2)].map((recordId) => `pack/${recordId}`),
  );
  await again.engine.pull();
  assert.equal(again.engine.cursor, 5);
  assert.deepEqual(server.asked.slice(-2), [2, 4]);
  assert.equal((await again.store.list('pack/')).length, 5);
  assert.equal(history.restarts, 0);
});

test('CL-213 a page from before the cursor is refused', async (t) => {
  const { server, engine } = await setUp(t);
  for (let n = 1; n <= 2; n++) server.put(id(n), bytes(n));
  await engine.pull();
  let asked = 0;
  server.pageOf = () => ({
    ...{ records: [{ recordId: id(8), sequence: 2, envelope: bytes(8) }], newest: 9 },
    more: asked++ < 9,
  });
  await assert.rejects(engine.pull(), { code: 'server-malformed', rule: 'CL-213' });
  assert.equal(engine.state.problem, 'server-failed');
  assert.equal(engine.cursor, 2);
});

test('CL-214 a server that went back is read from the beginning, once', async (t) => {
  const { server, engine, history } = await setUp(t);
  for (let n = 1; n <= 5; n++) server.put(id(n), bytes(n));
  await engine.pull();
  for (const n of [4, 5]) server.rows.delete(id(n));
  server.newest = 3;
  server.put(id(6), bytes(6));
  await engine.pull();
  assert.equal(history.restarts, 1);
  assert.deepEqual([...history.shown].toSorted(), [1, 2, 3, 6].map(id));
  assert.equal(engine.cursor, 4);
  server.pageOf = () => ({ records: [], newest: 0, more: false });
  await engine.pull();
  assert.equal(history.restarts, 2);
});

test('CL-215 a cursor that does not open is none: everything is fetched again', async (t) => {
  const { store, server, engine } = await setUp(t);
  server.put(id(1), bytes(1));
  await engine.pull();
  const name = store.names().find((each) => each.endsWith('/cursor')) ?? '';
  store.damage(name, bytes(3));
  assert.equal((await setUp(t, { store: store.reopen(), server })).engine.cursor, 0);
});

test('CL-216 an answer that does not fit what was sent confirms nothing', async (t) => {
  const { server, engine, write } = await setUp(t);
  await write(put(1), put(2));
  for (const answer of [
    { sequences: [1, 2, 3] },
    { sequences: [1] },
    { sequences: [1, 2], refused: 'record-conflict' as const },
  ]) {
    server.answer = () => answer;
    await assert.rejects(engine.push(), { code: 'server-malformed', rule: 'CL-216' });
    assert.equal(engine.state.pendingCount, 2);
  }
});

test('CL-217 a server that calls everything a conflict is not asked for ever', async (t) => {
  const { server, engine, write } = await setUp(t);
  await write(put(1));
  let conflicts = 0;
  server.answer = () => (++conflicts > 9 ? { sequences: [1] } : { sequences: [], refused: 'record-conflict' });
  await assert.rejects(engine.push(), { code: 'server-malformed', rule: 'CL-217' });
  assert.equal(conflicts, 3);
  assert.equal(engine.state.pendingCount, 1);
});

test('CL-218 what another device wrote meanwhile is fetched and merged before this device’s version is sent', async (t) => {
  const { server, engine, history, write } = await setUp(t);
  server.put(id(1), bytes(1));
  server.put(id(2), bytes(9));
  await write(put(1, 5), put(2, 5), put(3, 3));
  await engine.push();
  assert.deepEqual(
    [1, 2, 3].map((n) => server.rows.get(id(n))?.envelope?.[0]),
    [5, 9, 3],
  );
  assert.deepEqual(
    [1, 2, 3].map((n) => history.held.get(id(n))?.[0]),
    [5, 9, 3],
  );
  assert.equal(engine.state.pendingCount, 0);
  await write(put(1, 6));
  await engine.push();
  assert.equal(server.rows.get(id(1))?.envelope?.[0], 6);
});

test('CL-219 each refusal has its name, and what waits is kept', async (t) => {
  const { store, server, engine, write } = await setUp(t);
  await write(put(1));
  for (const [code, problem] of [
    ['network-unreachable', 'offline'],
    ['signed-out', 'signed-out'],
    ['rate-limited', 'rate-limited'],
    ['account-full', 'account-full'],
    ['store-full', 'account-full'],
    ['store-unavailable', 'server-failed'],
    ['server-malformed', 'server-failed'],
  ] as const) {
    server.fails = [code];
    await assert.rejects(engine.sync(), { code });
    assert.deepEqual([engine.state.problem, engine.state.pendingCount], [problem, 1], code);
    assert.equal(engine.state.online, problem !== 'offline');
  }
  server.answer = () => ({ sequences: [], refused: 'store-full' });
  await assert.rejects(engine.sync(), { code: 'account-full' });
  server.answer = undefined;
  server.put(id(2), bytes(2));
  for (const [fault, problem] of [
    ['full', 'device-full'],
    ['lost', 'device-unavailable'],
  ] as const) {
    store.failWrites(fault);
    await assert.rejects(engine.sync());
    assert.deepEqual([engine.state.problem, engine.state.pendingCount], [problem, 1]);
  }
  await engine.sync();
  assert.deepEqual([engine.state.problem, engine.state.pendingCount], [undefined, 0]);
  assert.ok(engine.state.lastSyncedAtMs !== undefined);
});

test('CL-220 what this device has removed since keeps its place, whatever arrives', async (t) => {
  const { server, engine, history, write } = await setUp(t);
  server.put(id(1), bytes(7));
  await write(put(1, 5), head(9, 1), removal(1));
  history.gone.push(id(1));
  await engine.sync();
  assert.deepEqual(sentIds(server).slice(-3), [
    [1, 5],
    [9, 1],
    [1, undefined],
  ]);
  assert.equal(server.rows.get(id(1))?.envelope, undefined);
});

test('CL-220 a write of a record that this device has removed since, and that is gone already, is not sent', async (t) => {
  const { server, engine, write } = await setUp(t);
  server.put(id(1), undefined);
  await write(put(1, 5), head(9, 1), removal(1));
  await engine.sync();
  assert.deepEqual(sentIds(server), [
    [9, 1],
    [1, undefined],
  ]);
});

test('a write of a record that another device removed is not sent', async (t) => {
  const { server, engine, history, write } = await setUp(t);
  server.put(id(1), undefined);
  await write(put(1, 5), put(2));
  history.gone.push(id(1));
  await engine.sync();
  assert.deepEqual(sentIds(server), [[2, 2]]);
  assert.equal(engine.state.pendingCount, 0);
});

test('CL-222 what the server dropped without a word is found; what left by right is not', async (t) => {
  const { server, engine, history, write } = await setUp(t);
  for (let n = 1; n <= 5; n++) server.put(id(n), bytes(n));
  await engine.pull();
  server.rows.delete(id(2));
  await write(put(8));
  await engine.push();
  server.indexOf = (after) => {
    server.indexOf = undefined;
    // Another device removes and writes while the index is read.
    server.put(id(3), undefined);
    server.put(id(7), bytes(7));
    return { entries: [1, 3].map((n) => ({ recordId: id(n), sequence: n })), newest: 5, more: after === '' };
  };
  assert.deepEqual(await engine.reconcile(), { missing: [id(2)], restarted: false });
  assert.deepEqual(history.lost, [id(2)]);
});

test('CL-223 what the index lists and no page brought is fetched from the beginning', async (t) => {
  const { server, engine, history } = await setUp(t);
  for (let n = 1; n <= 5; n++) server.put(id(n), bytes(n));
  const genuine = server.page.bind(server);
  server.pageOf = (after) => {
    const newer = [...server.rows.values()].filter(({ sequence }) => sequence > after && sequence !== 2);
    return { records: newer, newest: 5, more: false };
  };
  await engine.pull();
  assert.ok(!history.shown.has(id(2)));
  server.index = async () => {
    server.pageOf = undefined;
    return { entries: [1, 2, 3, 4, 5].map((n) => ({ recordId: id(n), sequence: n })), newest: 5, more: false };
  };
  assert.deepEqual(await engine.reconcile(), { missing: [], restarted: true });
  assert.ok(history.shown.has(id(2)));
  assert.ok(genuine !== undefined);
});

test('CL-224 an index that goes back is refused', async (t) => {
  const { server, engine } = await setUp(t);
  let asked = 0;
  server.indexOf = () => ({ entries: [{ recordId: id(1), sequence: 1 }], newest: 1, more: asked++ < 9 });
  await assert.rejects(engine.reconcile(), { code: 'server-malformed', rule: 'CL-224' });
});

test('CL-227 a closed engine sends nothing more, and what waits stays', async (t) => {
  const { store, server, engine, write } = await setUp(t);
  await write(put(1));
  engine.close();
  await assert.rejects(engine.push());
  assert.deepEqual(sentIds(server), []);
  assert.equal((await setUp(t, { store: store.reopen() })).engine.state.pendingCount, 1);
});

test('a write whose seal is of an older epoch is sent under the new one', async (t) => {
  const { server, engine, history, write } = await setUp(t);
  await write(put(1, 1), put(2, 2), removal(3));
  (history as SyncedHistory).sealAnew = async (_, envelope) => (envelope[0] === 1 ? bytes(11) : undefined);
  await engine.push();
  assert.deepEqual(sentIds(server), [
    [1, 11],
    [2, 2],
    [3, undefined],
  ]);
});

test('a thousand writes are sent in batches that the server takes', async (t) => {
  const { server, engine, write } = await setUp(t);
  await write(
    ...Array.from({ length: 1000 }, (_, n) => ({ recordId: id(n), envelope: new Uint8Array(20_000).fill(1) })),
  );
  await engine.push();
  assert.equal(server.rows.size, 1000);
  for (const batch of server.sent) {
    assert.ok(batch.length <= 256);
    assert.ok(batch.reduce((sum, { envelope }) => sum + 28 + (envelope?.length ?? 0), 4) <= 2 * 1024 * 1024);
  }
});
