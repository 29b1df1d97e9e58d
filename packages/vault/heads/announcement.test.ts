/** What a device says of itself (spec/vault.md, "Heads"). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeHex } from '@sotto/bytes';
import { createSeededRandom } from '@sotto/testkit';
import { createDeviceKeys } from '../index.ts';
import { announceDevice, announcedKey } from './index.ts';

test('VA-112 a device announces its own key and no other', async () => {
  const random = createSeededRandom('announcement');
  const [own, other] = [await createDeviceKeys(random), await createDeviceKeys(random)];
  const content = announceDevice(own, 1, 2);
  assert.deepEqual(announcedKey(content, encodeHex(own.deviceId)), own.publicKey);
  const refused = { code: 'device-malformed', rule: 'VA-112' };
  assert.throws(() => announcedKey(content, encodeHex(other.deviceId)), refused);
  for (const publicKey of [null, 1, '', 'ZZ'.repeat(32), encodeHex(own.publicKey).slice(2)]) {
    const fields = { ...content.fields, publicKey };
    assert.throws(() => announcedKey({ ...content, fields }, encodeHex(own.deviceId)), refused);
  }
});
