/** Folders and what goes, in the app: over a real history. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openHistory } from '@sotto/client';
import { createManualClock, createMemoryRecordStore, createSeededRandom } from '@sotto/testkit';
import { createAccountKey } from '@sotto/vault';
import { fakeAccounts, fakeHistory, fakePage, fakeServices, fakeSession } from '../../preview/fake-services.ts';
import { createApp } from '../../shell/app.ts';
import type { ChatTurn, History } from '../../shell/services.ts';
import { createOrderModel } from './model.ts';

const DAY_MS = 86_400_000;

async function rig(seed: string) {
  const clock = createManualClock();
  const random = createSeededRandom(seed);
  const store = createMemoryRecordStore();
  const accountKey = createAccountKey(random);
  const owner = { accountId: random.bytes(16), accountKey, deviceId: random.bytes(16) };
  const history = await openHistory({ ...owner, store, clock, random });
  const chat = async (title: string) => {
    const conversationId = await history.createConversation(title);
    await history.saveMessage({ conversationId, parentId: undefined, role: 'user', text: title, status: 'complete' });
    return conversationId;
  };
  let serverMs: number | undefined | 'now' = 'now';
  const model = () =>
    createOrderModel({
      clock,
      random,
      history: () => history,
      ifAlone: (_, work) => work(),
      serverTimeMs: async () => (serverMs === 'now' ? clock.nowMs() : serverMs),
    });
  return { clock, random, store, history, chat, model, says: (ms: typeof serverMs) => (serverMs = ms) };
}

test('the list: pinned, folders with their chats, put away ones apart, the rest by day', async () => {
  const { chat, model: make } = await rig('list');
  const [a, b, c, d] = [await chat('a'), await chat('b'), await chat('c'), await chat('d')];
  const model = make();
  await model.attempt(async (order) => {
    const outer = await order.createFolder({ name: 'Outer' });
    const inner = await order.createFolder({ name: 'Inner' }, outer);
    await order.moveChat(a, inner);
    await order.moveChat(b, outer);
    await order.pin(b);
    await order.archive(c, true);
    await order.tag(d, 'work');
  });
  const titles = (chats: readonly { title: string }[]) => chats.map(({ title }) => title);
  const shown = () => model.state.get();
  assert.deepEqual(titles(shown().pinned), ['b']);
  assert.deepEqual(titles(shown().archived), ['c']);
  assert.deepEqual(titles(shown().groups.flatMap(({ conversations }) => conversations)), ['d']);
  assert.deepEqual(
    shown().rows.map(({ folder, depth, chats }) => [folder.name, depth, titles(chats)]),
    [['Outer', 0, ['b']]],
  );
  model.toggle(shown().rows[0]?.folder.folderId ?? '');
  assert.deepEqual(
    shown().rows.map(({ folder, depth, chats }) => [folder.name, depth, titles(chats)]),
    [
      ['Outer', 0, ['b']],
      ['Inner', 1, ['a']],
    ],
  );
  assert.deepEqual(shown().tags, ['work']);
  model.showTag('work');
  assert.deepEqual(titles(shown().tagged), ['d']);
  model.close();
});

test('CL-298 a chat whose folder was deleted elsewhere stands in the list', async () => {
  const { chat, history, model: make } = await rig('gone folder');
  await history.setRegisters(await chat('stray'), { folder: 'ab'.repeat(16) });
  const model = make();
  assert.deepEqual(
    model.state.get().groups.flatMap(({ conversations }) => conversations.map(({ title }) => title)),
    ['stray'],
  );
  model.close();
});

test('CL-308 deleting hides at once, can be undone, and is over after ten seconds', async () => {
  const { chat, clock, history, model: make } = await rig('undo');
  const [a, b] = [await chat('a'), await chat('b')];
  const model = make();
  await model.remove([a, b]);
  assert.deepEqual([model.state.get().all.length, model.state.get().removed], [0, [a, b]]);
  await clock.advance(5000);
  await model.undo();
  assert.deepEqual([model.state.get().all.length, model.state.get().removed], [2, []]);
  await clock.advance(20_000);
  assert.equal(history.conversations().length, 2);
  await model.remove([a]);
  await clock.advance(11_000);
  assert.deepEqual(
    history.conversations().map(({ conversationId }) => conversationId),
    [b],
  );
  await model.remove([b]);
  await model.finish();
  assert.deepEqual(history.conversations(), []);
  model.close();
});

test('CL-306 CL-307 what is due goes by itself after a notice, and only where the clock can be trusted', async () => {
  const { chat, clock, history, says, model: make } = await rig('retention');
  await chat('old');
  await clock.advance(20 * DAY_MS);
  await chat('fresh');
  const first = make();
  await first.attempt((order) => order.setRetention(7));
  await clock.advance(6000);
  assert.deepEqual(first.state.get().notice, { kind: 'soon', count: 1 });
  first.close();
  const count = () => history.conversations().length;
  for (const [serverMs, kind] of [
    [0, 'off'],
    [undefined, 'ask'],
  ] as const) {
    says(serverMs);
    await clock.advance(2 * DAY_MS);
    const model = make();
    await clock.advance(6000);
    assert.equal(model.state.get().notice?.kind, kind);
    assert.equal(count(), 2);
    model.close();
  }
  says('now');
  const last = make();
  await clock.advance(6000);
  assert.deepEqual(last.state.get().notice, { kind: 'done', count: 1 });
  assert.equal(count(), 1);
  last.close();
});

/** An app over a real history, which says what the model was asked. */
async function appRig(seed: string, accounts?: History) {
  const { clock, chat, history } = await rig(seed);
  const asked: ChatTurn[][] = [];
  const session = fakeSession(async function* (request, { signal }) {
    asked.push([...request.messages]);
    await clock.sleep(500, signal);
    yield { kind: 'text-delta', text: 'An answer.' };
    await clock.sleep(500, signal);
    yield { kind: 'finish', reason: 'stop', usage: undefined };
  });
  const page = fakePage(clock, `dev=${'9f3c'.padEnd(64, '0')}`);
  const app = createApp(
    fakeServices(clock, {
      random: createSeededRandom('app'),
      page,
      accounts: fakeAccounts(clock, accounts ?? history),
      openSession: async () => session,
    }),
  );
  void app.start();
  await clock.advance(1000);
  const ask = async (text: string) => {
    app.composer.setText(text);
    void app.composer.submit();
    await clock.advance(3000);
  };
  return { app, clock, chat, history, asked, ask, page };
}

