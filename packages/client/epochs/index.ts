/** Locks, devices and rotation (spec/client.md "Locks and devices"): loaded when somebody looks at them. */
export { type AccountEpochs, openAccountEpochs } from './account-epochs.ts';
export { forgetEpochs } from './epoch-memory.ts';
export { namesOf, stateLocks } from './lock-book.ts';
export {
  addPasskeyLock,
  addRecovery,
  checkLocks,
  type DeviceView,
  type LocksAndDevices,
  type LockView,
  locksAndDevices,
  renameDevice,
  renameLock,
} from './manage.ts';
export { LockKeyMissing, type RotationPlan, rotate } from './rotate.ts';
export { sealOlder } from './seal-older.ts';
export { sendUnsent } from './unsent.ts';
