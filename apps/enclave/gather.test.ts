/** Gathering: one event for all that is there, in order, within bounds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from '@sotto/testkit';
import type { EngineEvent } from './engine.ts';
import { Gatherer } from './gather.ts';

const FINISH: EngineEvent = { finish: 'stop', promptTokens: 1, completionTokens: 2 };

function sourceOf(events: readonly (EngineEvent | Error)[]) {
  const source = {
    taken: 0,
    async next(): Promise<EngineEvent> {
      const event = events[source.taken++];
      if (event instanceof Error) throw event;
      return event ?? new Promise<never>(() => undefined);
    },
  };
  return source;
}

test('SH-40 text that came while the reader was away is one event', async () => {
  const source = sourceOf([{ text: 'a' }, { text: 'b' }, { text: '' }, { text: 'c' }, FINISH]);
  const gatherer = new Gatherer(source);
  assert.deepEqual(await gatherer.next(), { text: 'a' });
  await settle();
  assert.deepEqual(await gatherer.next(), { text: 'bc' });
  assert.deepEqual(await gatherer.next(), FINISH);
});

test('SH-40 a failure comes after the text before it, and stays', async () => {
  const gatherer = new Gatherer(sourceOf([{ text: 'a' }, { text: 'b' }, new Error('engine')]));
  assert.deepEqual(await gatherer.next(), { text: 'a' });
  await settle();
  assert.deepEqual(await gatherer.next(), { text: 'b' });
  await assert.rejects(gatherer.next(), /engine/);
  await assert.rejects(gatherer.next(), /engine/);
});

test('SH-41 an engine waits for a reader that does not come', async () => {
  const text = 'x'.repeat(1000);
  const source = sourceOf(Array.from({ length: 100 }, () => ({ text })));
  const gatherer = new Gatherer(source);
  await gatherer.next();
  await settle();
  assert.ok(source.taken <= 18, `${source.taken} events were taken`);
  let length = 1000;
  while (length < 100_000) {
    const event = await gatherer.next();
    assert.ok('text' in event && event.text.length <= 17_000);
    length += event.text.length;
    await settle();
  }
  assert.equal(length, 100_000);
});
