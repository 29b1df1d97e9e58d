/**
 * Writes hardware.json of this folder: whole nodes with hardware under roots of the test, one failure each, judged by
 * `verifyNode` (spec/evidence.md §hardware). Deterministic. What travels beside the bundle, and the policies, stand once.
 *
 *   node vectors/evidence/generate-hardware.ts
 */
import { writeFileSync } from 'node:fs';
import { encodeBase64, encodeHex, encodeUtf8 } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import { encodeEvidenceBundle, evidenceDigest, parseEvidenceBundle } from '@sotto/evidence';
import type { Binding } from '@sotto/evidence/binding';
import { createEvidence } from '@sotto/evidence/collect';
import type { DeviceEvidenceSource, EvidenceSource } from '@sotto/ports';
import { gpuSource, snpSource, TEST_POLICIES, tampered, tdxSource, tpmSource } from '@sotto/testkit/evidence-node';

const BEGINS = Date.UTC(2026, 10, 21, 12) / 1000;
const fill = (length: number, value: number) => new Uint8Array(length).fill(value);
const staticKey = sha256(encodeUtf8('sotto vectors: static key'));

type Draft = Omit<Binding, 'deviceEvidenceDigest'>;
const good: Draft = {
  purpose: 'epoch',
  suites: ['sotto-1'],
  keys: [{ use: 'channel', algorithm: 'x25519', publicKey: staticKey }],
  nodeId: fill(16, 0x11),
  epochId: fill(16, 0x22),
  notBeforeSeconds: BEGINS,
  notAfterSeconds: BEGINS + 3600,
  checkpoint: undefined,
  releaseDigest: fill(32, 0),
  configDigest: fill(32, 0x33),
  clientNonce: fill(0, 0),
  handshakeHash: fill(0, 0),
};

interface Change {
  source: EvidenceSource;
  devices?: DeviceEvidenceSource;
  binding?: Partial<Draft>;
  /** Of the policy that the machine would meet. */
  policy?: Record<string, unknown>;
  policyKind?: keyof typeof TEST_POLICIES;
  /** The vendor's rule that refuses, where `rule` is the one that hands it on. */
  refusedBy?: string;
  collateral?: 'none' | 'no-crl';
  /** Changes the finished bundle. */
  alter?: (bundle: Uint8Array) => Uint8Array;
}

const KIND_OF = { tdx: 'tdx', 'sev-snp': 'sev-snp', tpm: 'tpm-test' } as const;
const vectors: unknown[] = [];

async function add(id: string, rule: string, note: string, change: Change, expect: unknown): Promise<void> {
  const { source, devices } = change;
  const made = await createEvidence({
    source,
    ...(devices && { devices }),
    binding: { ...good, ...change.binding },
  });
  const bundle = change.alter?.(made.bundle) ?? made.bundle;
  const kind = change.policyKind ?? KIND_OF[source.platform as keyof typeof KIND_OF];
  vectors.push({
    ...{ id, rule, note },
    ...(change.refusedBy && { refused_by: change.refusedBy }),
    bundle_b64: encodeBase64(bundle),
    policy: { ...TEST_POLICIES[kind], ...change.policy },
    collateral: change.collateral ?? 'test',
    evidence_digest_hex: encodeHex(evidenceDigest(bundle)),
    expect,
  });
}

const refused = (failureClass: string, code: string) => ({ class: failureClass, code });
const unlogged = refused('policy', 'log-required');
const tdx = { source: tdxSource(), devices: gpuSource() };
const snp = { source: snpSource(), devices: gpuSource() };
const tpm = { source: tpmSource() };
const otherClaims = fill(64, 0x77);

await add('tdx-whole', 'EV-52', 'everything holds; there is no log yet', tdx, unlogged);
await add('sev-snp-whole', 'EV-52', 'everything holds; there is no log yet', snp, unlogged);
await add('tpm-whole', 'EV-63', 'a pinned TPM, without the log', tpm, 'accept');

const missing = refused('format', 'collateral-missing');
await add('tdx-alone', 'EV-32', 'without collateral', { ...tdx, collateral: 'none' }, missing);
await add('sev-snp-alone', 'EV-32', 'without certificates', { ...snp, collateral: 'none' }, missing);
await add(
  'sev-snp-no-list',
  'EV-419',
  'without the revocation list that the policy asks for',
  { ...snp, collateral: 'no-crl' },
  refused('policy', 'revocation-not-checked'),
);
await add(
  'tpm-for-tdx',
  'EV-33',
  'a TPM where TDX was asked for',
  { ...tpm, policyKind: 'tdx' },
  refused('chain', 'platform-unsupported'),
);
await add(
  'tdx-for-tpm',
  'EV-33',
  'a TDX machine where a TPM was asked for',
  { ...tdx, policyKind: 'tpm-test' },
  refused('chain', 'platform-unsupported'),
);

const replayed = refused('binding', 'report-data-mismatch');
const claims = (draft: { report: { reportData: Uint8Array } }) => {
  draft.report.reportData = otherClaims;
};
await add('tdx-other-claims', 'EV-38', 'a quote of other claims', { ...tdx, source: tdxSource(claims) }, replayed);
await add(
  'sev-snp-other-claims',
  'EV-38',
  'a report of other claims',
  { ...snp, source: snpSource({ reportData: otherClaims }) },
  replayed,
);
await add(
  'tpm-other-claims',
  'EV-38',
  'a quote of another nonce',
  { source: tpmSource({ nonce: fill(32, 7) }) },
  replayed,
);
await add(
  'tdx-other-key',
  'EV-41',
  'another channel key',
  { ...tdx, binding: { keys: [{ use: 'channel', algorithm: 'x25519', publicKey: fill(32, 5) }] } },
  refused('binding', 'key-not-bound'),
);
await add(
  'tdx-stale',
  'EV-49',
  'of two hours ago',
  { ...tdx, binding: { notBeforeSeconds: BEGINS - 7200 } },
  refused('freshness', 'evidence-stale'),
);
await add(
  'tdx-checkpoint',
  'EV-62',
  'a checkpoint that nobody can check yet',
  { ...tdx, binding: { checkpoint: { origin: 'log.example/1', size: 1, root: fill(32, 1) } } },
  refused('policy', 'checkpoint-unsupported'),
);

