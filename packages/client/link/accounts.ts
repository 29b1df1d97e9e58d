/** A link as accounts use it: the open device registers the new one, and the new one signs in with its own key. */
import { encodeBase64, encodeHex } from '@sotto/bytes';
import type { AccountPorts, OpenAccount } from '../account-types.ts';
import { saveDevice } from '../device-key.ts';
import { markRegistered, signInWithDevice } from '../device-sign-in.ts';
import { openAccount } from '../epochs/open-account.ts';
import { refreshKeptLocks } from '../kept-locks.ts';
import { FIRST_EPOCH } from '../keyring.ts';
import type { LinkMailboxes } from './mailbox.ts';
import { joinAccount, type NewDeviceOptions } from './new-device.ts';
import { letIn, type OpenDeviceOptions } from './open-device.ts';

/** Lets a new device into the open account. Rejects as `letIn` does; ClientError `devices-full` */
export async function letDeviceIn(
  ports: AccountPorts,
  mailboxes: LinkMailboxes,
  account: OpenAccount,
  link: Pick<OpenDeviceOptions, 'meeting' | 'agree' | 'signal'>,
): Promise<void> {
  const { api, clock, random } = ports;
  const { accountId, accountKey, epochs } = account;
  await letIn({
    ...link,
    mailboxes,
    clock,
    random,
    account: { accountId, accountKey, epoch: epochs?.epoch ?? FIRST_EPOCH },
    register: (device, record) =>
      api.registerDevice({ publicKey: encodeBase64(device.publicKey), record: encodeBase64(record) }),
  });
}

/** Joins an account on this new device, and signs in. Rejects as `joinAccount` does; ClientError `device-refused` */
export async function joinByLink(
  ports: AccountPorts,
  mailboxes: LinkMailboxes,
  link: Pick<NewDeviceOptions, 'meeting' | 'compare' | 'signal'>,
): Promise<OpenAccount> {
  const { api, clock, random } = ports;
  const account = await joinAccount({ ...link, mailboxes, clock, random });
  await signInWithDevice(ports, account);
  api.signsInWith({ accountId: encodeHex(account.accountId), signIn: () => signInWithDevice(ports, account) });
  await saveDevice(ports, account);
  await markRegistered(ports, account);
  // So that the account's other locks open it here as well, also without the server, and a passphrase can be set.
  await refreshKeptLocks(ports).catch(() => {});
  return openAccount(ports, account.accountId, account);
}
