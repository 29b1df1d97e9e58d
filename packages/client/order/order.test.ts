/** Folders, pins, tags, what goes by itself and what is deleted: over real histories, on one device and on two. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock, createMemoryRecordStore, createSeededRandom } from '@sotto/testkit';
import { createAccountKey } from '@sotto/vault';
import { type History, openHistory } from '../history.ts';
import {
  dueChats,
  goesAtMs,
  judgeClock,
  Order,
  openTemporaryHistory,
  RETENTION_GRACE_MS,
  Removal,
  TAGS_AT_ONCE,
} from './index.ts';

import { parseLooks } from './looks.ts';

const DAY_MS = 86_400_000;

/** One account on several devices that share a store. */
function world(seed: string) {
  const random = createSeededRandom(seed);
  const clock = createManualClock();
  const store = createMemoryRecordStore();
  const [accountId, accountKey] = [random.bytes(16), createAccountKey(random)];
  let writes = 0;
  const counted: typeof store = {
    ...store,
    put: (recordId, envelope) => {
      writes++;
      return store.put(recordId, envelope);
    },
  };
  const device = async (ownClock: typeof clock = clock) => {
    const history = await openHistory({
      accountId,
      accountKey,
      deviceId: random.bytes(16),
      store: counted,
      clock: ownClock,
      random,
    });
    const order = new Order({ history, clock: ownClock, random });
    return { history, order, removal: new Removal({ history, clock: ownClock }) };
  };
  return { clock, device, store, writes: () => writes };
}

const chat = async (history: History, title: string) => {
  const conversationId = await history.createConversation(title);
  const message = { conversationId, parentId: undefined, role: 'user', text: title, status: 'complete' } as const;
  await history.saveMessage(message);
  return conversationId;
};
const titles = (history: History) => history.conversations().map(({ title }) => title);
const names = (order: Order) => [...order.folders().values()].map(({ name }) => name);

test('CL-297 folders stand where they were put, and a move writes one record', async () => {
  const { device, writes } = world('folders');
  const { order } = await device();
  const ids = [];
  for (const name of ['  One \n two ', 'B', 'C', 'D']) ids.push(await order.createFolder({ name }));
  assert.deepEqual(names(order), ['One two', 'B', 'C', 'D']);
  const before = writes();
  await order.moveFolder(ids[3] as string, undefined, 0);
  await order.moveFolder(ids[0] as string, undefined, 2);
  assert.equal(writes() - before, 2);
  assert.deepEqual(names(order), ['D', 'B', 'One two', 'C']);
  await order.moveFolder(ids[1] as string, ids[2], 0);
  assert.equal(order.folders().get(ids[1] as string)?.parentId, ids[2]);
  await order.moveFolder(ids[2] as string, ids[1], 0);
  assert.equal(order.folders().get(ids[2] as string)?.parentId, undefined, 'not into itself');
});

test('CL-297 two devices that change one folder at once lose nothing, and see the same', async () => {
  const { device } = world('two devices');
  const [one, two] = [await device(), await device()];
  const folderId = await one.order.createFolder({ name: 'Old', instructions: 'Be brief.' });
  const otherId = await one.order.createFolder({ name: 'Other' });
  await two.history.refresh();
  await one.order.changeFolder(folderId, { name: 'New' });
  await two.order.changeFolder(folderId, { colour: 'green' });
  await two.order.moveFolder(otherId, undefined, 0);
  await Promise.all([
    one.order.changeFolder(folderId, { icon: 'book' }),
    one.order.changeFolder(folderId, { instructions: 'Be kind.' }),
  ]);
  for (const { history } of [one, two]) await history.refresh();
  for (const { order } of [one, two]) {
    const { name, instructions, colour, icon } = order.folders().get(folderId) ?? {};
    assert.deepEqual(
      { name, instructions, colour, icon },
      { name: 'New', instructions: 'Be kind.', colour: 'green', icon: 'book' },
    );
    assert.deepEqual(names(order), ['Other', 'New']);
  }
});

