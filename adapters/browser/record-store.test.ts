/** A guest's records over a sealed store in memory; in a real browser: e2e/browser-adapters.test.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemorySealedStore, type MemorySealedStore, recordStoreContract } from '@sotto/testkit';
import type { BrowserSealedStore } from './generations.ts';
import { createBrowserRecordStore } from './record-store.ts';

/** One update after the other, as IndexedDB runs transactions. */
function memoryStore(): MemorySealedStore & BrowserSealedStore {
  const sealed = createMemorySealedStore();
  let last: Promise<void> = Promise.resolve();
  const update: BrowserSealedStore['update'] = (names, compute) => {
    last = last.then(async () => sealed.write(compute(await sealed.get(names))));
    return last;
  };
  return Object.assign(sealed, { update });
}

recordStoreContract('over a sealed store', () => {
  const sealed = memoryStore();
  return { store: createBrowserRecordStore(sealed), again: async () => createBrowserRecordStore(sealed) };
});

test('CL-265 what a guest removes or leaves is purged from the files of the browser', async () => {
  const sealed = memoryStore();
  const store = createBrowserRecordStore(sealed);
  const recordId = '11'.repeat(16);
  await store.put(recordId, Uint8Array.of(1, 2, 3));
  assert.equal(sealed.purges, 0);
  await store.remove(recordId);
  assert.equal(sealed.purges, 1);
  await store.erase();
  assert.equal(sealed.purges, 2);
  assert.deepEqual(sealed.names(), []);
});
