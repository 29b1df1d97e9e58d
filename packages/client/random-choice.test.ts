import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom } from '@sotto/testkit';
import { chooseOne } from './random-choice.ts';

test('CL-02 the choice is the client’s and about even: no listed position is favoured', () => {
  const random = createSeededRandom('choose');
  const counts = new Map<string, number>();
  for (let i = 0; i < 3000; i++) {
    const chosen = chooseOne(['a', 'b', 'c'], random) as string;
    counts.set(chosen, (counts.get(chosen) ?? 0) + 1);
  }
  for (const item of ['a', 'b', 'c']) assert.ok(Math.abs((counts.get(item) ?? 0) - 1000) < 150);
  assert.equal(chooseOne([], random), undefined);
});