test('CL-298 CL-299 deleting a folder keeps its chats, and deletes them where the person says so', async () => {
  const { device, store } = world('delete folder');
  const [one, two] = [await device(), await device()];
  const { history, order } = one;
  const outer = await order.createFolder({ name: 'Outer', instructions: 'Outer rules' });
  const middle = await order.createFolder({ name: 'Middle' }, outer);
  const inner = await order.createFolder({ name: 'Inner' }, middle);
  for (const [title, folderId] of [
    ['in middle', middle],
    ['in inner', inner],
    ['free', undefined],
  ] as const) {
    await order.moveChat(await chat(history, title), folderId);
  }
  await two.history.refresh();
  await two.order.changeFolder(middle, { name: 'Middle of two' });
  await history.refresh();
  await order.deleteFolder(middle, false);
  assert.deepEqual(titles(history).sort(), ['free', 'in inner', 'in middle']);
  assert.deepEqual([...order.folders().values()].map(({ name, parentId }) => [name, parentId]).sort(), [
    ['Inner', outer],
    ['Outer', undefined],
  ]);
  const left = order.chats().find(({ title }) => title === 'in middle');
  assert.equal(order.folders().has(left?.folderId ?? ''), false);
  assert.equal(order.instructionsFor(left?.folderId), undefined);
  assert.equal(order.instructionsFor(outer), 'Outer rules');

  await two.history.refresh();
  assert.deepEqual(names(two.order).sort(), ['Inner', 'Outer']);
  await two.order.deleteFolder(outer, true);
  assert.deepEqual(titles(two.history).sort(), ['free', 'in middle']);
  assert.deepEqual(names(two.order), []);
  await history.refresh();
  assert.deepEqual(titles(history).sort(), ['free', 'in middle']);
  // What a deleted folder was called is nowhere: one mark each, and nothing else.
  const fresh = await device();
  const said = fresh.history.recordsOfType('folder').map(({ content }) => content.type === 'unknown' && content.fields);
  assert.equal(said.length > 0, true);
  for (const fields of said) assert.deepEqual(fields && [fields.deleted, fields.registers], [true, {}]);
  assert.ok((await store.list(0)).records.length > 0);
});

test('CL-300 tags that two devices give at once are both kept; CL-302 no more than a record holds', async () => {
  const { device } = world('tags');
  const [one, two] = [await device(), await device()];
  const conversationId = await chat(one.history, 'tagged');
  await one.order.tag(conversationId, '#Both');
  await two.history.refresh();
  await one.order.tag(conversationId, 'From  One');
  await two.order.tag(conversationId, 'from two');
  await two.order.untag(conversationId, 'both');
  await one.order.tag(conversationId, ' ');
  for (const { history } of [one, two]) await history.refresh();
  for (const { order } of [one, two]) assert.deepEqual(order.chats()[0]?.tags, ['from one', 'from two']);
  for (let i = 2; i < TAGS_AT_ONCE; i++) await one.order.tag(conversationId, `tag ${i}`);
  await assert.rejects(one.order.tag(conversationId, 'one more'), { code: 'tags-full' });
  await one.order.tag(conversationId, 'tag 3');
  assert.equal(one.order.chats()[0]?.tags.length, TAGS_AT_ONCE);
});

test('CL-302 a tag that another device still has is not forgotten for room', async () => {
  const { device } = world('room');
  const [one, two] = [await device(), await device()];
  const conversationId = await chat(one.history, 'tagged');
  await two.history.refresh();
  await two.order.tag(conversationId, 'shared');
  await one.history.refresh();
  await one.order.untag(conversationId, 'shared');
  for (let i = 0; i < 60; i++) {
    await one.order.tag(conversationId, `tag ${i}`);
    await one.order.untag(conversationId, `tag ${i}`);
  }
  assert.deepEqual(one.order.chats()[0]?.tags, []);
});

test('CL-302 a tag that comes and goes for ever never fills the record', async () => {
  const { device } = world('many tags');
  const { history, order } = await device();
  const conversationId = await chat(history, 'tagged');
  for (let i = 0; i < 100; i++) {
    await order.tag(conversationId, `tag ${i}`);
    await order.untag(conversationId, `tag ${i}`);
  }
  await order.tag(conversationId, 'last');
  assert.deepEqual(order.chats()[0]?.tags, ['last']);
});

test('CL-297 pins have an order, and a chat that is put away is still there', async () => {
  const { device, writes } = world('pins');
  const { history, order } = await device();
  const [a, b, c] = [await chat(history, 'a'), await chat(history, 'b'), await chat(history, 'c')];
  for (const id of [a, b, c]) await order.pin(id);
  assert.deepEqual(
    order.pinned().map(({ id }) => id),
    [c, b, a],
  );
  const before = writes();
  await order.pin(a, 1);
  assert.equal(writes() - before, 1);
  await order.unpin(c);
  await order.archive(b, true);
  assert.deepEqual(
    order.pinned().map(({ id }) => id),
    [a, b],
  );
  assert.equal(order.chats().find(({ conversationId }) => conversationId === b)?.archived, true);
});

