/** Records as the server shows them, and those that wait for a key. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeHex } from '@sotto/bytes';
import { createSeededRandom } from '@sotto/testkit';
import { createAccountKey, deriveEpochKey, type RecordContent, sealRecord } from '@sotto/vault';
import { encodeRecordPage, parseRecordPage } from '@sotto/wire';
import { Opening } from './opening.ts';

test('a record that waits for its key is opened when it comes, and keeps nothing of the page that it came with', async () => {
  const random = createSeededRandom('opening');
  const [accountId, accountKey, recordId] = [random.bytes(16), createAccountKey(random), random.bytes(16)];
  const [first, second] = [deriveEpochKey(accountKey, accountId, 1), deriveEpochKey(accountKey, accountId, 2)];
  const content: RecordContent = { type: 'unknown', recordType: 'note', clock: 1, fields: { text: 'here' } };
  const bound = { accountId, recordId, epoch: 2, deviceId: random.bytes(16), deviceCounter: 1 };
  const envelope = await sealRecord({ ...bound, epochKey: second, content, random });
  const known = new Map([[1, first]]);
  let isThere = false;
  const keyring = {
    ...{ epoch: 1, accountKey, epochKey: first, keyOf: (epoch: number) => known.get(epoch) },
    catchUp: async () => {
      const isNew = isThere && !known.has(2);
      if (isNew) known.set(2, second);
      return isNew;
    },
  };
  const damaged: string[] = [];
  const opening = new Opening({ accountId, keyring }, (id) => damaged.push(id));
  const page = encodeRecordPage({
    ...{ records: [{ recordId: encodeHex(recordId), sequence: 1, envelope }], newest: 1, more: false },
  });
  assert.deepEqual(await opening.openAll(parseRecordPage(page).records, () => []), []);
  assert.deepEqual(damaged, [encodeHex(recordId)]);
  page.fill(0);
  isThere = true;
  const [opened] = await opening.openAll([], () => []);
  assert.deepEqual(opened?.content, content);
});
