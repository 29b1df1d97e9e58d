/** Rotation (spec/vault.md, "Rotation"): a new account key after a lock or a device was removed, and what the old one may still say. */
export { EPOCH_TYPE, type EpochStatement, signEpoch, type VerifiedEpoch, verifyEpoch } from './epoch-statement.ts';
export { cutLogs, judgeOldRecord, type Root, rootOf } from './root.ts';
