/**
 * The history of an unlocked account (spec/client.md "On this device"): from what this device keeps, at once and without a network,
 * with the sync going on behind; or, where the device keeps nothing, from the server.
 */
import { SottoError } from '@sotto/bytes';
import type { SealedStore } from '@sotto/ports';
import type { AccountPorts, OpenAccount } from '../account-types.ts';
import { History, openHistory } from '../history.ts';
import { singleEpoch } from '../keyring.ts';
import { remoteRecords } from '../remote-records.ts';
import { remoteRecordPages } from '../sync/remote.ts';
import { createTurns } from '../watch/turns.ts';
import { watchOver } from '../watch/watch.ts';
import { AccountKeeper } from './account-keeper.ts';
import { forgetAccount, localName, openLocalKey } from './local-key.ts';

const turns = createTurns();

/** @throws ClientError only where the device keeps nothing: what the server refused */
export async function openAccountHistory(ports: AccountPorts, account: OpenAccount): Promise<History> {
  const { sealed } = ports;
  if (sealed === undefined) return openRemoteHistory(ports, account);
  try {
    return await openKeptHistory({ ...ports, sealed }, account);
  } catch (error) {
    const isStore = error instanceof SottoError && (error.code === 'store-unavailable' || error.code === 'store-full');
    if (!isStore) throw error;
    // CL-237: a browser that keeps nothing must not keep a person from their chats
    return openRemoteHistory(ports, account);
  }
}

/** Read whole from the server, and held in memory alone. */
export function openRemoteHistory(ports: AccountPorts, account: OpenAccount): Promise<History> {
  const takingTurns = ports.takingTurns ?? turns;
  return openHistory({
    ...historyOptions(ports, account),
    store: remoteRecords(ports.api),
    watch: watchOver({ ...ports, ...account, deviceStore: ports.device, takingTurns }),
  });
}

async function openKeptHistory(
  ports: AccountPorts & { readonly sealed: SealedStore },
  account: OpenAccount,
): Promise<History> {
  const { api, epochs, takingTurns = turns } = { ...ports, ...account };
  const earlierKeys = async () => epochs?.earlierKeys() ?? [];
  const owner = await openLocalKey({ ...ports, takingTurns }, account, earlierKeys);
  const keeper = await AccountKeeper.open({
    ...ports,
    ...{ owner, takingTurns },
    accountId: account.accountId,
    device: account.device,
    keyring: epochs ?? singleEpoch(account.accountKey, account.accountId),
    remote: remoteRecordPages(api),
    earlierMemory: { store: ports.device, accountKey: account.accountKey },
    ...(epochs && { epochs }),
  });
  keeper.startSync({ ...ports, api });
  return new History(historyOptions(ports, account), keeper);
}

/**
 * Erases what this device keeps of an account, but not while something waits to be sent: that is nowhere else.
 *
 * @returns false where something waits, and everything was kept
 */
export async function forgetKept(sealed: SealedStore, accountId: Uint8Array): Promise<boolean> {
  const waitingIn = (area: 'outbox' | 'unsent') => sealed.list(`${localName(accountId, area)}/`, { limit: 1 });
  const waiting = [...(await waitingIn('outbox')), ...(await waitingIn('unsent'))];
  // CL-238: what was promised to be sent must not be lost by leaving
  if (waiting.length > 0) return false;
  await forgetAccount(sealed, accountId);
  return true;
}

function historyOptions({ clock, random }: AccountPorts, { accountId, accountKey, device, epochs }: OpenAccount) {
  return { accountId, accountKey, deviceId: device.deviceId, clock, random, ...(epochs && { keyring: epochs }) };
}
