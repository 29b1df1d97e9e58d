/**
 * @sotto/verify: evidence and policy into a `VerifiedNode`, the only thing that may receive a person's words, and a report for
 * people (spec/evidence.md). The closure of this package is everything an auditor must read to trust the verdict.
 */

export type { NodeCollateral, TestRoots } from './collateral.ts';
export { PolicyError, type PolicyErrorCode, VerifyError } from './error.ts';
export type { HardwarePolicy } from './hardware-policy.ts';
export { DEFAULT_MAX_AGE_SECONDS } from './max-age.ts';
export { type DevPolicy, type Policy, parsePolicy } from './policy.ts';
export {
  acceptPin,
  describePolicySource,
  devPolicy,
  encodeDevFragment,
  type PinDecision,
  type PolicySource,
  parseDevFragment,
  pinDecision,
} from './policy-source.ts';
export type { ReportLine, Trust, VerificationReport } from './report.ts';
export type { VerifyErrorCode } from './rules.ts';
export { isVerifiedNode, type VerifiedNode } from './verified-node.ts';
export { LIVE_ANSWER_LIMIT_MS, type VerifyLiveInput, verifyLive } from './verify-live.ts';
export { type Verified, type VerifyInput, verifyNode } from './verify-node.ts';
