import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupByDay } from './model.ts';

test('chats are grouped by local days, newest first, whatever the clock says', () => {
  const now = new Date(2026, 10, 21, 0, 30).getTime();
  const at = (conversationId: string, updatedAtMs: number) => ({
    conversationId,
    title: '',
    createdAtMs: 0,
    updatedAtMs,
    messageCount: 0,
    clock: 0,
    registers: {},
  });
  const groups = groupByDay(
    [
      at('a', now - 3_600_000),
      at('b', now - 60_000),
      at('c', new Date(2026, 10, 15).getTime()),
      at('d', 0),
      at('future', now + 10 ** 11),
    ],
    now,
  );
  assert.deepEqual(
    groups.map((group) => [group.day, group.conversations.map((one) => one.conversationId)]),
    [
      ['today', ['future', 'b']],
      ['yesterday', ['a']],
      ['last-week', ['c']],
      ['earlier', ['d']],
    ],
  );
});
