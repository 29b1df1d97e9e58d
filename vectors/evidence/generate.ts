/**
 * Writes verify.json and binding.json of this folder. Deterministic: fixed keys, fixed times.
 *
 *   node vectors/evidence/generate.ts
 */
import { writeFileSync } from 'node:fs';
import { ByteWriter, encodeHex, encodeUtf8 } from '@sotto/bytes';
import { sha256, sha512 } from '@sotto/crypto/hash';
import { ed25519PublicKey } from '@sotto/crypto/sign';
import {
  empty,
  fill,
  type RawBinding,
  type RawBundle,
  type RawStatement,
  rawCheckpoint,
  writeBinding,
  writeBundle,
  writeStatement,
} from './raw.ts';

const BEGINS = Date.UTC(2026, 10, 21, 12) / 1000;
const HOUR = 3600;
const DAY = 24 * HOUR;
const machineKey = sha256(encodeUtf8('sotto vectors: development machine'));
const otherKey = sha256(encodeUtf8('sotto vectors: another machine'));
const staticKey = sha256(encodeUtf8('sotto vectors: static key'));
const channelKey = { use: 'channel', algorithm: 'x25519', publicKey: staticKey };

const binding: RawBinding = {
  purpose: 1,
  suites: ['sotto-1'],
  keys: [channelKey],
  nodeId: fill(16, 0x11),
  epochId: fill(16, 0x22),
  notBeforeSeconds: BEGINS,
  notAfterSeconds: BEGINS + HOUR,
  checkpoint: Uint8Array.of(0),
  releaseDigest: fill(32, 0),
  configDigest: fill(32, 0x33),
  deviceEvidenceDigest: fill(32, 0),
  clientNonce: empty,
  handshakeHash: empty,
  trailing: empty,
};
const statement: RawStatement = {
  label: 'sotto/dev-statement/v1',
  version: 1,
  privateKey: machineKey,
  signingKey: machineKey,
  measurement: fill(32, 0x44),
  reportData: undefined,
  trailing: empty,
};
const bundle: RawBundle = { magic: 'sotto/evidence', version: 1, platform: 'dev', devices: [], trailing: empty };

async function fingerprintOf(privateKey: Uint8Array): Promise<string> {
  const label = encodeUtf8('sotto/dev-fingerprint/v1');
  const publicKey = await ed25519PublicKey(privateKey);
  return encodeHex(sha256(new ByteWriter().vector16(label).vector16(publicKey).finish()));
}
const fingerprint = await fingerprintOf(machineKey);

interface Change {
  binding?: Partial<RawBinding>;
  statement?: Partial<RawStatement>;
  bundle?: Partial<RawBundle>;
  /** Cuts this many bytes off the end of the part. */
  cut?: { part: 'binding' | 'statement' | 'bundle'; bytes: number };
  input?: Record<string, unknown>;
}

const vectors: unknown[] = [];

async function add(id: string, rule: string, note: string, change: Change, expect: unknown): Promise<void> {
  const shorten = (part: string, bytes: Uint8Array) =>
    change.cut?.part === part ? bytes.slice(0, bytes.length - change.cut.bytes) : bytes;
  const bindingBytes = shorten('binding', writeBinding({ ...binding, ...change.binding }));
  const statementBytes = shorten(
    'statement',
    await writeStatement({ ...statement, ...change.statement }, bindingBytes),
  );
  const bytes = shorten('bundle', writeBundle({ ...bundle, ...change.bundle }, bindingBytes, statementBytes));
  vectors.push({
    id,
    rule,
    note,
    bundle_hex: encodeHex(bytes),
    policy: { kind: 'dev', version: 1, fingerprint },
    now_ms: (BEGINS + 60) * 1000,
    expected_evidence_digest_hex: encodeHex(sha256(bytes)),
    expected_node_id_hex: encodeHex(binding.nodeId),
    expected_static_key_hex: encodeHex(staticKey),
    expected_epoch_id_hex: encodeHex(binding.epochId),
    expected_suite: 'sotto-1',
    distrusted: [],
    ...change.input,
    expect,
  });
}

const refused = (failureClass: string, code: string) => ({ class: failureClass, code });
const bindingBad = refused('format', 'binding-malformed');
const bundleBad = refused('format', 'bundle-malformed');
const statementBad = refused('format', 'dev-statement-malformed');
const at = (seconds: number) => ({ input: { now_ms: seconds * 1000 } });
const policyOf = (policy: unknown) => ({ input: { policy } });
const deviceDigest = fill(32, 0x55);

