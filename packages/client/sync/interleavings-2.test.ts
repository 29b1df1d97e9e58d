/** Half of the ten thousand worlds (world-for-testing.ts); the other half has its own file, so that two cores share them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firstFailure } from './world-for-testing.ts';

const [FROM, COUNT] = [5000, 5000];

test(`CL-218 worlds of seed ${FROM} to ${FROM + COUNT - 1}: everybody comes to hold the same, and nothing acknowledged is lost`, async (t) => {
  const startedMs = performance.now();
  const failure = await firstFailure(FROM, COUNT);
  t.diagnostic(`seeds ${FROM} to ${FROM + COUNT - 1} in ${Math.round(performance.now() - startedMs)} ms`);
  assert.equal(failure, undefined, `seed ${failure?.seed}: ${failure?.why}`);
});