test('CL-312 a project’s instructions go before every question of its chats, and of a new one, and of no other', async () => {
  const { app, history, asked, ask } = await appRig('project');
  await ask('outside');
  await app.arrange({ kind: 'manage' });
  const { model } = app.ordering;
  assert.ok(model);
  const folderId = await model.order.createFolder({ name: 'Project', instructions: 'Answer in rhyme.' });
  app.newChat(folderId);
  await ask('inside');
  await ask('again');
  app.newChat();
  await ask('outside again');
  assert.deepEqual(
    asked.map((turns) => [turns[0]?.role, turns[0]?.content, turns.at(-1)?.content]),
    [
      ['user', 'outside', 'outside'],
      ['system', 'Answer in rhyme.', 'inside'],
      ['system', 'Answer in rhyme.', 'again'],
      ['user', 'outside again', 'outside again'],
    ],
  );
  assert.deepEqual(
    history
      .conversations()
      .map(({ registers }) => registers.folder?.value ?? null)
      .sort(),
    [folderId, null, null].sort(),
  );
  model.close();
});

/** A history whose every write fails, and is noted. */
function untouchable(clock: ReturnType<typeof createManualClock>) {
  const touched: string[] = [];
  const names = ['createConversation', 'saveMessage', 'setRegisters', 'writeRecord', 'importRecord', 'rename'] as const;
  const fail = (name: string) => () => {
    touched.push(name);
    throw new Error('a temporary chat was written');
  };
  const history: History = Object.assign(
    fakeHistory(clock),
    Object.fromEntries(names.map((name) => [name, fail(name)])),
  );
  return { history, touched };
}

