/**
 * Device keys (spec/vault.md, "Devices"): an Ed25519 pair a device, its id, and the signed statement that it belongs to
 * an account. Statements come from the server, which is hostile. The format is final.
 *
 *     struct DeviceRecord {
 *       magic         "SVD"         3
 *       version       u8 = 1        1
 *       accountId                  16
 *       epoch         u32           4   in which the device was added
 *       publicKey                  32   Ed25519
 *       createdAtMs   u64           8
 *       parameters    u16 + bytes       of later versions, signed and kept; at most 2,048
 *       signerId                   16   the signing device; in this version the device itself
 *       signature                  64   Ed25519 over "sotto/vault/device-record/v1" ‖ everything before
 *     }
 *
 *     device id = first 16 bytes of SHA-256("sotto/vault/device-id/v1" ‖ publicKey)
 */
import { ByteReader, BytesError, ByteWriter, concatBytes, encodeUtf8, equalBytes } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import { ed25519PublicKey, signEd25519, verifyEd25519 } from '@sotto/crypto/sign';
import type { Random } from '@sotto/ports';
import { VaultError } from './error.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const MAGIC = encodeUtf8('SVD');
const VERSION = 1;
const PARAMETER_LIMIT_BYTES = 2048;
const SIGNATURE_BYTES = 64;
const ID_LABEL = encodeUtf8('sotto/vault/device-id/v1');
const RECORD_LABEL = encodeUtf8('sotto/vault/device-record/v1');

let revealPrivateKey: (keys: DeviceKeys) => Bytes;

/** A device's signing pair; the private half is not shown when it is printed. */
export class DeviceKeys {
  readonly #privateKey: Bytes;
  /** 32 bytes. */
  readonly publicKey: Bytes;
  /** 16 bytes. */
  readonly deviceId: Bytes;

  static {
    revealPrivateKey = (keys) => keys.#privateKey.slice();
  }

  /** Use `createDeviceKeys` or `loadDeviceKeys`. */
  constructor(privateKey: Uint8Array, publicKey: Uint8Array) {
    this.#privateKey = new Uint8Array(privateKey);
    this.publicKey = new Uint8Array(publicKey);
    this.deviceId = deriveDeviceId(publicKey);
  }

  /** 64 bytes over `message`, which the caller begins with a label of its own. */
  sign(message: Uint8Array): Promise<Bytes> {
    return signEd25519(this.#privateKey, message);
  }
}

/** What a device record says, once its signature was checked. */
export interface VerifiedDevice {
  readonly accountId: Uint8Array;
  readonly deviceId: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly epoch: number;
  readonly createdAtMs: number;
}

export function createDeviceKeys(random: Random): Promise<DeviceKeys> {
  return loadDeviceKeys(random.bytes(32));
}

/** @param privateKey 32 bytes, as `unsafeRevealDeviceKey` gave them */
export async function loadDeviceKeys(privateKey: Uint8Array): Promise<DeviceKeys> {
  return new DeviceKeys(privateKey, await ed25519PublicKey(privateKey));
}

/** The private key's bytes, for sealing them in a record and for nothing else. */
export function unsafeRevealDeviceKey(keys: DeviceKeys): Bytes {
  return revealPrivateKey(keys);
}

/** 16 bytes. */
export function deriveDeviceId(publicKey: Uint8Array): Bytes {
  return sha256(ID_LABEL, publicKey).slice(0, 16);
}

/** The signed statement of a device about itself. */
export async function signDeviceRecord(input: {
  readonly keys: DeviceKeys;
  readonly accountId: Uint8Array;
  readonly epoch: number;
  readonly createdAtMs: number;
}): Promise<Bytes> {
  const signed = new ByteWriter()
    .raw(MAGIC)
    .u8(VERSION)
    .raw(input.accountId)
    .u32(input.epoch)
    .raw(input.keys.publicKey)
    .u64(input.createdAtMs)
    .u16(0)
    .raw(input.keys.deviceId)
    .finish();
  return concatBytes(signed, await input.keys.sign(concatBytes(RECORD_LABEL, signed)));
}

/**
 * Checks a device record.
 *
 * @throws VaultError `device-malformed`, `device-version-unsupported`, `device-account-mismatch`,
 *   `device-signer-unknown`, `device-signature-invalid`
 */
export async function verifyDeviceRecord(
  record: Uint8Array,
  expected: { readonly expectedAccountId: Uint8Array },
): Promise<VerifiedDevice> {
  const { signerId, signed, signature, ...device } = parseDeviceRecord(record);
  // VA-52: a device of another account must not write here
  if (!equalBytes(device.accountId, expected.expectedAccountId))
    throw new VaultError('device-account-mismatch', 'VA-52');
  // VA-53: a signer that is not known vouches for nothing
  if (!equalBytes(signerId, device.deviceId)) throw new VaultError('device-signer-unknown', 'VA-53');
  const valid = await verifyEd25519(device.publicKey, concatBytes(RECORD_LABEL, signed), signature);
  // VA-54: anyone who can write to the server could add a device
  if (!valid) throw new VaultError('device-signature-invalid', 'VA-54');
  return device;
}

function parseDeviceRecord(record: Uint8Array) {
  try {
    const reader = new ByteReader(record);
    // VA-50: another signed thing must never be read as a device
    if (!equalBytes(reader.take(MAGIC.length), MAGIC)) throw new VaultError('device-malformed', 'VA-50');
    // VA-51: guessing at a format that is not known would misread it
    if (reader.u8() !== VERSION) throw new VaultError('device-version-unsupported', 'VA-51');
    const accountId = reader.take(16);
    const epoch = reader.u32();
    const publicKey = reader.take(32);
    const createdAtMs = reader.u64Number();
    reader.vector16(PARAMETER_LIMIT_BYTES);
    const signerId = reader.take(16);
    const signed = record.slice(0, reader.offset);
    const signature = reader.take(SIGNATURE_BYTES);
    reader.end();
    const deviceId: Uint8Array = deriveDeviceId(publicKey);
    return { accountId, epoch, publicKey, deviceId, createdAtMs, signerId, signed, signature };
  } catch (cause) {
    if (cause instanceof BytesError) throw new VaultError('device-malformed', 'VA-50', { cause });
    throw cause;
  }
}
