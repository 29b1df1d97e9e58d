/** Links to copies of the open account's chats: loaded when somebody shares one. */
import { Order } from '@sotto/client/order';
import { copyOf, type SharePorts, shareChat, sharedLinks, takeBack } from '@sotto/client/share';
import type { History, Sharing } from '../../shell/services.ts';

export function openSharing(
  ports: Pick<SharePorts, 'api' | 'clock' | 'random'> & { readonly history: History },
): Sharing {
  const all: SharePorts = { ...ports, order: new Order(ports) };
  return {
    preview: (conversationId) => copyOf(all, conversationId),
    share: (conversationId, days) => shareChat(all, conversationId, days),
    links: () => sharedLinks(all),
    takeBack: (shareId) => takeBack(all, shareId),
  };
}
