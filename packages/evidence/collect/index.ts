/** @sotto/evidence/collect: what a node puts into its bundle, and how it is bound (spec/evidence-collect.md). */
export { createEvidence, deviceEvidenceDigest } from './create-evidence.ts';
export { parseTpmStatement, type TpmStatement } from './tpm-statement.ts';
