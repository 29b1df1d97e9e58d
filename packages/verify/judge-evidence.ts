/**
 * The checks that are the same whatever evidence is for: policy, format, chain, revocation, signature. spec/evidence.md
 * §verification. What comes out is signed by the policy's root; what it says is not judged yet. The bundle is hostile.
 */
import { encodeHex } from '@sotto/bytes';
import { evidenceDigest, parseEvidenceBundle } from '@sotto/evidence';
import { type Binding, parseBinding } from '@sotto/evidence/binding';
import { type DevStatement, devFingerprint, isDevSignatureValid, parseDevStatement } from '@sotto/evidence/dev';
import type { DistrustSource } from '@sotto/ports';
import { type DevPolicy, type Policy, parsePolicy } from './policy.ts';
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
}

export interface SignedEvidence {
  readonly policy: DevPolicy;
  readonly platform: 'dev';
  /** The exact bytes of the binding, and what they say. */
  readonly bindingBytes: Uint8Array;
  readonly binding: Binding;
  readonly statement: DevStatement;
  readonly deviceCount: number;
  /** SHA-256 of the bundle. */
  readonly digest: Uint8Array<ArrayBuffer>;
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

  const statement = bundle.platform === 'dev' ? readDevStatement(report, bundle.statement) : undefined;

  // Class chain
  report.begin(CHECKS.platform, bundle.platform, 'dev');
  // EV-33: a statement whose signer has no root here proves nothing.
  if (statement === undefined) throw report.refuse();
  const fingerprint = encodeHex(devFingerprint(statement.publicKey));
  report.begin(CHECKS.devKey, fingerprint, policy.fingerprint);
  // EV-34: anyone can make development evidence with a key of their own.
  if (fingerprint !== policy.fingerprint) throw report.refuse();

  // Class revocation
  const digest = evidenceDigest(input.bundle);
  const distrusted = input.distrust.isDistrusted({ evidenceDigest: digest, staticKey });
  report.begin(CHECKS.distrust, distrusted ? 'withdrawn' : 'not withdrawn', 'not withdrawn');
  // EV-35: what is known to be bad still has a good signature.
  if (distrusted) throw report.refuse();

  // Class signature
  const signed = await isDevSignatureValid(statement);
  report.begin(CHECKS.signature, signed ? 'a good signature' : 'no good signature', 'a good signature');
  // EV-36: without it, anyone between could have written the statement.
  if (!signed) throw report.refuse();

  const deviceCount = bundle.devices.length;
  return { policy, platform: 'dev', bindingBytes: bundle.binding, binding, statement, deviceCount, digest };
}

/** The key that the binding names for channels, if it names one. */
export function channelKeyOf(binding: Binding): Uint8Array | undefined {
  return binding.keys.find((key) => key.use === 'channel' && key.algorithm === 'x25519')?.publicKey;
}

export function describeTime(seconds: number): string {
  const time = new Date(seconds * 1000);
  return Number.isNaN(time.getTime()) ? `${seconds} seconds since 1970` : `${time.toISOString().slice(0, 19)}Z`;
}

function readDevStatement(report: ReportBuilder, bytes: Uint8Array): DevStatement {
  const size = `${bytes.length} bytes`;
  return report.parse(CHECKS.statement, size, 'a statement of version 1', () => parseDevStatement(bytes));
}

function describeKind(policy: unknown): string {
  return policy === undefined || policy === null ? 'none' : 'given';
}
