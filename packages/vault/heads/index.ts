/** Heads (spec/vault.md, "Heads"): signed logs of what each device wrote, and what comparing them finds. */
export { announceDevice, announcedKey, DEVICE_TYPE } from './announcement.ts';
export {
  type Assembled,
  assembleLogs,
  compareCode,
  compareLogs,
  type DeviceLog,
  type KnownPlaces,
  Manifest,
  placesOf,
  type ShownRecord,
} from './compare.ts';
export { digestOfBytes, type LogEntry, writeDigest } from './entry.ts';
export { type Finding, type FindingCode, finding } from './findings.ts';
export { type HeadToStore, OwnLog, type OwnLogState } from './own-log.ts';
export { HEAD_TYPE, type LogPlace, SEEN_LIMIT, SEGMENT_LIMIT, type VerifiedSegment, verifySegment } from './segment.ts';
