/**
 * `verifyLive`: is the verified machine still at the other end, at this moment? spec/evidence.md §live. Evidence that was made
 * for one nonce of this device and one handshake. Bytes, policy and time in; a report or an error out. Everything in `bundle`
 * is hostile; the node was verified before.
 */
import { encodeHex, equalBytes } from '@sotto/bytes';
import { channelKeyOf, describeTime, type EvidenceInput, judgeEvidence } from './judge-evidence.ts';
import { LIVE_CHECKS } from './live-rules.ts';
import { judgePolicy, trustOf } from './policy-checks.ts';
import type { VerificationReport } from './report.ts';
import { ReportBuilder } from './report-builder.ts';
import { CHECKS } from './rules.ts';
import { hasBegun, hasNotEnded, isClockPlausible } from './time-window.ts';
import { isVerifiedNode, type VerifiedNode } from './verified-node.ts';

/** From the question to the answer, quoting of a slow chip included. */
export const LIVE_ANSWER_LIMIT_MS = 30_000;

export interface VerifyLiveInput extends EvidenceInput {
  /** The node that the session was opened with. */
  readonly expectedNode: VerifiedNode;
  /** 32 bytes: made by this device for this question and used for no other. */
  readonly expectedClientNonce: Uint8Array;
  /** 32 bytes: of the session's latest handshake. */
  readonly expectedHandshakeHash: Uint8Array;
  /** Such as `sotto-1`. */
  readonly expectedSuite: string;
  /** From sending the nonce until the bundle was here. */
  readonly elapsedMs: number;
}

/**
 * Judges an answer to a live question, in the order of the failure classes.
 *
 * @returns the report; `checkedAtMs` is the moment that it speaks of
 * @throws VerifyError as `verifyNode` does; the session must end then
 * @throws TypeError unless `expectedNode` was made by `verifyNode`
 */
export async function verifyLive(input: VerifyLiveInput): Promise<VerificationReport> {
  const { expectedNode } = input;
  // EV-75: without a verified node there is no session whose other end could be checked again.
  if (!isVerifiedNode(expectedNode)) throw new TypeError('a live check needs a node that was verified');
  const report = new ReportBuilder(input.nowMs);
  const nowSeconds = Math.floor(input.nowMs / 1000);
  const { staticKey, nodeId, epochId } = expectedNode;
  const evidence = await judgeEvidence(report, input, staticKey);
  const { policy, binding, judge } = evidence;

  // Class binding
  report.begin(LIVE_CHECKS.reportData, encodeHex(judge.answered), encodeHex(judge.expected));
  // EV-64: the signature must cover these claims, or an old statement vouches for a new nonce.
  if (!equalBytes(judge.answered, judge.expected)) throw report.refuse();

  report.begin(LIVE_CHECKS.purpose, binding.purpose, 'live');
  // EV-65: what serves everybody for an hour, or a broker, says nothing about now.
  if (binding.purpose !== 'live') throw report.refuse();

  report.begin(LIVE_CHECKS.nonce, describe(binding.clientNonce), encodeHex(input.expectedClientNonce));
  // EV-66: a statement without this nonce may have been made at any time.
  if (!isBound(binding.clientNonce, input.expectedClientNonce)) throw report.refuse();

  report.begin(LIVE_CHECKS.handshake, describe(binding.handshakeHash), encodeHex(input.expectedHandshakeHash));
  // EV-67: the statement may be one that the machine gave to somebody else, who sits between.
  if (!isBound(binding.handshakeHash, input.expectedHandshakeHash)) throw report.refuse();

  const channelKey = channelKeyOf(binding);
  report.begin(LIVE_CHECKS.key, channelKey ? encodeHex(channelKey) : 'none', encodeHex(staticKey));
  // EV-68: the channel ends in another key: someone else reads.
  if (!channelKey || !equalBytes(channelKey, staticKey)) throw report.refuse();

  report.begin(LIVE_CHECKS.node, encodeHex(binding.nodeId), encodeHex(nodeId));
  // EV-69: a statement of one machine must not pass for another.
  if (!equalBytes(binding.nodeId, nodeId)) throw report.refuse();

  report.begin(LIVE_CHECKS.epoch, encodeHex(binding.epochId), encodeHex(epochId));
  // EV-70: keys of another epoch do not protect this connection.
  if (!equalBytes(binding.epochId, epochId)) throw report.refuse();

  report.begin(LIVE_CHECKS.suite, binding.suites.join(', '), input.expectedSuite);
  // EV-71: a suite that the node never offered was chosen by someone between.
  if (!binding.suites.includes(input.expectedSuite)) throw report.refuse();

  report.begin(LIVE_CHECKS.devices, judge.showsUnproven ? 'devices' : 'none', 'none');
  // EV-72: nothing in a development bundle, or in a TPM's, can prove a device, so none may be shown.
  if (judge.showsUnproven) throw report.refuse();
  judge.judge(report, 'binding');

  // Class freshness
  report.begin(
    LIVE_CHECKS.prompt,
    `${(input.elapsedMs / 1000).toFixed(1)} seconds`,
    `at most ${LIVE_ANSWER_LIMIT_MS / 1000} seconds`,
  );
  const isPrompt = input.elapsedMs >= 0 && input.elapsedMs <= LIVE_ANSWER_LIMIT_MS;
  // EV-73: the nonce proves that the statement is younger than the question, and the question must be young itself.
  if (!isPrompt) throw report.refuse();

  const now = describeTime(nowSeconds);
  const [begins, ends] = [describeTime(binding.notBeforeSeconds), describeTime(binding.notAfterSeconds)];
  report.begin(CHECKS.clock, `this device says ${now}`, `near ${begins} to ${ends}`);
  // EV-46: with a clock years off, the person is told that, and not that the machine is bad.
  if (!isClockPlausible(nowSeconds, binding)) throw report.refuse();
  report.begin(LIVE_CHECKS.window, `${begins} to ${ends}`, `around ${now}, within 5 minutes`);
  // EV-74: a statement that is dated otherwise was made by another clock, or for another day.
  if (!(hasBegun(nowSeconds, binding) && hasNotEnded(nowSeconds, binding))) throw report.refuse();
  judge.judge(report, 'freshness');

  // Class tcb
  judge.judge(report, 'tcb');

  // Class policy
  judge.judge(report, 'policy');
  judgePolicy(report, policy.kind, evidence.platform, binding.checkpoint);
  return report.finish(trustOf(policy.kind));
}

/** Both are 32 bytes: an empty field equals no expectation, not even an empty one. */
function isBound(bound: Uint8Array, expected: Uint8Array): boolean {
  return expected.length === 32 && equalBytes(bound, expected);
}

function describe(bytes: Uint8Array): string {
  return bytes.length === 0 ? 'none' : encodeHex(bytes);
}
