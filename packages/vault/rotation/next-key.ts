/**
 * How a device that remains gets the next account key without asking its person for anything (spec/vault.md, "Rotation"): the
 * rotating device seals it to every remaining device's own key, as a sealed lock over a lock of kind `device-key`. Each
 * stands in a record of type `key-chain`, under the old epoch's key, which is the one that its reader has.
 */
import { encodeHex, encodeUtf8, parseHex } from '@sotto/bytes';
import { hkdfSha256 } from '@sotto/crypto/kdf';
import type { UnknownContent } from '../content.ts';
import { type DeviceKeys, unsafeRevealDeviceKey } from '../device.ts';
import { VaultError } from '../error.ts';
import { isId } from '../fields.ts';
import { LockSecret } from '../keys.ts';

export const NEXT_KEY_TYPE = 'key-chain';
const DEVICE_LOCK_LABEL = encodeUtf8('sotto/vault/device-lock/v1');
const LOCK_HEX_LIMIT = 16_384;

/** What opens a device's own lock: made from its signing key, so that it needs no storage of its own. */
export function deviceLockSecret(keys: DeviceKeys): LockSecret {
  return new LockSecret(hkdfSha256(unsafeRevealDeviceKey(keys), new Uint8Array(0), DEVICE_LOCK_LABEL, 32));
}

/** The key of an epoch, for one device. */
export interface NextKey {
  /** The epoch whose key it is. */
  readonly epoch: number;
  /** Whom it is for; 16 bytes as hex. */
  readonly deviceId: string;
  /** A sealed lock (sealed-lock.ts) over the device's key, named by the device id. */
  readonly lock: Uint8Array;
}

/** @param clock of the write (registers.ts) */
export function encodeNextKey({ epoch, deviceId, lock }: NextKey, clock: number): UnknownContent {
  return { type: 'unknown', recordType: NEXT_KEY_TYPE, clock, fields: { epoch, deviceId, lock: encodeHex(lock) } };
}

/** Nothing in it is believed before the lock opened and the epoch's statement was verified. @throws VaultError `epoch-malformed` */
export function parseNextKey({ recordType, fields }: UnknownContent): NextKey {
  const { epoch, deviceId, lock } = fields;
  const isWhole =
    recordType === NEXT_KEY_TYPE &&
    typeof epoch === 'number' &&
    epoch >= 2 &&
    isId(deviceId) &&
    typeof lock === 'string' &&
    lock.length <= LOCK_HEX_LIMIT &&
    /^(?:[0-9a-f]{2})+$/.test(lock);
  // VA-144: another thing under this name must not be taken for a key
  if (!isWhole) throw new VaultError('epoch-malformed', 'VA-144');
  return { epoch, deviceId, lock: parseHex(lock, lock.length / 2) };
}
