/**
 * "Stay unlocked on this device" (spec/client.md "Unlocking"): the account key in clear, where what is deleted is gone. Whoever
 * takes this browser's profile meanwhile reads the chats; it is off unless the person asks for it, who is told so.
 */
import { ByteReader, BytesError, ByteWriter } from '@sotto/bytes';
import type { Clock, DeviceStore, Random } from '@sotto/ports';
import { AccountKey, unsafeRevealSecret, VaultError } from '@sotto/vault';
import type { OpenAccount } from './account-types.ts';
import type { OpenedKey } from './epochs/account-epochs.ts';
import { openAccount } from './epochs/open-account.ts';
import { FIRST_EPOCH } from './keyring.ts';
import type { TakingTurns } from './watch/turns.ts';

const NAME = 'unlocked';
const VERSION = 1;

export interface StayPorts {
  readonly random: Random;
  readonly clock: Clock;
  readonly device: DeviceStore;
  /** Erases for good what is deleted in it. */
  readonly erasable: DeviceStore;
  /** Runs work while no other tab of this browser does. */
  readonly takingTurns: TakingTurns;
}

export async function staysUnlocked(ports: Pick<StayPorts, 'erasable'>): Promise<boolean> {
  return (await ports.erasable.get(NAME)) !== undefined;
}

export async function stayUnlocked(
  ports: Pick<StayPorts, 'erasable'>,
  { accountId, accountKey, epochs }: OpenAccount,
): Promise<void> {
  const epoch = epochs?.epoch ?? FIRST_EPOCH;
  const value = new ByteWriter().u8(VERSION).raw(accountId).u32(epoch).raw(unsafeRevealSecret(accountKey)).finish();
  await ports.erasable.set(NAME, value);
}

/** With the key of a newer epoch, where the account still stays unlocked. */
export function renewUnlocked(ports: Pick<StayPorts, 'erasable' | 'takingTurns'>, account: OpenAccount): Promise<void> {
  return ports.takingTurns(NAME, async () => {
    // CL-382: a key that is written after its person locked lies there until somebody takes it
    if (!(await staysUnlocked(ports))) return;
    await stayUnlocked(ports, account);
  });
}

/** At every lock and sign-out, and when the person turns it off. In turn: what is being written anew goes as well. */
export function forgetUnlocked(ports: Pick<StayPorts, 'erasable' | 'takingTurns'>): Promise<void> {
  return ports.takingTurns(NAME, () => ports.erasable.delete(NAME));
}

/** The account that was left unlocked; undefined where there is none, or what is kept was damaged. */
export async function resumeUnlocked(ports: StayPorts): Promise<OpenAccount | undefined> {
  const kept = await ports.erasable.get(NAME);
  const account = kept && parseKept(kept);
  if (account === undefined) return undefined;
  return openAccount(ports, account.accountId, account);
}

function parseKept(kept: Uint8Array): (OpenedKey & Pick<OpenAccount, 'accountId'>) | undefined {
  try {
    const reader = new ByteReader(kept);
    if (reader.u8() !== VERSION) return undefined;
    const accountId = new Uint8Array(reader.take(16));
    const epoch = reader.u32();
    const accountKey = new AccountKey(reader.take(32));
    reader.end();
    return { accountId, accountKey, epoch };
  } catch (cause) {
    if (cause instanceof BytesError || cause instanceof VaultError) return undefined;
    throw cause;
  }
}
