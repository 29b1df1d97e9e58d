/** The server as a `RecordStore`. */
import type { RecordStore } from '@sotto/ports';
import type { ServerApi } from './server-api.ts';

export function remoteRecords(api: ServerApi): RecordStore {
  return {
    list: (afterSequence) => api.records(afterSequence),
    put: (recordId, envelope) => api.putRecord(recordId, envelope),
    remove: (recordId) => api.removeRecord(recordId),
  };
}
