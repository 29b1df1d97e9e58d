import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openHistory } from '@sotto/client';
import { createManualClock, createMemoryRecordStore, createSeededRandom } from '@sotto/testkit';
import { createAccountKey } from '@sotto/vault';
import { createTransferModel, tell } from './model.ts';

const clock = createManualClock();

async function transfer() {
  const random = createSeededRandom('transfer model');
  const [accountId, deviceId] = [random.bytes(16), random.bytes(16)];
  const store = createMemoryRecordStore();
  const history = await openHistory({
    accountId,
    deviceId,
    accountKey: createAccountKey(random),
    store,
    clock,
    random,
  });
  const saved: { name: string; content: Uint8Array<ArrayBuffer> }[] = [];
  const download = (name: string, content: string | Uint8Array<ArrayBuffer>) => {
    if (typeof content !== 'string') saved.push({ name, content });
  };
  return { history, saved, model: createTransferModel({ clock, history: () => history, page: { download } }) };
}

const question = {
  author: { role: 'user' },
  content: { content_type: 'text', parts: ['hello', { content_type: 'image_asset_pointer' }] },
};
const chat = { id: 'c', title: 'From there', mapping: { a: { id: 'a', parent: null, message: question } } };

test('an import tells what was taken and what was not, with the way on; an export of it can be taken in turn', async () => {
  const { model, history, saved } = await transfer();
  await model.exportAll();
  assert.deepEqual(model.state.get(), { step: 'exported', lines: ['There is no chat to export yet.'] });
  await model.importFiles([new Blob([JSON.stringify([chat])]), new Blob(['nothing'])]);
  const state = model.state.get();
  assert.ok(state.step === 'imported');
  assert.deepEqual(state.report, {
    lines: ['Taken: 1 chats, 1 messages.'],
    leftOut: ['1 images'],
    problems: ['2: could not be read.'],
    from: ['chatgpt'],
  });
  assert.equal(history.conversations()[0]?.title, 'From there');

  await model.exportAll();
  assert.match(saved[0]?.name ?? '', /^sotto-chats-\d{4}-\d\d-\d\d\.zip$/);
  const other = await transfer();
  await other.model.importFiles([new Blob([saved[0]?.content ?? ''])]);
  assert.equal(other.history.conversations()[0]?.title, 'From there');
});

test('an import that did not end whole says so, and asks nobody to delete anything', () => {
  const leftOut = { images: 0, files: 0, tools: 0, reasoning: 0, hidden: 0, unreadable: 0 };
  const counts = {
    chats: { taken: 1, known: 1, empty: 1 },
    messages: { taken: 2, known: 3, divided: 1 },
    files: { taken: 0 },
  };
  const places = { folders: { taken: 1, known: 0 }, memories: { taken: 0, known: 1 } };
  const told = tell({
    ...counts,
    ...places,
    leftOut,
    refused: [],
    isFromChatGpt: true,
    isFromClaude: true,
    ended: 'stopped',
  });
  assert.equal(told.lines.length, 5);
  assert.equal(told.problems.length, 1);
  assert.deepEqual(told.from, []);
});
