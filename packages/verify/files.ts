/**
 * @sotto/verify/files: raw hardware evidence judged without a connection, for people and auditors (spec/evidence.md §files). Apart
 * from the entry that clients load, because a chat needs none of it.
 */

export type { TestRoots } from './collateral.ts';
export { PolicyError } from './error.ts';
export {
  type EvidenceFile,
  EvidenceFileError,
  FILE_LIMIT_BYTES,
  type FilesInput,
  judgeFiles,
} from './evidence-files.ts';
export { reportNvidia, reportSevSnp, reportTdx, type TdxEvidence } from './hardware-platforms.ts';
export { type HardwarePolicy, parseHardwarePolicy } from './hardware-policy.ts';
export type { HardwareLine, HardwareReport } from './hardware-report.ts';
