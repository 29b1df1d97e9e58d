import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatLines, judge } from './report.ts';
import { median, percentile, spread } from './statistics.ts';

test('a budget is kept, over, or not measured', () => {
  const budgets = { fast: { atLeast: 10 }, small: { atMost: 5 }, absent: { atMost: 1 } };
  const verdicts = (values: Record<string, number>) => judge(values, budgets).map(({ verdict }) => verdict);
  assert.deepEqual(verdicts({ fast: 10, small: 5 }), ['kept', 'kept', 'not measured']);
  assert.deepEqual(verdicts({ fast: 9.9, small: 5.1, absent: Number.NaN }), ['OVER', 'OVER', 'OVER']);
  assert.match(formatLines(judge({ fast: 1 }, budgets)), /fast +1 +≥ 10 +OVER/);
});

test('figures are those of the sorted values', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.equal(percentile([5, 1, 4, 2, 3], 0.95), 5);
  assert.deepEqual(spread([2, 1, 3]), { min: 1, q1: 1, median: 2, q3: 3, max: 3 });
});
