import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock } from '@sotto/testkit';
import { fakeAccounts, fakeHistory, fakeServices } from '../preview/fake-services.ts';
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
