/** Two generations of a sealed store, in memory: tabs that read, write and erase while one of them moves and may end anywhere. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SealedStore } from '@sotto/ports';
import { createMemorySealedStore, createSeededRandom, sealedStoreContract } from '@sotto/testkit';
import {
  assertEmpty,
  eraseIn,
  type Generation,
  type Generations,
  getIn,
  type Held,
  listIn,
  moveSome,
  updateIn,
  writeIn,
} from './generations.ts';

interface MemoryGeneration extends Generation {
  readonly values: ReadonlyMap<string, Held>;
}

/** @param pause between a call and its transaction: what lets others in */
function memoryGeneration(pause: () => Promise<void> = async () => {}): MemoryGeneration {
  const values = new Map<string, Held>();
  const namesUnder = (prefix: string) => [...values.keys()].filter((name) => name.startsWith(prefix)).sort();
  return {
    values,
    get: async (names) => {
      await pause();
      return names.map((name) => values.get(name));
    },
    names: async (prefix) => {
      await pause();
      return namesUnder(prefix);
    },
    list: async (prefix, { after = '', limit = Number.POSITIVE_INFINITY } = {}) => {
      await pause();
      const names = namesUnder(prefix).filter((name) => name > after);
      return names.slice(0, limit).map((name) => ({ name, value: values.get(name) as Held }));
    },
    change: async ({ erase, put = [], add = [] }) => {
      await pause();
      if (erase !== undefined) for (const name of namesUnder(erase)) values.delete(name);
      for (const { name, value } of put) {
        if (value === undefined) values.delete(name);
        else values.set(name, value);
      }
      for (const { name, value } of add) if (!values.has(name)) values.set(name, value);
    },
    update: async (names, compute) => {
      await pause();
      for (const { name, value } of compute(names.map((name) => values.get(name))).put ?? []) {
        if (value === undefined) values.delete(name);
        else values.set(name, value);
      }
    },
  };
}

function storeOver(generations: () => Generations): SealedStore {
  return {
    get: (names) => getIn(generations(), names),
    list: (prefix, options) => listIn(generations(), prefix, options),
    write: (changes) =>
      writeIn(
        generations(),
        changes.map(({ name, value }) => ({ name, value: value?.slice() })),
      ),
    erase: (prefix) => eraseIn(generations(), prefix),
    purge: async () => {},
  };
}

sealedStoreContract('of one generation', () => {
  const newer = memoryGeneration();
  return { store: copying(storeOver(() => ({ newer }))) };
});

/** Every write goes half to the one and half to the other, so that each read has to join them. */
sealedStoreContract('of two generations', () => {
  const [older, newer] = [memoryGeneration(), memoryGeneration()];
  let count = 0;
  const store = storeOver(() => ({ older, newer }));
  const before = storeOver(() => ({ newer: older }));
  return {
    store: copying({
      ...store,
      write: async (changes) => {
        await store.write(changes);
        // Moves everything back and half of it forth: only a test does.
        for (const [name, value] of newer.values) {
          if (++count % 2 === 0 && value !== null) {
            await before.write([{ name, value }]);
            await newer.change({ put: [{ name, value: undefined }] });
          }
        }
      },
    }),
  };
});

/** IndexedDB gives copies. */
function copying(store: SealedStore): SealedStore {
  return { ...store, get: async (names) => (await store.get(names)).map((value) => value?.slice()) };
}

test('CL-266 a name that was removed or erased while values move does not come back', async () => {
  const [older, newer] = [memoryGeneration(), memoryGeneration()];
  const one = { newer: older };
  const two = { older, newer };
  await writeIn(
    one,
    ['a', 'b', 'c/1', 'c/2'].map((name) => ({ name, value: Uint8Array.of(1) })),
  );
  await writeIn(two, [{ name: 'a', value: undefined }]);
  await eraseIn(two, 'c/');
  const check = async (generations: Generations) => {
    assert.deepEqual(await getIn(generations, ['a', 'b', 'c/1', 'c/2']), [
      undefined,
      Uint8Array.of(1),
      undefined,
      undefined,
    ]);
    assert.deepEqual(
      (await listIn(generations, '')).map(({ name }) => name),
      ['b'],
    );
  };
  await check(two);
  assert.equal(await moveSome(two), true);
  assert.equal(await moveSome(two), false);
  assert.equal(older.values.size, 0, 'nothing stays behind');
  await check(two);
  await check({ newer });
});

