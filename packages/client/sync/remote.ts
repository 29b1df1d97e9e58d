/** The server's records as the engine sees them (spec/client.md "Talking to the server"). */
import type { ServerApi } from '../server-api.ts';
import type { RemoteRecords } from './sync-types.ts';

export function remoteRecordPages(api: ServerApi): RemoteRecords {
  return {
    page: (afterSequence, signal) => api.recordPage(afterSequence, signal),
    index: (afterRecordId, signal) => api.recordIndex(afterRecordId, signal),
    send: (writes, signal) => api.sendRecords(writes, signal),
  };
}
