import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FULL_HISTORY, madeHistory } from './made-history.ts';

test('a made history has the chats, messages and words that were asked for, the same every time', () => {
  const options = { ...FULL_HISTORY, conversations: 50, messages: 1000, longest: 100 };
  const made = [...madeHistory(options)];
  const messages = made.flatMap(({ records }) => records.filter(({ content }) => content.type === 'message'));
  assert.deepEqual([made.length, messages.length, made[0]?.records.length], [50, 1000, 101]);
  assert.equal(new Set(made.flatMap(({ records }) => records.map(({ recordId }) => recordId))).size, 1050);
  for (const { content } of messages) assert.equal(content.type === 'message' && content.text.split(' ').length, 60);
  assert.deepEqual([...madeHistory(options)], made);
  const whole = [...madeHistory(FULL_HISTORY)].reduce((sum, { records }) => sum + records.length, 0);
  assert.equal(whole, 105_000);
});
