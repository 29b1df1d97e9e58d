/** The person shares two chats by links; somebody opens the first, who has nothing but the link and the server's word. */
import { ServerApi } from '@sotto/client';
import { draftAccount, registerAccount } from '@sotto/client/accounts';
import { Order, openTemporaryHistory } from '@sotto/client/order';
import { openShared, shareChat } from '@sotto/client/share';
import type { Clock, Fetch, Random } from '@sotto/ports';
import { createMemoryDeviceStore } from '@sotto/testkit';
import { createRecoveryCode } from '@sotto/vault';

export async function openSharedChat(
  ports: { clock: Clock; random: Random; fetch: Fetch },
  url: string,
): Promise<string> {
  const { clock, random, fetch } = ports;
  const api = new ServerApi(fetch, url);
  const accountPorts = { api, random, clock, device: createMemoryDeviceStore() };
  await registerAccount(accountPorts, await draftAccount(createRecoveryCode(random).code, random));
  const history = await openTemporaryHistory({ clock, random });
  const order = new Order({ history, clock, random });
  const links: string[] = [];
  for (const text of ['the chat that was shared', 'another chat']) {
    const conversationId = await history.createConversation(text);
    await history.saveMessage({ conversationId, parentId: undefined, role: 'user', text, status: 'complete' });
    const shared = await shareChat({ api, history, order, clock, random }, conversationId, 7);
    links.push(shared.url.split('#share=')[1] ?? '');
  }
  const { messages } = await openShared(api, links[0] ?? '');
  return messages[0]?.text ?? 'nothing';
}
