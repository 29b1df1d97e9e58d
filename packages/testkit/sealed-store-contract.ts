/**
 * What every `SealedStore` must do, whatever it stores in (packages/ports). Run it beside each adapter:
 *
 *     sealedStoreContract('memory', async () => ({ store: createMemorySealedStore() }));
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SealedStore } from '@sotto/ports';
import { createSeededRandom } from './random.ts';

export interface SealedStoreUnderTest {
  /** Empty, and used by nobody else. */
  readonly store: SealedStore;
  /** A second way into the same store (another tab), where there is one. */
  readonly again?: () => Promise<SealedStore> | SealedStore;
  readonly close?: () => Promise<void> | void;
}

/**
 * Declares the suite.
 *
 * @param name of the adapter, for the titles
 * @param makeStore called once a test
 */
export function sealedStoreContract(
  name: string,
  makeStore: () => Promise<SealedStoreUnderTest> | SealedStoreUnderTest,
): void {
  const random = createSeededRandom(`sealed store contract ${name}`);
  const check = (title: string, run: (under: SealedStoreUnderTest) => Promise<void>): void => {
    test(`sealed store ${name}: ${title}`, async () => {
      const under = await makeStore();
      try {
        await run(under);
      } finally {
        await under.close?.();
      }
    });
  };

  check('an empty store gives nothing and lists nothing', async ({ store }) => {
    assert.deepEqual(await store.get(['a', 'b']), [undefined, undefined]);
    assert.deepEqual(await store.get([]), []);
    assert.deepEqual(await store.list(''), []);
    await store.write([]);
    await store.erase('a');
  });

  check('what was written is read, byte for byte, in the order of the names that are asked for', async ({ store }) => {
    const [a, b] = [random.bytes(1), random.bytes(65_536)];
    await store.write([
      { name: 'x/a', value: a },
      { name: 'x/b', value: b },
    ]);
    assert.deepEqual(await store.get(['x/b', 'x/none', 'x/a', 'x/b']), [b, undefined, a, b]);
  });

  check('a value is replaced and removed; an empty one is kept', async ({ store }) => {
    await store.write([{ name: 'a', value: random.bytes(40) }]);
    await store.write([{ name: 'a', value: new Uint8Array(0) }]);
    assert.deepEqual(await store.get(['a']), [new Uint8Array(0)]);
    await store.write([{ name: 'a', value: undefined }]);
    await store.write([{ name: 'a', value: undefined }]);
    assert.deepEqual(await store.get(['a']), [undefined]);
    assert.deepEqual(await store.list(''), []);
  });

  check('of a name twice in one write the last one counts', async ({ store }) => {
    const last = random.bytes(8);
    await store.write([
      { name: 'a', value: random.bytes(8) },
      { name: 'b', value: random.bytes(8) },
      { name: 'a', value: last },
      { name: 'b', value: undefined },
    ]);
    assert.deepEqual(await store.get(['a', 'b']), [last, undefined]);
  });

  check('a list holds the names under a prefix and no others, in order, in pages', async ({ store }) => {
    const names = ['p', 'p/', 'p/10', 'p/2', 'p/a', 'p0', 'q/1'];
    await store.write([...names].reverse().map((name) => ({ name, value: new Uint8Array([names.indexOf(name)]) })));
    const listed = await store.list('p/');
    assert.deepEqual(
      listed.map(({ name, value }) => [name, value[0]]),
      ['p/', 'p/10', 'p/2', 'p/a'].map((name) => [name, names.indexOf(name)]),
    );
    const namesOf = (rows: readonly { name: string }[]) => rows.map(({ name }) => name);
    assert.deepEqual(namesOf(await store.list('p/', { limit: 2 })), ['p/', 'p/10']);
    assert.deepEqual(namesOf(await store.list('p/', { after: 'p/10', limit: 2 })), ['p/2', 'p/a']);
    assert.deepEqual(namesOf(await store.list('p/', { after: 'p/a' })), []);
    assert.deepEqual(namesOf(await store.list('p/', { after: 'a' })), ['p/', 'p/10', 'p/2', 'p/a']);
    assert.deepEqual(namesOf(await store.list('')), names);
  });

  check('erasing removes everything under a prefix and nothing else', async ({ store }) => {
    const names = ['acct/1/list', 'acct/1/pack/2', 'acct/10/list', 'acct/2/list'];
    await store.write(names.map((name) => ({ name, value: random.bytes(4) })));
    await store.erase('acct/1/');
    assert.deepEqual(
      (await store.list('')).map(({ name }) => name),
      ['acct/10/list', 'acct/2/list'],
    );
  });

  check('a thousand values in one write are all there', async ({ store }) => {
    const names = Array.from({ length: 1000 }, (_, index) => `n/${String(index).padStart(4, '0')}`);
    await store.write(names.map((name) => ({ name, value: random.bytes(300) })));
    assert.deepEqual(
      (await store.list('n/')).map(({ name }) => name),
      names,
    );
  });

  check('writes at the same time lose nothing', async ({ store }) => {
    const names = Array.from({ length: 20 }, (_, index) => `n${index}`);
    await Promise.all(names.map((name) => store.write([{ name, value: random.bytes(16) }])));
    assert.equal((await store.list('n')).length, names.length);
  });

  check('purging takes nothing away that was not removed, and may be asked for at any time', async ({ store }) => {
    const [kept, other] = [random.bytes(64), random.bytes(64)];
    await store.purge();
    await store.write([
      { name: 'a', value: kept },
      { name: 'b', value: random.bytes(64) },
    ]);
    await store.write([{ name: 'b', value: undefined }]);
    await Promise.all([store.purge(), store.write([{ name: 'c', value: other }]), store.purge()]);
    assert.deepEqual(await store.get(['a', 'b', 'c']), [kept, undefined, other]);
  });

  check('what the caller does to its bytes afterwards changes nothing', async ({ store }) => {
    const value = random.bytes(64);
    const kept = value.slice();
    const writing = store.write([{ name: 'a', value }]);
    value.fill(0);
    await writing;
    const [read] = await store.get(['a']);
    assert.deepEqual(read, kept);
    read?.fill(0);
    assert.deepEqual(await store.get(['a']), [kept]);
  });

  check('a write that was acknowledged is there for whoever opens the store next', async ({ store, again }) => {
    const value = random.bytes(64);
    await store.write([{ name: 'a', value }]);
    const other = again === undefined ? store : await again();
    assert.deepEqual(await other.get(['a']), [value]);
  });
}
