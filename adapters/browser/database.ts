/**
 * One IndexedDB database for what is kept in this browser. Everything in `records` (a guest's) and `sealed` (an account's) is
 * sealed; `device` holds small values.
 */
import { BrowserError } from './error.ts';

export type StoreName = 'device' | 'records' | 'sealed';

/** 1: `device`, `records`. 2: `sealed`. */
const VERSION = 2;

export interface Database {
  /** Runs `work` in one transaction and resolves when that transaction is durable. */
  transact<Result>(
    store: StoreName,
    mode: IDBTransactionMode,
    work: (objects: IDBObjectStore) => Promise<Result>,
  ): Promise<Result>;
}

/** @throws BrowserError `store-unavailable` where the browser refuses (private windows of some browsers) */
export async function openDatabase(name = 'sotto'): Promise<Database> {
  const opening = indexedDB.open(name, VERSION);
  opening.onupgradeneeded = ({ oldVersion }) => {
    if (oldVersion < 1) {
      opening.result.createObjectStore('device');
      opening.result.createObjectStore('records', { keyPath: 'recordId' }).createIndex('sequence', 'sequence');
    }
    if (oldVersion < 2) opening.result.createObjectStore('sealed');
  };
  const db = await settled(opening);
  db.onversionchange = () => db.close();
  return {
    transact: async (store, mode, work) => {
      try {
        const transaction = db.transaction(store, mode, { durability: 'strict' });
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
    },
  };
}

/** A request's result as a promise that stays inside its transaction. */
export function settled<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(storeError(request.error));
  });
}

function storeError(cause: unknown): BrowserError {
  if (cause instanceof BrowserError) return cause;
  const full = cause instanceof DOMException && cause.name === 'QuotaExceededError';
  return new BrowserError(full ? 'store-full' : 'store-unavailable', cause);
}
