/**
 * The person’s side of an attack on hardware evidence: their client judges what it was shown, under a root of the test. While there
 * is no log, `log-required` is all that good evidence can end in: what gets that far has passed.
 */
import { parseBase64 } from '@sotto/bytes';
import { evidenceDigest } from '@sotto/evidence';
import { TEST_COLLATERAL, TEST_POLICIES, TEST_ROOTS } from '@sotto/testkit/evidence-node';
import { VerifyError, verifyNode } from '@sotto/verify';

const fill = (length: number, value: number) => new Uint8Array(length).fill(value);

/** The connection that the evidence has to be for, and when: what makers publish for the test is in date then. */
export const CONNECTION = { nodeId: fill(16, 1), epochId: fill(16, 2), staticKey: fill(32, 3) } as const;
export const NOW_SECONDS = Date.UTC(2026, 10, 21, 12) / 1000;

export interface ShownEvidence {
  /** Base64. */
  readonly bundle: string;
  readonly knownMachines?: readonly string[];
}

/** @returns what the person saw when nothing was refused; @throws VerifyError otherwise */
export async function judgeShown(text: string): Promise<string> {
  const shown = JSON.parse(text) as ShownEvidence;
  const bundle = parseBase64(shown.bundle);
  const { knownMachines } = shown;
  try {
    await verifyNode({
      bundle,
      policy: { ...TEST_POLICIES.tdx, ...(knownMachines && { knownMachines }) },
      nowMs: NOW_SECONDS * 1000,
      expectedEvidenceDigest: evidenceDigest(bundle),
      expectedNodeId: CONNECTION.nodeId,
      expectedStaticKey: CONNECTION.staticKey,
      expectedEpochId: CONNECTION.epochId,
      expectedSuite: 'sotto-1',
      distrust: { isDistrusted: () => false, subscribe: () => () => {} },
      collateral: TEST_COLLATERAL,
      roots: TEST_ROOTS,
    });
  } catch (error) {
    if (!(error instanceof VerifyError) || error.rule !== 'EV-52') throw error;
  }
  return 'the machine passes for genuine and good; only the log, which does not exist yet, is missing';
}
