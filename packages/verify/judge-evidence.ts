/**
 * The checks that are the same whatever evidence is for: policy, format, chain, revocation, signature. spec/evidence.md
 * §verification. What comes out is signed by a root of the policy's kind; what it says is not judged yet. The bundle is hostile.
 */
import { type EvidenceBundle, evidenceDigest, parseEvidenceBundle } from '@sotto/evidence';
import { type Binding, parseBinding } from '@sotto/evidence/binding';
import type { DistrustSource } from '@sotto/ports';
import { COLLATERAL_LIMIT_BYTES, collateralSize, type NodeCollateral, type TestRoots } from './collateral.ts';
import { judgeDev } from './dev-judge.ts';
import type { PlatformJudge } from './platform-judge.ts';
import { PLATFORM_OF, type Policy, parsePolicy } from './policy.ts';
import type { ReportBuilder } from './report-builder.ts';
import { CHECKS } from './rules.ts';

export interface EvidenceInput {
  /** The whole evidence bundle. */
  readonly bundle: Uint8Array;
  /** From the person, never from the party that is judged. */
  readonly policy: Policy;
  /** This device's clock, in milliseconds since the Unix epoch. */
  readonly nowMs: number;
  readonly distrust: DistrustSource;
  /** What hardware evidence is judged with, from anybody; a development machine has none. */
  readonly collateral?: NodeCollateral | undefined;
  /** Instead of the vendors' production roots. Of tests: whoever holds their keys makes evidence that passes. */
  readonly roots?: TestRoots | undefined;
}

export interface SignedEvidence {
  readonly policy: Policy;
  readonly platform: EvidenceBundle['platform'];
  readonly binding: Binding;
  /** SHA-256 of the bundle. */
  readonly digest: Uint8Array<ArrayBuffer>;
  /** Tells the classes that are left, and what the statement answers to. */
  readonly judge: PlatformJudge;
}

/**
 * @param staticKey 32 bytes: the key of the channel, which may have been withdrawn by itself
 * @throws VerifyError with everything that was checked in its report
 */
export async function judgeEvidence(
  report: ReportBuilder,
  input: EvidenceInput,
  staticKey: Uint8Array,
): Promise<SignedEvidence> {
  const policy = report.parse(CHECKS.policy, describeKind(input.policy), 'a policy of yours', () =>
    parsePolicy(input.policy),
  );

  // Class format
  const size = `${input.bundle.length} bytes`;
  const bundle = report.parse(CHECKS.bundle, size, 'a bundle of version 1', () => parseEvidenceBundle(input.bundle));
  const binding = report.parse(CHECKS.binding, `${bundle.binding.length} bytes`, 'a binding of version 1', () =>
    parseBinding(bundle.binding),
  );
  const isMeant = bundle.platform === PLATFORM_OF[policy.kind];
  const judge = isMeant ? await judgeStatement(report, policy, bundle, binding, input) : undefined;
  judge?.judge(report, 'format');

  // Class chain
  report.begin(CHECKS.platform, bundle.platform, PLATFORM_OF[policy.kind]);
  // EV-33: a statement of another kind than the policy's has no root here, and proves nothing.
  if (judge === undefined) throw report.refuse();
  judge.judge(report, 'chain');

  // Class revocation
  const digest = evidenceDigest(input.bundle);
  const distrusted = input.distrust.isDistrusted({ evidenceDigest: digest, staticKey });
  report.begin(CHECKS.distrust, distrusted ? 'withdrawn' : 'not withdrawn', 'not withdrawn');
  // EV-35: what is known to be bad still has a good signature.
  if (distrusted) throw report.refuse();
  judge.judge(report, 'revocation');

  // Class signature
  judge.judge(report, 'signature');
  return { policy, platform: bundle.platform, binding, digest, judge };
}

async function judgeStatement(
  report: ReportBuilder,
  policy: Policy,
  bundle: EvidenceBundle,
  binding: Binding,
  { collateral = {}, roots = {}, nowMs }: EvidenceInput,
): Promise<PlatformJudge> {
  if (policy.kind === 'dev') return judgeDev(report, policy, bundle, binding);
  const size = collateralSize(collateral);
  report.begin(CHECKS.collateral, `${size} bytes`, `at most ${COLLATERAL_LIMIT_BYTES}`);
  // EV-446: whoever hands it over chooses its size, and all of it would be parsed.
  if (size > COLLATERAL_LIMIT_BYTES) throw report.refuse();
  // Fetched only by whoever asks for hardware: a page that talks to a development machine needs no code of vendors.
  const { judgeHardware } = await import('./hardware-judge.ts');
  return judgeHardware({ policy, bundle, binding, collateral, roots, timeSeconds: Math.floor(nowMs / 1000) });
}

/** The key that the binding names for channels, if it names one. */
export function channelKeyOf(binding: Binding): Uint8Array | undefined {
  return binding.keys.find((key) => key.use === 'channel' && key.algorithm === 'x25519')?.publicKey;
}

export function describeTime(seconds: number): string {
  const time = new Date(seconds * 1000);
  return Number.isNaN(time.getTime()) ? `${seconds} seconds since 1970` : `${time.toISOString().slice(0, 19)}Z`;
}

function describeKind(policy: unknown): string {
  return policy === undefined || policy === null ? 'none' : 'given';
}
