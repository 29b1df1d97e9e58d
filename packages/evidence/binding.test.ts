import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { encodeHex, parseHex } from '@sotto/bytes';
import { type Binding, deviceNonceOf, encodeBinding, parseBinding, reportDataOf } from './binding.ts';

interface Vector {
  readonly id: string;
  readonly rule: string;
  readonly encoded_hex: string;
  readonly report_data_hex: string;
  readonly device_nonce_hex: string;
}
const file = new URL('../../vectors/evidence/binding.json', import.meta.url);
const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as { vectors: Vector[] };

test('EV-08 report data covers label, length and struct', () => {
  for (const vector of vectors) {
    assert.equal(encodeHex(reportDataOf(parseHex(vector.encoded_hex))), vector.report_data_hex, vector.id);
  }
});

test('EV-09 the device nonce leaves the device digest out and has its own label', () => {
  const nonces = vectors.map((vector) => encodeHex(deviceNonceOf(parseBinding(parseHex(vector.encoded_hex)))));
  assert.deepEqual(
    nonces,
    vectors.map((vector) => vector.device_nonce_hex),
  );
  assert.equal(nonces[0], nonces[1]);
  assert.notEqual(vectors[0]?.report_data_hex, vectors[1]?.report_data_hex);
});

test('EV-07 parsing and encoding are inverse, and every prefix and every longer struct is refused', () => {
  for (const vector of vectors) {
    const bytes = parseHex(vector.encoded_hex);
    assert.equal(encodeHex(encodeBinding(parseBinding(bytes))), vector.encoded_hex, vector.id);
    for (let length = 0; length < bytes.length; length++) refused(() => parseBinding(bytes.slice(0, length)), 'EV-');
    refused(() => parseBinding(Uint8Array.of(...bytes, 0)), 'EV-07');
  }
  refused(() => parseBinding(new Uint8Array(16 * 1024 + 1)), 'EV-07');
});

test('EV-07 every flipped bit is refused or is another struct with other report data', () => {
  const bytes = parseHex(vectors[2]?.encoded_hex ?? '');
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = bytes.slice();
    flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
    try {
      assert.deepEqual(encodeBinding(parseBinding(flipped)), flipped);
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'binding-malformed');
    }
    assert.notDeepEqual(reportDataOf(flipped), reportDataOf(bytes));
  }
});

test('EV-19 two wrong lengths that make up for each other are refused', () => {
  const binding = parseBinding(parseHex(vectors[0]?.encoded_hex ?? ''));
  const shifted: Partial<Binding>[] = [
    { nodeId: new Uint8Array(15), epochId: new Uint8Array(17) },
    { releaseDigest: new Uint8Array(31), configDigest: new Uint8Array(33) },
    { configDigest: new Uint8Array(33), deviceEvidenceDigest: new Uint8Array(31) },
  ];
  for (const change of shifted) refused(() => encodeBinding({ ...binding, ...change }), 'EV-19');
});

function refused(action: () => unknown, rule: string): void {
  assert.throws(action, (error: { code?: string; rule?: string; failureClass?: string }) => {
    assert.equal(error.code, 'binding-malformed');
    assert.equal(error.failureClass, 'format');
    return error.rule?.startsWith(rule) ?? false;
  });
}
