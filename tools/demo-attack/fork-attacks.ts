/** Attacks on what several devices of one account agree about (spec/vault.md "Heads"): forks, and what was removed and comes back. */
import { type Attack, editRecords, type Mounted } from './attacks.ts';
import type { EvilOperator } from './evil-operator.ts';

/** No history of a demonstration is that long: what is shown at these sequences is new to every device. */
const BEYOND_ALL = 1_000_000;
const ONE_RECORD = /^\/api\/records\/([0-9a-f]{32})$/;

export const FORK_ATTACKS: readonly Attack[] = [
  {
    name: 'history-withheld',
    tried: 'show a new device less of the phone’s history than the laptop was shown',
    task: 'read-on-tablet',
    refusedBy: 'VA-106',
    mount: async ({ operator }) => withoutTheLastOfThePhone(operator),
  },
  {
    name: 'history-forked',
    tried: 'have a phone that forgot its place write a second history, and show the laptop that one too',
    task: 'read-second-history',
    refusedBy: 'VA-105',
    // With that rule off, the first history's message would still be one that the second does not list.
    besides: [
      {
        file: 'packages/vault/heads/compare.ts',
        find: "if (!this.#isUnderWay(record)) return finding('record-unlisted', { recordId, deviceId });",
        replace: '',
      },
    ],
    mount: async ({ operator }) => withoutTheLastOfThePhone(operator),
  },
  {
    name: 'removed-record-resurrected',
    tried: 'show a message again that the person deleted',
    task: 'read-after-deleting',
    refusedBy: 'VA-110',
    mount: async ({ operator }) => {
      const kept = new Map<string, string>();
      const removed = new Set<string>();
      operator.hooks = {
        onRequest: (method, path, body) => {
          const recordId = ONE_RECORD.exec(path)?.[1];
          if (method === 'PUT' && recordId !== undefined) kept.set(recordId, body.toString('base64'));
          if (method === 'DELETE' && recordId !== undefined) removed.add(recordId);
        },
      };
      return {
        onWritten: () => {
          const again = [...removed].map((recordId, i) => ({
            ...{ recordId, sequence: BEYOND_ALL + i, envelope: kept.get(recordId) ?? null },
          }));
          operator.hooks = {
            onAnswer: editRecords((records) => [...records.filter((each) => !removed.has(each.recordId)), ...again]),
          };
        },
      };
    },
  },
];

/** What the phone writes between "fork" and "hide" is, from then on, as it was before; "show" ends that. */
function withoutTheLastOfThePhone(operator: EvilOperator): Mounted {
  const before = new Map<string, string>();
  const hidden = new Set<string>();
  let isForked = false;
  operator.hooks = {
    onRequest: (method, path, body) => {
      const recordId = ONE_RECORD.exec(path)?.[1];
      if (method !== 'PUT' || recordId === undefined) return;
      if (isForked) hidden.add(recordId);
      else before.set(recordId, body.toString('base64'));
    },
  };
  return {
    onWritten: (told) => {
      isForked = told === 'fork';
      if (told === 'fork') return;
      operator.hooks = {
        onAnswer: editRecords((records) =>
          told === 'show'
            ? records
            : records.flatMap((record) => {
                if (!hidden.has(record.recordId)) return [record];
                const envelope = before.get(record.recordId);
                return envelope === undefined ? [] : [{ ...record, envelope }];
              }),
        ),
      };
    },
  };
}
