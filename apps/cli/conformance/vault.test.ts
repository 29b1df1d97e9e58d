/** Stage `vault-open` on what a rotation writes: records of a later epoch, of types that the content's reader keeps as they are. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { encodeBase64, encodeHex } from '@sotto/bytes';
import { createSeededRandom } from '@sotto/testkit';
import { createAccountKey, deriveEpochKey, sealRecord, unsafeRevealSecret } from '@sotto/vault';
import { judgeVaultOpen } from './vault.ts';

const random = createSeededRandom('vault-open');
const path = new URL('../../../vectors/vault/rotation.json', import.meta.url);
const vectors = JSON.parse(readFileSync(path, 'utf8')) as { id: string; kind: string; fields?: object }[];

test('vault-open opens statements of epochs and locks under the key of their epoch, and refuses them as another type', async () => {
  const [accountId, accountKey] = [random.bytes(16), createAccountKey(random)];
  for (const [recordType, id] of [
    ['epoch', 'begun'],
    ['lock-key', 'stated'],
  ] as const) {
    const fields = vectors.find((vector) => vector.kind === recordType && vector.id === id)?.fields as Record<
      string,
      string
    >;
    const recordId = random.bytes(16);
    const envelope = await sealRecord({
      ...{ accountId, recordId, epoch: 2, deviceId: random.bytes(16), deviceCounter: 1, random },
      epochKey: deriveEpochKey(accountKey, accountId, 2),
      content: { type: 'unknown', recordType, clock: 5, fields },
    });
    const input = {
      envelope: encodeBase64(envelope),
      account_id_hex: encodeHex(accountId),
      account_key_hex: encodeHex(unsafeRevealSecret(accountKey)),
      epoch: 2,
      expected_id: encodeHex(recordId),
      expected_type: recordType,
    };
    const { plaintext } = await judgeVaultOpen(input);
    const opened = JSON.parse(Buffer.from(String(plaintext), 'base64').toString()) as object;
    assert.deepEqual(opened, { ...fields, type: recordType, clock: 5 });
    await assert.rejects(judgeVaultOpen({ ...input, expected_type: 'message' }), { rule: 'VA-23' });
    await assert.rejects(judgeVaultOpen({ ...input, epoch: 1 }), { rule: 'VA-08' });
  }
});
