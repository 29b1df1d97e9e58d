import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryRecordStore, createSeededRandom } from '@sotto/testkit';
import { createAccountKey } from '@sotto/vault';
import { type History, openHistory } from '../history.ts';
import { createTurns, type TakingTurns } from '../watch/turns.ts';
import { SearchFeed } from './feed.ts';
import { createWorld, found, id, NOW_MS, search, type World } from './world-for-testing.ts';

/** A clock that waits for nothing, but lets others go on. */
const clock = { nowMs: () => NOW_MS, sleep: () => new Promise<void>((resolve) => setTimeout(resolve, 1)) };

async function openMadeHistory(seed: string): Promise<History> {
  const random = createSeededRandom(seed);
  return openHistory({
    accountId: random.bytes(16),
    accountKey: createAccountKey(random),
    deviceId: random.bytes(16),
    store: createMemoryRecordStore(),
    clock: { ...clock, nowMs: () => Date.now() },
    random,
  });
}

async function say(history: History, conversationId: string, text: string, messageId?: string): Promise<string> {
  return history.saveMessage({
    conversationId,
    parentId: undefined,
    role: 'user',
    text,
    status: 'complete',
    ...(messageId === undefined ? {} : { messageId }),
  });
}

async function start(world: World, history: History, takingTurns: TakingTurns = createTurns()) {
  const index = await world.open();
  const feed = new SearchFeed({ source: history, index, clock, takingTurns, turnName: 'search' });
  const ended = feed.run();
  const stop = () => {
    feed.stop();
    return ended;
  };
  return { index, feed, stop };
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await isSo()); tries++) {
    assert.ok(tries < 2000, 'it never came to be');
    await clock.sleep();
  }
}

test('what a history holds can be found, and what is written, renamed and removed later', async () => {
  const history = await openMadeHistory('follow');
  const first = await history.createConversation('Tax return');
  const hello = await say(history, first, 'hello there');
  const world = createWorld('follow');
  const { index, feed, stop } = await start(world, history);
  await until(() => feed.progress?.done === 1);
  assert.deepEqual(await found(index, 'hello'), [hello]);
  assert.deepEqual(await found(index, 'tax'), [first]);

  const second = await history.createConversation('Bakery');
  const bread = await say(history, second, 'rye bread');
  await until(async () => (await found(index, 'rye')).length === 1);
  await say(history, second, 'sourdough', bread);
  await until(async () => (await found(index, 'sourdough')).length === 1);
  assert.deepEqual(await found(index, 'rye'), []);
  await history.rename(first, 'Holiday');
  await until(async () => (await found(index, 'holiday')).length === 1);
  assert.deepEqual(await found(index, 'tax'), []);
  await history.removeConversation(second);
  await until(async () => (await found(index, 'sourdough')).length === 0);
  await until(() => feed.progress?.total === 1);
  await until(async () => !(await world.readAll()).includes('sourdough'));
  await stop();
});

test('it goes on where it was, and finds out what changed while nobody fed it', async () => {
  const history = await openMadeHistory('resume');
  const ids = [];
  for (let number = 0; number < 30; number++) {
    ids.push(await history.createConversation(`Chat ${number}`));
    await say(history, ids[number] as string, `text${number} common`);
  }
  const world = createWorld('resume');
  const one = await start(world, history);
  await until(() => one.feed.progress?.done === 30);
  await one.stop();
  await say(history, ids[3] as string, 'added meanwhile');
  await history.removeConversation(ids[4] as string);
  const reads: string[] = [];
  const watched = {
    conversations: () => history.conversations(),
    onRecords: (listener: Parameters<History['onRecords']>[0]) => history.onRecords(listener),
    wholeConversation: (conversationId: string) => {
      reads.push(conversationId);
      return history.wholeConversation(conversationId);
    },
  };
  const index = await world.open();
  const feed = new SearchFeed({ source: watched, index, clock, takingTurns: createTurns(), turnName: 'search' });
  const ended = feed.run();
  await until(async () => (await found(index, 'meanwhile')).length === 1 && (await found(index, 'text4')).length === 0);
  assert.deepEqual(reads, [ids[3]]);
  feed.stop();
  await ended;
});

test('CL-256 while one tab feeds, no other does; the next one takes over', async () => {
  const history = await openMadeHistory('tabs');
  await say(history, await history.createConversation('One'), 'first');
  const world = createWorld('tabs');
  const turns = createTurns();
  const one = await start(world, history, turns);
  await until(() => one.feed.progress?.done === 1);
  const two = await start(world, history, turns);
  for (let tries = 0; tries < 50; tries++) await clock.sleep();
  assert.equal(two.feed.progress, undefined);
  assert.equal((await found(two.index, 'first')).length, 1);
  await one.stop();
  await until(() => two.feed.progress?.done === 1);
  await say(history, await history.createConversation('Two'), 'second');
  await until(async () => (await found(two.index, 'second')).length === 1);
  await two.stop();
});

