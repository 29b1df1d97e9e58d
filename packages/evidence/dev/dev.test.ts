import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { encodeHex, parseHex } from '@sotto/bytes';
import { createDevStatement, devFingerprint, isDevSignatureValid, parseDevStatement } from './index.ts';

const file = new URL('../../../vectors/evidence/binding.json', import.meta.url);
const { fingerprint } = JSON.parse(readFileSync(file, 'utf8')) as {
  fingerprint: { public_key_hex: string; fingerprint_hex: string };
};
const options = {
  privateKey: new Uint8Array(32).fill(7),
  measurement: new Uint8Array(32).fill(8),
  reportData: new Uint8Array(64).fill(9),
};

test('EV-21 the fingerprint covers a label and the public key', () => {
  assert.equal(encodeHex(devFingerprint(parseHex(fingerprint.public_key_hex))), fingerprint.fingerprint_hex);
});

test('EV-17 a statement is exactly as long as its fields', async () => {
  const bytes = await createDevStatement(options);
  const statement = parseDevStatement(bytes);
  assert.deepEqual([statement.measurement, statement.reportData], [options.measurement, options.reportData]);
  assert.equal(await isDevSignatureValid(statement), true);
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => parseDevStatement(bytes.slice(0, length)), { code: 'dev-statement-malformed' });
  }
  assert.throws(() => parseDevStatement(Uint8Array.of(...bytes, 0)), { rule: 'EV-17' });
  await assert.rejects(createDevStatement({ ...options, reportData: new Uint8Array(63) }), { rule: 'EV-17' });
});

test('EV-36 every flipped byte of a statement is malformed or breaks its signature', async () => {
  const bytes = await createDevStatement(options);
  for (let at = 0; at < bytes.length; at++) {
    const flipped = bytes.slice();
    flipped[at] = (flipped[at] as number) ^ 0x80;
    const valid = await Promise.resolve()
      .then(() => isDevSignatureValid(parseDevStatement(flipped)))
      .catch((error: { code: string }) => error.code);
    assert.ok(valid === false || valid === 'dev-statement-malformed', `byte ${at}: ${valid}`);
  }
});
