/** What others build on: registers, records of other types, chats one at a time, and being told of each change. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock, createMemoryRecordStore, createSeededRandom } from '@sotto/testkit';
import { createAccountKey, type UnknownContent } from '@sotto/vault';
import { type History, openHistory, type RecordChange } from './history.ts';

const random = createSeededRandom('history api');
const [accountId, accountKey, clock] = [random.bytes(16), createAccountKey(random), createManualClock()];
const open = (store = createMemoryRecordStore(), deviceId = random.bytes(16)): Promise<History> =>
  openHistory({ accountId, accountKey, deviceId, store, clock, random });
const note = (clock: number, text: string): UnknownContent => ({
  type: 'unknown',
  recordType: 'note',
  clock,
  fields: { text },
});

test('registers of a chat: said at the same time on one device, both hold; of two devices the last one', async () => {
  const store = createMemoryRecordStore();
  const [phone, laptop] = [await open(store), await open(store)];
  const chat = await phone.createConversation('one');
  await laptop.refresh();
  await Promise.all([phone.setRegisters(chat, { a: 1 }), phone.setRegisters(chat, { b: [true] })]);
  await laptop.refresh();
  await laptop.setRegisters(chat, { a: 2, title: 'two' });
  await phone.refresh();
  const [summary] = phone.conversations();
  const values = Object.entries(summary?.registers ?? {}).map(([name, { value }]) => [name, value]);
  assert.deepEqual(Object.fromEntries(values), { a: 2, b: [true], title: 'two' });
  assert.equal(summary?.title, 'two');
});

test('records of other types are written, listed by type, written again and removed', async () => {
  const store = createMemoryRecordStore();
  const history = await open(store);
  const id = await history.writeRecord(note(history.nextClock(), 'one'));
  assert.equal(await history.writeRecord(note(history.nextClock(), 'two'), id), id);
  const again = await open(store);
  const texts = () =>
    again.recordsOfType('note').map(({ content }) => content.type === 'unknown' && content.fields.text);
  assert.deepEqual(texts(), ['two']);
  assert.deepEqual(again.recordsOfType('folder'), []);
  await again.removeRecord(id);
  assert.deepEqual(texts(), []);
  assert.deepEqual(store.recordIds(), []);
});

test('each change is told with its records, also what another device wrote and removed', async () => {
  const store = createMemoryRecordStore();
  const [phone, laptop] = [await open(store), await open(store)];
  const told: RecordChange[] = [];
  const stop = laptop.onRecords((changes) => told.push(...changes));
  const chat = await phone.createConversation('one');
  const turn = { conversationId: chat, role: 'user', status: 'complete', parentId: undefined } as const;
  const message = await phone.saveMessage({ ...turn, text: 'hello' });
  await laptop.refresh();
  assert.deepEqual(
    told.map(({ record }) => record?.content.type),
    ['conversation', 'message'],
  );
  told.length = 0;
  await phone.removeConversation(chat);
  await laptop.refresh();
  assert.ok(told.some(({ recordId, record }) => recordId === message && record === undefined));
  stop();
  told.length = 0;
  await laptop.createConversation('unheard');
  assert.deepEqual(told, []);
});

test('chats come one at a time, last used first, each with its records; removed ones do not', async () => {
  const history = await open();
  const [one, two, gone] = [
    await history.createConversation('one'),
    await history.createConversation('two'),
    await history.createConversation('gone'),
  ];
  const turn = { role: 'user', status: 'complete', parentId: undefined } as const;
  const message = await history.saveMessage({ ...turn, conversationId: one, text: 'hello' });
  await history.saveMessage({ ...turn, conversationId: gone, text: 'bye' });
  await history.removeConversation(gone);
  const seen = [];
  for await (const { summary, records } of history.eachConversation()) {
    seen.push([summary.conversationId, summary.messageCount, records.length]);
  }
  assert.deepEqual(seen, [
    [one, 1, 2],
    [two, 0, 1],
  ]);
  assert.deepEqual(
    [one, gone, 'none'].map((id) => history.conversationState(id)),
    ['here', 'removed', undefined],
  );
  assert.deepEqual([history.hasRecord(message), history.hasRecord('none')], [true, false]);
});
