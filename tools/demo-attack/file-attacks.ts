/** What an operator can try with the sealed files that it keeps. */
import type { Attack, Mounted } from './attacks.ts';
import type { Answer, EvilOperator } from './evil-operator.ts';

const PART = /^\/api\/blobs\/([0-9a-f]{32})\/(\d+)$/;

export const FILE_ATTACKS: readonly Attack[] = [
  {
    name: 'file-swapped',
    tried: 'hand out another of the person’s files under the name of the one that they open',
    task: 'open-file',
    refusedBy: 'VA-193',
    mount: async ({ operator }) =>
      onPart(operator, (parts, blobId, part, answer) => {
        const other = [...parts.keys()].find((id) => id !== blobId);
        answer.body = parts.get(other ?? '')?.get(part) ?? answer.body;
      }),
  },
  {
    name: 'file-cut',
    tried: 'cut the end off a file, so that what is left passes for all of it',
    task: 'open-file',
    refusedBy: 'VA-195',
    mount: async ({ operator }) =>
      onPart(operator, (parts, blobId, part, answer) => {
        if (part === (parts.get(blobId)?.size ?? 0) - 1) answer.body = answer.body.subarray(0, -1000);
      }),
  },
];

type Parts = ReadonlyMap<string, ReadonlyMap<number, Buffer>>;

/** Remembers every part that was sent, and changes those that are fetched. */
function onPart(
  operator: EvilOperator,
  change: (parts: Parts, blobId: string, part: number, answer: Answer) => void,
): Mounted {
  const parts = new Map<string, Map<number, Buffer>>();
  operator.hooks = {
    onRequest: (method, path, body) => {
      const [, blobId = '', part] = PART.exec(path) ?? [];
      if (method !== 'PUT' || part === undefined) return;
      const mine = parts.get(blobId) ?? new Map<number, Buffer>();
      parts.set(blobId, mine.set(Number(part), body));
    },
    onAnswer: (method, path, answer) => {
      const [, blobId = '', part] = PART.exec(path) ?? [];
      if (method === 'GET' && part !== undefined) change(parts, blobId, Number(part), answer);
    },
  };
  return {};
}