test('CL-305 CL-307 chats go so long after their last use, not before the notice, and never where they are pinned', async () => {
  const { device, clock } = world('retention');
  const { history, order, removal } = await device();
  const [, pinned, own] = [await chat(history, 'old'), await chat(history, 'pinned'), await chat(history, 'own')];
  await order.pin(pinned);
  await clock.advance(40 * DAY_MS);
  const fresh = await chat(history, 'fresh');
  await order.setChatRetention(own, 90);
  const imported = await history.createConversation('imported');
  await history.setRegisters(imported, { imported: clock.nowMs() });
  const due = () => dueChats(order.chats(), order.retention(), clock.nowMs());
  assert.deepEqual(due(), { due: [], soon: [] });
  await order.setRetention(30);
  assert.deepEqual(order.retention()?.days, 30);
  assert.deepEqual(due().due, []);
  assert.deepEqual(
    due().soon.map(({ title }) => title),
    ['old'],
  );
  assert.equal(await removal.removeDue(order.retention()), 0);
  await clock.advance(RETENTION_GRACE_MS + 1000);
  assert.equal(await removal.removeDue(order.retention()), 1);
  assert.deepEqual(titles(history).sort(), ['fresh', 'imported', 'own', 'pinned']);
  await clock.advance(30 * DAY_MS);
  assert.deepEqual(
    due()
      .due.map(({ title }) => title)
      .sort(),
    ['fresh', 'imported'],
  );
  await order.setChatRetention(fresh, 0);
  await order.setRetention(0);
  assert.deepEqual(due(), { due: [], soon: [] });
  await clock.advance(20 * DAY_MS);
  assert.deepEqual(
    due().due.map(({ conversationId }) => conversationId),
    [own],
  );
});

test('CL-305 a pinned chat never goes', () => {
  const chat = {
    conversationId: 'c',
    title: '',
    createdAtMs: 1,
    updatedAtMs: 1,
    messageCount: 1,
    clock: 1,
    registers: {},
    archived: false,
    tags: [],
  };
  assert.equal(goesAtMs(chat, undefined), undefined);
  assert.equal(goesAtMs({ ...chat, pin: 'V' }, { days: 1, setAtMs: 1 }), undefined);
  assert.ok(goesAtMs(chat, { days: 1, setAtMs: 1 }));
});

for (const years of [-30, -5, -1, 1, 5, 30]) {
  test(`CL-383 what a device wrote whose clock is off by ${years} years is not removed before another one has had it for so long`, async () => {
    const { device, clock } = world(`skew ${years}`);
    await clock.advance(40 * 365 * DAY_MS);
    const { history, order, removal } = await device();
    await order.setRetention(30);
    await chat(history, 'own');
    const look = async () => {
      await history.refresh();
      return removal.removeReady(order.retention());
    };
    assert.equal(await look(), 0);
    await clock.advance(2 * DAY_MS);
    const other = await device({ ...clock, nowMs: () => clock.nowMs() + years * 365 * DAY_MS });
    await chat(other.history, 'of the other');
    // For as long as this device has had it for less than the time until removal.
    for (let day = 0; day < 28; day++) {
      assert.equal(await look(), 0, `day ${day}`);
      await clock.advance(DAY_MS);
    }
    assert.equal(await look(), 1, 'what this device wrote goes in its time');
    assert.deepEqual(titles(history), ['of the other']);
    await clock.advance(3 * DAY_MS);
    assert.equal(await look(), years < 0 ? 1 : 0);
  });
}

test('CL-383 a device that was away for long, or never looked, begins to count when it sees what is due', async () => {
  const { device, clock, writes } = world('looks');
  const { history, order, removal } = await device();
  await order.setRetention(7);
  await chat(history, 'old');
  await clock.advance(50 * DAY_MS);
  const look = () => removal.removeReady(order.retention());
  assert.equal(await look(), 0);
  const before = writes();
  assert.equal(await look(), 0);
  assert.equal(writes(), before, 'a look a minute later writes nothing');
  await clock.advance(6 * DAY_MS);
  assert.equal(await look(), 0);
  await clock.advance(DAY_MS);
  assert.equal(await look(), 1);
  // It looks on: what becomes due goes at once.
  await chat(history, 'next');
  for (let day = 0; day < 7; day++) {
    assert.equal(await look(), 0);
    await clock.advance(DAY_MS);
  }
  assert.equal(await look(), 1);
});

test('what a device remembers of its looks is read in its form alone', () => {
  assert.deepEqual(parseLooks({ atMs: 1, late: { a: 2, b: 'x' }, noticed: '' }), {
    atMs: 1,
    late: { a: 2 },
    noticed: '',
  });
  for (const other of [undefined, null, [], { atMs: 1 }, { atMs: 'x', late: {}, noticed: '' }])
    assert.equal(parseLooks(other), undefined);
});