await add('genuine', 'EV-36', 'a good bundle', {}, 'accept');
await add(
  'genuine-second-suite',
  'EV-40',
  'the suite in use is the second of the list',
  { binding: { suites: ['sotto-2', 'sotto-1'] } },
  'accept',
);
await add(
  'genuine-later-key',
  'EV-41',
  'a key of a use that this version does not know',
  { binding: { keys: [{ use: 'receipt', algorithm: 'ed25519', publicKey: fill(32, 9) }, channelKey] } },
  'accept',
);

await add('purpose-zero', 'EV-01', 'purpose 0', { binding: { purpose: 0 } }, bindingBad);
await add('purpose-four', 'EV-01', 'purpose 4', { binding: { purpose: 4 } }, bindingBad);
await add('suite-twice', 'EV-02', 'a suite stands twice', { binding: { suites: ['sotto-1', 'sotto-1'] } }, bindingBad);
await add(
  'key-twice',
  'EV-03',
  'two X25519 channel keys',
  { binding: { keys: [channelKey, { ...channelKey, publicKey: fill(32, 8) }] } },
  bindingBad,
);
await add('window-empty', 'EV-04', 'not-after equals not-before', { binding: { notAfterSeconds: BEGINS } }, bindingBad);
await add('window-reversed', 'EV-04', 'not-after is earlier', { binding: { notAfterSeconds: BEGINS - 1 } }, bindingBad);
await add(
  'checkpoint-presence',
  'EV-05',
  'presence byte 2',
  { binding: { checkpoint: rawCheckpoint(2, 'log.example/1') } },
  bindingBad,
);
await add(
  'checkpoint-origin-blank',
  'EV-05',
  'a blank in the origin',
  { binding: { checkpoint: rawCheckpoint(1, 'log example') } },
  bindingBad,
);
await add(
  'checkpoint-origin-empty',
  'EV-05',
  'an empty origin',
  { binding: { checkpoint: rawCheckpoint(1, '') } },
  bindingBad,
);
await add('nonce-short', 'EV-06', 'a client nonce of 31 bytes', { binding: { clientNonce: fill(31, 1) } }, bindingBad);
await add(
  'handshake-hash-short',
  'EV-06',
  'a handshake hash of 1 byte',
  { binding: { handshakeHash: fill(1, 1) } },
  bindingBad,
);
await add('binding-trailing', 'EV-07', 'one byte after the binding', { binding: { trailing: fill(1, 0) } }, bindingBad);
await add(
  'binding-cut',
  'EV-07',
  'the binding lacks its last byte',
  { cut: { part: 'binding', bytes: 1 } },
  bindingBad,
);
await add('suites-none', 'EV-10', 'no suite', { binding: { suites: [] } }, bindingBad);
await add(
  'suites-nine',
  'EV-10',
  'nine suites',
  { binding: { suites: ['sotto-1', ...Array.from({ length: 8 }, (_, i) => `x-${i}`)] } },
  bindingBad,
);
await add(
  'suite-upper-case',
  'EV-11',
  'an upper-case suite beside the good one',
  { binding: { suites: ['sotto-1', 'SOTTO-1'] } },
  bindingBad,
);
await add(
  'key-use-blank',
  'EV-11',
  'a use with a blank',
  { binding: { keys: [channelKey, { use: 'channel ', algorithm: 'x25519', publicKey: fill(32, 8) }] } },
  bindingBad,
);

await add('bundle-trailing', 'EV-13', 'one byte after the bundle', { bundle: { trailing: fill(1, 0) } }, bundleBad);
await add('bundle-cut', 'EV-13', 'the bundle lacks its last byte', { cut: { part: 'bundle', bytes: 1 } }, bundleBad);
await add(
  'bundle-magic',
  'EV-14',
  'another magic of the same length',
  { bundle: { magic: 'sotto/evidencf' } },
  bundleBad,
);
await add('bundle-version', 'EV-14', 'version 2', { bundle: { version: 2 } }, bundleBad);
await add('platform-unknown', 'EV-15', 'platform "sgx"', { bundle: { platform: 'sgx' } }, bundleBad);
await add(
  'devices-seventeen',
  'EV-16',
  '17 devices',
  { bundle: { devices: Array.from({ length: 17 }, () => ({ kind: 'nvidia', evidence: empty })) } },
  bundleBad,
);