test('CL-267 a move that ends between its two steps loses nothing, and what was written since stays', async () => {
  const [older, newer] = [memoryGeneration(), memoryGeneration()];
  await writeIn({ newer: older }, [
    { name: 'a', value: Uint8Array.of(1) },
    { name: 'b', value: Uint8Array.of(1) },
  ]);
  let isOut = true;
  const ending: Generations = {
    older: {
      ...older,
      change: (change) => (isOut ? Promise.reject(new Error('the page ends')) : older.change(change)),
    },
    newer,
  };
  await assert.rejects(moveSome(ending));
  assert.deepEqual(await getIn({ older, newer }, ['a', 'b']), [Uint8Array.of(1), Uint8Array.of(1)]);
  await writeIn({ older, newer }, [{ name: 'a', value: Uint8Array.of(2) }]);
  isOut = false;
  while (await moveSome(ending));
  assert.deepEqual(await getIn({ newer }, ['a', 'b']), [Uint8Array.of(2), Uint8Array.of(1)]);

  // Also where nothing can be written there: then it stays where it is.
  const full = memoryGeneration();
  full.change = () => Promise.reject(new Error('full'));
  await assert.rejects(moveSome({ older: newer, newer: full }));
  assert.deepEqual(await getIn({ newer }, ['a', 'b']), [Uint8Array.of(2), Uint8Array.of(1)]);
});

test('CL-267 a generation that holds anything is not dropped', async () => {
  const generation = memoryGeneration();
  await assertEmpty(generation);
  await writeIn({ newer: generation }, [{ name: 'a', value: Uint8Array.of(1) }]);
  await assert.rejects(assertEmpty(generation), { code: 'store-unavailable' });
});

test('CL-266 CL-267 tabs at work while values move: 300 worlds end as one store without generations would', async (t) => {
  let operations = 0;
  for (let seed = 0; seed < 300; seed++) {
    const random = createSeededRandom(`generations ${seed}`);
    const dice = (sides: number) => (random.bytes(1)[0] ?? 0) % sides;
    const pause = async () => {
      for (let turns = dice(4); turns > 0; turns--) await Promise.resolve();
    };
    const [older, newer] = [memoryGeneration(pause), memoryGeneration(pause)];
    const plain = createMemorySealedStore();
    const begin = Array.from({ length: 60 }, (_, at) => ({ name: `${dice(6)}/${at}`, value: random.bytes(2) }));
    await writeIn({ newer: older }, begin);
    await plain.write(begin);
    const two = { older, newer };
    const moving = (async () => {
      while (await moveSome(two)) await pause();
    })();
    // Each tab has names of its own, so the order among tabs does not matter; within a tab it does.
    const tabs = [0, 1, 2].map(async (tab) => {
      for (let step = 0; step < 25; step++) {
        operations++;
        const mine = [tab, tab + 3].map((one) => `${one}/`);
        const prefix = mine[dice(2)] as string;
        const name = `${prefix}${dice(60)}`;
        const kind = dice(8);
        if (kind === 0) {
          await eraseIn(two, prefix);
          await plain.erase(prefix);
        } else if (kind === 1) {
          const compute = ([value]: (Uint8Array<ArrayBuffer> | undefined)[]) => [
            { name, value: value === undefined ? Uint8Array.of(1) : undefined },
          ];
          await updateIn(two, [name], compute);
          await plain.write(compute(await plain.get([name])));
        } else if (kind < 4) {
          const changes = [name, `${mine[0]}x`].map((one) => ({
            name: one,
            value: dice(3) ? random.bytes(2) : undefined,
          }));
          await writeIn(two, changes);
          await plain.write(changes);
        } else if (kind < 6) {
          assert.deepEqual(
            await getIn(two, [name, `${mine[0]}x`]),
            await plain.get([name, `${mine[0]}x`]),
            `seed ${seed}`,
          );
        } else {
          const options = { after: `${prefix}${dice(30)}`, limit: 1 + dice(5) };
          assert.deepEqual(await listIn(two, prefix, options), await plain.list(prefix, options), `seed ${seed}`);
        }
      }
    });
    await Promise.all([moving, ...tabs]);
    while (await moveSome(two));
    assert.deepEqual(await listIn({ newer }, ''), await plain.list(''), `seed ${seed}`);
  }
  assert.ok(operations > 20_000);
  t.diagnostic(`${operations} operations in 300 worlds`);
});
