/** Accounts and their watched histories: apart from the rest, so that an app loads them when somebody opens one. */
export { createRecoveryCode } from '@sotto/vault';
export {
  type AccountPorts,
  addPasskey,
  draftAccount,
  type OpenAccount,
  type PasskeyAuthenticator,
  type PasskeyResult,
  registerAccount,
} from './account.ts';
export { AccountKeeper } from './archive/account-keeper.ts';
export {
  forgetAccount,
  keepLocalKey,
  type LocalArea,
  type LocalPorts,
  localName,
  openLocalKey,
} from './archive/local-key.ts';
export { forgetKept, openAccountHistory } from './archive/open-history.ts';
export { forgetDevice, markRegistered, registerDevice } from './device-sign-in.ts';
export { ClientError } from './errors.ts';
export { Keeper } from './keep.ts';
export { FIRST_EPOCH, type Keyring, singleEpoch } from './keyring.ts';
export {
  hasPassphrase,
  PASSPHRASE_LEAST_CHARACTERS,
  type PassphrasePorts,
  type PassphraseTries,
  passphraseTries,
  removePassphrase,
  rewrapPassphrase,
  setPassphrase,
  unlockWithPassphrase,
} from './passphrase-lock.ts';
export { type LockAtHand, removeAccount } from './remove-account.ts';
export {
  forgetUnlocked,
  renewUnlocked,
  resumeUnlocked,
  type StayPorts,
  staysUnlocked,
  stayUnlocked,
} from './stay-unlocked.ts';
export type { AccountSync } from './sync/account-sync.ts';
export type { SyncProblem, SyncState } from './sync/sync-types.ts';
export { signingInLater, unlockWithPasskey, unlockWithRecoveryCode } from './unlock.ts';
export { createTurns, type TakingTurns } from './watch/turns.ts';
export { Watch, type WatchOptions, watchOver } from './watch/watch.ts';