test('CL-303 a temporary chat reaches no store, whatever becomes of its answer', async () => {
  const { history, touched } = untouchable(createManualClock());
  const { app, clock, asked, ask, page } = await appRig('temporary', history);
  await app.newTemporaryChat();
  await clock.advance(10);
  assert.equal(app.temporary.get().on, true);
  await ask('a secret');
  assert.deepEqual(
    app.chat.state.get().messages.map(({ text }) => text),
    ['a secret', 'An answer.'],
  );
  assert.equal(page.openChat(), undefined);
  assert.equal(app.conversations.state.get().count, 0);
  // Left in the middle of an answer: what arrives then goes nowhere, either.
  app.composer.setText('another');
  void app.composer.submit();
  await clock.advance(600);
  app.newChat();
  app.panels.get().leaving?.();
  await clock.advance(5000);
  assert.equal(app.temporary.get().on, false);
  assert.deepEqual([app.chat.state.get().messages, app.chat.state.get().notice], [[], undefined]);
  assert.equal(asked.length, 2);
  assert.deepEqual(touched, []);
});

test('CL-308 the chat that is deleted while it is open closes, and is not opened again by a reload', async () => {
  const { app, ask, history } = await appRig('open');
  await ask('open');
  const conversationId = app.chat.state.get().conversationId ?? '';
  await app.removeChat(conversationId);
  assert.equal(app.chat.state.get().conversationId, undefined);
  app.openChat(conversationId);
  assert.deepEqual([app.chat.state.get().conversationId, app.chat.state.get().messages], [undefined, []]);
  assert.equal(app.conversations.state.get().count, 0);
  await app.ordering.model?.undo();
  app.openChat(conversationId);
  assert.equal(app.chat.state.get().messages.length, 2);
  assert.equal(history.conversations().length, 1);
});

test('CL-303 CL-304 a temporary chat is left only by a yes, and then is nowhere', async () => {
  const { app, clock, ask, history } = await appRig('leaving');
  await ask('kept');
  const kept = history.conversations()[0]?.conversationId ?? '';
  await app.newTemporaryChat();
  await clock.advance(10);
  app.openChat(kept);
  assert.equal(app.chat.state.get().conversationId, kept, 'an empty one is left without a word');
  await app.newTemporaryChat();
  await clock.advance(10);
  await ask('gone soon');
  app.openChat(kept);
  assert.equal(app.chat.state.get().messages[0]?.text, 'gone soon');
  assert.ok(app.panels.get().leaving);
  app.panels.get().leaving?.();
  await clock.advance(100);
  assert.deepEqual(
    app.chat.state.get().messages.map(({ text }) => text),
    ['kept', 'An answer.'],
  );
  assert.deepEqual(
    history.conversations().map(({ title }) => title),
    ['kept'],
  );
});

test('CL-373 deleting a chat takes its links back, and no other; deleting everything takes back all', async () => {
  const { chat, clock, random, history } = await rig('links');
  const [a, b] = [await chat('a'), await chat('b')];
  const taken: string[] = [];
  const links = [a, b].map((conversationId, i) => ({ shareId: `s${i}`, conversationId }));
  const sharing = {
    links: () => links.filter(({ shareId }) => !taken.includes(shareId)),
    takeBack: async (id: string) => void taken.push(id),
  };
  const model = createOrderModel({
    clock,
    random,
    history: () => history,
    ifAlone: (_, work) => work(),
    serverTimeMs: async () => undefined,
    sharing: async () =>
      sharing as unknown as Awaited<ReturnType<NonNullable<Parameters<typeof createOrderModel>[0]['sharing']>>>,
  });
  await model.order.setSetting(`share:${'00'.repeat(16)}`, { conversationId: a });
  await model.remove([a]);
  assert.deepEqual(taken, [], 'it can still be undone');
  await clock.advance(11_000);
  assert.deepEqual(taken, ['s0']);
  await model.removeEverything();
  assert.deepEqual(taken, ['s0', 's1']);
  model.close();
});
