/**
 * `verifyNode`: the list of checks between a stranger's bytes and a `VerifiedNode`. spec/evidence.md §verification.
 * Bytes, policy and time in; a narrower type or an error out. No network, no clock, no storage. Everything in `bundle` is hostile.
 */
import { encodeHex, equalBytes } from '@sotto/bytes';
import { evidenceDigest, parseEvidenceBundle } from '@sotto/evidence';
import { type Binding, parseBinding, reportDataOf } from '@sotto/evidence/binding';
import { type DevStatement, devFingerprint, isDevSignatureValid, parseDevStatement } from '@sotto/evidence/dev';
import type { DistrustSource } from '@sotto/ports';
import { DEFAULT_MAX_AGE_SECONDS, type Policy, parsePolicy } from './policy.ts';
import { judgePolicy } from './policy-checks.ts';
import type { VerificationReport } from './report.ts';
import { ReportBuilder } from './report-builder.ts';
import { CHECKS } from './rules.ts';
import { hasBegun, hasNotEnded, isClockPlausible, isRecent } from './time-window.ts';
import { VERIFY_KEY, VerifiedNode } from './verified-node.ts';

export interface VerifyInput {
  /** The whole evidence bundle. */
  readonly bundle: Uint8Array;
  /** From the person, never from the party that is judged. */
  readonly policy: Policy;
  /** This device's clock, in milliseconds since the Unix epoch. */
  readonly nowMs: number;
  /** 32 bytes, from the channel's second handshake message. */
  readonly expectedEvidenceDigest: Uint8Array;
  /** 16 bytes: the node that was asked for. */
  readonly expectedNodeId: Uint8Array;
  /** 32 bytes: the key that the channel's handshake proved. */
  readonly expectedStaticKey: Uint8Array;
  /** 16 bytes, from the channel's second handshake message. */
  readonly expectedEpochId: Uint8Array;
  /** Such as `sotto-1`. */
  readonly expectedSuite: string;
  readonly distrust: DistrustSource;
}

export interface Verified {
  readonly node: VerifiedNode;
  readonly report: VerificationReport;
}

/**
 * Judges a node's evidence, in the order of the failure classes.
 *
 * @throws VerifyError with the report of every check made, the failed one first; action `stop`, but for the codes that a
 * person can put right (`clock-implausible`, `policy-missing`, `policy-malformed`, `policy-unsupported`)
 */
