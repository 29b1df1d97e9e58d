/**
 * Accounts: made on the device, opened by locks (spec/client.md "Accounts", spec/vault.md "Locks"). The server signs a
 * person in and hands out wrapped keys; it never sees what opens them, and what it hands out is checked against whom it
 * signed in.
 */
import { encodeBase64, encodeHex, equalBytes, parseBase64, parseBase64Url, parseHex } from '@sotto/bytes';
import type { Clock, DeviceStore, Random, SealedStore } from '@sotto/ports';
import {
  type AccountKey,
  createAccountKey,
  createDeviceKeys,
  type DeviceKeys,
  deriveRecovery,
  type LockKind,
  type LockSecret,
  PASSKEY_PRF_INPUT,
  parseLockHeader,
  parseRecoveryCode,
  passkeyLockSecret,
  recoveryVerifier,
  signDeviceRecord,
  unwrapAccountKey,
  wrapAccountKey,
} from '@sotto/vault';
import type { LocksAnswer } from '@sotto/wire';
import { loadDevice, saveDevice } from './device-key.ts';
import { ClientError } from './errors.ts';
import { FIRST_EPOCH } from './keyring.ts';
import type { ServerApi } from './server-api.ts';
import type { TakingTurns } from './watch/turns.ts';

export interface AccountPorts {
  readonly api: ServerApi;
  readonly random: Random;
  readonly clock: Clock;
  /** Keeps this device's sealed signing key, and what it has seen, between visits. */
  readonly device: DeviceStore;
  /** What this device keeps of the account's history; without it, nothing is kept. */
  readonly sealed?: SealedStore;
  /** Runs work while no other tab of this browser does the same; in turn within this one where it is absent. */
  readonly takingTurns?: TakingTurns;
}

/** An unlocked account: in memory only. */
export interface OpenAccount {
  /** 16 bytes. */
  readonly accountId: Uint8Array<ArrayBuffer>;
  readonly accountKey: AccountKey;
  readonly device: DeviceKeys;
}

/** What the browser's authenticator gives back. `response` holds no extension result; `prf` never leaves the device. */
export interface PasskeyResult {
  readonly response: { readonly id: string };
  /** 32 bytes, where the authenticator evaluates PRF. */
  readonly prf: Uint8Array<ArrayBuffer> | undefined;
}

/** Passkey ceremonies; rejects with a `SottoError` such as `passkey-cancelled`. */
export interface PasskeyAuthenticator {
  isAvailable(): boolean;
  create(options: unknown, prfInput: Uint8Array<ArrayBuffer>): Promise<PasskeyResult>;
  get(options: unknown, prfInput: Uint8Array<ArrayBuffer>): Promise<PasskeyResult>;
}

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
  return account;
}

/**
 * @throws VaultError `recovery-code-…` before anything is sent; ClientError `recovery-refused`, `rate-limited`, `lock-missing`
 */
export async function unlockWithRecoveryCode(ports: AccountPorts, text: string): Promise<OpenAccount> {
  const recovery = deriveRecovery(parseRecoveryCode(text));
  const accountId = await ports.api.signInWithRecovery(recoveryRequest(recovery));
  const lockId = encodeHex(recovery.lookupId);
  const locks = await locksOf(ports.api, accountId);
  const found = locks.find((lock) => lock.kind === 'recovery-code' && lock.lockId === lockId);
  if (found === undefined) throw new ClientError('lock-missing');
  return open(ports, accountId, found, 'recovery-code', recovery.kek);
}

/**
 * @throws ClientError `passkey-unknown`; `passkey-no-lock` when the passkey signed in but opens nothing: the recovery code does
 */
export async function unlockWithPasskey(ports: AccountPorts, passkeys: PasskeyAuthenticator): Promise<OpenAccount> {
  const { response, prf } = await passkeys.get(await ports.api.passkeyRequestOptions(), PASSKEY_PRF_INPUT);
  const accountId = await ports.api.signInWithPasskey(response);
  const locks = await locksOf(ports.api, accountId);
  const found = locks.find((lock) => lock.kind === 'passkey-prf' && lock.credentialId === response.id);
  if (found === undefined || prf === undefined) throw new ClientError('passkey-no-lock');
  return open(ports, accountId, found, 'passkey-prf', passkeyLockSecret(prf), parseBase64Url(response.id));
}

/**
 * Adds a passkey to the open account. It becomes a lock only when two uses of it give the same secret; else it signs in and
 * opens nothing.
 */
export async function addPasskey(
  ports: AccountPorts,
  passkeys: PasskeyAuthenticator,
  account: OpenAccount,
): Promise<'opens-chats' | 'signs-in-only'> {
  const { api, random } = ports;
  const created = await passkeys.create(await api.passkeyCreationOptions(), PASSKEY_PRF_INPUT);
  const credentialId = await api.registerPasskey(created.response);
  const [first, second] = [await use(ports, passkeys), await use(ports, passkeys)];
  const sameCredential = first.response.id === credentialId && second.response.id === credentialId;
  if (!sameCredential || first.prf === undefined || second.prf === undefined) return 'signs-in-only';
  // CL-11: a lock under a secret that changes from use to use would never open again.
  if (!equalBytes(first.prf, second.prf)) return 'signs-in-only';
  const lockId = random.bytes(16);
  const lock = await wrapAccountKey({
    accountKey: account.accountKey,
    kind: 'passkey-prf',
    secret: passkeyLockSecret(first.prf),
    accountId: account.accountId,
    lockId,
    epoch: FIRST_EPOCH,
    credentialId: parseBase64Url(credentialId),
    random,
  });
  await api.putLock(encodeHex(lockId), { kind: 'passkey-prf', lock: encodeBase64(lock), credentialId });
  return 'opens-chats';
}

/** One use of a passkey, with a challenge of the server that is then left to expire. */
async function use({ api }: AccountPorts, passkeys: PasskeyAuthenticator): Promise<PasskeyResult> {
  return passkeys.get(await api.passkeyRequestOptions(), PASSKEY_PRF_INPUT);
}

function recoveryRequest(recovery: { readonly lookupId: Uint8Array; readonly authenticator: Uint8Array }) {
  return { lookupId: encodeBase64(recovery.lookupId), authenticator: encodeBase64(recovery.authenticator) };
}

async function locksOf(api: ServerApi, accountId: string): Promise<LocksAnswer['locks']> {
  const answer = await api.locks();
  // CL-12: a server that mixes two accounts up, or tries to, must not get a key opened for the wrong one.
  if (answer.accountId !== accountId) throw new ClientError('lock-foreign', { rule: 'CL-12' });
  return answer.locks;
}

async function open(
  ports: AccountPorts,
  accountIdHex: string,
  found: LocksAnswer['locks'][number],
  kind: LockKind,
  secret: LockSecret,
  credentialId?: Uint8Array,
): Promise<OpenAccount> {
  const accountId = parseHex(accountIdHex, 16);
  const lock = parseBase64(found.lock);
  // CL-12: the account id inside the lock is the one its maker bound; it must be the one that was signed in.
  if (!equalBytes(parseLockHeader(lock).accountId, accountId)) throw new ClientError('lock-foreign', { rule: 'CL-12' });
  const { accountKey } = await unwrapAccountKey({
    lock,
    secret,
    expectedKind: kind,
    expectedAccountId: accountId,
    expectedLockId: parseHex(found.lockId, 16),
    minimumEpoch: FIRST_EPOCH,
    ...(credentialId === undefined ? {} : { expectedCredentialId: credentialId }),
  });
  return { accountId, accountKey, device: await loadDevice(ports, accountId, accountKey) };
}
