/** What the panel of locks and devices works on. */
import type { LocksAndDevices, RotationPlan } from '@sotto/client/epochs';

export interface LocksSession {
  read(): Promise<LocksAndDevices>;
  addPasskey(): Promise<'opens-chats' | 'signs-in-only'>;
  /** A new code or phrase, to be shown and written down; it opens nothing before `addRecovery`. */
  draftRecovery(kind: 'recovery-code' | 'recovery-phrase'): Promise<string>;
  addRecovery(kind: 'recovery-code' | 'recovery-phrase', text: string): Promise<void>;
  renameLock(lockId: string, name: string): Promise<void>;
  renameDevice(deviceId: string, name: string): Promise<void>;
  /** A new key without what the plan removes. Rejects with `LockKeyMissing` and the locks that stand in the way. */
  rotate(plan: RotationPlan): Promise<void>;
}
