import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeEvidenceBundle, evidenceDigest, parseEvidenceBundle } from './index.ts';

const bundle = {
  binding: new Uint8Array(40).fill(1),
  platform: 'dev' as const,
  statement: new Uint8Array(50).fill(2),
  devices: [{ deviceKind: 'nvidia', evidence: new Uint8Array(60).fill(3) }],
};

test('EV-13 a bundle reads back as it was written, and not a byte shorter or longer', () => {
  const bytes = encodeEvidenceBundle(bundle);
  assert.deepEqual(parseEvidenceBundle(bytes), bundle);
  assert.equal(evidenceDigest(bytes).length, 32);
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => parseEvidenceBundle(bytes.slice(0, length)), { code: 'bundle-malformed' });
  }
  assert.throws(() => parseEvidenceBundle(Uint8Array.of(...bytes, 0)), { code: 'bundle-malformed', rule: 'EV-13' });
});

test('EV-12 a bundle above 1 MiB is refused before it is read', () => {
  assert.throws(() => parseEvidenceBundle(new Uint8Array(1024 * 1024 + 1)), {
    code: 'bundle-too-large',
    rule: 'EV-12',
  });
  assert.throws(() => parseEvidenceBundle(new Uint8Array(1024 * 1024)), { code: 'bundle-malformed' });
});

test('EV-16 a bundle of sixteen devices is read, of seventeen refused', () => {
  const devices = (count: number) => Array.from({ length: count }, () => bundle.devices[0] as never);
  assert.equal(parseEvidenceBundle(encodeEvidenceBundle({ ...bundle, devices: devices(16) })).devices.length, 16);
  assert.throws(() => encodeEvidenceBundle({ ...bundle, devices: devices(17) }), { rule: 'EV-16' });
});
