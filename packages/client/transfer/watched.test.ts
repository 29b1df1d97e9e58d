/** Imports into an account whose server is watched: several devices, and many writes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeUtf8 } from '@sotto/bytes';
import {
  createManualClock,
  createMemoryDeviceStore,
  createMemoryRecordStore,
  createSeededRandom,
} from '@sotto/testkit';
import { createAccountKey, createDeviceKeys } from '@sotto/vault';
import { type History, openHistory } from '../history.ts';
import { createTurns } from '../watch/turns.ts';
import { watchOver } from '../watch/watch.ts';
import { syntheticChatGpt } from './chatgpt-for-testing.ts';
import { importChats } from './index.ts';

const random = createSeededRandom('watched');
const clock = createManualClock();

function newAccount(): () => Promise<History> {
  const owner = { accountId: random.bytes(16), accountKey: createAccountKey(random), store: createMemoryRecordStore() };
  return async () => {
    const device = await createDeviceKeys(random);
    const deviceStore = createMemoryDeviceStore();
    const takingTurns = createTurns();
    const watch = watchOver({ ...owner, device, deviceStore, takingTurns, clock, random });
    const history = await openHistory({ ...owner, deviceId: device.deviceId, clock, random, watch });
    await history.settled();
    return history;
  };
}

function take(history: History, list: readonly object[]) {
  const bytes = encodeUtf8(JSON.stringify(list));
  const file = { name: 'f', sizeBytes: bytes.length, read: async (from: number, to: number) => bytes.slice(from, to) };
  return importChats(history, [file], { clock });
}

test('CL-286 two devices that import one file at the same time make no doubles, and no alarm', async () => {
  const { list, counts } = syntheticChatGpt(random, 8);
  const open = newAccount();
  const [phone, laptop] = [await open(), await open()];
  await Promise.all([take(phone, list), take(laptop, list)]);
  for (const history of [phone, laptop, await open(), phone]) {
    await history.refresh();
    await history.settled();
    assert.deepEqual(history.findings, []);
    assert.equal(history.conversations().length, counts.chats);
    const messages = history.records().filter(({ content }) => content.type === 'message');
    assert.equal(messages.length, counts.messages);
  }
});

test('CL-201 an import into an account lists every write in the log of the device', async (t) => {
  const { list, counts } = syntheticChatGpt(random, 100);
  const open = newAccount();
  const history = await open();
  const start = performance.now();
  const { ended, messages } = await take(history, list);
  t.diagnostic(`${messages.taken} messages in ${Math.round(performance.now() - start)} ms`);
  assert.deepEqual([ended, messages.taken], ['whole', counts.messages]);
  const other = await open();
  assert.deepEqual(other.findings, []);
  assert.equal(other.conversations().length, counts.chats);
});
