/**
 * The local key (spec/client.md "On this device"): 32 random bytes of this device and account, which seal everything kept here.
 * It is itself kept sealed under the account key, so that a rotation seals one value anew. It is in memory while the account
 * is unlocked, and nowhere in clear. The store is another program's to change: what does not open is as if it were gone.
 */
import { encodeHex, SottoError } from '@sotto/bytes';
import type { Random, SealedStore } from '@sotto/ports';
import {
  type AccountKey,
  createLocalKey,
  LocalKey,
  type LocalOwner,
  openLocal,
  sealLocal,
  unsafeRevealSecret,
} from '@sotto/vault';
import type { TakingTurns } from '../watch/turns.ts';

/** What every part that keeps something on this device is given. */
export interface LocalPorts {
  readonly sealed: SealedStore;
  readonly random: Random;
  /** Runs work while no other tab of this browser does. */
  readonly takingTurns: TakingTurns;
}

/** Areas of one account: a name is `acct/<account id>/<area>` and, where there are several, `/` and ids or numbers. */
export type LocalArea =
  | 'key'
  | 'watch'
  | 'list'
  | 'pack'
  | 'marks'
  | 'outbox'
  | 'unsent'
  | 'cursor'
  | 'locks'
  | 'search'
  | 'blob';

/** @param accountId 16 bytes. @returns the name of an area's one value, and with `/` the prefix of its names */
export function localName(accountId: Uint8Array, area: LocalArea): string {
  return `${accountPrefix(accountId)}${area}`;
}

/**
 * Opens the local key, or makes it at the first use on this device. Where nothing opens it, everything that was sealed under
 * it is lost: it is erased, and a new one begins.
 *
 * @param earlierKeys asked only where the account's own key does not open it: the device was away during a rotation. What
 *   it rejects with (`network-unreachable`) is thrown on, and nothing is erased
 * @throws SottoError `store-full`, `store-unavailable`
 */
export async function openLocalKey(
  ports: LocalPorts,
  account: { readonly accountId: Uint8Array; readonly accountKey: AccountKey },
  earlierKeys: () => Promise<readonly AccountKey[]> = async () => [],
): Promise<LocalOwner> {
  const { accountId, accountKey } = account;
  return ports.takingTurns(`local-key/${encodeHex(accountId)}`, async () => {
    const [kept] = await ports.sealed.get([localName(accountId, 'key')]);
    if (kept === undefined) return keepLocalKey(ports, accountKey, { accountId, key: createLocalKey(ports.random) });
    const opened = await tryKey(accountId, accountKey, kept);
    if (opened !== undefined) return opened;
    for (const earlier of await earlierKeys()) {
      const owner = await tryKey(accountId, earlier, kept);
      // CL-231: sealed anew, so that the key that a rotation put out of use opens nothing written from now on
      if (owner !== undefined) return keepLocalKey(ports, accountKey, owner);
    }
    await eraseButLocks(ports.sealed, accountId);
    return keepLocalKey(ports, accountKey, { accountId, key: createLocalKey(ports.random) });
  });
}

/**
 * Seals the local key under another account key: what a rotation does on a device that is there. What it was sealed as before
 * leaves the storage's own files too.
 */
export async function keepLocalKey(
  ports: Pick<LocalPorts, 'sealed' | 'random'>,
  accountKey: AccountKey,
  owner: LocalOwner,
): Promise<LocalOwner> {
  const name = localName(owner.accountId, 'key');
  const wrapped = { accountId: owner.accountId, key: accountKey };
  const value = await sealLocal(wrapped, name, unsafeRevealSecret(owner.key), ports.random);
  const [earlier] = await ports.sealed.get([name]);
  await ports.sealed.write([{ name, value }]);
  // CL-265: who reads the files, and has a key that is out of use, would open with it all that is sealed from now on
  if (earlier !== undefined) await ports.sealed.purge();
  return owner;
}

/** Erases everything that this device keeps of an account, also from the storage's own files. */
export async function forgetAccount(sealed: SealedStore, accountId: Uint8Array): Promise<void> {
  await sealed.erase(accountPrefix(accountId));
  await sealed.purge();
}

async function tryKey(accountId: Uint8Array, key: AccountKey, kept: Uint8Array): Promise<LocalOwner | undefined> {
  try {
    return { accountId, key: new LocalKey(await openLocal({ accountId, key }, localName(accountId, 'key'), kept)) };
  } catch (error) {
    // CL-230: what another program changed must not lock a person out of their own chats
    if (error instanceof SottoError) return undefined;
    throw error;
  }
}

/** The cached locks are not under the local key, and open the account without a network. */
async function eraseButLocks(sealed: SealedStore, accountId: Uint8Array): Promise<void> {
  const locks = await sealed.list(localName(accountId, 'locks'));
  await sealed.erase(accountPrefix(accountId));
  await sealed.write(locks);
  await sealed.purge();
}

function accountPrefix(accountId: Uint8Array): string {
  return `acct/${encodeHex(accountId)}/`;
}
