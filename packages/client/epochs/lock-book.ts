/**
 * What the vault holds of locks and devices (spec/client.md "Locks and devices"): the keys to which a rotation seals, stated and
 * signed by devices, and the names that the person gave. Records come from the person's devices, or from one that was removed.
 */
import { encodeHex, SottoError } from '@sotto/bytes';
import type { Clock } from '@sotto/ports';
import type { UnknownContent } from '@sotto/vault';
import { encodeSetting, lockPublicKey, type OpenedRecord, SETTING_TYPE, settingName, settingsOf } from '@sotto/vault';
import { DEVICE_TYPE } from '@sotto/vault/heads';
import {
  deviceLockSecret,
  LOCK_KEY_TYPE,
  type LockStatement,
  settleLocks,
  signLock,
  type VerifiedLock,
  verifyLock,
} from '@sotto/vault/rotation';
import type { OpenAccount, UsedLock } from '../account-types.ts';
import type { History } from '../history.ts';
import { FIRST_EPOCH } from '../keyring.ts';

const NO_CREDENTIAL = '00'.repeat(32);
/** Names are shown in lists. */
const NAME_LIMIT = 60;

type Subject = 'lock-name' | 'device-name';
type HistoryPart = Pick<History, 'recordsOfType' | 'writeRecord' | 'nextClock' | 'deviceId'>;

export interface LockBook {
  /** Devices that belong to the account now: public key by id. */
  readonly devices: ReadonlyMap<string, Uint8Array>;
  /** Every statement that counts, of any device. */
  readonly statements: readonly VerifiedLock[];
  /** Ids of locks that devices give different keys. */
  readonly disputed: ReadonlySet<string>;
  /** Lock by id, as a rotation may seal to it. */
  readonly locks: ReadonlyMap<string, VerifiedLock>;
  /**
   * Ids of the locks that the account has: those that its newest epoch names, and those stated since. Undefined in the first
   * epoch, where nothing but the server's list says so.
   */
  readonly current: ReadonlySet<string> | undefined;
}

/** @param removedDevices whose word no longer counts */
export async function readLockBook(
  account: Pick<OpenAccount, 'accountId' | 'device' | 'epochs'>,
  history: Pick<History, 'recordsOfType'>,
  removedDevices: ReadonlySet<string> = new Set(),
): Promise<LockBook> {
  const { accountId, device, epochs } = account;
  const announcements = history.recordsOfType(DEVICE_TYPE);
  const devices = new Map(epochs?.devices(announcements));
  devices.set(encodeHex(device.deviceId), new Uint8Array(device.publicKey));
  for (const deviceId of removedDevices) devices.delete(deviceId);
  const statements: VerifiedLock[] = [];
  for (const { content } of history.recordsOfType(LOCK_KEY_TYPE)) {
    try {
      statements.push(await verifyLock(content as UnknownContent, accountId, devices));
    } catch (error) {
      // What does not verify counts for nothing; a lock without a statement is told when it matters.
      if (!(error instanceof SottoError)) throw error;
    }
  }
  const { newest } = epochs ?? {};
  const since = statements.filter(({ kind, epoch }) => kind !== 'device-key' && epoch >= (newest?.epoch ?? 0));
  const current = newest && new Set([...newest.locks.keys(), ...since.map(({ lockId }) => lockId)]);
  return { devices, statements, ...settleLocks(statements), current };
}

/**
 * States the lock that the account was opened with, and this device's own key, where this device has not done so: then a lock
 * survives the removal of the device that made it.
 */
export async function stateLocks(
  account: OpenAccount,
  history: HistoryPart,
  clock: Clock,
  more: readonly UsedLock[] = [],
): Promise<void> {
  const { accountId, device, usedLock } = account;
  const own = await lockPublicKey(deviceLockSecret(device), accountId);
  const deviceId = encodeHex(device.deviceId);
  const deviceLock: UsedLock = { lockId: deviceId, kind: 'device-key', credential: NO_CREDENTIAL, publicKey: own };
  const { statements, current } = await readLockBook(account, history);
  const used = usedLock !== undefined && (current === undefined || current.has(usedLock.lockId)) ? [usedLock] : [];
  const stated = new Set(statements.filter((each) => each.deviceId === deviceId).map(bindingOf));
  for (const lock of [deviceLock, ...used, ...more]) {
    if (stated.has(bindingOf(lock))) continue;
    const epoch = account.epochs?.epoch ?? FIRST_EPOCH;
    const atMs = Math.max(0, Math.trunc(clock.nowMs()));
    await history.writeRecord(await signLock(device, accountId, { ...lock, epoch, atMs }, history.nextClock()));
  }
}

/** The person's name for a lock or a device; undefined where none was given. */
export function namesOf(history: Pick<History, 'recordsOfType'>, subject: Subject): Map<string, string> {
  const names = new Map<string, string>();
  for (const [name, { value }] of settingsOf(history.recordsOfType(SETTING_TYPE))) {
    const [kind, id] = name.split(':');
    if (kind === subject && id !== undefined && typeof value === 'string') names.set(id, value);
  }
  return names;
}

/** An empty name takes the name away. */
export async function rename(history: HistoryPart, subject: Subject, id: string, text: string): Promise<void> {
  const name = text.trim().replace(/\s+/g, ' ').slice(0, NAME_LIMIT).toWellFormed();
  const setting = `${subject}:${id}`;
  // Each device rewrites its own record, so that two devices never overwrite each other.
  const own = history
    .recordsOfType(SETTING_TYPE)
    .find((record: OpenedRecord) => record.deviceId === history.deviceId && settingName(record) === setting);
  const content = encodeSetting(setting, name === '' ? null : name, history.nextClock());
  await history.writeRecord(content, own?.recordId);
}

function bindingOf({ lockId, kind, credential, publicKey }: Omit<LockStatement, 'atMs' | 'epoch'>): string {
  return `${lockId} ${kind} ${credential} ${encodeHex(publicKey)}`;
}
