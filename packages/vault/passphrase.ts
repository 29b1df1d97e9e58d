/**
 * A person's own passphrase or PIN, which opens the account key on one device alone (spec/vault.md, "Passphrase"). Words that a
 * person chose can be guessed, so they never open anything by themselves: a secret that this device keeps and never sends is
 * mixed in, and every guess costs Argon2id. The parameters come with the lock, from the server, and are bounded here.
 */
import { ByteReader, BytesError, ByteWriter, concatBytes, encodeUtf8 } from '@sotto/bytes';
import { hkdfSha256 } from '@sotto/crypto/kdf';
import type { Random } from '@sotto/ports';
import { VaultError } from './error.ts';
import { LockSecret } from './keys.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const LABEL = encodeUtf8('sotto/vault/passphrase/v1');
const SALT_BYTES = 16;
const SECRET_BYTES = 32;

/** What Argon2id (RFC 9106) is asked. */
export interface PassphraseParameters {
  readonly memoryKiB: number;
  readonly passes: number;
  readonly lanes: number;
  /** 16 bytes, random. */
  readonly salt: Uint8Array;
}

const FLOOR = { memoryKiB: 64 * 1024, passes: 3, lanes: 1 } as const;
const CEILING = { memoryKiB: 1024 * 1024, passes: 16, lanes: 4 } as const;

/** The floor with a new salt: what this version makes. */
export function createPassphraseParameters(random: Random): PassphraseParameters {
  return { ...FLOOR, salt: random.bytes(SALT_BYTES) };
}

/** 25 bytes, for the lock's header. */
export function encodePassphraseParameters({ memoryKiB, passes, lanes, salt }: PassphraseParameters): Bytes {
  return new ByteWriter().u32(memoryKiB).u32(passes).u8(lanes).raw(salt).finish();
}

/**
 * Reads and bounds what a lock asks of this device.
 *
 * @throws VaultError `lock-malformed`, `passphrase-too-cheap`, `passphrase-too-costly`
 */
export function parsePassphraseParameters(bytes: Uint8Array): PassphraseParameters {
  const parameters = readParameters(bytes);
  const { memoryKiB, passes, lanes } = parameters;
  // VA-161: a server that asks for less would have a guess cost it nothing
  if (memoryKiB < FLOOR.memoryKiB || passes < FLOOR.passes || lanes < FLOOR.lanes) {
    throw new VaultError('passphrase-too-cheap', 'VA-161');
  }
  // VA-162: a server that asks for more would stop the device
  if (memoryKiB > CEILING.memoryKiB || passes > CEILING.passes || lanes > CEILING.lanes) {
    throw new VaultError('passphrase-too-costly', 'VA-162');
  }
  return parameters;
}

/**
 * What opens the lock.
 *
 * @param stretched 32 bytes: Argon2id of the passphrase (NFKC, UTF-8) under the lock's parameters
 * @param deviceSecret 32 random bytes that never leave the device
 */
export function passphraseLockSecret(stretched: Uint8Array, deviceSecret: Uint8Array): LockSecret {
  const areWhole = stretched.length === SECRET_BYTES && deviceSecret.length === SECRET_BYTES;
  // VA-163: without the device's secret the passphrase alone would open it, and it can be guessed
  if (!areWhole || deviceSecret.every((byte) => byte === 0)) throw new VaultError('key-malformed', 'VA-163');
  return new LockSecret(hkdfSha256(concatBytes(stretched, deviceSecret), new Uint8Array(0), LABEL, SECRET_BYTES));
}

/** What Argon2id is given: one spelling for what a keyboard can write in several. */
export function passphraseBytes(passphrase: string): Bytes {
  return encodeUtf8(passphrase.normalize('NFKC'));
}

function readParameters(bytes: Uint8Array): PassphraseParameters {
  try {
    const reader = new ByteReader(bytes);
    const parameters = {
      memoryKiB: reader.u32(),
      passes: reader.u32(),
      lanes: reader.u8(),
      salt: reader.take(SALT_BYTES),
    };
    reader.end();
    return parameters;
  } catch (cause) {
    if (cause instanceof BytesError) throw new VaultError('lock-malformed', 'VA-31', { cause });
    throw cause;
  }
}
