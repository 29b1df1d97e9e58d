/** A sealed store that keeps nothing: for whoever has no place on the device. */
import type { SealedStore } from '@sotto/ports';

export function createMemoryStore(): SealedStore {
  const values = new Map<string, Uint8Array<ArrayBuffer>>();
  const namesUnder = (prefix: string) => [...values.keys()].filter((name) => name.startsWith(prefix));
  return {
    get: async (names) => names.map((name) => values.get(name)?.slice()),
    list: async (prefix, { after = '', limit = Number.POSITIVE_INFINITY } = {}) =>
      namesUnder(prefix)
        .filter((name) => name > after)
        .sort()
        .slice(0, limit)
        .map((name) => ({ name, value: (values.get(name) as Uint8Array<ArrayBuffer>).slice() })),
    write: async (changes) => {
      for (const { name, value } of changes) {
        if (value === undefined) values.delete(name);
        else values.set(name, value.slice());
      }
    },
    erase: async (prefix) => {
      for (const name of namesUnder(prefix)) values.delete(name);
    },
    purge: async () => {},
  };
}
