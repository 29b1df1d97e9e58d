/** Rotation (spec/vault.md, "Rotation"): a new account key after a lock or a device was removed, and what the old one may still say. */
export {
  EPOCH_TYPE,
  type EpochStatement,
  parseEpoch,
  rememberedEpoch,
  signEpoch,
  type VerifiedEpoch,
  verifyEpoch,
} from './epoch-statement.ts';
export {
  type Announced,
  assertContinues,
  believedByEpochs,
  devicesOf,
  type JudgedByEpochs,
  judgeByEpochs,
  type Lineage,
  verifyLineage,
} from './lineage.ts';
export { judgeLockList, lockDigest, type ShownLock } from './lock-list.ts';
export {
  LOCK_KEY_TYPE,
  type LockStatement,
  type StatedKind,
  settleLocks,
  signLock,
  type VerifiedLock,
  verifyLock,
} from './lock-statement.ts';
export { deviceLockSecret, encodeNextKey, NEXT_KEY_TYPE, type NextKey, parseNextKey } from './next-key.ts';
export { cutLogs, judgeOldRecord, type Root, rootOf } from './root.ts';
