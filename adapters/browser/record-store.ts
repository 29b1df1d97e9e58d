/** A guest's sealed records, in this browser only. A removed record leaves its id and a higher sequence, as on the server. */
import type { RecordStore, StoredRecord } from '@sotto/ports';
import { type Database, settled } from './database.ts';

const PAGE_RECORDS = 500;

export interface BrowserRecordStore extends RecordStore {
  /** Forgets every record, once a guest's chats were kept in an account. */
  erase(): Promise<void>;
}

export function createBrowserRecordStore(database: Database): BrowserRecordStore {
  const write = (recordId: string, envelope: Uint8Array<ArrayBuffer> | undefined) =>
    database.transact('records', 'readwrite', async (objects) => {
      const newest = await settled(objects.index('sequence').openKeyCursor(null, 'prev'));
      const sequence = ((newest?.key as number | undefined) ?? 0) + 1;
      await settled(objects.put({ recordId, sequence, envelope }));
      return { sequence };
    });

  return {
    list: (afterSequence) =>
      database.transact('records', 'readonly', async (objects) => {
        const range = IDBKeyRange.lowerBound(afterSequence, true);
        const found = (await settled(objects.index('sequence').getAll(range, PAGE_RECORDS + 1))) as StoredRecord[];
        const records = found.slice(0, PAGE_RECORDS);
        return {
          records,
          nextSequence: records.at(-1)?.sequence ?? afterSequence,
          more: found.length > PAGE_RECORDS,
        };
      }),
    // Copied at once: the caller may use its bytes again before the transaction reads them.
    put: (recordId, envelope) => write(recordId, envelope.slice()),
    remove: (recordId) => write(recordId, undefined),
    erase: async () => {
      await database.transact('records', 'readwrite', (objects) => settled(objects.clear()));
    },
  };
}