await add(
  'statement-trailing',
  'EV-17',
  'one byte after the statement',
  { statement: { trailing: fill(1, 0) } },
  statementBad,
);
await add(
  'statement-cut',
  'EV-17',
  'the statement lacks its last byte',
  { cut: { part: 'statement', bytes: 1 } },
  statementBad,
);
await add(
  'statement-label',
  'EV-18',
  'a signature made under another label',
  { statement: { label: 'sotto/dev-statement/v2' } },
  statementBad,
);
await add('statement-version', 'EV-18', 'version 2', { statement: { version: 2 } }, statementBad);

await add('policy-missing', 'EV-30', 'no policy', policyOf(null), refused('policy', 'policy-missing'));
await add('policy-list', 'EV-31', 'a list', policyOf([]), refused('policy', 'policy-malformed'));
await add(
  'policy-unknown-field',
  'EV-31',
  'a misspelled field',
  policyOf({ kind: 'dev', version: 1, fingerprint, maxAgeSecond: 60 }),
  refused('policy', 'policy-malformed'),
);
await add(
  'policy-age-zero',
  'EV-58',
  'a maximum age of 0',
  policyOf({ kind: 'dev', version: 1, fingerprint, maxAgeSeconds: 0 }),
  refused('policy', 'policy-malformed'),
);
await add(
  'policy-age-long',
  'EV-58',
  'a maximum age above a day',
  policyOf({ kind: 'dev', version: 1, fingerprint, maxAgeSeconds: 86401 }),
  refused('policy', 'policy-malformed'),
);
await add(
  'policy-age-text',
  'EV-58',
  'a maximum age in text',
  policyOf({ kind: 'dev', version: 1, fingerprint, maxAgeSeconds: '3600' }),
  refused('policy', 'policy-malformed'),
);
await add(
  'policy-kind',
  'EV-59',
  'an unknown kind',
  policyOf({ kind: 'any', version: 1, fingerprint }),
  refused('policy', 'policy-malformed'),
);
await add(
  'policy-version',
  'EV-59',
  'version 2',
  policyOf({ kind: 'dev', version: 2, fingerprint }),
  refused('policy', 'policy-unsupported'),
);
await add(
  'policy-version-zero',
  'EV-59',
  'version 0',
  policyOf({ kind: 'dev', version: 0, fingerprint }),
  refused('policy', 'policy-malformed'),
);
await add(
  'policy-fingerprint-short',
  'EV-60',
  '62 hex digits',
  policyOf({ kind: 'dev', version: 1, fingerprint: fingerprint.slice(2) }),
  refused('policy', 'policy-malformed'),
);
await add(
  'policy-fingerprint-upper',
  'EV-60',
  'upper-case hex',
  policyOf({ kind: 'dev', version: 1, fingerprint: fingerprint.toUpperCase() }),
  refused('policy', 'policy-malformed'),
);

