import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FairQueue } from './fair-queue.ts';

const never = new AbortController().signal;

test('EN-07 one session cannot hold more than its share', async () => {
  const queue = new FairQueue({ running: 8, waiting: 8, perSession: 2 });
  const session = {};
  await queue.acquire(session, never);
  const release = await queue.acquire(session, never);
  await assert.rejects(queue.acquire(session, never), { code: 'busy', rule: 'EN-07' });
  release();
  release();
  await queue.acquire(session, never);
  await assert.rejects(queue.acquire(session, never), { code: 'busy' });
  await queue.acquire({}, never);
});

test('EN-08 the queue has an end', async () => {
  const queue = new FairQueue({ running: 1, waiting: 1, perSession: 8 });
  await queue.acquire({}, never);
  const waiting = queue.acquire({}, AbortSignal.timeout(20));
  await assert.rejects(queue.acquire({}, never), { code: 'busy', rule: 'EN-08' });
  await assert.rejects(waiting);
  assert.equal(queue.waiting, 0);
});

test('sessions take turns, each in its own order', async () => {
  const queue = new FairQueue({ running: 1, waiting: 8, perSession: 8 });
  const release = await queue.acquire({}, never);
  const order: string[] = [];
  const [a, b] = [{}, {}];
  const runs = [
    ['a1', a],
    ['a2', a],
    ['a3', a],
    ['b1', b],
  ] as const;
  const all = runs.map(async ([name, session]) => {
    const done = await queue.acquire(session, never);
    order.push(name);
    done();
  });
  release();
  await Promise.all(all);
  assert.deepEqual(order, ['a1', 'b1', 'a2', 'a3']);
  assert.equal(queue.running, 0);
});

test('who gives up while waiting leaves the queue', async () => {
  const queue = new FairQueue({ running: 1, waiting: 8, perSession: 1 });
  const session = {};
  const release = await queue.acquire({}, never);
  const stop = new AbortController();
  const waiting = queue.acquire(session, stop.signal);
  stop.abort(new Error('stopped'));
  await assert.rejects(waiting, /stopped/);
  release();
  assert.equal(queue.running, 0);
  await queue.acquire(session, never);
});
