/**
 * The person's own passphrase or PIN: a lock that opens the account in this browser alone (spec/client.md "Unlocking", spec/vault.md
 * "Passphrase"). Lock and device secret stay in a store that erases for good, and are sent to nobody: losing the browser's
 * data loses this lock. What the store gives back may have been changed by another program.
 */
import { ByteReader, BytesError, ByteWriter, encodeBase64, encodeHex, parseHex } from '@sotto/bytes';
import type { Clock, DeviceStore, Random, SealedStore, StretchPassphrase } from '@sotto/ports';
import {
  createPassphraseParameters,
  encodePassphraseParameters,
  LOCK_PUBLIC_KEY_BYTES,
  type LockSecret,
  lockPublicKey,
  type PassphraseParameters,
  parseLockHeader,
  parsePassphraseParameters,
  passphraseBytes,
  passphraseLockSecret,
  sealToLock,
  VaultError,
  wrapAccountKey,
} from '@sotto/vault';
import type { OpenAccount } from './account-types.ts';
import { knownEpoch } from './epochs/epoch-memory.ts';
import { openAccount, openLock } from './epochs/open-account.ts';
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
/** With the lock beside it that a rotation made; the first one goes on saying how the passphrase is stretched. */
const VERSION_REWRAPPED = 2;
const SEALED_LIMIT_BYTES = 2048;
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
  const secret = await secretOf(ports, passphrase, parameters, deviceSecret);
  const lockId = ports.random.bytes(16);
  const lock = await wrapAccountKey({
    accountKey,
    kind: 'device-passphrase',
    secret,
    accountId,
    lockId,
    epoch: account.epochs?.epoch ?? FIRST_EPOCH,
    parameters: encodePassphraseParameters(parameters),
    random: ports.random,
  });
  const publicKey = encodeHex(await lockPublicKey(secret, accountId));
  await account.epochs?.rememberPassphrase({ lockId: encodeHex(lockId), publicKey });
  await ports.erasable.set(lockName(accountId), encodeKept({ deviceSecret, lock }));
  await ports.erasable.delete(triesName(accountId));
}

/**
 * Wraps a newer account key for the passphrase of this browser, without asking for it (spec/vault.md "Sealed locks"). What it
 * seals to is what this device itself remembers, sealed, of the lock.
 */
export function rewrapPassphrase(
  ports: Pick<PassphrasePorts, 'erasable' | 'random' | 'takingTurns'>,
  account: OpenAccount,
): Promise<void> {
  return ports.takingTurns(lockName(account.accountId), () => rewrapInTurn(ports, account));
}

async function rewrapInTurn(
  ports: Pick<PassphrasePorts, 'erasable' | 'random'>,
  { accountId, accountKey, epochs }: OpenAccount,
): Promise<void> {
  const kept = await ports.erasable.get(lockName(accountId));
  // CL-382: a passphrase that its person removed meanwhile would open the account again
  if (kept === undefined || epochs === undefined) return;
  const { deviceSecret, lock } = parseKept(kept);
  const { lockId } = parseLockHeader(lock);
  const known = epochs.passphrase;
  // CL-323: the lock in the store may be another program's, and would be handed the new key
  if (known === undefined || known.lockId !== encodeHex(lockId)) return eraseInTurn(ports, accountId);
  const sealed = await sealToLock({
    accountKey,
    kind: 'device-passphrase',
    publicKey: parseHex(known.publicKey, LOCK_PUBLIC_KEY_BYTES),
    accountId,
    lockId,
    epoch: epochs.epoch,
    credential: new Uint8Array(32),
    random: ports.random,
  });
  await ports.erasable.set(lockName(accountId), encodeKept({ deviceSecret, lock, sealed }));
}

/** Erases lock and device secret: the passphrase opens nothing any more, a copy of the lock neither. */
export function removePassphrase(
  ports: Pick<PassphrasePorts, 'erasable' | 'takingTurns'>,
  accountId: Uint8Array,
): Promise<void> {
  return ports.takingTurns(lockName(accountId), () => eraseInTurn(ports, accountId));
}

async function eraseInTurn(ports: Pick<PassphrasePorts, 'erasable'>, accountId: Uint8Array): Promise<void> {
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
    const { deviceSecret, lock, sealed } = parseKept(kept);
    const header = parseLockHeader(lock);
    // CL-336: what the store asks of this device is bounded before it is done (VA-161, VA-162).
    const parameters = parsePassphraseParameters(header.parameters);
    await countTry(ports, accountId);
    const secret = await secretOf(ports, passphrase, parameters, deviceSecret);
    const minimumEpoch = await knownEpoch(ports.device, accountId);
    const kind = 'device-passphrase';
    const toOpen = {
      lock: encodeBase64(sealed ?? lock),
      kind,
      secret,
      accountId,
      lockId: header.lockId,
      minimumEpoch,
    } as const;
    try {
      const opened = await openLock(toOpen);
      await ports.erasable.delete(triesName(accountId));
      return await openAccount(ports, accountId, opened);
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

function parseKept(kept: Uint8Array): {
  readonly deviceSecret: Uint8Array;
  readonly lock: Uint8Array;
  readonly sealed?: Uint8Array;
} {
  try {
    const reader = new ByteReader(kept);
    const version = reader.u8();
    const parts = { deviceSecret: reader.take(SECRET_BYTES), lock: reader.vector16(LOCK_LIMIT_BYTES) };
    const sealed = version === VERSION_REWRAPPED ? reader.vector16(SEALED_LIMIT_BYTES) : undefined;
    reader.end();
    if (version !== VERSION && sealed === undefined) throw new VaultError('lock-version-unsupported', 'VA-33');
    return { ...parts, ...(sealed && { sealed }) };
  } catch (cause) {
    if (cause instanceof BytesError) throw new VaultError('lock-malformed', 'VA-31', { cause });
    throw cause;
  }
}

function encodeKept(kept: {
  readonly deviceSecret: Uint8Array;
  readonly lock: Uint8Array;
  readonly sealed?: Uint8Array;
}): Uint8Array<ArrayBuffer> {
  const { deviceSecret, lock, sealed } = kept;
  const writer = new ByteWriter()
    .u8(sealed ? VERSION_REWRAPPED : VERSION)
    .raw(deviceSecret)
    .vector16(lock);
  return (sealed ? writer.vector16(sealed) : writer).finish();
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