const devices = refused('binding', 'device-mismatch');
await add(
  'tpm-with-device',
  'EV-45',
  'a device that a TPM cannot vouch for',
  { ...tpm, devices: gpuSource() },
  devices,
);
const withoutDevices = (bundle: Uint8Array) => encodeEvidenceBundle({ ...parseEvidenceBundle(bundle), devices: [] });
const otherDevice = (kind: string) => (bundle: Uint8Array) => {
  const parsed = parseEvidenceBundle(bundle);
  const [first] = parsed.devices;
  return encodeEvidenceBundle({ ...parsed, devices: [{ deviceKind: kind, evidence: first?.evidence ?? fill(0, 0) }] });
};
await add(
  'tdx-device-dropped',
  'EV-444',
  'a device left out after quoting',
  { ...tdx, alter: withoutDevices },
  devices,
);
await add(
  'sev-snp-device-added',
  'EV-444',
  'a genuine device that the machine did not vouch for',
  {
    ...snp,
    alter: (bundle) => {
      const parsed = parseEvidenceBundle(bundle);
      return encodeEvidenceBundle({ ...parsed, devices: [...parsed.devices, ...parsed.devices] });
    },
    refusedBy: 'EV-444',
  },
  devices,
);
await add(
  'device-unknown',
  'EV-445',
  'a device of no known kind',
  { ...snp, alter: otherDevice('tpu') },
  refused('format', 'platform-unsupported'),
);

await add(
  'tdx-unsigned',
  'EV-447',
  'a byte of the quote changed after signing',
  { ...tdx, source: tampered(tdxSource(), 200), refusedBy: 'EV-131' },
  refused('signature', 'tdx-quote-signature-invalid'),
);
await add(
  'tdx-debug',
  'EV-447',
  'the host can look into the guest',
  {
    ...tdx,
    source: tdxSource((draft) => {
      draft.report.tdAttributes = Uint8Array.of(1, 0, 0, 0x10, 0, 0, 0, 0);
    }),
    refusedBy: 'EV-161',
  },
  refused('policy', 'tdx-debug'),
);
await add(
  'sev-snp-other-chip',
  'EV-447',
  'the report of another chip than the certificate',
  { ...snp, source: snpSource({ chipId: fill(64, 9) }), refusedBy: 'EV-217' },
  refused('binding', 'chip-id-mismatch'),
);
await add(
  'gpu-replayed',
  'EV-447',
  'a genuine device that answered to another nonce',
  { ...tdx, devices: gpuSource({ nonce: fill(32, 8) }), refusedBy: 'EV-275' },
  refused('binding', 'nonce-mismatch'),
);
await add(
  'tpm-other-registers',
  'EV-447',
  'registers that were not quoted',
  { source: tpmSource({ values: [fill(32, 1), fill(32, 2)] }), refusedBy: 'EV-342' },
  refused('binding', 'register-digest-mismatch'),
);

await add(
  'tdx-out-of-date',
  'EV-420',
  'firmware with known holes',
  {
    ...tdx,
    source: tdxSource((draft) => {
      draft.pck.tcb = draft.pck.tcb.map(([arc, value]) => (arc === 17 ? [arc, Uint8Array.of(2, 1, 4)] : [arc, value]));
    }),
  },
  refused('tcb', 'tcb-status-not-accepted'),
);
await add(
  'sev-snp-debug',
  'EV-423',
  'the host can look into the guest',
  { ...snp, source: snpSource({ policy: 0xb0000n }) },
  refused('policy', 'debug-enabled'),
);
await add(
  'sev-snp-other-program',
  'EV-432',
  'another program',
  { ...snp, source: snpSource({ measurement: fill(48, 1) }) },
  refused('policy', 'measurement-not-allowed'),
);
await add(
  'tpm-other-key',
  'EV-435',
  'a TPM that is not the pinned one',
  { ...tpm, policy: { attestationKeys: [encodeHex(fill(32, 1))] } },
  refused('policy', 'attestation-key-not-pinned'),
);
await add('tdx-no-gpu', 'EV-436', 'no device was shown', { source: tdxSource() }, refused('policy', 'gpus-missing'));
await add(
  'sev-snp-one-root',
  'EV-440',
  'two makers must vouch, and one does',
  { source: snpSource(), policy: { gpus: undefined } },
  refused('policy', 'roots-missing'),
);
await add(
  'tdx-debug-and-replayed',
  'EV-55',
  'a debugged guest with a quote of other claims',
  {
    ...tdx,
    source: tdxSource((draft) => {
      draft.report.tdAttributes = Uint8Array.of(1, 0, 0, 0x10, 0, 0, 0, 0);
      claims(draft);
    }),
    refusedBy: 'EV-38',
  },
  replayed,
);

const head = {
  about:
    'Everything here is under roots of the test: packages/testkit/evidence-node.ts. It says nothing about any real machine.',
  now_ms: (BEGINS + 60) * 1000,
  node_id_hex: encodeHex(good.nodeId),
  epoch_id_hex: encodeHex(good.epochId),
  static_key_hex: encodeHex(staticKey),
};
writeFileSync(new URL('hardware.json', import.meta.url), `${JSON.stringify({ ...head, vectors }, null, 1)}\n`);
