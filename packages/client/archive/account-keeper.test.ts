/** An account's history on its device: there without a network, the same after a reload, never lost, never believed when changed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newPerson, say, textsOf } from './world-for-testing.ts';

const codes = (history: { readonly findings: readonly { readonly rule: string; readonly code: string }[] }) =>
  history.findings.map(({ rule, code }) => `${rule} ${code}`);

test('what was written is there after a reload, without a network, and reaches another device', async () => {
  const person = newPerson('reload');
  const [phone, laptop] = [await person.newDevice(), await person.newDevice()];
  person.server.online = false;
  const first = await person.open(phone);
  const { chat } = await say(first.history, 'hello');
  await first.history.rename(chat, 'renamed');
  const again = await person.open(phone);
  assert.deepEqual(
    again.history.conversations().map(({ title, messageCount }) => [title, messageCount]),
    [['renamed', 1]],
  );
  assert.deepEqual(again.history.thread(chat), [], 'opened on demand');
  assert.deepEqual(await textsOf(again.history, chat), ['hello']);
  person.server.online = true;
  await again.history.settled();
  const other = await person.open(laptop);
  await other.history.refresh();
  assert.deepEqual(await textsOf(other.history, chat), ['hello']);
  assert.deepEqual([codes(again.history), codes(other.history)], [[], []]);
  await say(other.history, 'from the laptop');
  await other.history.settled();
  await again.history.refresh();
  assert.equal(again.history.conversations().length, 2);
  assert.equal(again.history.compareCode, other.history.compareCode);
  assert.deepEqual(codes(again.history), []);
});
