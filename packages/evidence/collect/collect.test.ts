import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ByteWriter, encodeHex, encodeUtf8, parseHex } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import { parsePublicKey } from '@sotto/crypto/x509';
import { type Binding, deviceNonceOf, parseBinding, reportDataOf } from '../binding.ts';
import { parseEvidenceBundle } from '../bundle.ts';
import { verifyTpmQuote } from '../tpm/index.ts';
import { createEvidence, deviceEvidenceDigest, parseTpmStatement } from './index.ts';

const binding: Omit<Binding, 'deviceEvidenceDigest'> = {
  purpose: 'epoch',
  suites: ['sotto-1'],
  keys: [{ use: 'channel', algorithm: 'x25519', publicKey: new Uint8Array(32).fill(1) }],
  nodeId: new Uint8Array(16).fill(2),
  epochId: new Uint8Array(16).fill(3),
  notBeforeSeconds: 1000,
  notAfterSeconds: 2000,
  checkpoint: undefined,
  releaseDigest: new Uint8Array(32),
  configDigest: new Uint8Array(32),
  clientNonce: new Uint8Array(),
  handshakeHash: new Uint8Array(),
};
const asked: Uint8Array[] = [];
const source = (platform: 'sev-snp' | 'tpm') => ({
  platform,
  quote: async (reportData: Uint8Array) => {
    asked.push(reportData);
    return new Uint8Array(8).fill(9);
  },
});
const device = { deviceKind: 'nvidia', evidence: new Uint8Array(40).fill(7) };

test('EV-468 the device digest covers label, number, kinds and evidence, and is zeros without devices', () => {
  assert.deepEqual(deviceEvidenceDigest([]), new Uint8Array(32));
  const written = new ByteWriter()
    .vector16(encodeUtf8('sotto/device-evidence/v1'))
    .u8(1)
    .vector16(encodeUtf8('nvidia'))
    .vector32(device.evidence)
    .finish();
  assert.deepEqual(deviceEvidenceDigest([device]), sha256(written));
  const others = [
    [device, device],
    [{ ...device, deviceKind: 'nvidi' }],
    [{ ...device, evidence: new Uint8Array(40) }],
  ];
  const digests = [[], [device], ...others].map((devices) => encodeHex(deviceEvidenceDigest(devices)));
  assert.equal(new Set(digests).size, digests.length);
});

test('EV-469 devices answer to the device nonce first, and the platform signs what they said', async () => {
  asked.length = 0;
  const nonces: Uint8Array[] = [];
  const collect = async (nonce: Uint8Array) => {
    assert.equal(asked.length, 0, 'the platform was quoted before the devices');
    nonces.push(nonce);
    return [device];
  };
  const { bundle } = await createEvidence({ source: source('sev-snp'), devices: { collect }, binding });
  const parsed = parseEvidenceBundle(bundle);
  assert.deepEqual(nonces, [deviceNonceOf(binding)]);
  assert.deepEqual(asked, [reportDataOf(parsed.binding)]);
  assert.deepEqual(parseBinding(parsed.binding).deviceEvidenceDigest, deviceEvidenceDigest([device]));
  assert.deepEqual([parsed.platform, parsed.devices], ['sev-snp', [device]]);
});

test('EV-469 a TPM answers to the device nonce', async () => {
  asked.length = 0;
  const { bundle } = await createEvidence({ source: source('tpm'), binding });
  assert.deepEqual(asked, [deviceNonceOf(binding)]);
  assert.deepEqual(parseBinding(parseEvidenceBundle(bundle).binding).deviceEvidenceDigest, new Uint8Array(32));
});

const registerBytes = (...indexes: number[]) => {
  const writer = new ByteWriter().u8(indexes.length);
  for (const index of indexes) writer.u8(index).raw(new Uint8Array(32).fill(index));
  return writer.finish();
};
const statement = (label: string, certificates: number, registers: Uint8Array) => {
  const writer = new ByteWriter().vector16(encodeUtf8(label));
  for (const fill of [1, 2, 3]) writer.vector16(new Uint8Array(10).fill(fill));
  writer.u8(certificates);
  for (let i = 0; i < certificates; i++) writer.vector16(new Uint8Array(5));
  return writer.raw(registers).vector32(new Uint8Array(20)).finish();
};

test('EV-456 the statement of a TPM has its label, its length, few certificates and rising registers', () => {
  const label = 'sotto/tpm-statement/v1';
  const good = statement(label, 1, registerBytes(0, 1, 14));
  const parsed = parseTpmStatement(good);
  assert.deepEqual([...parsed.registers.keys()], [0, 1, 14]);
  assert.deepEqual([parsed.quote.length, parsed.certificates.length, parsed.eventLog.length], [10, 1, 20]);
  const refused = (bytes: Uint8Array) =>
    assert.throws(() => parseTpmStatement(bytes), { code: 'tpm-statement-malformed', rule: 'EV-456' });
  for (let length = 0; length < good.length; length++) refused(good.slice(0, length));
  refused(Uint8Array.of(...good, 0));
  refused(statement('sotto/tpm-statement/v2', 1, registerBytes(0)));
  refused(statement(label, 5, registerBytes(0)));
  refused(statement(label, 0, registerBytes(1, 1)));
  refused(statement(label, 0, registerBytes(2, 1)));
  refused(statement(label, 0, registerBytes(24)));
});

test('EV-456 what tpm2-tools made of a software TPM is read, and judged genuine', async () => {
  const file = new URL('../../../vectors/evidence-collect/tpm.json', import.meta.url);
  const { nonce_hex, statement_hex } = JSON.parse(readFileSync(file, 'utf8'));
  const { quote, signature, publicKey, registers } = parseTpmStatement(parseHex(statement_hex));
  const attestationKey = { kind: 'key', publicKey: parsePublicKey(publicKey) } as const;
  const parts = { quote, signature, attestationKey, registers };
  const verdict = await verifyTpmQuote({ ...parts, expectedNonce: parseHex(nonce_hex) });
  assert.deepEqual([verdict.bank, verdict.registers.size], ['sha256', 13]);
  await assert.rejects(verifyTpmQuote({ ...parts, expectedNonce: new Uint8Array(32) }), { code: 'nonce-mismatch' });
});
