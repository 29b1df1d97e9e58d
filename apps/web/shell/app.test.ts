import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock } from '@sotto/testkit';
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
  app.unlock.setText('code');
  await app.unlock.withCode();
  assert.equal(app.who.get().who, 'account');
  assert.equal(app.conversations.state.get().count, 1);
  await app.signOut();
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
  void app.signOut();
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
  await clock.advance(3000);
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
