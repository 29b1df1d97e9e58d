/**
 * Locks and devices, as their person sees and changes them (spec/client.md "Locks and devices"). The server's list is checked
 * against the newest epoch; names, and when a lock was made, come from the vault, where the server does not see them.
 */
import { encodeBase64, encodeHex, parseBase64 } from '@sotto/bytes';
import {
  deriveRecovery,
  encodeSetting,
  parseRecoveryCode,
  recoveryVerifier,
  SETTING_TYPE,
  settingsOf,
  wrapAccountKey,
} from '@sotto/vault';
import type { Finding } from '@sotto/vault/heads';
import { judgeLockList } from '@sotto/vault/rotation';
import { createPasskeyLock, inNewestEpoch } from '../account.ts';
import type { AccountPorts, OpenAccount, PasskeyAuthenticator, UsedLock } from '../account-types.ts';
import type { History } from '../history.ts';
import { refreshKeptLocks } from '../kept-locks.ts';
import type { AccountEpochs } from './account-epochs.ts';
import { namesOf, readLockBook, rename, stateLocks } from './lock-book.ts';
import { usedLockOf } from './open-account.ts';

const NO_CREDENTIAL = '00'.repeat(32);
/** Where a passkey is kept, as its authenticator said when it was made. */
const PLACE = 'lock-place';

type Account = OpenAccount & { readonly epochs: AccountEpochs };

export interface LockView {
  /** 16 bytes as hex; of a passkey that opens nothing, its credential id. */
  readonly lockId: string;
  readonly kind: 'passkey' | 'recovery-code' | 'recovery-phrase' | 'passkey-without-lock';
  readonly name: string | undefined;
  readonly madeAtMs: number | undefined;
  /** Of a passkey, as the server knows it. */
  readonly lastUsedAtMs: number | undefined;
  /** The account was opened with it here. */
  readonly isInUse: boolean;
  /** A passkey that lies on one device alone, and goes with it. */
  readonly mayVanish: boolean;
  /** False for one that a rotation cannot carry over before it was used once on a device that remains. */
  readonly canBeCarried: boolean;
}

export interface DeviceView {
  readonly deviceId: string;
  readonly name: string | undefined;
  readonly lastWroteAtMs: number | undefined;
  readonly isThis: boolean;
}

export interface LocksAndDevices {
  readonly locks: readonly LockView[];
  readonly devices: readonly DeviceView[];
  readonly epoch: number;
  /** Records that are still sealed under an earlier key. */
  readonly olderCount: number;
  /** What the server's list of locks says otherwise than the vault. */
  readonly findings: readonly Finding[];
}

export async function locksAndDevices(
  { api }: Pick<AccountPorts, 'api'>,
  account: Account,
  history: History,
): Promise<LocksAndDevices> {
  const [{ locks: shown }, passkeys] = [await api.locks(), await api.passkeys()];
  const book = await readLockBook(account, history);
  const findings = findingsOf(account, book.current, shown);
  const suspect = new Set(findings.filter(({ code }) => code === 'lock-unknown').map(({ recordId }) => recordId));
  const [lockNames, deviceNames] = [namesOf(history, 'lock-name'), namesOf(history, 'device-name')];
  const places = settingsOf(history.recordsOfType(SETTING_TYPE));
  const known = new Set<string>();
  const locks = shown
    .filter(({ lockId }) => !suspect.has(lockId))
    .map(({ lockId, kind, credentialId }): LockView => {
      if (credentialId !== undefined) known.add(credentialId);
      const stated = book.locks.get(lockId);
      const passkey = passkeys.find((each) => each.credentialId === credentialId);
      const made = book.statements.filter((each) => each.lockId === lockId).map(({ atMs }) => atMs);
      return {
        lockId,
        kind: kind === 'passkey-prf' ? 'passkey' : kind,
        name: lockNames.get(lockId),
        madeAtMs: made.length > 0 ? Math.min(...made) : passkey?.createdAtMs,
        lastUsedAtMs: passkey?.lastUsedAtMs,
        isInUse: account.usedLock?.lockId === lockId,
        mayVanish: places.get(`${PLACE}:${lockId}`)?.value === 'one-device',
        canBeCarried: stated !== undefined,
      };
    });
  const withoutLock = passkeys
    .filter(({ credentialId }) => !known.has(credentialId))
    .map(
      ({ credentialId, createdAtMs, lastUsedAtMs }): LockView => ({
        ...{ lockId: credentialId, kind: 'passkey-without-lock', name: undefined, madeAtMs: createdAtMs, lastUsedAtMs },
        ...{ isInUse: false, mayVanish: false, canBeCarried: true },
      }),
    );
  const own = encodeHex(account.device.deviceId);
  const writes = new Map(history.devices().map(({ deviceId, atMs }) => [deviceId, atMs]));
  const devices = [...book.devices.keys()].map((deviceId) => ({
    ...{ deviceId, name: deviceNames.get(deviceId), lastWroteAtMs: writes.get(deviceId), isThis: deviceId === own },
  }));
  devices.sort((a, b) => Number(b.isThis) - Number(a.isThis) || (b.lastWroteAtMs ?? 0) - (a.lastWroteAtMs ?? 0));
  const { olderCount } = history;
  return { locks: [...locks, ...withoutLock], devices, epoch: account.epochs.epoch, olderCount, findings };
}

