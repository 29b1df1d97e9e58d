/** The same verdicts on what a browser has, in a process where modules are found as in one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runInOwnProcess } from '@sotto/testkit/own-process';

const file = new URL('on-webcrypto-for-testing.ts', import.meta.url);

test('every vector of TDX comes to the same on WebCrypto', async (t) => {
  const said = await runInOwnProcess(file, 'every vector');
  assert.equal(said.length, 1);
  for (const line of said) t.diagnostic(line);
});
