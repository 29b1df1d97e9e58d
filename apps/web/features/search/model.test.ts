import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryStore, openSearchIndex, SearchFeed } from '@sotto/client/search';
import { createSeededRandom } from '@sotto/testkit';
import { createLocalKey } from '@sotto/vault';
import { fakeHistory } from '../../preview/fake-services.ts';
import type { History } from '../../shell/services.ts';
import { createSearchModel, type Row } from './model.ts';
import type { SearchSession } from './search-session.ts';

const DAY_MS = 86_400_000;
let nowMs = Date.UTC(2026, 10, 21, 12);
const clock = {
  nowMs: () => nowMs,
  sleep: (_: number, signal?: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      setTimeout(resolve, 2);
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
    }),
};

async function openSession(history: History): Promise<SearchSession> {
  const random = createSeededRandom('search model');
  const owner = { accountId: random.bytes(16), key: createLocalKey(random) };
  const index = await openSearchIndex({ owner, store: createMemoryStore(), random, clock });
  const feed = new SearchFeed({ source: history, index, clock, takingTurns: (_, work) => work(), turnName: '' });
  const ended = feed.run();
  while (feed.progress === undefined || feed.progress.done < feed.progress.total) await clock.sleep(1);
  feed.stop();
  await ended;
  return {
    query: (request, signal) => feed.query(request, signal),
    progress: { done: 2, total: 2 },
    subscribe: () => () => {},
    close: () => {},
  };
}

async function madeChats() {
  const history = fakeHistory(clock);
  const say = (conversationId: string, role: 'user' | 'assistant', text: string) =>
    history.saveMessage({ conversationId, parentId: undefined, role, text, status: 'complete' });
  nowMs -= 40 * DAY_MS;
  const lease = await history.createConversation('The lease');
  const asked = await say(lease, 'user', 'May my landlord keep the fee?');
  nowMs += 40 * DAY_MS;
  const bakery = await history.createConversation('Names for a bakery');
  const answered = await say(bakery, 'assistant', 'The landlord of bread, or Rye & Co.');
  return { history, lease, asked, bakery, answered };
}

const shown = (parts: Row['snippet']) => parts.map(({ text, isMarked }) => (isMarked ? `[${text}]` : text)).join('');

test('typing finds messages and titles, with what matched marked; the arrows walk through them', async () => {
  const { history, lease, asked, answered } = await madeChats();
  const model = createSearchModel({ session: await openSession(history), history, clock, openChat: undefined });
  assert.equal(model.state.get().phase, 'none');
  model.setText('l');
  model.setText('landl');
  assert.equal(model.state.get().phase, 'searching');
  await model.settled();
  const { rows, total, phase } = model.state.get();
  assert.deepEqual([phase, total], ['done', 2]);
  assert.deepEqual(new Set(rows.map(({ messageId }) => messageId)), new Set([asked, answered]));
  assert.equal(shown(rows.find(({ key }) => key === asked)?.snippet ?? []), 'May my [landlord] keep the fee?');
  assert.equal(model.chosenRow(), rows[0]);
  model.move(1);
  assert.equal(model.chosenRow(), rows[1]);
  model.move(1);
  assert.equal(model.chosenRow(), rows[0]);
  model.move(-1);
  assert.equal(model.chosenRow(), rows[1]);

  model.setText('lease');
  await model.settled();
  const [title] = model.state.get().rows;
  assert.deepEqual([title?.conversationId, title?.messageId, title?.kind], [lease, undefined, 'title']);
  assert.equal(shown(title?.title ?? []), 'The [lease]');
  model.setText(' ');
  await model.settled();
  assert.deepEqual([model.state.get().phase, model.state.get().rows], ['none', []]);
  model.close();
});

