import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeHex } from '@sotto/bytes';
import { deviceSignInMessage, parseDeviceSignInRequest } from './device-sign-in.ts';
import { WireError } from './error.ts';

test('SV-110 what a device signs, byte for byte', () => {
  const message = deviceSignInMessage(new Uint8Array(16).fill(1), 'https://a.example', new Uint8Array(32).fill(2));
  const label = '0017736f74746f2f6465766963652d7369676e2d696e2f7631';
  const origin = '001168747470733a2f2f612e6578616d706c65';
  assert.equal(encodeHex(message), `${label}${'01'.repeat(16)}${origin}${'02'.repeat(32)}`);
});

test('SV-110 a sign-in of another form is no sign-in', () => {
  const good = {
    accountId: 'ab'.repeat(16),
    publicKey: Buffer.alloc(32).toString('base64'),
    challenge: Buffer.alloc(32).toString('base64'),
    signature: Buffer.alloc(64).toString('base64'),
  };
  assert.deepEqual(parseDeviceSignInRequest(good), good);
  for (const changed of [
    { accountId: 'AB'.repeat(16) },
    { publicKey: Buffer.alloc(31).toString('base64') },
    { challenge: Buffer.alloc(33).toString('base64') },
    { signature: '' },
    { deviceId: 'x' },
  ]) {
    assert.throws(() => parseDeviceSignInRequest({ ...good, ...changed }), WireError, JSON.stringify(changed));
  }
});
