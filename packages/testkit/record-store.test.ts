import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeHex } from '@sotto/bytes';
import { createAccountKey, deriveEpochKey, openRecord, sealRecord, type VaultError } from '@sotto/vault';
import { createSeededRandom } from './random.ts';
import { createMemoryRecordStore, StoreError } from './record-store.ts';
import { recordStoreContract } from './record-store-contract.ts';

recordStoreContract('in memory', () => {
  const store = createMemoryRecordStore();
  return { store, again: () => store };
});
recordStoreContract('in memory, pages of 3', () => ({ store: createMemoryRecordStore({ pageRecords: 3 }) }));

const random = createSeededRandom('memory record store');
const code = (wanted: string) => (error: unknown) => error instanceof StoreError && error.code === wanted;

test('faults: lost, applied but reported as failed, full, unreadable; all healed', async () => {
  const store = createMemoryRecordStore();
  store.failWrites('lost');
  await assert.rejects(store.put('a', random.bytes(256)), code('store-unavailable'));
  assert.deepEqual(store.recordIds(), []);
  store.failWrites('applied');
  await assert.rejects(store.put('a', random.bytes(256)), code('store-unavailable'));
  assert.deepEqual(store.recordIds(), ['a']);
  store.failWrites('full', Number.POSITIVE_INFINITY);
  for (let i = 0; i < 3; i++) await assert.rejects(store.put('b', random.bytes(256)), code('store-full'));
  store.heal();
  await store.put('b', random.bytes(256));
  store.failReads();
  await assert.rejects(store.list(0), code('store-unavailable'));
  assert.equal((await store.list(0)).records.length, 2);
});

test('a capacity counts envelopes, and removing makes room', async () => {
  const store = createMemoryRecordStore({ capacityBytes: 600 });
  await store.put('a', random.bytes(256));
  await store.put('a', random.bytes(512));
  await assert.rejects(store.put('b', random.bytes(256)), code('store-full'));
  await store.remove('a');
  await store.put('b', random.bytes(256));
});

test('VA-07, VA-09, VA-10 lies of a store about sealed records are refused by the vault, one by one', async () => {
  const store = createMemoryRecordStore();
  const accountId = random.bytes(16);
  const epochKey = deriveEpochKey(createAccountKey(random), accountId, 1);
  const bound = { epochKey, accountId, epoch: 1, deviceId: random.bytes(16), random };
  const ids = [random.bytes(16), random.bytes(16)] as const;
  const [a, b] = [encodeHex(ids[0]), encodeHex(ids[1])];
  const write = async (recordId: Uint8Array, text: string, deviceCounter: number) => {
    const content = { type: 'unknown', recordType: 'note', clock: deviceCounter, fields: { text } } as const;
    await store.put(encodeHex(recordId), await sealRecord({ ...bound, recordId, deviceCounter, content }));
  };
  const read = async (recordId: Uint8Array): Promise<unknown> => {
    const envelope = store.envelopeOf(encodeHex(recordId));
    if (envelope === undefined) return 'absent';
    try {
      const opened = await openRecord({
        epochKey,
        envelope,
        expectedAccountId: accountId,
        expectedRecordId: recordId,
        expectedEpoch: 1,
      });
      return opened.content.type === 'unknown' && opened.content.fields.text;
    } catch (error) {
      return (error as VaultError).code;
    }
  };
  await write(ids[0], 'first', 1);
  await write(ids[0], 'second', 2);
  await write(ids[1], 'other', 3);
  assert.deepEqual([await read(ids[0]), await read(ids[1])], ['second', 'other']);
  store.evil.swap(a, b);
  assert.deepEqual([await read(ids[0]), await read(ids[1])], ['record-id-mismatch', 'record-id-mismatch']);
  store.evil.swap(a, b);
  store.evil.tamper(a, -1);
  assert.equal(await read(ids[0]), 'record-open-failed');
  store.evil.tamper(a, -1);
  store.evil.tamper(a, 100);
  assert.equal(await read(ids[0]), 'record-commitment-mismatch');
  store.evil.tamper(a, 100);
  store.evil.replace(b, random.bytes(300));
  assert.equal(await read(ids[1]), 'record-malformed');
  // Not noticed by opening alone (VA-70): the older version is authentic, and an absent record leaves no trace.
  store.evil.rollBack(a);
  assert.equal(await read(ids[0]), 'first');
  store.evil.drop(b);
  assert.equal(await read(ids[1]), 'absent');
  await store.remove(a);
  store.evil.resurrect(a);
  assert.equal(await read(ids[0]), 'first');
});
