/** @sotto/evidence/dev: evidence of a development machine, a module of its own with a root of its own. spec/evidence.md §dev. */
export { createDevEvidence, createDevEvidenceSource } from './evidence.ts';
export { devFingerprint } from './fingerprint.ts';
export { createDevStatement, type DevStatement, isDevSignatureValid, parseDevStatement } from './statement.ts';
