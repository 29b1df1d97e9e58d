/**
 * A device says which key is its own: the content of a record of type `device` (spec/vault.md, "Heads"). Sealing it takes the
 * account key, so the server cannot add a device; whoever holds the account key could anyway write as one.
 */
import { encodeHex, parseHex } from '@sotto/bytes';
import type { UnknownContent } from '../content.ts';
import { type DeviceKeys, deriveDeviceId } from '../device.ts';
import { VaultError } from '../error.ts';

export const DEVICE_TYPE = 'device';

export function announceDevice(keys: DeviceKeys, atMs: number, clock: number): UnknownContent {
  return { type: 'unknown', recordType: DEVICE_TYPE, clock, fields: { publicKey: encodeHex(keys.publicKey), atMs } };
}

/**
 * @param deviceId of the record's envelope
 * @returns 32 bytes
 * @throws VaultError `device-malformed`
 */
export function announcedKey(content: UnknownContent, deviceId: string): Uint8Array {
  const { publicKey } = content.fields;
  const isKey = typeof publicKey === 'string' && /^[0-9a-f]{64}$/.test(publicKey);
  const key = isKey ? parseHex(publicKey, 32) : new Uint8Array(0);
  // VA-112: a device that announces a key for another's id would sign in its name
  if (!isKey || encodeHex(deriveDeviceId(key)) !== deviceId) throw new VaultError('device-malformed', 'VA-112');
  return key;
}
