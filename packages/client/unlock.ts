/**
 * Opening an account (spec/client.md "Unlocking"). Where this device kept the lock, it opens at once and without the server, and
 * the account signs in by itself when the server can be reached; else the server signs in first and hands out the locks.
 */
import {
  encodeBase64,
  encodeBase64Url,
  encodeHex,
  equalBytes,
  parseBase64,
  parseBase64Url,
  parseHex,
} from '@sotto/bytes';
import {
  deriveRecovery,
  type LockSecret,
  looksLikePhrase,
  PASSKEY_PRF_INPUT,
  parseLockHeader,
  parseRecoveryCode,
  passkeyLockSecret,
} from '@sotto/vault';
import type { StatedKind } from '@sotto/vault/rotation';
import type { LocksAnswer } from '@sotto/wire';
import type { AccountPorts, OpenAccount, PasskeyAuthenticator } from './account-types.ts';
import { isRegistered, mayBeRegistered, registerDevice, signInWithDevice } from './device-sign-in.ts';
import { knownEpoch } from './epochs/epoch-memory.ts';
import { openAccount, openLock, usedLockOf } from './epochs/open-account.ts';
import { ClientError } from './errors.ts';
import { type KeptLock, keepLocks, keptLocks, type Lock, refreshKeptLocks } from './kept-locks.ts';

const CHALLENGE_BYTES = 32;

/**
 * @param text a recovery code, or a recovery phrase
 * @throws VaultError `recovery-code-…`, `recovery-phrase-…` before anything is sent; ClientError `recovery-refused`, `rate-limited`, `lock-missing`
 */
export async function unlockWithRecoveryCode(ports: AccountPorts, text: string): Promise<OpenAccount> {
  const { kind, secret } = await parseRecoveryText(text);
  const recovery = deriveRecovery(secret);
  const request = {
    lookupId: encodeBase64(recovery.lookupId),
    authenticator: encodeBase64(recovery.authenticator),
  };
  const signIn = () => ports.api.signInWithRecovery(request);
  const lockId = encodeHex(recovery.lookupId);
  const isIt = (lock: Lock) => lock.kind === kind && lock.lockId === lockId;
  const kept = (await keptLocks(ports.sealed)).find(({ lock }) => isIt(lock));
  if (kept !== undefined) {
    const opened = await openKept(ports, kept, kind, recovery.kek);
    if (opened !== undefined) return signingInLater(ports, opened, signIn);
  }
  const accountId = await signIn();
  const answer = await locksOf(ports, accountId);
  const found = answer.locks.find(isIt);
  if (found === undefined) throw new ClientError('lock-missing');
  return signedIn(ports, await open(ports, accountId, found, kind, recovery.kek), answer);
}

/**
 * @throws ClientError `passkey-unknown`; `passkey-no-lock` when the passkey signed in but opens nothing: the recovery code does
 */
export async function unlockWithPasskey(ports: AccountPorts, passkeys: PasskeyAuthenticator): Promise<OpenAccount> {
  const kept = (await keptLocks(ports.sealed)).filter(({ lock }) => lock.kind === 'passkey-prf');
  const options = await passkeyOptions(ports, kept);
  if (options === undefined) return unlockWithKeptPasskey(ports, passkeys, kept);
  const { response, prf } = await passkeys.get(options, PASSKEY_PRF_INPUT);
  const accountId = await ports.api.signInWithPasskey(response);
  const answer = await locksOf(ports, accountId);
  const found = answer.locks.find((lock) => lock.kind === 'passkey-prf' && lock.credentialId === response.id);
  if (found === undefined || prf === undefined) throw new ClientError('passkey-no-lock');
  const secret = passkeyLockSecret(prf);
  return signedIn(
    ports,
    await open(ports, accountId, found, 'passkey-prf', secret, parseBase64Url(response.id)),
    answer,
  );
}

/** The words of a phrase are loaded for who types some. @throws VaultError `recovery-code-…`, `recovery-phrase-…` */
export async function parseRecoveryText(text: string) {
  if (!looksLikePhrase(text)) return { kind: 'recovery-code', secret: parseRecoveryCode(text) } as const;
  const { parseRecoveryPhrase } = await import('@sotto/vault/phrase');
  return { kind: 'recovery-phrase', secret: parseRecoveryPhrase(text) } as const;
}

/** What the server asks of a passkey; undefined where this device can do without it. */
async function passkeyOptions(ports: AccountPorts, kept: readonly KeptLock[]): Promise<object | undefined> {
  for (const { accountId } of kept) {
    if (await mayBeRegistered(ports, parseHex(accountId, 16))) return undefined;
  }
  try {
    return await ports.api.passkeyRequestOptions();
  } catch (error) {
    const isOffline = error instanceof ClientError && error.code === 'network-unreachable';
    if (isOffline && kept.length > 0) return undefined;
    throw error;
  }
}

