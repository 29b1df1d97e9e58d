/**
 * The person's own passphrase or PIN: a lock that opens the account in this browser alone (spec/client.md "Unlocking", spec/vault.md
 * "Passphrase"). Lock and device secret stay in a store that erases for good, and are sent to nobody: losing the browser's
 * data loses this lock. What the store gives back may have been changed by another program.
 */
import { ByteReader, BytesError, ByteWriter, encodeHex } from '@sotto/bytes';
import type { Clock, DeviceStore, Random, SealedStore, StretchPassphrase } from '@sotto/ports';
import {
  createPassphraseParameters,
  encodePassphraseParameters,
  type LockSecret,
  type PassphraseParameters,
  parseLockHeader,
  parsePassphraseParameters,
  passphraseBytes,
  passphraseLockSecret,
  unwrapAccountKey,
  VaultError,
  wrapAccountKey,
} from '@sotto/vault';
import type { OpenAccount } from './account-types.ts';
import { loadDevice } from './device-key.ts';
import { ClientError } from './errors.ts';
import { keptLocks } from './kept-locks.ts';
import { FIRST_EPOCH } from './keyring.ts';
import type { TakingTurns } from './watch/turns.ts';

export interface PassphrasePorts {
  readonly random: Random;
  readonly clock: Clock;
  readonly device: DeviceStore;
  readonly sealed?: SealedStore;
  /** Erases for good what is deleted in it. */
  readonly erasable: DeviceStore;
  readonly stretch: StretchPassphrase;
  readonly takingTurns: TakingTurns;
}

export const PASSPHRASE_LEAST_CHARACTERS = 6;
const SECRET_BYTES = 32;
const LOCK_LIMIT_BYTES = 1024;
const VERSION = 1;
const FREE_TRIES = 5;
const FIRST_WAIT_MS = 30_000;
const LONGEST_WAIT_MS = 60 * 60 * 1000;

export interface PassphraseTries {
  /** Wrong ones since the last right one. */
  readonly count: number;
  /** When the next one may be made; in the past where it may be made now. */
  readonly notBeforeMs: number;
}

export async function hasPassphrase(ports: Pick<PassphrasePorts, 'erasable'>, accountId: Uint8Array): Promise<boolean> {
  return (await ports.erasable.get(lockName(accountId))) !== undefined;
}

/**
 * Makes the passphrase of this browser, in place of the one before.
 *
 * @throws ClientError `passphrase-too-short`, `passphrase-only-lock`; what the store or the worker refuse
 */
export async function setPassphrase(ports: PassphrasePorts, account: OpenAccount, passphrase: string): Promise<void> {
  const { accountId, accountKey } = account;
  const isShort = [...passphrase.normalize('NFKC')].length < PASSPHRASE_LEAST_CHARACTERS;
  // CL-337: a word that is guessed in a few tries protects nothing.
  if (isShort) throw new ClientError('passphrase-too-short', { rule: 'CL-337' });
  const others = (await keptLocks(ports.sealed)).filter((kept) => kept.accountId === encodeHex(accountId));
  // CL-338: whoever loses this browser would lose the chats with it.
  if (others.length === 0) throw new ClientError('passphrase-only-lock', { rule: 'CL-338' });
  const parameters = createPassphraseParameters(ports.random);
  const deviceSecret = ports.random.bytes(SECRET_BYTES);
  const lock = await wrapAccountKey({
    accountKey,
    kind: 'device-passphrase',
    secret: await secretOf(ports, passphrase, parameters, deviceSecret),
    accountId,
    lockId: ports.random.bytes(16),
    epoch: account.epochs?.epoch ?? FIRST_EPOCH,
    parameters: encodePassphraseParameters(parameters),
    random: ports.random,
  });
  const value = new ByteWriter().u8(VERSION).raw(deviceSecret).vector16(lock).finish();
  await ports.erasable.set(lockName(accountId), value);
  await ports.erasable.delete(triesName(accountId));
}

/** Erases lock and device secret: the passphrase opens nothing any more, a copy of the lock neither. */
export async function removePassphrase(ports: Pick<PassphrasePorts, 'erasable'>, accountId: Uint8Array): Promise<void> {
  await ports.erasable.delete(lockName(accountId));
  await ports.erasable.delete(triesName(accountId));
}

/**
 * Opens the account on this device, without the server.
 *
 * @throws ClientError `passphrase-missing`, `passphrase-wait`, `passphrase-wrong`; VaultError `passphrase-too-cheap`,
 *   `passphrase-too-costly`, `lock-…` for a lock that somebody changed
 */
