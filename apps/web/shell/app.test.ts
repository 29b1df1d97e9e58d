import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock } from '@sotto/testkit';
import { createUnlockModel } from '../features/unlocking/unlock-model.ts';
import { fakeAccounts, fakeHistory, fakeServices, fakeSession } from '../preview/fake-services.ts';
import { createApp } from './app.ts';

test('a new person gets an answer in two actions: typing and Enter', async () => {
  const clock = createManualClock();
  const app = createApp(fakeServices(clock));
  void app.start();
  await clock.advance(1000);
  assert.equal(app.who.get().who, 'guest');
  app.composer.setText('Hello');
  void app.composer.submit();
  await clock.advance(3000);
  assert.deepEqual(
    app.chat.state.get().messages.map((message) => message.text),
    ['Hello', 'An answer.'],
  );
  assert.equal(app.conversations.state.get().count, 1);
});

test('a browser with an account shows nothing before it is unlocked', async () => {
  const clock = createManualClock();
  const history = fakeHistory(clock);
  await history.createConversation('Private');
  const accounts = { ...fakeAccounts(clock, history), resume: async () => ({ kind: 'locked' as const }) };
  const app = createApp(fakeServices(clock, { accounts }));
  await app.start();
  assert.equal(app.who.get().who, 'locked');
  assert.equal(app.conversations.state.get().count, 0);
  const unlock = createUnlockModel(app.unlockable);
  unlock.setText('code');
  await unlock.withCode();
  assert.equal(app.who.get().who, 'account');
  assert.equal(app.conversations.state.get().count, 1);
  await app.lock();
  assert.equal(app.who.get().who, 'locked');
});

test('deleting the open chat leads to a new one; editing the last message fills the box', async () => {
  const clock = createManualClock();
  const app = createApp(fakeServices(clock));
  void app.start();
  await clock.advance(1000);
  app.composer.setText('Hello');
  void app.composer.submit();
  await clock.advance(3000);
  app.editLast();
  assert.equal(app.composer.state.get().text, 'Hello');
  app.composer.cancelEdit();
  await app.removeChat(app.chat.state.get().conversationId ?? '');
  assert.equal(app.chat.state.get().conversationId, undefined);
  assert.equal(app.conversations.state.get().count, 0);
});

test('signing out in mid-answer keeps what arrived and leaves nothing on the page', async () => {
  const clock = createManualClock();
  const history = fakeHistory(clock);
  const app = createApp(fakeServices(clock, { accounts: fakeAccounts(clock, history), openSession: neverEnding }));
  void app.start();
  await clock.advance(1000);
  app.composer.setText('Hello');
  void app.composer.submit();
  await clock.advance(300);
  app.composer.setText('half a thought');
  void app.lock();
  await clock.advance(100);
  assert.equal(app.who.get().who, 'locked');
  const last = history.writes.at(-1);
  assert.deepEqual([last?.role, last?.text, last?.status], ['assistant', 'So far', 'interrupted']);
  assert.equal(app.conversations.state.get().count, 0);
  assert.equal(app.composer.state.get().text, '');
  assert.deepEqual(app.chat.state.get().messages, []);
});

test('CL-17 deleting a chat in mid-answer first ends the answer, so that nothing of it is written afterwards', async () => {
  const clock = createManualClock();
  const history = fakeHistory(clock);
  const app = createApp(fakeServices(clock, { accounts: fakeAccounts(clock, history), openSession: neverEnding }));
  void app.start();
  await clock.advance(1000);
  app.composer.setText('Hello');
  void app.composer.submit();
  await clock.advance(300);
  let writesBefore = 0;
  const remove = history.removeConversation;
  history.removeConversation = (id) => {
    writesBefore = history.writes.length;
    return remove(id);
  };
  void app.removeChat(app.chat.state.get().conversationId ?? '');
  // The time to undo runs out first.
  await clock.advance(15_000);
  assert.ok(writesBefore > 0);
  assert.equal(history.writes.length, writesBefore);
});

test('a guest whose chats another tab has kept goes on writing nothing', async () => {
  const clock = createManualClock();
  const services = fakeServices(clock);
  const app = createApp(services);
  void app.start();
  await clock.advance(1000);
  await app.returned();
  assert.equal(app.who.get().who, 'guest');
  services.preferences.set('has-account', '1');
  await app.returned();
  assert.equal(app.who.get().who, 'locked');
});

const neverEnding: ReturnType<typeof fakeServices>['openSession'] = async () =>
  fakeSession(async function* (_, { signal }) {
    yield { kind: 'text-delta', text: 'So far' };
    await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  });

test('CL-343 locking one tab locks the others: nothing stays on their page, and their keys are dropped', async () => {
  const clock = createManualClock();
  const history = fakeHistory(clock);
  await history.createConversation('Private');
  const heard: ((word: string) => void)[] = [];
  const dropped: number[] = [];
  const tab = async (i: number) => {
    const accounts = {
      ...fakeAccounts(clock, history),
      resume: async () => ({ kind: 'account' as const, history }),
      drop: () => void dropped.push(i),
    };
    const tabs = {
      post: (word: string) => heard.forEach((hear, other) => void (other !== i && hear(word))),
      subscribe: (listener: (word: string) => void) => {
        heard[i] = listener;
        return () => {};
      },
    };
    const app = createApp(fakeServices(clock, { accounts, tabs }));
    void app.start();
    await clock.advance(1000);
    assert.deepEqual([app.who.get().who, app.conversations.state.get().count], ['account', 1]);
    return app;
  };
  const [first, second] = [await tab(0), await tab(1)];
  void first.lock();
  await clock.advance(4000);
  for (const app of [first, second]) {
    assert.equal(app.who.get().who, 'locked');
    assert.equal(app.conversations.state.get().count, 0);
    assert.throws(() => app.transferable.history());
  }
  assert.deepEqual(dropped, [1]);
});

test('CL-344 a server that does not answer does not hold the lock back', async () => {
  const clock = createManualClock();
  const history = fakeHistory(clock);
  const accounts = {
    ...fakeAccounts(clock, history),
    resume: async () => ({ kind: 'account' as const, history }),
    lock: () => new Promise<void>(() => {}),
  };
  let closed = 0;
  const app = createApp(
    fakeServices(clock, {
      accounts,
      openSession: async () => ({ ...fakeSession(async function* () {}), close: () => void closed++ }),
    }),
  );
  void app.start();
  await clock.advance(1000);
  app.composer.setText('half a thought');
  await app.proof.ensure().catch(() => {});
  void app.lock();
  await clock.advance(4000);
  assert.equal(app.who.get().who, 'locked');
  assert.equal(app.composer.state.get().text, '');
  assert.deepEqual(app.chat.state.get().messages, []);
  assert.equal(closed, 1, 'the line to the machine is closed');
});
