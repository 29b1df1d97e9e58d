/**
 * A person who has removed a device, and the two who work against them afterwards: whoever has that device, with the key and the
 * recovery code that were good until then, and the operator. Runs in the victim's process.
 */
import { CookieJar, createNodeClock, createNodeFetch, createNodeRandom } from '@sotto/adapters-node';
import { encodeHex, parseHex, SottoError } from '@sotto/bytes';
import { type History, ServerApi } from '@sotto/client';
import {
  type AccountPorts,
  createRecoveryCode,
  draftAccount,
  type OpenAccount,
  openAccountHistory,
  registerAccount,
  unlockWithRecoveryCode,
} from '@sotto/client/accounts';
import { type AccountEpochs, addRecovery, checkLocks, rotate, stateLocks } from '@sotto/client/epochs';
import { createMemoryDeviceStore } from '@sotto/testkit';
import { deriveEpochKey, sealRecord } from '@sotto/vault';

export type RemovalTask = 'read-after-removal' | 'look-at-locks' | 'unlock-again';

/** What whoever has the removed device seals under the key that they kept. */
export interface Forged {
  readonly recordId: string;
  readonly envelope: string;
}

interface Device {
  readonly ports: AccountPorts;
  readonly account: OpenAccount & { readonly epochs: AccountEpochs };
  readonly history: History;
}

const FORGED_TEXT = 'Transfer the rent to my new account.';

/** @param written tells the operator that it is its turn, with what was forged, and resolves when it had it */
export async function afterRemoval(
  kind: RemovalTask,
  url: string,
  written: (forged: Forged) => Promise<void>,
): Promise<string> {
  const ports = browser(url);
  const { random } = ports;
  const code = createRecoveryCode(random).code;
  const phone = await opened(ports, await registerAccount(ports, await draftAccount(code, random)));
  const chat = await phone.history.createConversation('rent');
  const turn = { conversationId: chat, parentId: undefined, role: 'user', status: 'complete' } as const;
  await phone.history.saveMessage({ ...turn, text: 'The rent goes to the landlord.' });
  await addRecovery(ports, phone.account, phone.history, 'recovery-code', createRecoveryCode(random).code);
  const lostPorts = browser(url);
  const lost = await opened(lostPorts, await unlockWithRecoveryCode(lostPorts, code));
  await phone.history.refresh();
  await phone.history.settled();
  const forged = await forge(lost, chat);

  const added = (await ports.api.locks()).locks.find(({ lockId }) => lockId !== phone.account.usedLock?.lockId);
  await rotate(ports, phone.account, phone.history, {
    removeDevices: new Set([encodeHex(lost.account.device.deviceId)]),
    removeLocks: new Set([added?.lockId as string]),
  });
  await phone.history.settled();
  await written(forged);

  if (kind === 'look-at-locks') {
    const found = await checkLocks(ports, phone.account, phone.history);
    refuse([...found].sort((a, b) => (a.rule < b.rule ? -1 : 1))[0]);
    return 'their locks, the removed one among them, as if it were still theirs';
  }
  if (kind === 'unlock-again') {
    const again = { ...browser(url), device: ports.device };
    const account = await unlockWithRecoveryCode(again, code);
    return `their chats, open under key ${account.epochs?.epoch}, which the removed device has too`;
  }
  await phone.history.refresh();
  await phone.history.settled();
  refuse(phone.history.findings[0]);
  return phone.history
    .thread(chat)
    .map(({ text }) => text)
    .join(' / ');
}

function refuse(found: { readonly code: string; readonly message: string; readonly rule: string } | undefined): void {
  if (found !== undefined) throw new SottoError(found.code, found.message, { action: 'stop', rule: found.rule });
}

function browser(url: string): AccountPorts {
  const plain = createNodeFetch({ cookieJar: new CookieJar() });
  const fetch: typeof plain = (to, init) => plain(to, { ...init, headers: { ...init?.headers, origin: url } });
  const device = createMemoryDeviceStore();
  return { api: new ServerApi(fetch, url), random: createNodeRandom(), clock: createNodeClock(), device };
}

async function opened(ports: AccountPorts, account: OpenAccount): Promise<Device> {
  const history = await openAccountHistory(ports, account);
  await history.settled();
  await stateLocks(account, history, ports.clock);
  await history.settled();
  return { ports, account: account as Device['account'], history };
}

async function forge({ ports, account }: Device, conversationId: string): Promise<Forged> {
  const { random, clock } = ports;
  const { accountId, accountKey, device } = account;
  const recordId = random.bytes(16);
  const nowMs = Math.trunc(clock.nowMs());
  const envelope = await sealRecord({
    epochKey: deriveEpochKey(accountKey, accountId, 1),
    accountId,
    recordId,
    epoch: 1,
    deviceId: device.deviceId,
    // As if it were under way: beyond everything that its log speaks for.
    deviceCounter: 2 ** 40,
    content: {
      ...{
        type: 'message',
        clock: nowMs + 60_000,
        conversationId: encodeHex(parseHex(conversationId, 16)),
        parents: [],
      },
      ...{ role: 'user', text: FORGED_TEXT, status: 'complete', createdAtMs: nowMs },
    },
    random,
  });
  return { recordId: encodeHex(recordId), envelope: Buffer.from(envelope).toString('base64') };
}