/** Compares the server's list of locks with the newest epoch; what is found is among the history's findings from then on. */
export async function checkLocks(
  { api }: Pick<AccountPorts, 'api'>,
  account: Account,
  history: History,
): Promise<readonly Finding[]> {
  const { current } = await readLockBook(account, history);
  const findings = findingsOf(account, current, (await api.locks()).locks);
  const isNew = findings.length !== account.epochs.lockFindings.length;
  account.epochs.lockFindings = findings;
  if (isNew) await history.refresh();
  return findings;
}

function findingsOf(
  { epochs }: Account,
  current: ReadonlySet<string> | undefined,
  shown: readonly { readonly lockId: string; readonly lock: string }[],
): readonly Finding[] {
  const { newest } = epochs;
  if (newest === undefined || current === undefined) return [];
  const listed = shown.map(({ lockId, lock }) => ({ lockId, lock: parseBase64(lock) }));
  return judgeLockList(newest, listed, current);
}

/** Gives a lock or a device a name; an empty one takes it away. */
export function renameLock(history: History, lockId: string, name: string): Promise<void> {
  return rename(history, 'lock-name', lockId, name);
}

export function renameDevice(history: History, deviceId: string, name: string): Promise<void> {
  return rename(history, 'device-name', deviceId, name);
}

/**
 * Adds a recovery code or phrase, which the person has written down.
 *
 * @throws VaultError `recovery-…`; ClientError `locks-full`
 */
export async function addRecovery(
  ports: AccountPorts,
  account: Account,
  history: History,
  kind: 'recovery-code' | 'recovery-phrase',
  text: string,
): Promise<void> {
  const recovery = deriveRecovery(await parseRecovery(kind, text));
  const lockId = recovery.lookupId;
  const { accountId } = account;
  const secret = recovery.kek;
  await inNewestEpoch(
    () => history.refresh(),
    async () => {
      const { accountKey, epoch } = account.epochs;
      const lock = await wrapAccountKey({ accountKey, kind, secret, accountId, lockId, epoch, random: ports.random });
      await ports.api.addRecovery({
        kind,
        lookupId: encodeBase64(lockId),
        verifier: encodeBase64(recoveryVerifier(recovery.authenticator)),
        lock: encodeBase64(lock),
      });
    },
  );
  const used = await usedLockOf({ lockId, kind, credential: NO_CREDENTIAL }, secret, accountId);
  await added(ports, account, history, used);
}

async function parseRecovery(kind: 'recovery-code' | 'recovery-phrase', text: string) {
  if (kind === 'recovery-code') return parseRecoveryCode(text);
  return (await import('@sotto/vault/phrase')).parseRecoveryPhrase(text);
}

/** Adds a passkey to the open account, as `createPasskeyLock`; what is known of it is kept in the vault. */
export async function addPasskeyLock(
  ports: AccountPorts,
  passkeys: PasskeyAuthenticator,
  account: Account,
  history: History,
): Promise<'opens-chats' | 'signs-in-only'> {
  const made = await createPasskeyLock(ports, passkeys, account, () => history.refresh());
  if (made === undefined) return 'signs-in-only';
  await added(ports, account, history, made.lock);
  const place = made.isBackedUp ? 'backed-up' : 'one-device';
  await history.writeRecord(encodeSetting(`${PLACE}:${made.lock.lockId}`, place, history.nextClock()));
  return 'opens-chats';
}

/** A lock is stated in the vault as soon as the server has it, or the next rotation could not carry it over (CL-332). */
async function added(ports: AccountPorts, account: Account, history: History, lock: UsedLock): Promise<void> {
  await stateLocks(account, history, ports.clock, [lock]);
  await refreshKeptLocks(ports);
}
