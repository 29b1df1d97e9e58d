/**
 * From what a lock gave to an open account (spec/client.md "Rotation"): its epochs, and this device's signing key. What this
 * device keeps under the account key is sealed anew whenever a newer epoch is adopted; a crash in between costs nothing,
 * because each of them opens with an earlier key as well.
 */
import { encodeHex, parseBase64 } from '@sotto/bytes';
import {
  createDeviceKeys,
  type DeviceKeys,
  type LockKind,
  type LockSecret,
  lockPublicKey,
  openSealedLock,
  parseLockHeader,
  unwrapAccountKey,
} from '@sotto/vault';
import type { AccountPorts, OpenAccount, UsedLock } from '../account-types.ts';
import { openLocalKey } from '../archive/local-key.ts';
import { loadDevice, saveDevice } from '../device-key.ts';
import { ClientError } from '../errors.ts';
import { type AccountEpochs, type OpenedKey, openAccountEpochs } from './account-epochs.ts';
import { setUnsentAside } from './unsent.ts';

export type OpeningPorts = Pick<AccountPorts, 'random' | 'clock' | 'device' | 'sealed' | 'takingTurns'> & {
  readonly api?: AccountPorts['api'];
};

/**
 * @param usedLock what opened it, to be stated in the vault by this device
 * @throws VaultError `epoch-unrelated`, `lock-epoch-stale`; ClientError `epoch-withheld`, `network-unreachable`
 */
export async function openAccount(
  ports: OpeningPorts,
  accountId: Uint8Array<ArrayBuffer>,
  opened: OpenedKey,
  usedLock?: UsedLock,
): Promise<OpenAccount> {
  const fetchStatement = async () => {
    if (ports.api === undefined) throw new ClientError('epoch-withheld');
    return ports.api.epoch();
  };
  const epochs = await openAccountEpochs(ports, accountId, opened, fetchStatement);
  const device = await openDevice(ports, accountId, epochs);
  epochs.useDevice(device);
  epochs.onAdopted(async () => {
    const { accountKey } = epochs;
    await saveDevice(ports, { accountId, accountKey, device });
    const { sealed, takingTurns } = ports;
    if (sealed === undefined || takingTurns === undefined) return;
    await openLocalKey({ ...ports, sealed, takingTurns }, { accountId, accountKey }, async () => epochs.earlierKeys());
  });
  return {
    accountId,
    device,
    epochs,
    ...(usedLock && { usedLock }),
    get accountKey() {
      return epochs.accountKey;
    },
  };
}

/** This device's signing key; a new one where a rotation left this device out: then its log does not go on. */
async function openDevice(
  ports: OpeningPorts,
  accountId: Uint8Array<ArrayBuffer>,
  epochs: AccountEpochs,
): Promise<DeviceKeys> {
  const { accountKey, newest } = epochs;
  const device = await loadDevice(ports, accountId, accountKey, epochs.earlierKeys());
  const deviceId = encodeHex(device.deviceId);
  const isRemoved = newest?.places.has(deviceId) === true && !newest.devices.has(deviceId);
  // VA-146: what it wrote under its old key would be believed by nobody, and taken for an attack
  if (!isRemoved) return device;
  await setUnsentAside(ports, { accountId, accountKey, epochs }, deviceId);
  await ports.device.delete(`heads/${encodeHex(accountId)}`);
  const renewed = await createDeviceKeys(ports.random);
  await saveDevice(ports, { accountId, accountKey, device: renewed });
  return renewed;
}

/** What is expected of a lock, and what opens it. */
export interface LockToOpen {
  /** Base64, as the server hands it out. */
  readonly lock: string;
  readonly kind: LockKind;
  readonly secret: LockSecret;
  readonly accountId: Uint8Array;
  readonly lockId: Uint8Array;
  readonly credentialId?: Uint8Array;
  /** The newest epoch that this device has seen. */
  readonly minimumEpoch: number;
}

/** Opens a lock, whether its secret made it or a rotation wrapped it anew. @throws VaultError as `unwrapAccountKey` */
export async function openLock(input: LockToOpen): Promise<OpenedKey> {
  const { kind, secret, accountId, lockId, credentialId, minimumEpoch } = input;
  const lock = parseBase64(input.lock);
  const expected = {
    lock,
    secret,
    expectedKind: kind,
    expectedAccountId: accountId,
    expectedLockId: lockId,
    minimumEpoch,
  };
  if (parseLockHeader(lock).kind === 'sealed-to-lock') return openSealedLock(expected);
  return unwrapAccountKey({ ...expected, ...(credentialId && { expectedCredentialId: credentialId }) });
}

/** What this device can state of a lock whose secret it holds. */
export async function usedLockOf(
  lock: Omit<UsedLock, 'publicKey' | 'lockId'> & { readonly lockId: Uint8Array },
  secret: LockSecret,
  accountId: Uint8Array,
): Promise<UsedLock> {
  return { ...lock, lockId: encodeHex(lock.lockId), publicKey: await lockPublicKey(secret, accountId) };
}
