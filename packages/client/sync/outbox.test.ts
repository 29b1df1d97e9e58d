/** The outbox read again beside writes of the same program: nothing is lost, and nothing waits twice. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SealedStore } from '@sotto/ports';
import { createMemorySealedStore } from '@sotto/testkit';
import { Outbox } from './outbox.ts';

const PREFIX = 'acct/1/outbox/';
const seal = {
  seal: async (_: string, content: Uint8Array) => new Uint8Array(content),
  open: async (_: string, sealed: Uint8Array) => new Uint8Array(sealed),
};
const ID = 'ab'.repeat(16);
const bytes = (byte: number) => new Uint8Array([byte]);

function rig() {
  const store = createMemorySealedStore();
  const gates: PromiseWithResolvers<void>[] = [];
  let isSlow: 'asked' | 'answered' | undefined;
  const slow: SealedStore = {
    ...store,
    get: (names) => store.get(names),
    write: (changes) => store.write(changes),
    list: async (prefix, options) => {
      // What is there when it is asked, or when it answers.
      const found = isSlow === 'asked' ? await store.list(prefix, options) : undefined;
      if (isSlow !== undefined && options?.limit !== undefined) {
        const gate = Promise.withResolvers<void>();
        gates.push(gate);
        await gate.promise;
      }
      return found ?? store.list(prefix, options);
    },
  };
  const outbox = new Outbox(slow, seal, PREFIX);
  const put = async (recordId: string, byte: number) => {
    const { changes, ended } = await outbox.enqueue([{ recordId, envelope: bytes(byte) }]);
    await store.write(changes);
    ended(true);
  };
  /** Now it answers, and whatever is asked from now on at once. */
  const open = () => {
    isSlow = undefined;
    for (const { resolve } of gates.splice(0)) resolve();
  };
  return { store, outbox, put, open, slowly: (how: typeof isSlow) => (isSlow = how) };
}

const waiting = async (outbox: Outbox) =>
  (await outbox.first(10, 1000)).map(({ recordId, envelope }) => [recordId, envelope?.[0]]);
const kept = async (store: SealedStore) => (await store.list(PREFIX)).map(({ value }) => value[0]);

for (const when of ['asked', 'answered'] as const) {
  test(`CL-386 a write while the outbox is read again is neither lost nor kept twice (listed when ${when})`, async () => {
    const { store, outbox, put, open, slowly } = rig();
    await put(ID, 1);
    slowly(when);
    const loading = outbox.load();
    await new Promise((resolve) => setImmediate(resolve));
    await put(ID, 2);
    await put('cd'.repeat(16), 3);
    open();
    await loading;
    assert.deepEqual(await waiting(outbox), [
      [ID, 2],
      ['cd'.repeat(16), 3],
    ]);
    assert.deepEqual(await kept(store), [2, 3]);
    const next = new Outbox(store, seal, PREFIX);
    await next.load();
    assert.deepEqual(await waiting(next), await waiting(outbox));
  });

  test(`CL-386 an outbox that is read twice at once loses nothing (listed when ${when})`, async () => {
    const { store, outbox, put, open, slowly } = rig();
    await put(ID, 1);
    slowly(when);
    const loading = [outbox.load(), outbox.load()];
    await new Promise((resolve) => setImmediate(resolve));
    open();
    await Promise.all(loading);
    assert.deepEqual(await waiting(outbox), [[ID, 1]]);
    assert.deepEqual(await kept(store), [1]);
  });
}
