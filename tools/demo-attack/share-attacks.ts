/** What an operator can try with the sealed copies of shared chats. */
import type { Attack } from './attacks.ts';

const COPY = /^\/api\/shares\/([0-9a-f]{32})/;

export const SHARE_ATTACKS: readonly Attack[] = [
  {
    name: 'shared-chat-swapped',
    tried: 'show whoever opens a link another chat of the same person',
    task: 'open-shared',
    refusedBy: 'VA-193',
    mount: async ({ operator }) => {
      const copies = new Map<string, Buffer>();
      operator.hooks = {
        onRequest: (method, path, body) => {
          const [, shareId] = COPY.exec(path) ?? [];
          if (method === 'PUT' && shareId !== undefined) copies.set(shareId, body);
        },
        onAnswer: (method, path, answer) => {
          const [, shareId] = COPY.exec(path) ?? [];
          const other = [...copies].find(([id]) => id !== shareId)?.[1];
          if (method === 'GET' && shareId !== undefined && other !== undefined) answer.body = other;
        },
      };
      return {};
    },
  },
];