test('CL-306 a device whose clock is off removes nothing; one that cannot know asks', () => {
  const nowMs = 1_800_000_000_000;
  assert.equal(judgeClock({ nowMs, newestMs: nowMs - DAY_MS, serverMs: nowMs + 60_000 }), 'sound');
  for (const serverMs of [nowMs - 2 * DAY_MS, nowMs + 2 * DAY_MS, 0]) {
    assert.equal(judgeClock({ nowMs, newestMs: nowMs, serverMs }), 'off');
  }
  assert.equal(judgeClock({ nowMs, newestMs: nowMs, serverMs: undefined }), 'ask');
  assert.equal(judgeClock({ nowMs, newestMs: nowMs - 40 * DAY_MS, serverMs: nowMs }), 'ask', 'away for long');
  assert.equal(judgeClock({ nowMs, newestMs: nowMs + 400 * DAY_MS, serverMs: nowMs }), 'ask', 'a chat of the future');
});

test('CL-308 CL-309 a deleted chat is marked at once, can be undone, and goes after the time to undo', async () => {
  const { device } = world('undo');
  const { history, order, removal } = await device();
  const [a, b, c] = [await chat(history, 'a'), await chat(history, 'b'), await chat(history, 'c')];
  await removal.begin([a, b]);
  const marked = () => order.chats().filter(({ removingSinceMs }) => removingSinceMs !== undefined);
  assert.equal(marked().length, 2);
  assert.equal(await removal.undo([a, c]), 1);
  await removal.finish([a, b]);
  assert.deepEqual(titles(history).sort(), ['a', 'c']);
  assert.equal(marked().length, 0);
  assert.equal(await removal.undo([b]), 0, 'what is gone stays gone');
});

test('CL-309 what another device undid is not removed here', async () => {
  const { device } = world('undo elsewhere');
  const [one, two] = [await device(), await device()];
  const conversationId = await chat(one.history, 'wanted');
  await one.removal.begin([conversationId]);
  await two.history.refresh();
  await two.history.setRegisters(conversationId, { removing: null });
  await one.history.refresh();
  await one.removal.finish([conversationId]);
  assert.deepEqual(titles(one.history), ['wanted']);
});

test('CL-308 CL-310 a page that was closed in the middle: the next one finishes, another device waits first', async () => {
  const { device, clock } = world('closed');
  const [one, two] = [await device(), await device()];
  await one.removal.begin([await chat(one.history, 'gone')]);
  await two.history.refresh();
  const nextPage = new Removal({ history: one.history, clock });
  assert.equal(await nextPage.finishAbandoned(), 0, 'another tab may still undo it');
  await clock.advance(120_000);
  assert.equal(await two.removal.finishAbandoned(), 0);
  assert.equal(await one.removal.finishAbandoned(), 0, 'its own time to undo still runs');
  assert.equal(await nextPage.finishAbandoned(), 1);
  await one.removal.begin([await chat(one.history, 'gone, too')]);
  await two.history.refresh();
  await clock.advance(3_700_000);
  assert.equal(await two.removal.finishAbandoned(), 1);
  await one.history.refresh();
  assert.deepEqual([titles(one.history), titles(two.history)], [[], []]);
});

test('CL-311 everything: no chat and no folder is left, and what failed is removed by the next try', async () => {
  const { device, store } = world('everything');
  const { history, order, removal } = await device();
  for (let i = 0; i < 5; i++)
    await order.moveChat(await chat(history, `chat ${i}`), await order.createFolder({ name: 'f' }));
  const progress: number[] = [];
  let calls = 0;
  const original = history.removeConversation.bind(history);
  history.removeConversation = (conversationId) => {
    if (++calls === 3) return Promise.reject(new Error('the store is gone'));
    return original(conversationId);
  };
  await assert.rejects(removal.removeEverything());
  assert.equal(history.conversations().length, 3);
  assert.equal(await removal.removeEverything((done) => progress.push(done)), 3);
  assert.deepEqual(progress, [0, 1, 2, 3]);
  assert.deepEqual([history.conversations(), [...order.folders()]], [[], []]);
  const { records } = await store.list(0);
  assert.equal(records.filter(({ envelope }) => envelope !== undefined).length, 5, 'a mark for each chat');
});

test('CL-303 a temporary history keeps what is said while it is held', async () => {
  const clock = createManualClock();
  const history = await openTemporaryHistory({ clock, random: createSeededRandom('temporary') });
  const conversationId = await chat(history, 'not kept');
  await history.refresh();
  assert.equal(history.thread(conversationId)[0]?.text, 'not kept');
  await history.removeConversation(conversationId);
  await history.refresh();
  assert.deepEqual([history.conversations(), history.damagedCount], [[], 0]);
});
