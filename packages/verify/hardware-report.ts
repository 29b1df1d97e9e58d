/**
 * Raw hardware evidence, outside any connection, judged for people: what the vendor's keys prove, step by step, then what a
 * policy asks (spec/evidence.md §hardware). It says whether evidence is genuine, never that a machine may be talked to: only
 * `verifyNode` does, over evidence that is bound to a connection. Everything but policy, roots and time is hostile.
 */
import { encodeHex } from '@sotto/bytes';
import { CertificateError } from '@sotto/crypto/x509';
import { FAILURE_CLASSES, type FailureClass, JudgementError } from '@sotto/evidence';
import { VerifyError } from './error.ts';
import type { HardwarePolicy } from './hardware-policy.ts';
import type { ReportLine } from './report.ts';
import { ReportBuilder } from './report-builder.ts';

export type EvidencePlatform = 'tdx' | 'sev-snp' | 'nvidia' | 'tpm';

/** A line of the report; `not-reached` after a failure, `not-checked` where nothing was shown to check it with. */
export interface HardwareLine extends Omit<ReportLine, 'status'> {
  readonly status: ReportLine['status'] | 'not-reached' | 'not-checked';
}

export interface HardwareReport {
  readonly platform: EvidencePlatform;
  /** `genuine`: the vendor's keys prove it, and nobody asked whether it is good enough. `accepted`: by the policy, too. */
  readonly verdict: 'genuine' | 'accepted' | 'refused';
  readonly checks: readonly HardwareLine[];
  /** What the hardware says of itself; signed when the verdict is not `refused`, and empty then. */
  readonly claims: readonly { readonly name: string; readonly value: string }[];
  readonly failure:
    | { readonly code: string; readonly failureClass: FailureClass; readonly rule: string; readonly message: string }
    | undefined;
}

/** What one step of a vendor's verification asks, for people. */
export interface Step {
  readonly failureClass: FailureClass;
  /** Of the platform's spec. */
  readonly rules: string;
  readonly title: string;
  readonly why: string;
  /** False where nothing was shown that it could be checked with. */
  readonly isChecked: boolean;
}

export interface Judgement<V, P extends HardwarePolicy> {
  readonly platform: EvidencePlatform;
  readonly steps: readonly Step[];
  /** @throws JudgementError, CertificateError */
  verify(): Promise<V>;
  claimsOf(verdict: V): HardwareReport['claims'];
  readonly policy: P | undefined;
  /** @throws VerifyError */
  judge(report: ReportBuilder, policy: P, verdict: V): void;
  readonly timeSeconds: number;
}

/** Runs a platform's verification and the policy, and turns every refusal into lines. Never rejects for bad evidence. */
export async function reportOf<V, P extends HardwarePolicy>(judgement: Judgement<V, P>): Promise<HardwareReport> {
  const { platform, steps, policy } = judgement;
  let verdict: V;
  try {
    verdict = await judgement.verify();
  } catch (error) {
    if (!(error instanceof JudgementError) && !(error instanceof CertificateError)) throw error;
    const { code, failureClass, message } = error;
    const failure = { code, failureClass, rule: error.rule ?? 'none', message };
    return { platform, verdict: 'refused', checks: linesUpTo(steps, failure), claims: [], failure };
  }
  const passed = steps.map((step) => lineOf(step, step.isChecked ? 'passed' : 'not-checked'));
  const claims = judgement.claimsOf(verdict);
  if (policy === undefined) return { platform, verdict: 'genuine', checks: passed, claims, failure: undefined };
  const builder = new ReportBuilder(judgement.timeSeconds * 1000);
  try {
    judgement.judge(builder, policy, verdict);
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error;
    const [failed, ...before] = error.report.checks;
    const checks = [...passed, ...before, ...(failed === undefined ? [] : [failed])];
    const { code, failureClass, rule, message } = error;
    return { platform, verdict: 'refused', checks, claims: [], failure: { code, failureClass, rule, message } };
  }
  return {
    platform,
    verdict: 'accepted',
    checks: [...passed, ...builder.finish('none').checks],
    claims,
    failure: undefined,
  };
}

function linesUpTo(steps: readonly Step[], failure: NonNullable<HardwareReport['failure']>): HardwareLine[] {
  const failedAt = FAILURE_CLASSES.indexOf(failure.failureClass);
  return steps.map((step) => {
    const at = FAILURE_CLASSES.indexOf(step.failureClass);
    if (at === failedAt) return { ...lineOf(step, 'failed'), rule: failure.rule, observed: failure.message };
    if (at > failedAt) return lineOf(step, 'not-reached');
    return lineOf(step, step.isChecked ? 'passed' : 'not-checked');
  });
}

const OBSERVED = {
  passed: 'holds',
  failed: '',
  'not-checked': 'nothing was shown',
  'not-reached': 'not reached',
} as const;

function lineOf({ rules, title, why }: Step, status: keyof typeof OBSERVED): HardwareLine {
  return { rule: rules, title, status, observed: OBSERVED[status], expected: 'holds', why };
}

export function hexClaim(name: string, value: Uint8Array): { name: string; value: string } {
  return { name, value: encodeHex(value) };
}
