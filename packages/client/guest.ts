/**
 * A guest: an account without locks whose key lies in this browser beside its sealed records, and whose app says so
 * ("kept in this browser only"). Nothing of it goes to the server.
 */
import { ByteReader, BytesError, concatBytes } from '@sotto/bytes';
import type { DeviceStore, Random } from '@sotto/ports';
import { AccountKey, createAccountKey, unsafeRevealSecret } from '@sotto/vault';
import { ClientError } from './errors.ts';

const STORE_KEY = 'guest';

export interface Guest {
  /** 16 bytes; never told to anyone. */
  readonly accountId: Uint8Array<ArrayBuffer>;
  readonly accountKey: AccountKey;
  /** 16 bytes. */
  readonly deviceId: Uint8Array<ArrayBuffer>;
}

/** The guest of this browser, made at first use. @throws ClientError `guest-damaged` */
export async function loadGuest(device: DeviceStore, random: Random): Promise<Guest> {
  const kept = await device.get(STORE_KEY);
  if (kept !== undefined) return parseGuest(kept);
  const guest = { accountId: random.bytes(16), accountKey: createAccountKey(random), deviceId: random.bytes(16) };
  await device.set(STORE_KEY, concatBytes(guest.accountId, guest.deviceId, unsafeRevealSecret(guest.accountKey)));
  return guest;
}

/** Forgets the guest's key; its records are then unreadable and should be removed as well. */
export function eraseGuest(device: DeviceStore): Promise<void> {
  return device.delete(STORE_KEY);
}

function parseGuest(bytes: Uint8Array): Guest {
  try {
    const reader = new ByteReader(bytes);
    const guest = {
      accountId: reader.take(16) as Uint8Array<ArrayBuffer>,
      deviceId: reader.take(16) as Uint8Array<ArrayBuffer>,
      accountKey: new AccountKey(reader.take(32)),
    };
    reader.end();
    return guest;
  } catch (cause) {
    if (cause instanceof BytesError) throw new ClientError('guest-damaged', { cause });
    throw cause;
  }
}
