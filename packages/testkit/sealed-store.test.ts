import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom } from './random.ts';
import { StoreError } from './record-store.ts';
import { createMemorySealedStore } from './sealed-store.ts';
import { sealedStoreContract } from './sealed-store-contract.ts';

sealedStoreContract('in memory', () => {
  const store = createMemorySealedStore();
  return { store, again: () => store.reopen() };
});

const random = createSeededRandom('memory sealed store');
const code = (wanted: string) => (error: unknown) => error instanceof StoreError && error.code === wanted;
const one = (name: string) => [{ name, value: random.bytes(100) }];

test('faults of a sealed store: lost, applied but reported as failed, full, after some that work; all healed', async () => {
  const store = createMemorySealedStore();
  store.failWrites('lost');
  await assert.rejects(store.write(one('a')), code('store-unavailable'));
  assert.deepEqual(store.names(), []);
  store.failWrites('applied');
  await assert.rejects(store.write(one('a')), code('store-unavailable'));
  assert.deepEqual(store.names(), ['a']);
  store.failWrites('full', 2, 1);
  await store.write(one('b'));
  for (let i = 0; i < 2; i++) await assert.rejects(store.write(one('c')), code('store-full'));
  await store.write(one('c'));
  store.failWrites('lost', Number.POSITIVE_INFINITY);
  store.failReads(true);
  await assert.rejects(store.get(['a']), code('store-unavailable'));
  await assert.rejects(store.list(''), code('store-unavailable'));
  store.heal();
  await store.erase('');
  assert.deepEqual(store.names(), []);
});

test('a power cut ends every call, before or after the write, until the device starts again', async () => {
  for (const [fault, names] of [
    ['power-cut', ['a']],
    ['power-cut-after', ['a', 'b']],
  ] as const) {
    const store = createMemorySealedStore();
    await store.write(one('a'));
    store.failWrites(fault);
    await assert.rejects(store.write(one('b')), code('store-unavailable'));
    store.heal();
    await assert.rejects(store.write(one('c')), code('store-unavailable'));
    await assert.rejects(store.get(['a']), code('store-unavailable'));
    const next = store.reopen();
    assert.deepEqual(next.names(), names);
    await next.write(one('d'));
  }
});

test('a full sealed store refuses the whole write, and removing makes room', async () => {
  const store = createMemorySealedStore({ capacityBytes: 250 });
  await store.write(one('a'));
  await assert.rejects(store.write([...one('b'), ...one('c')]), code('store-full'));
  assert.deepEqual(store.names(), ['a']);
  await store.write([{ name: 'a', value: undefined }, ...one('b'), ...one('c')]);
  assert.equal(store.usedBytes, 200);
});

test('random faults follow their seed', async () => {
  const run = async (seed: string) => {
    const store = createMemorySealedStore();
    store.failAtRandom(createSeededRandom(seed), 3, ['lost', 'applied']);
    const seen: string[] = [];
    for (let i = 0; i < 30; i++)
      seen.push(
        await store.write(one(`n${i}`)).then(
          () => 'done',
          () => 'failed',
        ),
      );
    return [seen.join(), store.names().length] as const;
  };
  assert.deepEqual(await run('one'), await run('one'));
  assert.match((await run('one'))[0], /failed/);
});