test('CL-257 writes that fail, at random and for as long as they do, lose nothing in the end', async () => {
  for (const seed of ['faults one', 'faults two', 'faults three']) {
    const history = await openMadeHistory(seed);
    const world = createWorld(seed);
    world.store.failAtRandom(createSeededRandom(seed), 3, ['lost', 'applied']);
    const { index, feed, stop } = await start(world, history);
    const ids: string[] = [];
    for (let number = 0; number < 40; number++) {
      const conversationId = await history.createConversation(`Chat ${number}`);
      ids.push(conversationId);
      await say(history, conversationId, `common word${number}`);
      if (number % 5 === 4) await history.removeConversation(ids[number - 2] as string);
      await clock.sleep();
    }
    world.store.heal();
    await until(() => feed.progress?.done === 32 && feed.progress.total === 32);
    await until(async () => (await search(index, { text: 'common' })).total === 32);
    for (const number of [2, 7, 37]) await until(async () => (await found(index, `word${number}`)).length === 0);
    await stop();
  }
});

test('what a query finds damaged is fed anew', async () => {
  const history = await openMadeHistory('heal');
  const more = Array.from({ length: 300 }, (_, number) => `more${number}`).join(' ');
  for (let number = 0; number < 150; number++) {
    await say(history, await history.createConversation(`Chat ${number}`), `common word${number} ${more}`);
  }
  const world = createWorld('heal');
  const before = await start(world, history);
  await until(() => before.feed.progress?.done === 150);
  await before.stop();
  const names = world.store.names().filter((name) => name.endsWith('/1'));
  assert.ok(names.length > 0);
  world.store.damage(names[0] as string, new Uint8Array(100));
  const { feed, stop } = await start(world, history);
  await until(async () => {
    for await (const answer of feed.query({ text: 'common', limit: 10 })) {
      if (answer.isComplete && !answer.isDamaged && answer.total === 150) return true;
    }
    return false;
  });
  await stop();
});

test('chats that come while others are being read are read too, and many at once are taken in parts', async () => {
  const history = await openMadeHistory('many');
  const text = `common ${Array.from({ length: 7000 }, (_, number) => id(number).slice(-4)).join(' ')}`;
  const make = (count: number) =>
    history.inOneChange(async () => {
      for (let number = 0; number < count; number++) {
        await say(history, await history.createConversation(`Chat ${number}`), text);
      }
    });
  await make(80);
  const world = createWorld('many');
  const { index, feed, stop } = await start(world, history);
  await until(() => feed.progress !== undefined);
  await make(5);
  await until(() => feed.progress?.done === 85 && feed.progress.total === 85);
  assert.equal((await search(index, { text: 'common' })).total, 85);
  await stop();
});

test('the names of a message’s files are found, and that it has some', async () => {
  const history = await openMadeHistory('files');
  const conversationId = await history.createConversation('Taxes');
  const file = {
    blobId: id(9),
    key: 'ab'.repeat(32),
    name: 'Steuerbescheid-2025.pdf',
    mediaType: 'application/pdf',
    bytes: 10,
  };
  const message = { conversationId, parentId: undefined, role: 'user', text: 'see this', status: 'complete' } as const;
  const messageId = await history.saveMessage({ ...message, attachments: [file] });
  await say(history, conversationId, 'see that');
  const { index, feed, stop } = await start(createWorld('files'), history);
  await until(() => feed.progress?.done === 1);
  assert.deepEqual(await found(index, 'steuerbescheid'), [messageId]);
  const withFile = await search(index, { text: 'see', filters: { hasFile: true } });
  assert.deepEqual(
    withFile.hits.map((hit) => hit.id),
    [messageId],
  );
  await stop();
});

test('a change of more records than are remembered is read whole', async () => {
  const history = await openMadeHistory('flood');
  const conversationId = await history.createConversation('Flood');
  await say(history, conversationId, 'first');
  const { index, feed, stop } = await start(createWorld('flood'), history);
  await until(() => feed.progress?.done === 1);
  await history.inOneChange(async () => {
    for (let number = 0; number < 600; number++) await say(history, conversationId, `drop ${number}`);
  });
  await until(async () => (await search(index, { text: 'drop' })).total === 600);
  await stop();
});

test('a chat that somebody else let go of while it was read is read again', async () => {
  const history = await openMadeHistory('let go');
  const conversationId = await history.createConversation('One');
  await say(history, conversationId, 'needle');
  let reads = 0;
  const source = {
    conversations: () => history.conversations(),
    onRecords: (listener: Parameters<History['onRecords']>[0]) => history.onRecords(listener),
    wholeConversation: async (wanted: string) => {
      const whole = await history.wholeConversation(wanted);
      return whole && reads++ === 0 ? { ...whole, records: [] } : whole;
    },
  };
  const index = await createWorld('let go').open();
  const feed = new SearchFeed({ source, index, clock, takingTurns: createTurns(), turnName: 'search' });
  const ended = feed.run();
  await until(() => feed.progress?.done === 1);
  assert.equal((await found(index, 'needle')).length, 1);
  feed.stop();
  await ended;
});
