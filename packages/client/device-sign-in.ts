/**
 * Signing in by device key (spec/server.md "Devices"): an account that was opened without the server signs in later by itself.
 * A device is registered when its account was signed in by something else, and remembers so.
 */
import { concatBytes, encodeBase64, encodeHex, equalBytes, parseBase64 } from '@sotto/bytes';
import { signDeviceRecord } from '@sotto/vault';
import { deviceSignInMessage } from '@sotto/wire';
import type { AccountPorts, OpenAccount } from './account-types.ts';
import { forgetEpochs } from './epochs/epoch-memory.ts';
import { ClientError } from './errors.ts';
import { FIRST_EPOCH } from './keyring.ts';

type DevicePorts = Pick<AccountPorts, 'api' | 'clock' | 'device'>;

function markName(accountId: Uint8Array): string {
  return `device-registered/${encodeHex(accountId)}`;
}

/** Whether the server has had this device, as far as is known here. */
export async function isRegistered(ports: Pick<DevicePorts, 'device'>, account: OpenAccount): Promise<boolean> {
  const mark = await ports.device.get(markName(account.accountId));
  return mark !== undefined && equalBytes(mark, account.device.deviceId);
}

/** Whether some device of this browser was registered for the account: it can sign in once it is open. */
export async function mayBeRegistered(ports: Pick<DevicePorts, 'device'>, accountId: Uint8Array): Promise<boolean> {
  return (await ports.device.get(markName(accountId))) !== undefined;
}

/** Remembers that the server has this device. */
export async function markRegistered(ports: Pick<DevicePorts, 'device'>, account: OpenAccount): Promise<void> {
  await ports.device.set(markName(account.accountId), concatBytes(account.device.deviceId));
}

/** Erases what this device keeps to be itself; it is a new one when the account is opened here again. */
export async function forgetDevice(ports: Pick<DevicePorts, 'device'>, accountId: Uint8Array): Promise<void> {
  await forgetEpochs(ports.device, accountId);
  await ports.device.delete(markName(accountId));
  await ports.device.delete(`device-key/${encodeHex(accountId)}`);
}

/** Registers this device while its account is signed in; once. @throws ClientError `devices-full`, `network-unreachable` */
export async function registerDevice(ports: DevicePorts, account: OpenAccount): Promise<void> {
  if (await isRegistered(ports, account)) return;
  const { accountId, device } = account;
  const createdAtMs = Math.max(0, Math.trunc(ports.clock.nowMs()));
  const record = await signDeviceRecord({ keys: device, accountId, epoch: FIRST_EPOCH, createdAtMs });
  await ports.api.registerDevice({ publicKey: encodeBase64(device.publicKey), record: encodeBase64(record) });
  await markRegistered(ports, account);
}

/**
 * @throws ClientError `device-refused` when the server no longer takes this device: another lock must sign in;
 *   `network-unreachable`
 */
export async function signInWithDevice(ports: DevicePorts, account: OpenAccount): Promise<void> {
  const { api } = ports;
  const { accountId, device } = account;
  const challenge = await api.deviceChallenge();
  const message = deviceSignInMessage(accountId, api.origin, parseBase64(challenge));
  try {
    const signedIn = await api.signInWithDevice({
      accountId: encodeHex(accountId),
      publicKey: encodeBase64(device.publicKey),
      challenge,
      signature: encodeBase64(await device.sign(message)),
    });
    // CL-341: what this account writes next would go into another one.
    if (signedIn !== encodeHex(accountId)) throw new ClientError('server-malformed', { rule: 'CL-341' });
  } catch (error) {
    if (error instanceof ClientError && error.code === 'device-refused') {
      await ports.device.delete(markName(accountId));
    }
    throw error;
  }
}
