/**
 * Writes live.json of this folder: answers to a live question, one failure each (spec/evidence.md §live). Deterministic.
 *
 *   node vectors/evidence/generate-live.ts
 */
import { writeFileSync } from 'node:fs';
import { ByteWriter, encodeHex, encodeUtf8 } from '@sotto/bytes';
import { sha256, sha512 } from '@sotto/crypto/hash';
import { ed25519PublicKey } from '@sotto/crypto/sign';
import { empty, fill, type RawBinding, rawCheckpoint, writeBinding, writeBundle, writeStatement } from './raw.ts';

const BEGINS = Date.UTC(2026, 10, 21, 12) / 1000;
const HOUR = 3600;
const YEAR = 365 * 24 * HOUR;
const machineKey = sha256(encodeUtf8('sotto vectors: development machine'));
const otherKey = sha256(encodeUtf8('sotto vectors: another machine'));
const staticKey = sha256(encodeUtf8('sotto vectors: static key'));
const channelKey = { use: 'channel', algorithm: 'x25519', publicKey: staticKey };
const nonce = sha256(encodeUtf8('sotto vectors: client nonce'));
const handshakeHash = sha256(encodeUtf8('sotto vectors: handshake hash'));
const other = fill(32, 0x66);

const epoch: RawBinding = {
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
const live: RawBinding = {
  ...epoch,
  purpose: 2,
  notBeforeSeconds: BEGINS + 600,
  notAfterSeconds: BEGINS + 660,
  clientNonce: nonce,
  handshakeHash,
};

interface Change {
  binding?: Partial<RawBinding>;
  /** Signs this instead of the report data of the binding. */
  reportData?: Uint8Array;
  key?: Uint8Array;
  signingKey?: Uint8Array;
  platform?: string;
  devices?: { kind: string; evidence: Uint8Array }[];
  input?: Record<string, unknown>;
}

async function bundleOf(base: RawBinding, change: Change = {}): Promise<Uint8Array<ArrayBuffer>> {
  const binding = writeBinding({ ...base, ...change.binding });
  const key = change.key ?? machineKey;
  const statement = await writeStatement(
    {
      label: 'sotto/dev-statement/v1',
      version: 1,
      privateKey: key,
      signingKey: change.signingKey ?? key,
      measurement: fill(32, 0x44),
      reportData: change.reportData,
      trailing: empty,
    },
    binding,
  );
  const { platform = 'dev', devices = [] } = change;
  return writeBundle({ magic: 'sotto/evidence', version: 1, platform, devices, trailing: empty }, binding, statement);
}

const vectors: unknown[] = [];
const refused = (failureClass: string, code: string) => ({ class: failureClass, code });

async function add(id: string, rule: string, note: string, change: Change, expect: unknown): Promise<void> {
  vectors.push({
    id,
    rule,
    note,
    bundle_hex: encodeHex(await bundleOf(live, change)),
    now_ms: (BEGINS + 602) * 1000,
    elapsed_ms: 900,
    expected_client_nonce_hex: encodeHex(nonce),
    expected_handshake_hash_hex: encodeHex(handshakeHash),
    expected_suite: 'sotto-1',
    distrusted: [],
    ...change.input,
    expect,
  });
}

const binding = (code: string) => refused('binding', code);
const stale = refused('freshness', 'evidence-stale');
const undated = refused('freshness', 'evidence-expired');

await add('genuine', 'EV-66', 'a good answer', {}, 'accept');
await add('malformed', 'EV-13', 'a cut bundle', { input: { bundle_hex: '00' } }, refused('format', 'bundle-malformed'));
await add(
  'platform-tdx',
  'EV-33',
  'a platform without a root',
  { platform: 'tdx' },
  refused('chain', 'platform-unsupported'),
);
await add(
  'machine-other',
  'EV-34',
  'whole and good, but of another machine',
  { key: otherKey },
  refused('chain', 'dev-key-not-pinned'),
);
await add(
  'withdrawn',
  'EV-35',
  'the key of this session was withdrawn since',
  { input: { distrusted: ['key'] } },
  refused('revocation', 'node-distrusted'),
);
await add(
  'signature-other',
  'EV-36',
  'names the machine, signed by another key',
  { signingKey: otherKey },
  refused('signature', 'dev-signature-invalid'),
);
await add(
  'claims-other',
  'EV-64',
  'a good statement over other claims',
  { reportData: sha512(encodeUtf8('another')) },
  binding('report-data-mismatch'),
);
await add(
  'purpose-epoch',
  'EV-65',
  'purpose epoch, with nonce and hash',
  { binding: { purpose: 1 } },
  binding('purpose-mismatch'),
);
await add('purpose-broker', 'EV-65', 'purpose broker', { binding: { purpose: 3 } }, binding('purpose-mismatch'));
await add(
  'nonce-other',
  'EV-66',
  'the nonce of another question',
  { binding: { clientNonce: other } },
  binding('nonce-mismatch'),
);
await add('nonce-missing', 'EV-66', 'no nonce', { binding: { clientNonce: empty } }, binding('nonce-mismatch'));
await add(
  'nonce-never-made',
  'EV-66',
  'no nonce was made, and none is named: equal, and worth nothing',
  { binding: { clientNonce: empty }, input: { expected_client_nonce_hex: '' } },
  binding('nonce-mismatch'),
);
await add(
  'handshake-other',
  'EV-67',
  'passed on from another session of the same machine',
  { binding: { handshakeHash: other } },
  binding('handshake-mismatch'),
);
await add(
  'handshake-missing',
  'EV-67',
  'no handshake hash',
  { binding: { handshakeHash: empty } },
  binding('handshake-mismatch'),
);
await add(
  'key-other',
  'EV-68',
  'another channel key',
  { binding: { keys: [{ ...channelKey, publicKey: other }] } },
  binding('key-not-bound'),
);
await add(
  'key-other-use',
  'EV-68',
  'the key is bound for another use',
  { binding: { keys: [{ ...channelKey, use: 'receipt' }] } },
  binding('key-not-bound'),
);
await add('node-other', 'EV-69', 'another node', { binding: { nodeId: fill(16, 5) } }, binding('node-mismatch'));
await add('epoch-other', 'EV-70', 'another epoch', { binding: { epochId: fill(16, 5) } }, binding('epoch-mismatch'));
await add(
  'suite-other',
  'EV-71',
  'another suite alone',
  { binding: { suites: ['sotto-2'] } },
  binding('suite-not-bound'),
);
await add(
  'device-digest',
  'EV-72',
  'a device digest',
  { binding: { deviceEvidenceDigest: other } },
  binding('device-mismatch'),
);
await add(
  'device',
  'EV-72',
  'a device',
  { devices: [{ kind: 'nvidia', evidence: fill(8, 1) }] },
  binding('device-mismatch'),
);
await add('prompt', 'EV-73', 'at the last moment', { input: { elapsed_ms: 30_000 } }, 'accept');
await add('late', 'EV-73', 'a millisecond late', { input: { elapsed_ms: 30_001 } }, stale);
await add('before', 'EV-73', 'before the question', { input: { elapsed_ms: -1 } }, stale);
await add(
  'clock-2016',
  'EV-46',
  'a clock ten years slow',
  { input: { now_ms: (BEGINS - 10 * YEAR) * 1000 } },
  refused('freshness', 'clock-implausible'),
);
await add(
  'dated-ahead',
  'EV-74',
  'begins 301 seconds from now',
  { input: { now_ms: (BEGINS + 600 - 301) * 1000 } },
  undated,
);
await add('dated-back', 'EV-74', 'ended 301 seconds ago', { input: { now_ms: (BEGINS + 660 + 301) * 1000 } }, undated);
await add(
  'dated-ahead-enough',
  'EV-74',
  'begins 300 seconds from now',
  { input: { now_ms: (BEGINS + 300) * 1000 } },
  'accept',
);
await add(
  'checkpoint',
  'EV-62',
  'a checkpoint that cannot be checked',
  { binding: { checkpoint: rawCheckpoint(1, 'log.example/1') } },
  refused('policy', 'checkpoint-unsupported'),
);

const epochBundle = await bundleOf(epoch);
const label = encodeUtf8('sotto/dev-fingerprint/v1');
const fingerprint = sha256(
  new ByteWriter()
    .vector16(label)
    .vector16(await ed25519PublicKey(machineKey))
    .finish(),
);
const session = {
  note: 'what the session was opened with; judged by verifyNode at this time',
  bundle_hex: encodeHex(epochBundle),
  now_ms: (BEGINS + 60) * 1000,
  evidence_digest_hex: encodeHex(sha256(epochBundle)),
  node_id_hex: encodeHex(epoch.nodeId),
  static_key_hex: encodeHex(staticKey),
  epoch_id_hex: encodeHex(epoch.epochId),
};
const policy = { kind: 'dev', version: 1, fingerprint: encodeHex(fingerprint) };
const about = 'spec/evidence.md §live. Made by generate-live.ts.';
writeFileSync(
  new URL('live.json', import.meta.url),
  `${JSON.stringify({ description: about, policy, session, vectors }, null, 1)}\n`,
);
