/**
 * A record store in memory that can also fail and lie. Honest by default, it is the reference for the contract suite
 * (record-store-contract.ts); its faults are those of a network and a disk, its lies those of a hostile server. Tests only.
 */
import { SottoError } from '@sotto/bytes';
import type { RecordPage, RecordStore, StoredRecord } from '@sotto/ports';

type Bytes = Uint8Array<ArrayBuffer>;

/** `lost`: refused, and not stored. `applied`: stored, and reported as failed. `full`: refused as `store-full`. */
export type WriteFault = 'lost' | 'applied' | 'full';

export class StoreError extends SottoError<'store-full' | 'store-unavailable'> {
  constructor(code: 'store-full' | 'store-unavailable') {
    const full = code === 'store-full';
    super(code, full ? 'there is no room left' : 'the store does not answer', { action: full ? 'fix-input' : 'retry' });
  }
}

export interface MemoryRecordStore extends RecordStore {
  /** The next `writes` writes fail in this way; `Infinity` until `heal`. */
  failWrites(fault: WriteFault, writes?: number): void;
  /** The next `reads` calls of `list` are refused as `store-unavailable`. */
  failReads(reads?: number): void;
  /** Ends every fault; what was done stays done. */
  heal(): void;
  /** Record ids that hold an envelope, in order of their latest write. */
  recordIds(): string[];
  /** The envelope that is served for a record. */
  envelopeOf(recordId: string): Bytes | undefined;
  /** Lies: each is served under a new sequence, as an operator with its own database would. */
  readonly evil: {
    /** Serves each of two records under the other's id. */
    swap(recordId: string, otherId: string): void;
    /** Serves the version before the latest write. */
    rollBack(recordId: string): void;
    /** Serves the record no longer, and does not say that it was removed. */
    drop(recordId: string): void;
    /** Flips one bit; `at` counts from the end where it is negative. */
    tamper(recordId: string, at: number): void;
    /** Serves again what was removed. */
    resurrect(recordId: string): void;
    /** Serves any bytes at all. */
    replace(recordId: string, envelope: Bytes): void;
  };
}

export interface MemoryRecordStoreOptions {
  /** Records a page; 100 where it is not given. */
  readonly pageRecords?: number;
  /** Sum of all envelopes beyond which a write is `store-full`. */
  readonly capacityBytes?: number;
}

export function createMemoryRecordStore(options: MemoryRecordStoreOptions = {}): MemoryRecordStore {
  const { pageRecords = 100, capacityBytes = Number.POSITIVE_INFINITY } = options;
  const rows = new Map<string, StoredRecord>();
  const earlier = new Map<string, Bytes[]>();
  let sequence = 0;
  let writeFault: { fault: WriteFault; left: number } | undefined;
  let readFaults = 0;

  /** Rows stay in the order of their sequence: a map keeps insertion order. */
  const serve = (recordId: string, envelope: Bytes | undefined): { sequence: number } => {
    rows.delete(recordId);
    rows.set(recordId, { recordId, sequence: ++sequence, envelope });
    return { sequence };
  };
  const held = (recordId: string): Bytes => {
    const envelope = rows.get(recordId)?.envelope;
    if (envelope === undefined) throw new Error('a test lies about a record that is not there');
    return envelope;
  };
  const write = async (recordId: string, envelope: Bytes | undefined): Promise<{ sequence: number }> => {
    const fault = writeFault?.fault;
    if (writeFault !== undefined && --writeFault.left <= 0) writeFault = undefined;
    if (fault === 'full') throw new StoreError('store-full');
    if (fault === 'lost') throw new StoreError('store-unavailable');
    const others = [...rows.values()].filter((row) => row.recordId !== recordId);
    const used = others.reduce((sum, row) => sum + (row.envelope?.length ?? 0), envelope?.length ?? 0);
    if (used > capacityBytes) throw new StoreError('store-full');
    const before = rows.get(recordId)?.envelope;
    if (before !== undefined) earlier.set(recordId, [...(earlier.get(recordId) ?? []), before]);
    const done = serve(recordId, envelope?.slice());
    if (fault === 'applied') throw new StoreError('store-unavailable');
    return done;
  };

  return {
    async list(afterSequence): Promise<RecordPage> {
      if (readFaults > 0) {
        readFaults--;
        throw new StoreError('store-unavailable');
      }
      const newer = [...rows.values()].filter((row) => row.sequence > afterSequence);
      const records = newer.slice(0, pageRecords).map((row) => ({ ...row, envelope: row.envelope?.slice() }));
      return {
        records,
        nextSequence: records.at(-1)?.sequence ?? afterSequence,
        more: newer.length > pageRecords,
      };
    },
    put: (recordId, envelope) => write(recordId, envelope),
    remove: (recordId) => write(recordId, undefined),
    failWrites(fault, writes = 1) {
      writeFault = { fault, left: writes };
    },
    failReads(reads = 1) {
      readFaults = reads;
    },
    heal() {
      writeFault = undefined;
      readFaults = 0;
    },
    recordIds: () => [...rows.values()].filter((row) => row.envelope !== undefined).map((row) => row.recordId),
    envelopeOf: (recordId) => rows.get(recordId)?.envelope?.slice(),
    evil: {
      swap(recordId, otherId) {
        const [mine, other] = [held(recordId), held(otherId)];
        serve(recordId, other);
        serve(otherId, mine);
      },
      rollBack(recordId) {
        const before = earlier.get(recordId)?.at(-1);
        if (before === undefined) throw new Error('a test rolls back a record that was written once');
        serve(recordId, before);
      },
      drop(recordId) {
        held(recordId);
        rows.delete(recordId);
      },
      tamper(recordId, at) {
        const changed = held(recordId).slice();
        const place = at < 0 ? changed.length + at : at;
        changed[place] = (changed[place] as number) ^ 1;
        serve(recordId, changed);
      },
      resurrect(recordId) {
        const before = earlier.get(recordId)?.at(-1);
        if (before === undefined) throw new Error('a test resurrects a record that was never there');
        serve(recordId, before);
      },
      replace(recordId, envelope) {
        serve(recordId, envelope.slice());
      },
    },
  };
}
