/**
 * `verifyNode`: the list of checks between a stranger's bytes and a `VerifiedNode`. spec/evidence.md §verification.
 * Bytes, policy and time in; a narrower type or an error out. No network, no clock, no storage. Everything in `bundle` is hostile.
 */
import { encodeHex, equalBytes } from '@sotto/bytes';
import { channelKeyOf, describeTime, type EvidenceInput, judgeEvidence } from './judge-evidence.ts';
import { DEFAULT_MAX_AGE_SECONDS } from './max-age.ts';
import { judgePolicy, trustOf } from './policy-checks.ts';
import type { VerificationReport } from './report.ts';
import { ReportBuilder } from './report-builder.ts';
import { CHECKS } from './rules.ts';
import { hasBegun, hasNotEnded, isClockPlausible, isRecent } from './time-window.ts';
import { VERIFY_KEY, VerifiedNode } from './verified-node.ts';

export interface VerifyInput extends EvidenceInput {
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
  const evidence = await judgeEvidence(report, input, input.expectedStaticKey);
  const { policy, binding, digest, judge } = evidence;

  // Class binding
  report.begin(CHECKS.digest, encodeHex(digest), encodeHex(input.expectedEvidenceDigest));
  // EV-37: good evidence of another connection says nothing about this one.
  if (!equalBytes(digest, input.expectedEvidenceDigest)) throw report.refuse();

  report.begin(CHECKS.reportData, encodeHex(judge.answered), encodeHex(judge.expected));
  // EV-38: the signature must cover these claims, or an old statement vouches for a new key.
  if (!equalBytes(judge.answered, judge.expected)) throw report.refuse();

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

  report.begin(CHECKS.devices, judge.showsUnproven ? 'devices' : 'none', 'none');
  // EV-45: nothing in a development bundle, or in a TPM's, can prove a device, so none may be shown.
  if (judge.showsUnproven) throw report.refuse();
  judge.judge(report, 'binding');

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
  judge.judge(report, 'freshness');

  // Class tcb
  judge.judge(report, 'tcb');

  // Class policy
  judge.judge(report, 'policy');
  judgePolicy(report, policy.kind, evidence.platform, binding.checkpoint);

  const notAfterSeconds = Math.min(binding.notAfterSeconds, binding.notBeforeSeconds + maxAgeSeconds);
  const node = new VerifiedNode(VERIFY_KEY, {
    nodeId: binding.nodeId,
    epochId: binding.epochId,
    staticKey: channelKey,
    evidenceDigest: digest,
    notAfterMs: notAfterSeconds * 1000,
    trust: trustOf(policy.kind),
  });
  return { node, report: report.finish(node.trust) };
}
