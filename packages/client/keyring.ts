/**
 * The keys of an unlocked account, epoch by epoch (spec/vault.md "Rotation"). Writes are sealed under the newest; records of
 * an earlier epoch are opened with its key.
 */
import { type AccountKey, deriveEpochKey, type EpochKey, type OpenedRecord } from '@sotto/vault';

/** The epoch an account begins with. */
export const FIRST_EPOCH = 1;

export interface Keyring {
  /** The newest epoch that is known here: 1 or more. */
  readonly epoch: number;
  /** Of that epoch. */
  readonly accountKey: AccountKey;
  /** Of that epoch: what is written is sealed under it. */
  readonly epochKey: EpochKey;
  /** Undefined for an epoch whose key is not known here. */
  keyOf(epoch: number): EpochKey | undefined;
  /**
   * Goes on to newer epochs with what was opened so far. True where a key was learnt: what did not open may open now. Absent
   * where there is one epoch for ever.
   *
   * @param records of types `key-chain` and `epoch`
   */
  catchUp?(records: readonly OpenedRecord[]): Promise<boolean>;
}

/** Of a guest, and of an account that was never rotated. @param accountId 16 bytes */
export function singleEpoch(accountKey: AccountKey, accountId: Uint8Array): Keyring {
  const epochKey = deriveEpochKey(accountKey, accountId, FIRST_EPOCH);
  return { epoch: FIRST_EPOCH, accountKey, epochKey, keyOf: (epoch) => (epoch === FIRST_EPOCH ? epochKey : undefined) };
}
