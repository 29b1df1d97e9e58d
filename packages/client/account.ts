/**
 * Accounts: made on the device, opened by locks (spec/client.md "Accounts", spec/vault.md "Locks"; unlock.ts). The server keeps
 * wrapped keys; it never sees what opens them.
 */
import { encodeBase64, encodeHex, equalBytes, parseBase64Url } from '@sotto/bytes';
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
import type { AccountPorts, OpenAccount, PasskeyAuthenticator, PasskeyResult } from './account-types.ts';
import { saveDevice } from './device-key.ts';
import { markRegistered, signInWithDevice } from './device-sign-in.ts';
import { openAccount, usedLockOf } from './epochs/open-account.ts';
import { ClientError } from './errors.ts';
import { refreshKeptLocks } from './kept-locks.ts';
import { FIRST_EPOCH } from './keyring.ts';

export type { AccountPorts, OpenAccount, PasskeyAuthenticator, PasskeyResult } from './account-types.ts';

/** Of a lock without a passkey. */
const NO_CREDENTIAL = '00'.repeat(32);

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
  api.signsInWith(() => signInWithDevice(ports, account));
  await refreshKeptLocks(ports);
  const used = { lockId: recovery.lookupId, kind: 'recovery-code', credential: NO_CREDENTIAL } as const;
  const opened = { accountKey, epoch: FIRST_EPOCH };
  return openAccount(ports, accountId, opened, await usedLockOf(used, recovery.kek, accountId));
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
    epoch: account.epochs?.epoch ?? FIRST_EPOCH,
    credentialId: parseBase64Url(credentialId),
    random,
  });
  await api.putLock(encodeHex(lockId), { kind: 'passkey-prf', lock: encodeBase64(lock), credentialId });
  await refreshKeptLocks(ports);
  return 'opens-chats';
}

/** One use of a passkey, with a challenge of the server that is then left to expire. */
async function use({ api }: AccountPorts, passkeys: PasskeyAuthenticator): Promise<PasskeyResult> {
  return passkeys.get(await api.passkeyRequestOptions(), PASSKEY_PRF_INPUT);
}

function recoveryRequest(recovery: { readonly lookupId: Uint8Array; readonly authenticator: Uint8Array }) {
  return { lookupId: encodeBase64(recovery.lookupId), authenticator: encodeBase64(recovery.authenticator) };
}
