/** What leaves an account's history is purged from the storage's own files, once for each removal, and nothing else is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemorySealedStore, createSeededRandom } from '@sotto/testkit';
import { createAccountKey } from '@sotto/vault';
import { createTurns } from '../watch/turns.ts';
import { openLocalKey } from './local-key.ts';
import { newPerson, say } from './world-for-testing.ts';

test('CL-265 a deleted chat is purged where it was deleted and where its removal arrives, once each; writing and sending purge nothing', async () => {
  const person = newPerson('purge');
  const [phone, laptop] = [await person.newDevice(), await person.newDevice()];
  const purges = () => [phone.sealed.purges, laptop.sealed.purges];
  const one = await person.open(phone);
  const two = await person.open(laptop);
  await say(one.history, 'stays');
  const { chat, message } = await say(one.history, 'goes');
  const turn = { conversationId: chat, status: 'complete', role: 'user', parentId: undefined } as const;
  await one.history.saveMessage({ ...turn, messageId: message, text: 'goes, written again' });
  await one.history.settled();
  await two.history.settled();
  assert.deepEqual(purges(), [0, 0]);

  await one.history.removeConversation(chat);
  assert.deepEqual(purges(), [1, 0]);
  await one.history.settled();
  await two.history.settled();
  assert.deepEqual(purges(), [1, 1]);
  await one.history.settled();
  await two.history.settled();
  await (await person.open(laptop)).history.settled();
  assert.deepEqual(purges(), [1, 1]);

  // Where nothing of it was ever kept there is nothing to purge.
  const tablet = await person.newDevice();
  await (await person.open(tablet)).history.settled();
  assert.equal(tablet.sealed.purges, 0);
});

test('CL-265 a removal that was not stored purges nothing', async () => {
  const person = newPerson('purge refused');
  const phone = await person.newDevice();
  const { history } = await person.open(phone);
  const { message } = await say(history, 'stays');
  await history.settled();
  phone.sealed.failWrites('lost');
  await assert.rejects(history.removeRecord(message));
  assert.equal(phone.sealed.purges, 0);
  await history.removeRecord(message);
  assert.equal(phone.sealed.purges, 1);
});

test('CL-265 the local key as it was sealed before is purged, and not the first one', async () => {
  const random = createSeededRandom('purge local key');
  const sealed = createMemorySealedStore();
  const ports = { sealed, random, takingTurns: createTurns() };
  const account = { accountId: random.bytes(16), accountKey: createAccountKey(random) };
  await openLocalKey(ports, account);
  await openLocalKey(ports, account);
  assert.equal(sealed.purges, 0);
  const rotated = { ...account, accountKey: createAccountKey(random) };
  await openLocalKey(ports, rotated, async () => [account.accountKey]);
  assert.equal(sealed.purges, 1);
  await openLocalKey(ports, { ...account, accountKey: createAccountKey(random) });
  assert.equal(sealed.purges, 2);
});
