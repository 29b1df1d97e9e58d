/**
 * Accounts: made on the device, opened by locks (spec/client.md "Accounts", spec/vault.md "Locks"; unlock.ts). The server keeps
 * wrapped keys; it never sees what opens them.
 */
import { encodeBase64, encodeHex, equalBytes, parseBase64Url, SottoError } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import type { Random } from '@sotto/ports';
import {
  createAccountKey,
  createDeviceKeys,
  deriveRecovery,
  PASSKEY_PRF_INPUT,
  parseRecoveryCode,
  passkeyLockSecret,
  recoveryVerifier,
  signDeviceRecord,
  wrapAccountKey,
} from '@sotto/vault';
import type { AccountPorts, OpenAccount, PasskeyAuthenticator, PasskeyResult, UsedLock } from './account-types.ts';
import { saveDevice } from './device-key.ts';
import { markRegistered, signInWithDevice } from './device-sign-in.ts';
import { openAccount, usedLockOf } from './epochs/open-account.ts';
import { ClientError } from './errors.ts';
import { refreshKeptLocks } from './kept-locks.ts';
import { FIRST_EPOCH } from './keyring.ts';

export type { AccountPorts, OpenAccount, PasskeyAuthenticator, PasskeyResult } from './account-types.ts';

/** Of a lock without a passkey. */
const NO_CREDENTIAL = '00'.repeat(32);
/** WebAuthn §6.1: in the authenticator data, whether there is a copy of the passkey. */
const FLAGS_AT = 32;
const BACKUP_STATE = 0x10;

/** A new account on paper: made before the server hears of it, so that a lost answer can be followed by a second try. */
export interface NewAccount extends OpenAccount {
  readonly code: string;
}

/** Makes ids and keys for a new account that `code` will open. */
export async function draftAccount(code: string, random: Random): Promise<NewAccount> {
  return {
    accountId: random.bytes(16),
    accountKey: createAccountKey(random),
    device: await createDeviceKeys(random),
    code,
  };
}

/**
 * Registers a drafted account with its recovery lock. Safe to repeat: when an earlier try was applied and its answer was
 * lost, the second one signs in instead.
 *
 * @throws ClientError `account-exists` when the code belongs to another account; `rate-limited`, `network-unreachable`
 */
export async function registerAccount(ports: AccountPorts, account: NewAccount): Promise<OpenAccount> {
  const { api, random, clock } = ports;
  const { accountId, accountKey, device } = account;
  const recovery = deriveRecovery(parseRecoveryCode(account.code));
  const lock = await wrapAccountKey({
    accountKey,
    kind: 'recovery-code',
    secret: recovery.kek,
    accountId,
    lockId: recovery.lookupId,
    epoch: FIRST_EPOCH,
    random,
  });
  const record = await signDeviceRecord({ keys: device, accountId, epoch: FIRST_EPOCH, createdAtMs: clock.nowMs() });
  try {
    await api.createAccount({
      accountId: encodeHex(accountId),
      device: { publicKey: encodeBase64(device.publicKey), record: encodeBase64(record) },
      recovery: {
        lookupId: encodeBase64(recovery.lookupId),
        verifier: encodeBase64(recoveryVerifier(recovery.authenticator)),
      },
      lock: encodeBase64(lock),
    });
  } catch (error) {
    if (!(error instanceof ClientError) || error.code !== 'account-exists') throw error;
    const signedIn = await api.signInWithRecovery(recoveryRequest(recovery));
    if (signedIn !== encodeHex(accountId)) throw error;
  }
  await saveDevice(ports, account);
  await markRegistered(ports, account);
  api.signsInWith({ accountId: encodeHex(accountId), signIn: () => signInWithDevice(ports, account) });
  await refreshKeptLocks(ports);
  const used = { lockId: recovery.lookupId, kind: 'recovery-code', credential: NO_CREDENTIAL } as const;
  const opened = { accountKey, epoch: FIRST_EPOCH };
  return openAccount(ports, accountId, opened, await usedLockOf(used, recovery.kek, accountId));
}