export function unlockWithPassphrase(
  ports: PassphrasePorts,
  accountId: Uint8Array<ArrayBuffer>,
  passphrase: string,
): Promise<OpenAccount> {
  // One try at a time: tabs side by side must not have tries of their own.
  return ports.takingTurns(lockName(accountId), async () => {
    const kept = await ports.erasable.get(lockName(accountId));
    if (kept === undefined) throw new ClientError('passphrase-missing');
    const { deviceSecret, lock } = parseKept(kept);
    const header = parseLockHeader(lock);
    // CL-336: what the store asks of this device is bounded before it is done (VA-161, VA-162).
    const parameters = parsePassphraseParameters(header.parameters);
    await countTry(ports, accountId);
    const secret = await secretOf(ports, passphrase, parameters, deviceSecret);
    const expected = { expectedAccountId: accountId, expectedLockId: header.lockId, minimumEpoch: FIRST_EPOCH };
    try {
      const { accountKey } = await unwrapAccountKey({ lock, secret, expectedKind: 'device-passphrase', ...expected });
      await ports.erasable.delete(triesName(accountId));
      return { accountId, accountKey, device: await loadDevice(ports, accountId, accountKey) };
    } catch (cause) {
      const isWrong = cause instanceof VaultError && cause.code === 'lock-commitment-mismatch';
      throw isWrong ? new ClientError('passphrase-wrong', { cause }) : cause;
    }
  });
}

/** How often a wrong passphrase was tried, and until when the next try waits. */
export async function passphraseTries(
  ports: Pick<PassphrasePorts, 'erasable' | 'clock'>,
  accountId: Uint8Array,
): Promise<PassphraseTries> {
  const kept = await ports.erasable.get(triesName(accountId));
  if (kept === undefined) return { count: 0, notBeforeMs: 0 };
  const { count, atMs: keptAtMs } = parseTries(kept);
  const nowMs = ports.clock.nowMs();
  // A clock that was set back begins the wait anew, once: it must not end it, nor make it last for years.
  if (keptAtMs > nowMs) await ports.erasable.set(triesName(accountId), encodeTries(count, nowMs));
  const atMs = Math.min(keptAtMs, nowMs);
  const over = count - FREE_TRIES;
  const waitMs = over < 0 ? 0 : Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(over, 20));
  return { count, notBeforeMs: atMs + waitMs };
}

/** Counted before it is made: closing the page in time must not save a try. */
async function countTry(ports: PassphrasePorts, accountId: Uint8Array): Promise<void> {
  const { count, notBeforeMs } = await passphraseTries(ports, accountId);
  const nowMs = ports.clock.nowMs();
  // CL-337: whoever sits down at this browser must not try one after the other.
  if (nowMs < notBeforeMs) throw new ClientError('passphrase-wait', { rule: 'CL-337' });
  await ports.erasable.set(triesName(accountId), encodeTries(Math.min(count + 1, 1_000_000), nowMs));
}

async function secretOf(
  { stretch }: PassphrasePorts,
  passphrase: string,
  { salt, ...cost }: PassphraseParameters,
  deviceSecret: Uint8Array,
): Promise<LockSecret> {
  const stretched = await stretch({ message: passphraseBytes(passphrase), salt: new Uint8Array(salt), ...cost });
  return passphraseLockSecret(stretched, deviceSecret);
}

function lockName(accountId: Uint8Array): string {
  return `passphrase/${encodeHex(accountId)}`;
}

function triesName(accountId: Uint8Array): string {
  return `passphrase-tries/${encodeHex(accountId)}`;
}

function parseKept(kept: Uint8Array) {
  try {
    const reader = new ByteReader(kept);
    const isKnown = reader.u8() === VERSION;
    const parts = { deviceSecret: reader.take(SECRET_BYTES), lock: reader.vector16(LOCK_LIMIT_BYTES) };
    reader.end();
    if (!isKnown) throw new VaultError('lock-version-unsupported', 'VA-33');
    return parts;
  } catch (cause) {
    if (cause instanceof BytesError) throw new VaultError('lock-malformed', 'VA-31', { cause });
    throw cause;
  }
}

function encodeTries(count: number, atMs: number): Uint8Array<ArrayBuffer> {
  return new ByteWriter()
    .u32(count)
    .u64(Math.max(0, Math.trunc(atMs)))
    .finish();
}

/** A count that was damaged is a high one. */
function parseTries(kept: Uint8Array): { readonly count: number; readonly atMs: number } {
  try {
    const reader = new ByteReader(kept);
    return { count: reader.u32(), atMs: reader.u64Number() };
  } catch (cause) {
    if (cause instanceof BytesError) return { count: FREE_TRIES, atMs: Number.MAX_SAFE_INTEGER };
    throw cause;
  }
}
