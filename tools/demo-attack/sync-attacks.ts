/** Attacks on a history that its device keeps (spec/client.md "Sync"): the operator drops what was there, or goes back as a whole. */
import { encodeRecordIndex, encodeRecordPage, parseRecordBatch, parseRecordIndex } from '@sotto/wire';
import type { Attack } from './attacks.ts';

export const SYNC_ATTACKS: readonly Attack[] = [
  {
    name: 'message-dropped-in-silence',
    tried: 'drop a message that the device has read long ago, and say nothing of it',
    task: 'read-kept-history',
    refusedBy: 'CL-222',
    seenAs: 'VA-108',
    mount: async ({ operator }) => {
      // The longest of what was written is the message: sizes are what the operator sees.
      let [longest, bytes] = ['', 0];
      operator.hooks = {
        onRequest: (_, path, body) => {
          if (path !== '/api/records/batch') return;
          for (const { recordId, envelope } of parseRecordBatch(body)) {
            if ((envelope?.length ?? 0) > bytes) [longest, bytes] = [recordId, envelope?.length ?? 0];
          }
        },
      };
      return {
        onWritten: () => {
          operator.hooks = {
            onAnswer: (_, path, answer) => {
              if (!path.startsWith('/api/records/index')) return;
              const page = parseRecordIndex(answer.body);
              const entries = page.entries.filter(({ recordId }) => recordId !== longest);
              answer.body = Buffer.from(encodeRecordIndex({ ...page, entries }));
            },
          };
        },
      };
    },
  },
  {
    name: 'server-went-back',
    tried: 'go back to the first day of the account, as a whole',
    task: 'read-kept-history',
    refusedBy: 'CL-214',
    seenAs: 'VA-104',
    mount: async ({ operator }) => ({
      onWritten: () => {
        operator.hooks = {
          onAnswer: (_, path, answer) => {
            if (!path.startsWith('/api/records/bulk')) return;
            answer.body = Buffer.from(encodeRecordPage({ records: [], newest: 1, more: false }));
          },
        };
      },
    }),
  },
];
