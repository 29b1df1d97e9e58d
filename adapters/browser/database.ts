/** IndexedDB with promises, and the one database that holds small values of this browser in its store `device`. */
import type { StoredRecord } from '@sotto/ports';
import { BrowserError } from './error.ts';
import { recordChanges } from './record-store.ts';

/** 1 and 2 kept sealed values here too: 2 in `sealed`, a guest's in `records`. */
const VERSION = 3;

/** Which generations of the sealed store there are (sealed-store.ts), in `device` under this key. */
export const GENERATIONS = 'generations';

export interface GenerationsState {
  /** The one that is read first. */
  readonly oldest: number;
  /** Everything that was purged is gone once this one is the oldest. */
  readonly wanted: number;
  /** Whether what counts of the oldest one may be moving on. */
  readonly isMoving: boolean;
}

export const FIRST_GENERATION: GenerationsState = { oldest: 1, wanted: 1, isMoving: false };

export interface Database {
  /** Of the IndexedDB database; the names of others that belong to it begin with it. */
  readonly name: string;
  /** Runs `work` over `device` in one transaction and resolves when that transaction is durable. */
  transact<Result>(mode: IDBTransactionMode, work: (objects: IDBObjectStore) => Promise<Result>): Promise<Result>;
}

/** @throws BrowserError `store-unavailable` where the browser refuses (private windows of some browsers) */
export async function openDatabase(name = 'sotto'): Promise<Database> {
  const opening = indexedDB.open(name, VERSION);
  opening.onupgradeneeded = ({ oldVersion }) => {
    if (oldVersion > 0) return upgrade(opening, oldVersion);
    opening.result.createObjectStore('device').put(FIRST_GENERATION, GENERATIONS);
  };
  const db = await settled(opening);
  db.onversionchange = () => db.close();
  return {
    name,
    transact: async (mode, work) => {
      try {
        return await transact(db, 'device', mode, work);
      } catch (cause) {
        throw storeError(cause);
      }
    },
  };
}

/** The database was closed before the transaction began: nothing was done. */
export class ClosedError extends Error {}

/** @throws BrowserError `store-full`, `store-unavailable`; ClosedError */
export async function transact<Result>(
  db: IDBDatabase,
  store: string,
  mode: IDBTransactionMode,
  work: (objects: IDBObjectStore) => Promise<Result>,
): Promise<Result> {
  const transaction = begin(db, store, mode);
  try {
    const done = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
    });
    done.catch(() => {});
    const result = await work(transaction.objectStore(store));
    await done;
    return result;
  } catch (cause) {
    throw storeError(cause);
  }
}

function begin(db: IDBDatabase, store: string, mode: IDBTransactionMode): IDBTransaction {
  try {
    return db.transaction(store, mode, { durability: 'strict' });
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'InvalidStateError') throw new ClosedError();
    throw storeError(cause);
  }
}

/** A request's result as a promise that stays inside its transaction. */
export function settled<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(storeError(request.error));
  });
}

export function storeError(cause: unknown): BrowserError {
  if (cause instanceof BrowserError) return cause;
  const full = cause instanceof DOMException && cause.name === 'QuotaExceededError';
  return new BrowserError(full ? 'store-full' : 'store-unavailable', cause);
}

/** What versions 1 and 2 kept stays in `sealed`: the generation before the first one (generation-database.ts). */
function upgrade({ result: db, transaction }: IDBOpenDBRequest, oldVersion: number): void {
  transaction
    ?.objectStore('device')
    .put({ oldest: 0, wanted: 1, isMoving: true } satisfies GenerationsState, GENERATIONS);
  const sealed = oldVersion < 2 ? db.createObjectStore('sealed') : transaction?.objectStore('sealed');
  const records = transaction?.objectStore('records').getAll();
  if (records === undefined) return;
  records.onsuccess = () => {
    const rows = records.result as StoredRecord[];
    for (const { recordId, sequence, envelope } of rows.sort((a, b) => a.sequence - b.sequence)) {
      for (const { name, value } of recordChanges(recordId, sequence, envelope)) sealed?.put(value, name);
    }
    db.deleteObjectStore('records');
  };
}
