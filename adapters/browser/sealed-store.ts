/** What an account keeps in this browser: values that were sealed before they came here, by name (packages/ports). */
import type { SealedStore } from '@sotto/ports';
import { type Database, settled } from './database.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** Above every code unit that a name holds. */
const LAST = '\uffff';

export function createBrowserSealedStore(database: Database): SealedStore {
  return {
    get: (names) =>
      database.transact('sealed', 'readonly', (objects) =>
        Promise.all(names.map((name) => settled(objects.get(name) as IDBRequest<Bytes | undefined>))),
      ),
    list: (prefix, { after = '', limit } = {}) =>
      database.transact('sealed', 'readonly', async (objects) => {
        if (after >= prefix + LAST) return [];
        const range = after < prefix ? rangeOf(prefix) : IDBKeyRange.bound(after, prefix + LAST, true);
        const [names, values] = await Promise.all([
          settled(objects.getAllKeys(range, limit)) as Promise<string[]>,
          settled(objects.getAll(range, limit)) as Promise<Bytes[]>,
        ]);
        return names.map((name, index) => ({ name, value: values[index] as Bytes }));
      }),
    write: (changes) => {
      // Copied at once: the caller may use its bytes again before the transaction reads them.
      const copies = changes.map(({ name, value }) => ({ name, value: value?.slice() }));
      return database.transact('sealed', 'readwrite', async (objects) => {
        const requests = copies.map(({ name, value }) =>
          value === undefined ? settled(objects.delete(name)) : settled(objects.put(value, name)),
        );
        await Promise.all<unknown>(requests);
      });
    },
    erase: (prefix) =>
      database.transact('sealed', 'readwrite', async (objects) => {
        await settled(objects.delete(rangeOf(prefix)));
      }),
  };
}

function rangeOf(prefix: string): IDBKeyRange {
  return IDBKeyRange.bound(prefix, prefix + LAST);
}
