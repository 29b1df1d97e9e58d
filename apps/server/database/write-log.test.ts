/** What was removed is in no file of the database (spec/server.md SV-43). */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { createSeededRandom } from '@sotto/testkit';
import { createAccount, createTestServer, randomHex } from '../fixture-for-testing.ts';
import { emptyWriteLog } from './open.ts';

const random = createSeededRandom('write log');

/** Which files of the data folder hold a piece of these bytes. */
function holders(folder: string, bytes: Uint8Array): string[] {
  const piece = Buffer.from(bytes).subarray(100, 124);
  return readdirSync(folder).filter((name) => readFileSync(path.join(folder, name)).includes(piece));
}

test('SV-43 a record that was removed, and the version before the last, are in no file once the log of writes was emptied', async (t) => {
  const server = await createTestServer(t);
  const { browser } = await createAccount(server);
  const [removed, replaced, kept] = [random.bytes(1024), random.bytes(1024), random.bytes(1024)];
  const [first, second] = [randomHex(), randomHex()];
  await browser.call('PUT', `/api/records/${first}`, removed);
  await browser.call('PUT', `/api/records/${second}`, replaced);
  emptyWriteLog(server.graph.sqlite);
  assert.deepEqual(holders(server.dataDir, removed), ['sotto.sqlite']);
  await browser.call('DELETE', `/api/records/${first}`);
  await browser.call('PUT', `/api/records/${second}`, kept);
  assert.notDeepEqual(holders(server.dataDir, removed), [], 'it stands there until the log is emptied');
  emptyWriteLog(server.graph.sqlite);
  assert.deepEqual(
    [removed, replaced].flatMap((bytes) => holders(server.dataDir, bytes)),
    [],
  );
  assert.deepEqual(holders(server.dataDir, kept), ['sotto.sqlite']);
});