/**
 * CL-339: the challenge is this client's own, and what the passkey signed is thrown away: only its secret is used. A passkey
 * whose lock is not kept here is asked once more, for the server.
 */
async function unlockWithKeptPasskey(
  ports: AccountPorts,
  passkeys: PasskeyAuthenticator,
  kept: readonly KeptLock[],
): Promise<OpenAccount> {
  const challenge = encodeBase64Url(ports.random.bytes(CHALLENGE_BYTES));
  const { response, prf } = await passkeys.get({ challenge }, PASSKEY_PRF_INPUT);
  const found = kept.find(({ lock }) => lock.credentialId === response.id);
  const opened =
    found !== undefined && prf !== undefined
      ? await openKept(ports, found, 'passkey-prf', passkeyLockSecret(prf), parseBase64Url(response.id))
      : undefined;
  if (opened !== undefined) return signingInLater(ports, opened);
  if (found !== undefined && prf === undefined) throw new ClientError('passkey-no-lock');
  const { sealed: _, ...withServer } = ports;
  return unlockWithPasskey(withServer, passkeys);
}

/**
 * The account is open, and the server does not know it yet: signs in at once, or with the first request that needs it.
 *
 * @param other signs in where this device cannot, and gives back the account that was signed in
 */
export function signingInLater(ports: AccountPorts, account: OpenAccount, other?: () => Promise<string>): OpenAccount {
  const accountId = encodeHex(account.accountId);
  const signIn = async () => {
    if (await isRegistered(ports, account)) {
      try {
        return await signInWithDevice(ports, account);
      } catch (error) {
        const isRefused = error instanceof ClientError && error.code === 'device-refused';
        if (!isRefused || other === undefined) throw error;
      }
    }
    if (other === undefined) throw new ClientError('device-refused');
    // CL-341: what this account writes next would go into another one.
    if ((await other()) !== accountId) throw new ClientError('server-malformed', { rule: 'CL-341' });
    // Not waited for: it could wait for this very sign-in.
    void registerDevice(ports, account).catch(() => {});
  };
  ports.api.signsInWith({ accountId, signIn });
  // Signs in where the session is not there any more; without a server, what is asked of it next tries again.
  void refreshKeptLocks(ports);
  return account;
}

/** The server signed in first: this device is registered, so that it need not be asked the next time. */
async function signedIn(ports: AccountPorts, account: OpenAccount, answer: LocksAnswer): Promise<OpenAccount> {
  ports.api.signsInWith({ accountId: encodeHex(account.accountId), signIn: () => signInWithDevice(ports, account) });
  await registerDevice(ports, account).catch(() => {});
  await keepLocks(ports.sealed, answer).catch(() => {});
  return account;
}

async function locksOf({ api }: AccountPorts, accountId: string): Promise<LocksAnswer> {
  const answer = await api.locks();
  // CL-12: a server that mixes two accounts up, or tries to, must not get a key opened for the wrong one.
  if (answer.accountId !== accountId) throw new ClientError('lock-foreign', { rule: 'CL-12' });
  return answer;
}

/** Undefined where the kept copy does not open: it was damaged, or is older than the lock that the server has. */
async function openKept(
  ports: AccountPorts,
  { accountId, lock }: KeptLock,
  ...rest: [kind: StatedKind, secret: LockSecret, credentialId?: Uint8Array]
): Promise<OpenAccount | undefined> {
  try {
    return await open(ports, accountId, lock, ...rest);
  } catch {
    return undefined;
  }
}

async function open(
  ports: AccountPorts,
  accountIdHex: string,
  found: Lock,
  kind: StatedKind,
  secret: LockSecret,
  credentialId?: Uint8Array,
): Promise<OpenAccount> {
  const accountId = parseHex(accountIdHex, 16);
  const header = parseLockHeader(parseBase64(found.lock));
  // CL-12: the account id inside the lock is the one its maker bound; it must be the one that was signed in.
  if (!equalBytes(header.accountId, accountId)) throw new ClientError('lock-foreign', { rule: 'CL-12' });
  const lockId = parseHex(found.lockId, 16);
  const opened = await openLock({
    ...{ lock: found.lock, kind, secret, accountId, lockId },
    minimumEpoch: await knownEpoch(ports.device, accountId),
    ...(credentialId && { credentialId }),
  });
  const used = { lockId, kind, credential: encodeHex(header.credential) };
  return openAccount(ports, accountId, opened, await usedLockOf(used, secret, accountId));
}