test('what narrows it down: who, when, where', async () => {
  const { history, asked, answered, bakery } = await madeChats();
  const model = createSearchModel({ session: await openSession(history), history, clock, openChat: bakery });
  const foundWith = async (change: Parameters<typeof model.choose>[0]) => {
    model.choose({ who: 'any', when: 'any', where: 'any', withFile: false, ...change });
    await model.settled();
    return model.state
      .get()
      .rows.map(({ key }) => key)
      .sort();
  };
  model.setText('landlord');
  const both = [asked, answered].sort();
  assert.deepEqual(await foundWith({}), both);
  assert.deepEqual(await foundWith({ who: 'mine' }), [asked]);
  assert.deepEqual(await foundWith({ who: 'answers' }), [answered]);
  assert.deepEqual(await foundWith({ who: 'titles' }), []);
  assert.deepEqual(await foundWith({ when: 'week' }), [answered]);
  assert.deepEqual(await foundWith({ when: 'year' }), both);
  assert.deepEqual(await foundWith({ where: 'this' }), [answered]);
  assert.deepEqual(await foundWith({ withFile: true }), []);
  const today = new Date(nowMs).toLocaleDateString('sv');
  assert.deepEqual(await foundWith({ when: 'dates', fromDay: today, toDay: '' }), [answered]);
  assert.deepEqual(await foundWith({ when: 'dates', fromDay: '', toDay: today }), both);
  assert.deepEqual(await foundWith({ when: 'dates', fromDay: 'nonsense', toDay: '' }), both);
  await history.setRegisters(bakery, { 'tag:work': true });
  const again = createSearchModel({ session: await openSession(history), history, clock, openChat: undefined });
  assert.deepEqual(
    again.state.get().places.map(({ value }) => value),
    ['tag:work'],
  );
  again.setText('landlord');
  again.choose({ where: 'tag:work' });
  await again.settled();
  assert.deepEqual(
    again.state.get().rows.map(({ key }) => key),
    [answered],
  );
  again.choose({ where: 'tag:other' });
  await again.settled();
  assert.deepEqual(again.state.get().rows, []);
});

test('CL-260 what was removed, or waits to be, is not shown from an index that has not caught up', async () => {
  const { history, lease, bakery } = await madeChats();
  const model = createSearchModel({ session: await openSession(history), history, clock, openChat: undefined });
  await history.removeConversation(lease);
  model.setText('landlord');
  await model.settled();
  assert.deepEqual([model.state.get().rows.length, model.state.get().total], [1, 1]);
  await history.setRegisters(bakery, { removing: nowMs });
  model.setText('landlord ');
  await model.settled();
  assert.deepEqual([model.state.get().rows.length, model.state.get().total], [0, 0]);
});

test('a search that fails says so, and the next one works', async () => {
  const { history } = await madeChats();
  const session = await openSession(history);
  let isBroken = true;
  const broken: SearchSession = {
    ...session,
    async *query(request, signal) {
      if (isBroken) throw new (await import('@sotto/client')).ClientError('store-unavailable');
      yield* session.query(request, signal);
    },
  };
  const model = createSearchModel({ session: broken, history, clock, openChat: undefined });
  model.setText('landlord');
  await model.settled();
  assert.equal(model.state.get().phase, 'failed');
  isBroken = false;
  model.setText('landlord ');
  await model.settled();
  assert.equal(model.state.get().phase, 'done');
});

test('whoever has moved to a row stays at it when better ones come before it', async () => {
  const { history } = await madeChats();
  const session = await openSession(history);
  const goOn = Promise.withResolvers<void>();
  const inPieces: SearchSession = {
    ...session,
    async *query(request, signal) {
      for await (const found of session.query(request, signal)) {
        yield { ...found, isComplete: false };
        await goOn.promise;
        yield { ...found, hits: found.hits.toReversed() };
      }
    },
  };
  const model = createSearchModel({ session: inPieces, history, clock, openChat: undefined });
  model.setText('landl');
  while (model.state.get().rows.length < 2) await clock.sleep(1);
  model.move(1);
  const chosen = model.chosenRow();
  goOn.resolve();
  await model.settled();
  assert.equal(model.chosenRow()?.key, chosen?.key);
});
