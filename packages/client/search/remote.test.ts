import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { connectSearchIndex, type MessageLine, serveSearchIndex } from './remote.ts';
import type { SearchAnswer, SearchIndexLike } from './types.ts';
import { createWorld, found, id, message, search, whole } from './world-for-testing.ts';

function lineOf(port: MessagePort): MessageLine {
  return {
    post: (message) => port.postMessage(message),
    onMessage: (listener) => port.on('message', listener),
  };
}

async function between(index: Promise<SearchIndexLike>) {
  const { port1, port2 } = new MessageChannel();
  serveSearchIndex(lineOf(port2), index);
  return { remote: connectSearchIndex(lineOf(port1)), close: () => port1.close() };
}

test('an index in another thread does what the index does', async () => {
  const world = createWorld('remote');
  const { remote, close } = await between(world.open());
  await remote.update([whole(1, [message(1, 'hello there')]), whole(2, [message(2, 'hello again')])]);
  assert.deepEqual(
    [...(await remote.covered())],
    [
      [id(1), 'v1'],
      [id(2), 'v1'],
    ],
  );
  assert.deepEqual((await found(remote, 'hello')).sort(), [id(1), id(2)]);
  await remote.forget([id(1)]);
  await remote.retain([id(2)]);
  assert.equal(await remote.maintain(), false);
  assert.equal((await search(remote, { text: 'hello' })).total, 1);
  world.store.failWrites('full');
  await assert.rejects(remote.update([whole(3, [message(3, 'more')])]), { code: 'store-full' });
  await remote.erase();
  assert.deepEqual(world.store.names(), []);
  close();
});

/** An index whose answers are given by hand. */
function slowIndex() {
  const asked: { text: string; signal: AbortSignal; answer: (answer: SearchAnswer) => void; end: () => void }[] = [];
  const index = {
    async *query({ text }: { text: string }, signal: AbortSignal) {
      const waiting: (SearchAnswer | undefined)[] = [];
      let wake = () => {};
      const put = (answer: SearchAnswer | undefined) => {
        waiting.push(answer);
        wake();
      };
      asked.push({ text, signal, answer: put, end: () => put(undefined) });
      signal.addEventListener('abort', () => put(undefined));
      for (;;) {
        const answer = waiting.shift();
        if (waiting.length === 0 && answer === undefined) await new Promise<void>((resolve) => (wake = resolve));
        else if (answer === undefined) return;
        else yield answer;
        if (signal.aborted) return;
      }
    },
  };
  return { index: index as unknown as SearchIndexLike, asked };
}

const answer = (total: number, isComplete: boolean): SearchAnswer => ({
  hits: [],
  total,
  isComplete,
  isDamaged: false,
});

test('CL-258 a query ends the one before it, and ends when it is given up', { timeout: 20_000 }, async () => {
  const { index, asked } = slowIndex();
  const { remote, close } = await between(Promise.resolve(index));
  const first = remote.query({ text: 'one', limit: 1 })[Symbol.asyncIterator]();
  const firstNext = first.next();
  const wait = async (isSo: () => boolean) => {
    for (let tries = 0; !isSo() && tries < 500; tries++) await new Promise((resolve) => setTimeout(resolve, 2));
    assert.ok(isSo());
  };
  await wait(() => asked.length === 1);
  asked[0]?.answer(answer(1, false));
  assert.equal((await firstNext).value?.total, 1);
  const stopping = new AbortController();
  const second = remote.query({ text: 'two', limit: 1 }, stopping.signal)[Symbol.asyncIterator]();
  const secondNext = second.next();
  await wait(() => asked.length === 2);
  assert.equal(asked[0]?.signal.aborted, true);
  assert.equal((await first.next()).done, true);
  assert.equal(asked[1]?.signal.aborted, false);
  stopping.abort();
  await wait(() => asked[1]?.signal.aborted === true);
  assert.equal((await secondNext).done, true);
  const third = remote.query({ text: 'three', limit: 1 })[Symbol.asyncIterator]();
  const thirdNext = third.next();
  await wait(() => asked.length === 3);
  asked[2]?.answer(answer(3, false));
  assert.equal((await thirdNext).value?.total, 3);
  // Whoever leaves the loop gives it up.
  await third.return?.();
  await wait(() => asked[2]?.signal.aborted === true);
  close();
});