/** A passkey that became a lock. */
export interface PasskeyLock {
  readonly lock: UsedLock;
  /** Whether the authenticator says that it keeps a copy elsewhere; one that says nothing is believed to keep none. */
  readonly isBackedUp: boolean;
}

/**
 * Adds a passkey to the open account. It becomes a lock only when two uses of it give the same secret; else it signs in and
 * opens nothing: undefined.
 *
 * @param refresh learns of a newer epoch, for which the lock is then made
 */
export async function createPasskeyLock(
  ports: AccountPorts,
  passkeys: PasskeyAuthenticator,
  account: OpenAccount,
  refresh?: () => Promise<void>,
): Promise<PasskeyLock | undefined> {
  const { api, random } = ports;
  const { accountId } = account;
  const created = await passkeys.create(await api.passkeyCreationOptions(), PASSKEY_PRF_INPUT);
  const credentialId = await api.registerPasskey(created.response);
  const [first, second] = [await use(ports, passkeys), await use(ports, passkeys)];
  const sameCredential = first.response.id === credentialId && second.response.id === credentialId;
  if (!sameCredential || first.prf === undefined || second.prf === undefined) return undefined;
  // CL-11: a lock under a secret that changes from use to use would never open again.
  if (!equalBytes(first.prf, second.prf)) return undefined;
  const [lockId, secret, kind] = [random.bytes(16), passkeyLockSecret(first.prf), 'passkey-prf'] as const;
  await inNewestEpoch(refresh, async () => {
    const lock = await wrapAccountKey({
      ...{ accountKey: account.accountKey, kind, secret, accountId, lockId, random },
      epoch: account.epochs?.epoch ?? FIRST_EPOCH,
      credentialId: parseBase64Url(credentialId),
    });
    await api.putLock(encodeHex(lockId), { kind, lock: encodeBase64(lock), credentialId });
  });
  await refreshKeptLocks(ports);
  const credential = encodeHex(sha256(parseBase64Url(credentialId)));
  return { lock: await usedLockOf({ lockId, kind, credential }, secret, accountId), isBackedUp: isBackedUp(second) };
}

/** Another device may have rotated a moment ago; what was made for the old key is made again for the new one (CL-333). */
export async function inNewestEpoch(
  refresh: (() => Promise<void>) | undefined,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (refresh === undefined || !(error instanceof ClientError) || error.code !== 'epoch-stale') throw error;
    await refresh();
    await work();
  }
}

/** The same where nothing is to be said of it in the vault yet. */
export async function addPasskey(
  ports: AccountPorts,
  passkeys: PasskeyAuthenticator,
  account: OpenAccount,
): Promise<'opens-chats' | 'signs-in-only'> {
  return (await createPasskeyLock(ports, passkeys, account)) === undefined ? 'signs-in-only' : 'opens-chats';
}

function isBackedUp({ response }: PasskeyResult): boolean {
  const { authenticatorData } = (response as { response?: { authenticatorData?: unknown } }).response ?? {};
  try {
    return ((parseBase64Url(String(authenticatorData))[FLAGS_AT] ?? 0) & BACKUP_STATE) !== 0;
  } catch (error) {
    if (error instanceof SottoError) return false;
    throw error;
  }
}

/** One use of a passkey, with a challenge of the server that is then left to expire. */
async function use({ api }: AccountPorts, passkeys: PasskeyAuthenticator): Promise<PasskeyResult> {
  return passkeys.get(await api.passkeyRequestOptions(), PASSKEY_PRF_INPUT);
}

function recoveryRequest(recovery: { readonly lookupId: Uint8Array; readonly authenticator: Uint8Array }) {
  return { lookupId: encodeBase64(recovery.lookupId), authenticator: encodeBase64(recovery.authenticator) };
}
