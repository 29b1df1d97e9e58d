/**
 * @sotto/evidence: the bundle, and how keys are bound to it (spec/evidence.md). Pure functions; no clock, network or storage.
 * Parsing here believes nothing: `@sotto/verify` judges.
 */
export {
  BUNDLE_LIMIT_BYTES,
  type DeviceEvidence,
  type EvidenceBundle,
  encodeEvidenceBundle,
  evidenceDigest,
  type Platform,
  parseEvidenceBundle,
} from './bundle.ts';
export { EvidenceError, type EvidenceErrorCode, FAILURE_CLASSES, type FailureClass } from './error.ts';
export { JudgementError } from './judgement-error.ts';
