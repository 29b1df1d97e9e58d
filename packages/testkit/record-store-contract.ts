/**
 * What every `RecordStore` must do, whatever it stores in (packages/ports). Run it beside each adapter:
 *
 *     recordStoreContract('memory', async () => ({ store: createMemoryRecordStore() }));
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RecordStore, StoredRecord } from '@sotto/ports';
import { createSeededRandom } from './random.ts';

export interface StoreUnderTest {
  /** Empty, and used by nobody else. */
  readonly store: RecordStore;
  /** A second way into the same store (another connection, another tab), where there is one. */
  readonly again?: () => Promise<RecordStore> | RecordStore;
  readonly close?: () => Promise<void> | void;
}

/**
 * Declares the suite.
 *
 * @param name of the adapter, for the titles
 * @param makeStore called once a test
 */
export function recordStoreContract(name: string, makeStore: () => Promise<StoreUnderTest> | StoreUnderTest): void {
  const random = createSeededRandom(`record store contract ${name}`);
  const newId = (): string => Buffer.from(random.bytes(16)).toString('hex');
  const check = (title: string, run: (under: StoreUnderTest) => Promise<void>): void => {
    test(`record store ${name}: ${title}`, async () => {
      const under = await makeStore();
      try {
        await run(under);
      } finally {
        await under.close?.();
      }
    });
  };

  check('an empty store lists nothing and keeps the position it was asked from', async ({ store }) => {
    assert.deepEqual(await store.list(0), { records: [], nextSequence: 0, more: false });
  });

  check('what was put is listed, byte for byte, in order of writing', async ({ store }) => {
    const [a, b] = [newId(), newId()];
    const [first, second] = [random.bytes(256), random.bytes(65_536)];
    const one = await store.put(a, first);
    const two = await store.put(b, second);
    assert.ok(one.sequence >= 1 && two.sequence > one.sequence);
    const { records, nextSequence, more } = await store.list(0);
    assert.deepEqual(records.map(plain), [
      { recordId: a, sequence: one.sequence, envelope: first },
      { recordId: b, sequence: two.sequence, envelope: second },
    ]);
    assert.deepEqual([nextSequence, more], [two.sequence, false]);
  });

  check('a record written again has one row, its latest bytes and a higher sequence', async ({ store }) => {
    const [a, b] = [newId(), newId()];
    await store.put(a, random.bytes(256));
    const { sequence } = await store.put(b, random.bytes(256));
    const latest = random.bytes(512);
    const again = await store.put(a, latest);
    assert.ok(again.sequence > sequence);
    const records = await listAll(store);
    assert.deepEqual(
      records.map(({ recordId }) => recordId),
      [b, a],
    );
    assert.deepEqual(records[1]?.envelope, latest);
  });

  check('a removed record is listed without its bytes, so that other devices learn of it', async ({ store }) => {
    const a = newId();
    const { sequence } = await store.put(a, random.bytes(256));
    const removed = await store.remove(a);
    assert.ok(removed.sequence > sequence);
    assert.deepEqual((await listAll(store, sequence)).map(plain), [
      { recordId: a, sequence: removed.sequence, envelope: undefined },
    ]);
    assert.deepEqual((await listAll(store)).length, 1);
  });

  check('removing twice is no error', async ({ store }) => {
    const a = newId();
    await store.put(a, random.bytes(256));
    await store.remove(a);
    await store.remove(a);
    assert.deepEqual(
      (await listAll(store)).map(({ recordId, envelope }) => [recordId, envelope]),
      [[a, undefined]],
    );
  });

  check('a list after a position holds only what is newer, and ends', async ({ store }) => {
    const ids = Array.from({ length: 7 }, newId);
    const sequences: number[] = [];
    for (const id of ids) sequences.push((await store.put(id, random.bytes(256))).sequence);
    assert.deepEqual(
      (await listAll(store, sequences[2] as number)).map(({ recordId }) => recordId),
      ids.slice(3),
    );
    const last = sequences.at(-1) as number;
    assert.deepEqual(await store.list(last), { records: [], nextSequence: last, more: false });
  });

  check('many records come in pages that leave none out', async ({ store }) => {
    const ids = Array.from({ length: 230 }, newId);
    for (const id of ids) await store.put(id, random.bytes(256));
    assert.deepEqual(
      (await listAll(store)).map(({ recordId }) => recordId),
      ids,
    );
  });

  check('writes at the same time each get a sequence of their own, and none is lost', async ({ store }) => {
    const ids = Array.from({ length: 20 }, newId);
    const done = await Promise.all(ids.map((id) => store.put(id, random.bytes(256))));
    assert.equal(new Set(done.map(({ sequence }) => sequence)).size, ids.length);
    assert.deepEqual(new Set((await listAll(store)).map(({ recordId }) => recordId)), new Set(ids));
  });

  check('what the caller does to its bytes afterwards changes nothing', async ({ store }) => {
    const a = newId();
    const envelope = random.bytes(256);
    const kept = envelope.slice();
    await store.put(a, envelope);
    envelope.fill(0);
    const [row] = await listAll(store);
    assert.deepEqual(row?.envelope, kept);
    row?.envelope?.fill(0);
    assert.deepEqual((await listAll(store))[0]?.envelope, kept);
  });

  check('a write that was acknowledged is there for whoever opens the store next', async ({ store, again }) => {
    const a = newId();
    const envelope = random.bytes(256);
    await store.put(a, envelope);
    const other = again === undefined ? store : await again();
    assert.deepEqual(
      (await listAll(other)).map(({ recordId, envelope: bytes }) => [recordId, bytes]),
      [[a, envelope]],
    );
  });
}

async function listAll(store: RecordStore, afterSequence = 0): Promise<StoredRecord[]> {
  const records: StoredRecord[] = [];
  let position = afterSequence;
  for (;;) {
    const page = await store.list(position);
    records.push(...page.records);
    assert.ok(page.nextSequence >= position, 'a position never goes back');
    if (!page.more) return records;
    assert.ok(page.nextSequence > position, 'a page that says "more" moves on');
    position = page.nextSequence;
  }
}

/** Without what an adapter may add, and with `envelope` always there. */
function plain({ recordId, sequence, envelope }: StoredRecord): StoredRecord {
  return { recordId, sequence, envelope };
}
