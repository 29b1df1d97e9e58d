/** Nodes with hardware under roots of the test: whatever is done to a bundle or to what came beside it, nothing forged passes. */
import { encodeHex, parseBase64, parseHex } from '@sotto/bytes';
import { EvidenceError, encodeEvidenceBundle, evidenceDigest, parseEvidenceBundle } from '@sotto/evidence';
import { parseTdxQuote } from '@sotto/evidence/tdx';
import { TEST_COLLATERAL, TEST_POLICIES, TEST_ROOTS } from '@sotto/testkit/evidence-node';
import { type NodeCollateral, VerifyError, verifyNode } from '@sotto/verify';
import { loadVectors } from '../corpus.ts';
import { type Input, insist, type Target } from '../target.ts';

const file = loadVectors<{
  now_ms: number;
  node_id_hex: string;
  static_key_hex: string;
  epoch_id_hex: string;
  vectors: { id: string; bundle_b64: string }[];
}>('evidence/hardware.json');
const bundles = file.vectors.map(({ bundle_b64 }) => parseBase64(bundle_b64));
const KNOWN = new Set(bundles.map(saidBy));
const KIND_OF = { dev: 'tdx', tdx: 'tdx', 'sev-snp': 'sev-snp', tpm: 'tpm-test' } as const;

/** What a bundle says. Of a quote the part that is signed: its certificates can be spelled otherwise (spec/evidence-tdx.md §Malleable bytes). */
function saidBy(bundle: Uint8Array): string {
  const { platform, binding, statement, devices } = parseEvidenceBundle(bundle);
  const said = platform === 'tdx' ? parseTdxQuote(statement).signedBytes : statement;
  return [binding, said, ...devices.map(({ evidence }) => evidence)].map(encodeHex).join(' ');
}

async function judge(bundle: Uint8Array, collateral: NodeCollateral = TEST_COLLATERAL): Promise<void> {
  const { platform } = parseEvidenceBundle(bundle);
  const verified = verifyNode({
    ...{ bundle, collateral, policy: TEST_POLICIES[KIND_OF[platform]], nowMs: file.now_ms, roots: TEST_ROOTS },
    expectedEvidenceDigest: evidenceDigest(bundle),
    expectedNodeId: parseHex(file.node_id_hex),
    expectedStaticKey: parseHex(file.static_key_hex),
    expectedEpochId: parseHex(file.epoch_id_hex),
    expectedSuite: 'sotto-1',
    distrust: { isDistrusted: () => false, subscribe: () => () => undefined },
  });
  // What is refused for the log alone has passed everything else.
  const hasPassed = await verified.then(
    () => true,
    (error) => {
      if (error instanceof VerifyError && error.rule === 'EV-52') return true;
      throw error;
    },
  );
  insist(!hasPassed || KNOWN.has(saidBy(bundle)), 'evidence passed that no hardware made');
}

const pieces = (): Input[] =>
  bundles.map((bundle) => {
    const { binding, statement, devices } = parseEvidenceBundle(bundle);
    return [binding, statement, ...devices.map(({ evidence }) => evidence)] as Input;
  });

export const hardwareTargets: readonly Target[] = [
  ...(['tdx', 'sev-snp', 'tpm'] as const).map((platform) => ({
    name: `verify/${platform}-pieces`,
    errors: [VerifyError, EvidenceError],
    share: 60,
    corpus: () => pieces().filter((_, i) => parseEvidenceBundle(bundles[i] as Uint8Array).platform === platform),
    run: ([binding = new Uint8Array(), statement = new Uint8Array(), ...rest]: Input) => {
      const devices = rest.slice(0, 16).map((evidence) => ({ deviceKind: 'nvidia', evidence }));
      return judge(encodeEvidenceBundle({ platform, binding, statement, devices }));
    },
  })),
  {
    // What the server hands out beside a genuine machine's evidence.
    name: 'verify/amd-beside',
    share: 60,
    errors: [VerifyError],
    corpus: () => {
      const { endorsement, intermediates, crl } = TEST_COLLATERAL.sevSnp as NonNullable<NodeCollateral['sevSnp']>;
      return [[endorsement.certificate, intermediates[0], crl] as Input];
    },
    run: ([certificate = new Uint8Array(), intermediate = new Uint8Array(), crl]) => {
      const whole = file.vectors.findIndex(({ id }) => id === 'sev-snp-whole');
      const beside = { endorsement: { kind: 'vcek', certificate }, intermediates: [intermediate], crl } as const;
      return judge(bundles[whole] as Uint8Array, { sevSnp: beside });
    },
  },
];
