/**
 * What two linked devices say to each other once their handshake is done (spec/vault.md, "Device link"). Made by the other
 * device, which a person has vouched for by then; parsed as hostile all the same. The account key itself travels as a lock of
 * kind `device-link` (lock.ts).
 *
 *     struct Welcome { u8 version = 1; byte accountId[16]; u32 epoch; vector16 parameters; }       open device to the new one
 *     struct Request { u8 version = 1; vector16 deviceRecord; vector16 parameters; }               new device to the open one
 */
import { ByteReader, BytesError, ByteWriter } from '@sotto/bytes';
import { VaultError } from '../error.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const VERSION = 1;
const RECORD_LIMIT_BYTES = 1024;
/** Of later versions; skipped by this one. */
const PARAMETER_LIMIT_BYTES = 512;

/** Which account the new device is to join, and in which epoch. */
export interface LinkWelcome {
  /** 16 bytes. */
  readonly accountId: Bytes;
  /** 1 or more. */
  readonly epoch: number;
}

export function encodeLinkWelcome({ accountId, epoch }: LinkWelcome): Bytes {
  return new ByteWriter().u8(VERSION).raw(accountId).u32(epoch).u16(0).finish();
}

/** @throws VaultError `link-message-malformed`, `link-version-unsupported` */
export function parseLinkWelcome(bytes: Uint8Array): LinkWelcome {
  return whole(bytes, (reader) => {
    const accountId = reader.take(16) as Bytes;
    const epoch = reader.u32();
    // VA-181: no epoch is 0, and a device that joined it could read nothing
    if (epoch < 1) throw new VaultError('link-message-malformed', 'VA-181');
    return { accountId, epoch };
  });
}

/** @param deviceRecord a signed statement as `signDeviceRecord` makes it */
export function encodeLinkRequest(deviceRecord: Uint8Array): Bytes {
  return new ByteWriter().u8(VERSION).vector16(deviceRecord).u16(0).finish();
}

/** @returns the device record, not yet verified. @throws VaultError `link-message-malformed`, `link-version-unsupported` */
export function parseLinkRequest(bytes: Uint8Array): Bytes {
  return whole(bytes, (reader) => reader.vector16(RECORD_LIMIT_BYTES) as Bytes);
}

function whole<Value>(bytes: Uint8Array, read: (reader: ByteReader) => Value): Value {
  try {
    const reader = new ByteReader(bytes);
    // VA-182: guessing at a message that is not known would misread it
    if (reader.u8() !== VERSION) throw new VaultError('link-version-unsupported', 'VA-182');
    const value = read(reader);
    reader.vector16(PARAMETER_LIMIT_BYTES);
    reader.end();
    return value;
  } catch (cause) {
    if (cause instanceof BytesError) throw new VaultError('link-message-malformed', 'VA-181', { cause });
    throw cause;
  }
}
