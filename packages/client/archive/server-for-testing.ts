/**
 * A server's records in memory, as the sync engine talks to it: honest by default, it can be unreachable and lie as an operator with
 * its own database would. For tests only.
 */
import type { StoredRecord } from '@sotto/ports';
import { ClientError } from '../errors.ts';
import type { RemoteRecords } from '../sync/sync-types.ts';

type Bytes = Uint8Array<ArrayBuffer>;

export interface TestServer extends RemoteRecords {
  readonly rows: Map<string, StoredRecord>;
  online: boolean;
  /** Calls of `send` since it was made. */
  sends: number;
  evil: {
    /** Serves the record no longer, and does not say that it was removed. */
    drop(recordId: string): void;
    /** Serves an older version, as if it were new. */
    rollBack(recordId: string): void;
    /** Serves any bytes. */
    replace(recordId: string, envelope: Bytes): void;
  };
}

export function createTestServer(pageRecords = 100): TestServer {
  const rows = new Map<string, StoredRecord>();
  const earlier = new Map<string, Bytes>();
  let newest = 0;
  const serve = (recordId: string, envelope: Bytes | undefined): number => {
    rows.delete(recordId);
    rows.set(recordId, { recordId, sequence: ++newest, envelope });
    return newest;
  };
  const reach = () => {
    if (!server.online) throw new ClientError('network-unreachable');
  };
  const server: TestServer = {
    rows,
    online: true,
    sends: 0,
    async page(afterSequence) {
      reach();
      const newer = [...rows.values()].filter(({ sequence }) => sequence > afterSequence);
      const records = newer.slice(0, pageRecords);
      return { records, more: newer.length > pageRecords, newest };
    },
    async index(afterRecordId) {
      reach();
      const all = [...rows.values()].filter(({ envelope }) => envelope !== undefined);
      const entries = all.filter(({ recordId }) => recordId > afterRecordId);
      entries.sort((a, b) => (a.recordId < b.recordId ? -1 : 1));
      return { entries: entries.slice(0, pageRecords), newest, more: entries.length > pageRecords };
    },
    async send(writes) {
      reach();
      server.sends++;
      const sequences: number[] = [];
      for (const { recordId, base, envelope } of writes) {
        const held = rows.get(recordId);
        if (held !== undefined && String(held.envelope) === String(envelope)) {
          sequences.push(held.sequence);
          continue;
        }
        if (held !== undefined && held.sequence > base) return { sequences, refused: 'record-conflict' };
        if (held?.envelope !== undefined) earlier.set(recordId, held.envelope);
        sequences.push(serve(recordId, envelope?.slice()));
      }
      return { sequences };
    },
    evil: {
      drop(recordId) {
        const envelope = rows.get(recordId)?.envelope;
        if (envelope !== undefined) earlier.set(recordId, envelope);
        rows.delete(recordId);
      },
      rollBack(recordId) {
        serve(recordId, earlier.get(recordId));
      },
      replace(recordId, envelope) {
        serve(recordId, envelope);
      },
    },
  };
  return server;
}