await add(
  'platform-tdx',
  'EV-33',
  'a platform without a root',
  { bundle: { platform: 'tdx' } },
  refused('chain', 'platform-unsupported'),
);
await add(
  'key-of-another-machine',
  'EV-34',
  'whole and good, but of another machine',
  { statement: { privateKey: otherKey, signingKey: otherKey } },
  refused('chain', 'dev-key-not-pinned'),
);
await add(
  'distrusted',
  'EV-35',
  'this evidence was withdrawn',
  { input: { distrusted: ['evidence'] } },
  refused('revocation', 'node-distrusted'),
);
await add(
  'distrusted-key',
  'EV-35',
  'this static key was withdrawn',
  { input: { distrusted: ['key'] } },
  refused('revocation', 'node-distrusted'),
);
await add(
  'signature-of-another-key',
  'EV-36',
  'names the machine, signed by another key',
  { statement: { signingKey: otherKey } },
  refused('signature', 'dev-signature-invalid'),
);
await add(
  'digest-of-another-bundle',
  'EV-37',
  'the channel named another bundle',
  { input: { expected_evidence_digest_hex: encodeHex(fill(32, 6)) } },
  refused('binding', 'digest-mismatch'),
);
await add(
  'statement-of-another-binding',
  'EV-38',
  'a good statement over another binding',
  { statement: { reportData: sha512(encodeUtf8('another')) } },
  refused('binding', 'report-data-mismatch'),
);
await add(
  'report-data-unlabelled',
  'EV-38',
  'SHA-512 of the struct without label and length',
  { statement: { reportData: sha512(writeBinding(binding)) } },
  refused('binding', 'report-data-mismatch'),
);
await add(
  'purpose-live',
  'EV-39',
  'made for a live check',
  { binding: { purpose: 2 } },
  refused('binding', 'purpose-mismatch'),
);
await add(
  'purpose-broker',
  'EV-39',
  'made for a broker',
  { binding: { purpose: 3 } },
  refused('binding', 'purpose-mismatch'),
);
await add(
  'suite-other',
  'EV-40',
  'the suite in use is not listed',
  { input: { expected_suite: 'sotto-2' } },
  refused('binding', 'suite-not-bound'),
);
await add(
  'static-key-other',
  'EV-41',
  'the channel ends in another key',
  { input: { expected_static_key_hex: encodeHex(fill(32, 5)) } },
  refused('binding', 'key-not-bound'),
);
await add(
  'static-key-other-use',
  'EV-41',
  'the key is bound for another use',
  { binding: { keys: [{ ...channelKey, use: 'receipt' }] } },
  refused('binding', 'key-not-bound'),
);
await add(
  'static-key-other-algorithm',
  'EV-41',
  'the key is bound as another algorithm',
  { binding: { keys: [{ ...channelKey, algorithm: 'x448' }] } },
  refused('binding', 'key-not-bound'),
);
await add(
  'node-other',
  'EV-42',
  'another node was asked for',
  { input: { expected_node_id_hex: encodeHex(fill(16, 4)) } },
  refused('binding', 'node-mismatch'),
);
await add(
  'epoch-other',
  'EV-43',
  'replayed evidence of an earlier epoch',
  { input: { expected_epoch_id_hex: encodeHex(fill(16, 4)) } },
  refused('binding', 'epoch-mismatch'),
);
await add(
  'client-nonce-present',
  'EV-44',
  'a client nonce',
  { binding: { clientNonce: fill(32, 1) } },
  refused('binding', 'session-fields-present'),
);
await add(
  'handshake-hash-present',
  'EV-44',
  'a handshake hash',
  { binding: { handshakeHash: fill(32, 1) } },
  refused('binding', 'session-fields-present'),
);
await add(
  'device-digest-present',
  'EV-45',
  'a device digest',
  { binding: { deviceEvidenceDigest: deviceDigest } },
  refused('binding', 'device-mismatch'),
);
await add(
  'device-present',
  'EV-45',
  'a device',
  { bundle: { devices: [{ kind: 'nvidia', evidence: fill(8, 1) }] } },
  refused('binding', 'device-mismatch'),
);

await add(
  'clock-2016',
  'EV-46',
  'a clock ten years slow',
  at(BEGINS - 10 * 365 * DAY),
  refused('freshness', 'clock-implausible'),
);
await add(
  'clock-2036',
  'EV-46',
  'a clock ten years fast',
  at(BEGINS + 10 * 365 * DAY),
  refused('freshness', 'clock-implausible'),
);
await add(
  'clock-before-format',
  'EV-46',
  'clock and evidence before this format existed',
  {
    binding: { notBeforeSeconds: BEGINS - 50 * DAY, notAfterSeconds: BEGINS - 50 * DAY + HOUR },
    ...at(BEGINS - 50 * DAY),
  },
  refused('freshness', 'clock-implausible'),
);
await add('begins-edge', 'EV-47', 'exactly 5 minutes early', at(BEGINS - 300), 'accept');
await add(
  'begins-later',
  'EV-47',
  '5 minutes and a second early',
  at(BEGINS - 301),
  refused('freshness', 'evidence-not-yet-valid'),
);
await add(
  'ends-edge',
  'EV-48',
  'exactly 5 minutes late',
  { binding: { notAfterSeconds: BEGINS + 1200 }, ...at(BEGINS + 1500) },
  'accept',
);
await add(
  'ended',
  'EV-48',
  '5 minutes and a second late',
  { binding: { notAfterSeconds: BEGINS + 1200 }, ...at(BEGINS + 1501) },
  refused('freshness', 'evidence-expired'),
);
await add(
  'replayed-yesterday',
  'EV-48',
  'yesterday’s evidence',
  at(BEGINS + DAY),
  refused('freshness', 'evidence-expired'),
);
await add(
  'age-edge',
  'EV-49',
  'an hour and exactly 5 minutes old',
  { binding: { notAfterSeconds: BEGINS + 10 * HOUR }, ...at(BEGINS + HOUR + 300) },
  'accept',
);
await add(
  'age-default',
  'EV-49',
  'older than an hour, and says it holds for ten',
  { binding: { notAfterSeconds: BEGINS + 10 * HOUR }, ...at(BEGINS + HOUR + 301) },
  refused('freshness', 'evidence-stale'),
);
await add(
  'age-of-policy',
  'EV-49',
  'older than the policy’s ten minutes',
  { input: { now_ms: (BEGINS + 901) * 1000, policy: { kind: 'dev', version: 1, fingerprint, maxAgeSeconds: 600 } } },
  refused('freshness', 'evidence-stale'),
);
await add(
  'checkpoint-present',
  'EV-62',
  'a checkpoint that nobody can check',
  { binding: { checkpoint: rawCheckpoint(1, 'log.example/1') } },
  refused('policy', 'checkpoint-unsupported'),
);

