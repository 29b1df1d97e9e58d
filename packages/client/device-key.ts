/**
 * This device's signing key, kept between visits as a sealed record beside nothing that opens it: whoever takes the profile
 * learns that this browser holds an account, and no more (spec/decisions/2026-11-21-nothing-at-rest.md).
 */
import { concatBytes, encodeHex, parseHex, SottoError } from '@sotto/bytes';
import type { Clock, DeviceStore, Random } from '@sotto/ports';
import {
  type AccountKey,
  createDeviceKeys,
  type DeviceKeys,
  deriveEpochKey,
  loadDeviceKeys,
  nextClock,
  openRecord,
  sealRecord,
  unsafeRevealDeviceKey,
} from '@sotto/vault';
import { FIRST_EPOCH } from './keyring.ts';

const RECORD_ID_BYTES = 16;

interface DevicePorts {
  readonly random: Random;
  readonly clock: Clock;
  readonly device: DeviceStore;
}

interface DeviceOwner {
  readonly accountId: Uint8Array;
  readonly accountKey: AccountKey;
  readonly device: DeviceKeys;
}

function storeKey(accountId: Uint8Array): string {
  return `device-key/${encodeHex(accountId)}`;
}

export async function saveDevice(ports: DevicePorts, { accountId, accountKey, device }: DeviceOwner): Promise<void> {
  const recordId = ports.random.bytes(RECORD_ID_BYTES);
  const nowMs = ports.clock.nowMs();
  const envelope = await sealRecord({
    epochKey: deriveEpochKey(accountKey, accountId, FIRST_EPOCH),
    accountId,
    recordId,
    epoch: FIRST_EPOCH,
    deviceId: device.deviceId,
    deviceCounter: 1,
    content: {
      type: 'device-key',
      clock: nextClock(nowMs, 0),
      privateKey: encodeHex(unsafeRevealDeviceKey(device)),
      createdAtMs: Math.max(0, Math.trunc(nowMs)),
    },
    random: ports.random,
  });
  await ports.device.set(storeKey(accountId), concatBytes(recordId, envelope));
}

/**
 * The kept key of this device, or a new one where there is none or it does not open.
 *
 * @param earlierKeys tried where the account key does not open it: this device was away during a rotation
 */
export async function loadDevice(
  ports: DevicePorts,
  accountId: Uint8Array,
  accountKey: AccountKey,
  earlierKeys: readonly AccountKey[] = [],
): Promise<DeviceKeys> {
  const kept = await ports.device.get(storeKey(accountId));
  if (kept !== undefined && kept.length > RECORD_ID_BYTES) {
    for (const key of [accountKey, ...earlierKeys]) {
      const device = await openDevice(accountId, key, kept);
      // CL-322: sealed anew, or the key that a rotation put out of use would go on opening it
      if (device !== undefined && key !== accountKey) await saveDevice(ports, { accountId, accountKey, device });
      if (device !== undefined) return device;
    }
  }
  const device = await createDeviceKeys(ports.random);
  await saveDevice(ports, { accountId, accountKey, device });
  return device;
}

async function openDevice(accountId: Uint8Array, key: AccountKey, kept: Uint8Array): Promise<DeviceKeys | undefined> {
  try {
    const { content } = await openRecord({
      // The number is a part of the form; which account key it was says nothing to nobody.
      epochKey: deriveEpochKey(key, accountId, FIRST_EPOCH),
      envelope: kept.slice(RECORD_ID_BYTES),
      expectedAccountId: accountId,
      expectedRecordId: kept.slice(0, RECORD_ID_BYTES),
      expectedEpoch: FIRST_EPOCH,
      expectedType: 'device-key',
    });
    return content.type === 'device-key' ? await loadDeviceKeys(parseHex(content.privateKey, 32)) : undefined;
  } catch (error) {
    // A damaged profile costs this device its identity, not the person their chats: it becomes a new device.
    if (error instanceof SottoError) return undefined;
    throw error;
  }
}
