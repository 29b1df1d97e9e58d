/** What a server drops or rolls back is found, also without a word, and what a device still holds can be put back (CL-222, CL-225). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newPerson, say, textsOf } from '../archive/world-for-testing.ts';

type Seen = { readonly findings: readonly { readonly code: string }[] };
const codes = ({ findings }: Seen) => [...new Set(findings.map(({ code }) => code))].toSorted();

/** A person with a phone that wrote three chats and a laptop that has read them. */
async function twoDevices(seed: string) {
  const person = newPerson(seed);
  const keys = [await person.newDevice(), await person.newDevice()] as const;
  const phone = await person.open(keys[0]);
  const chats = [await say(phone.history, 'one'), await say(phone.history, 'two'), await say(phone.history, 'three')];
  await phone.history.settled();
  const laptop = await person.open(keys[1]);
  await laptop.history.settled();
  await phone.history.settled();
  assert.deepEqual([codes(phone.history), codes(laptop.history)], [[], []]);
  return { person, keys, phone, laptop, chats: chats as [(typeof chats)[0], (typeof chats)[0], (typeof chats)[0]] };
}

test('CL-222 a record that the server dropped without a word is found, and its words are still here', async () => {
  const { person, phone, chats } = await twoDevices('dropped');
  person.server.evil.drop(chats[1].message);
  await phone.history.refresh();
  assert.deepEqual(codes(phone.history), []);
  await phone.keeper.engine.reconcile();
  assert.deepEqual(codes(phone.history), ['record-missing']);
  assert.deepEqual(await textsOf(phone.history, chats[1].chat), ['two']);
});

test('CL-225 what the server dropped is put back when the person says so, and other devices agree', async () => {
  const { person, phone, laptop, chats } = await twoDevices('put back');
  person.server.evil.drop(chats[0].message);
  person.server.evil.drop(chats[2].message);
  await laptop.keeper.engine.reconcile();
  assert.deepEqual(codes(laptop.history), ['record-missing']);
  assert.ok(!person.server.rows.has(chats[0].message), 'nothing is put back by itself');
  assert.equal(laptop.history.restorableCount, 2);
  await laptop.history.putBack();
  assert.deepEqual([codes(laptop.history), laptop.history.restorableCount], [[], 0]);
  await phone.history.settled();
  await phone.keeper.engine.reconcile();
  assert.deepEqual(codes(phone.history), []);
  for (const { chat } of [chats[0], chats[2]]) {
    assert.deepEqual(await textsOf(phone.history, chat), await textsOf(laptop.history, chat));
  }
  const third = await person.open(await person.newDevice());
  await third.history.settled();
  assert.deepEqual(codes(third.history), []);
  assert.deepEqual(await textsOf(third.history, chats[2].chat), ['three']);
  assert.deepEqual(
    third.history.conversations().map(({ title }) => title),
    phone.history.conversations().map(({ title }) => title),
    'a chat keeps its place in the list',
  );
});

test('CL-225 what the server shows older is put back, and so are heads', async () => {
  const { person, keys, phone, laptop, chats } = await twoDevices('rolled back');
  await phone.history.rename(chats[0].chat, 'renamed');
  await phone.history.settled();
  await laptop.history.settled();
  const before = new Map([...person.server.rows].map(([recordId, row]) => [recordId, row.envelope]));
  await phone.history.rename(chats[0].chat, 'renamed again');
  await say(phone.history, 'four');
  await phone.history.settled();
  await laptop.history.settled();
  const recordIds = [...person.server.rows.keys()];
  for (const recordId of recordIds) {
    const envelope = before.get(recordId);
    if (envelope === undefined) person.server.evil.drop(recordId);
    else person.server.evil.replace(recordId, envelope);
  }
  const again = await person.open(keys[1]);
  await again.history.refresh();
  await again.keeper.engine.reconcile();
  assert.ok(codes(again.history).includes('history-rolled-back'), String(codes(again.history)));
  assert.equal(again.history.conversations()[0]?.title, 'four');
  await again.history.putBack();
  assert.deepEqual(codes(again.history), []);
  await phone.history.settled();
  await phone.keeper.engine.reconcile();
  assert.deepEqual(codes(phone.history), []);
  const fresh = await person.open(await person.newDevice());
  await fresh.history.settled();
  assert.deepEqual(
    fresh.history
      .conversations()
      .map(({ title }) => title)
      .toSorted(),
    ['four', 'renamed again', 'three', 'two'],
  );
  assert.deepEqual(codes(fresh.history), []);
});

test('CL-214 a server that lost its newest writes is read from the beginning: a finding, and no crash', async () => {
  const { person, phone, laptop, chats } = await twoDevices('went back');
  const { server } = person;
  const page = server.page.bind(server);
  const sequences = [...server.rows.values()].map(({ sequence }) => sequence).toSorted((a, b) => a - b);
  const last = sequences[Math.floor(sequences.length / 2)] ?? 0;
  for (const [recordId, { sequence }] of server.rows) if (sequence > last) server.rows.delete(recordId);
  server.page = async (after) => ({ ...(await page(after)), newest: last });
  await laptop.history.refresh();
  assert.ok(codes(laptop.history).length > 0);
  assert.deepEqual(await textsOf(laptop.history, chats[2].chat), ['three']);
  assert.equal(laptop.keeper.engine.state.problem, undefined);
  assert.ok(phone !== undefined);
});

test('CL-225 what a device removed is not put back', async () => {
  const { person, phone, laptop, chats } = await twoDevices('removed');
  await phone.history.removeConversation(chats[1].chat);
  await phone.history.settled();
  person.server.evil.drop(chats[0].message);
  await laptop.history.settled();
  await laptop.keeper.engine.reconcile();
  assert.equal(laptop.history.restorableCount, 1);
  await laptop.history.putBack();
  await laptop.keeper.engine.reconcile();
  assert.deepEqual(codes(laptop.history), []);
  assert.ok(person.server.rows.get(chats[1].message)?.envelope === undefined);
});
