/** A person with a phone, a laptop and then a tablet, whom the operator shows different histories. Runs in the victim's process. */
import { CookieJar, createNodeClock, createNodeFetch, createNodeRandom } from '@sotto/adapters-node';
import { SottoError } from '@sotto/bytes';
import { type History, ServerApi } from '@sotto/client';
import {
  type AccountPorts,
  createRecoveryCode,
  draftAccount,
  openAccountHistory,
  registerAccount,
  unlockWithRecoveryCode,
} from '@sotto/client/accounts';
import { createMemoryDeviceStore } from '@sotto/testkit';

export type SeveralDevicesTask = 'read-on-tablet' | 'read-second-history' | 'read-after-deleting';

/** @param tell the operator, who does its worst before it resolves. @throws SottoError what the app would show */
export async function onSeveralDevices(
  kind: SeveralDevicesTask,
  url: string,
  tell: (what: string) => Promise<void>,
): Promise<string> {
  const ports = device(url);
  const code = createRecoveryCode(ports.random).code;
  const account = await registerAccount(ports, await draftAccount(code, ports.random));
  const phone = await openAccountHistory(ports, account);
  await phone.settled();
  const conversationId = await phone.createConversation('rent');
  const say = async (history: History, text: string) => {
    const turn = { conversationId, parentId: undefined, role: 'user', status: 'complete' } as const;
    const recordId = await history.saveMessage({ ...turn, text });
    await history.settled();
    return recordId;
  };
  const first = await say(phone, 'The rent is 900.');
  const read = async (history: History) => {
    await history.refresh();
    await history.settled();
    const texts = history.thread(conversationId).map(({ text }) => text);
    const [found] = history.findings;
    const isBack = kind === 'read-after-deleting' && texts.length > 0;
    // It must not be shown either, whatever is said of it.
    if (isBack || found === undefined) return `${texts.length} messages: ${texts.join(' / ')}`;
    throw new SottoError(found.code, found.message, { action: 'stop', rule: found.rule });
  };

  if (kind === 'read-after-deleting') {
    await phone.removeRecord(first);
    await read(phone);
    await tell('removed');
    return read(phone);
  }

  const another = async () => {
    const own = device(url);
    return openAccountHistory(own, await unlockWithRecoveryCode(own, code));
  };
  const laptop = await another();
  await laptop.settled();
  await tell('fork');
  await say(phone, 'The rent is 950 from May.');
  await read(laptop);
  if (kind === 'read-on-tablet') {
    await tell('hide');
    await say(laptop, 'I have told the bank.');
    return read(await another());
  }
  await tell('hide');
  // As after a clean-up of the browser: the keys are there, what it remembered of its own log is not.
  const forgetful = await openAccountHistory({ ...ports, device: createMemoryDeviceStore() }, account);
  await say(forgetful, 'The rent is 700 from May.');
  await tell('show');
  return read(laptop);
}

function device(url: string): AccountPorts {
  const plain = createNodeFetch({ cookieJar: new CookieJar() });
  const fetch: typeof plain = (to, init) => plain(to, { ...init, headers: { ...init?.headers, origin: url } });
  const store = createMemoryDeviceStore();
  return { api: new ServerApi(fetch, url), random: createNodeRandom(), clock: createNodeClock(), device: store };
}