const expired = { notBeforeSeconds: BEGINS - DAY, notAfterSeconds: BEGINS - DAY + HOUR };
await add(
  'order-format-chain',
  'EV-55',
  'malformed binding and another machine',
  { binding: { purpose: 0 }, statement: { privateKey: otherKey, signingKey: otherKey } },
  bindingBad,
);
await add(
  'order-statement-chain',
  'EV-55',
  'malformed statement of another machine',
  { statement: { privateKey: otherKey, signingKey: otherKey, version: 2 } },
  statementBad,
);
await add(
  'order-chain-revocation',
  'EV-55',
  'another machine, and withdrawn',
  { statement: { privateKey: otherKey, signingKey: otherKey }, input: { distrusted: ['evidence'] } },
  refused('chain', 'dev-key-not-pinned'),
);
await add(
  'order-revocation-signature',
  'EV-55',
  'withdrawn, and a bad signature',
  { statement: { signingKey: otherKey }, input: { distrusted: ['evidence'] } },
  refused('revocation', 'node-distrusted'),
);
await add(
  'order-signature-binding',
  'EV-55',
  'a bad signature, and another node',
  { statement: { signingKey: otherKey }, binding: { nodeId: fill(16, 4) } },
  refused('signature', 'dev-signature-invalid'),
);
await add(
  'order-binding-freshness',
  'EV-55',
  'another node, and expired',
  { binding: { nodeId: fill(16, 4), ...expired } },
  refused('binding', 'node-mismatch'),
);
await add(
  'order-freshness-policy',
  'EV-55',
  'expired, and a checkpoint',
  { binding: { checkpoint: rawCheckpoint(1, 'log.example/1'), ...expired } },
  refused('freshness', 'evidence-expired'),
);

function save(name: string, file: unknown): void {
  writeFileSync(new URL(name, import.meta.url), `${JSON.stringify(file, null, 1)}\n`);
}
save('verify.json', { description: 'verifyNode, spec/evidence.md', vectors });

const labelledHash = (hash: typeof sha256, label: string, struct: Uint8Array) =>
  encodeHex(hash(new ByteWriter().vector16(encodeUtf8(label)).vector32(struct).finish()));
const withDevices: RawBinding = { ...binding, deviceEvidenceDigest: deviceDigest };
const full: RawBinding = {
  ...withDevices,
  purpose: 2,
  suites: ['sotto-1', 'confer-1'],
  checkpoint: rawCheckpoint(1, 'log.example/1'),
  clientNonce: fill(32, 1),
  handshakeHash: fill(32, 2),
};
save('binding.json', {
  description: 'encodeBinding, reportDataOf and deviceNonceOf, spec/evidence.md §binding',
  vectors: [
    { id: 'plain', rule: 'EV-08', note: 'as a development machine binds', raw: binding },
    {
      id: 'devices',
      rule: 'EV-09',
      note: 'the same with devices: the nonce is equal, report data is not',
      raw: withDevices,
    },
    { id: 'full', rule: 'EV-08', note: 'every field in use', raw: full },
  ].map(({ raw, ...vector }) => ({
    ...vector,
    encoded_hex: encodeHex(writeBinding(raw)),
    report_data_hex: labelledHash(sha512, 'sotto/binding/v1', writeBinding(raw)),
    device_nonce_hex: labelledHash(
      sha256,
      'sotto/device-nonce/v1',
      writeBinding({ ...raw, deviceEvidenceDigest: empty }),
    ),
    expect: 'accept',
  })),
  fingerprint: {
    id: 'fingerprint',
    rule: 'EV-21',
    public_key_hex: encodeHex(await ed25519PublicKey(machineKey)),
    fingerprint_hex: fingerprint,
  },
});