export async function verifyNode(input: VerifyInput): Promise<Verified> {
  const report = new ReportBuilder(input.nowMs);
  const nowSeconds = Math.floor(input.nowMs / 1000);
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
  const distrusted = input.distrust.isDistrusted({ evidenceDigest: digest, staticKey: input.expectedStaticKey });
  report.begin(CHECKS.distrust, distrusted ? 'withdrawn' : 'not withdrawn', 'not withdrawn');
  // EV-35: what is known to be bad still has a good signature.
  if (distrusted) throw report.refuse();

  // Class signature
  const signed = await isDevSignatureValid(statement);
  report.begin(CHECKS.signature, signed ? 'a good signature' : 'no good signature', 'a good signature');
  // EV-36: without it, anyone between could have written the statement.
  if (!signed) throw report.refuse();

  // Class binding
  report.begin(CHECKS.digest, encodeHex(digest), encodeHex(input.expectedEvidenceDigest));
  // EV-37: good evidence of another connection says nothing about this one.
  if (!equalBytes(digest, input.expectedEvidenceDigest)) throw report.refuse();

  const reportData = reportDataOf(bundle.binding);
  report.begin(CHECKS.reportData, encodeHex(statement.reportData), encodeHex(reportData));
  // EV-38: the signature must cover these claims, or an old statement vouches for a new key.
  if (!equalBytes(statement.reportData, reportData)) throw report.refuse();

  report.begin(CHECKS.purpose, binding.purpose, 'epoch');
  // EV-39: evidence made for a broker or for one live check must not open a chat.
  if (binding.purpose !== 'epoch') throw report.refuse();

  report.begin(CHECKS.suite, binding.suites.join(', '), input.expectedSuite);
  // EV-40: a suite that the node never offered was chosen by someone between.
  if (!binding.suites.includes(input.expectedSuite)) throw report.refuse();

  const channelKey = channelKeyOf(binding);
  report.begin(CHECKS.key, channelKey ? encodeHex(channelKey) : 'none', encodeHex(input.expectedStaticKey));
  // EV-41: the channel ends in another key: someone else reads.
  if (!channelKey || !equalBytes(channelKey, input.expectedStaticKey)) throw report.refuse();

  report.begin(CHECKS.node, encodeHex(binding.nodeId), encodeHex(input.expectedNodeId));
  // EV-42: evidence of one machine must not pass for another.
  if (!equalBytes(binding.nodeId, input.expectedNodeId)) throw report.refuse();

  report.begin(CHECKS.epoch, encodeHex(binding.epochId), encodeHex(input.expectedEpochId));
  // EV-43: evidence of an older epoch would bring that epoch's keys back.
  if (!equalBytes(binding.epochId, input.expectedEpochId)) throw report.refuse();

  const ofSession = binding.clientNonce.length + binding.handshakeHash.length > 0;
  report.begin(CHECKS.session, ofSession ? 'fields of a session' : 'none', 'none');
  // EV-44: these fields belong to the live purpose; here they show evidence made for someone else's session.
  if (ofSession) throw report.refuse();

  const unprovenDevices = bundle.devices.length > 0 || binding.deviceEvidenceDigest.some((byte) => byte !== 0);
  report.begin(CHECKS.devices, unprovenDevices ? 'devices' : 'none', 'none');
  // EV-45: nothing in a development bundle can prove a device, so none may be shown.
  if (unprovenDevices) throw report.refuse();

  // Class freshness
  const now = describeTime(nowSeconds);
  const [begins, ends] = [describeTime(binding.notBeforeSeconds), describeTime(binding.notAfterSeconds)];
  const maxAgeSeconds = policy.maxAgeSeconds ?? DEFAULT_MAX_AGE_SECONDS;
  report.begin(CHECKS.clock, `this device says ${now}`, `near ${begins} to ${ends}`);
  // EV-46: with a clock years off, no answer about age means anything.
  if (!isClockPlausible(nowSeconds, binding)) throw report.refuse();

  report.begin(CHECKS.notBefore, `now ${now}`, `not before ${begins}, within 5 minutes`);
  // EV-47: evidence dated ahead could be kept for later.
  if (!hasBegun(nowSeconds, binding)) throw report.refuse();

  report.begin(CHECKS.notAfter, `now ${now}`, `not after ${ends}, within 5 minutes`);
  // EV-48: an expired epoch's key may be in other hands.
  if (!hasNotEnded(nowSeconds, binding)) throw report.refuse();

  report.begin(
    CHECKS.age,
    `${nowSeconds - binding.notBeforeSeconds} seconds old`,
    `at most ${maxAgeSeconds}, within 5 minutes`,
  );
  // EV-49: the node chooses how long its evidence holds; how old is too old is for the policy to say.
  if (!isRecent(nowSeconds, binding, maxAgeSeconds)) throw report.refuse();

  // Class tcb
  report.note(
    CHECKS.measurement,
    encodeHex(statement.measurement),
    'anything: a development machine proves nothing here',
  );

  // Class policy
  judgePolicy(report, policy.kind, bundle.platform, binding.checkpoint);

  const notAfterSeconds = Math.min(binding.notAfterSeconds, binding.notBeforeSeconds + maxAgeSeconds);
  const node = new VerifiedNode(VERIFY_KEY, {
    nodeId: binding.nodeId,
    epochId: binding.epochId,
    staticKey: channelKey,
    evidenceDigest: digest,
    notAfterMs: notAfterSeconds * 1000,
    trust: 'development',
  });
  return { node, report: report.finish(node.trust) };
}

function readDevStatement(report: ReportBuilder, bytes: Uint8Array): DevStatement {
  const size = `${bytes.length} bytes`;
  return report.parse(CHECKS.statement, size, 'a statement of version 1', () => parseDevStatement(bytes));
}

function channelKeyOf(binding: Binding): Uint8Array | undefined {
  return binding.keys.find((key) => key.use === 'channel' && key.algorithm === 'x25519')?.publicKey;
}

function describeKind(policy: unknown): string {
  return policy === undefined || policy === null ? 'none' : 'given';
}

function describeTime(seconds: number): string {
  const time = new Date(seconds * 1000);
  return Number.isNaN(time.getTime()) ? `${seconds} seconds since 1970` : `${time.toISOString().slice(0, 19)}Z`;
}
