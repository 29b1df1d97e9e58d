/** The person whose device keeps the history: writes, lets the operator do its worst, and opens it again at the next visit. */
import { SottoError } from '@sotto/bytes';
import { type ClientPorts, ServerApi } from '@sotto/client';
import { createRecoveryCode, draftAccount, openAccountHistory, registerAccount } from '@sotto/client/accounts';
import { createMemoryDeviceStore, createMemorySealedStore } from '@sotto/testkit';

/** What is found is found within a second; a device that finds nothing is not waited for longer. */
const PATIENCE_MS = 6000;

/** @throws SottoError what the app would show */
export async function readKeptHistory(
  { fetch, random, clock }: ClientPorts,
  url: string,
  words: string,
  isWritten: () => Promise<void>,
): Promise<string> {
  const stores = { device: createMemoryDeviceStore(), sealed: createMemorySealedStore() };
  const ports = { api: new ServerApi(fetch, url), random, clock, ...stores };
  const account = await registerAccount(ports, await draftAccount(createRecoveryCode(random).code, random));
  const history = await openAccountHistory(ports, account);
  const conversationId = await history.createConversation('medical');
  const turn = { conversationId, parentId: undefined, role: 'user', status: 'complete' } as const;
  await history.saveMessage({ ...turn, text: `${words} ${'and so on '.repeat(600)}` });
  await history.settled();
  history.close();
  await isWritten();
  const again = await openAccountHistory(ports, account);
  for (let waitedMs = 0; waitedMs < PATIENCE_MS && again.findings.length === 0; waitedMs += 50) await clock.sleep(50);
  const [found] = again.findings;
  if (found !== undefined) throw new SottoError(found.code, found.message, { action: 'stop', rule: found.rule });
  await again.load(conversationId);
  return `${again.thread(conversationId).length} messages, and nothing was said`;
}
