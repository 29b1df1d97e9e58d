/**
 * One generation of the sealed store is one IndexedDB database, `<name>-sealed-<number>`: version 1 while it is the newest, version 2
 * once the next one takes its place. Raising the version closes it in every other tab, so nobody writes to it unaware.
 */
import { settled, transact } from './database.ts';
import { assertEmpty, type Generation, type GenerationChange, type Held } from './generations.ts';

const STORE = 'sealed';
const SUPERSEDED = 2;

/** Above every code unit that a name holds. */
const LAST = '\uffff';

export interface GenerationDatabase extends Generation {
  readonly number: number;
  readonly isSuperseded: boolean;
  close(): void;
}

/** @param name of the `Database` it belongs to; generation 0 lies in that one itself (database.ts) */
function nameOf(name: string, number: number): string {
  return number === 0 ? name : `${name}-sealed-${number}`;
}

/** @returns undefined where there is none and none is to be made */
export async function openGeneration(
  name: string,
  number: number,
  mayCreate: boolean,
): Promise<GenerationDatabase | undefined> {
  const db = await open(nameOf(name, number), undefined, mayCreate);
  if (db === undefined) return undefined;
  return { ...generationOver(db), number, isSuperseded: db.version >= SUPERSEDED, close: () => db.close() };
}

/** From now on every tab writes to the next one. Waits for what others are writing. */
export async function supersede(name: string, number: number): Promise<void> {
  const found = await openGeneration(name, number, false);
  found?.close();
  if (found === undefined || found.isSuperseded) return;
  (await openGeneration(name, number + 1, true))?.close();
  (await open(nameOf(name, number), SUPERSEDED, true))?.close();
}

/**
 * Takes a generation out of the browser's files. Chromium drops what was removed from its files only where it compacts them: when it
 * deletes a database, over the part of the files that are of that database and were written before. So what is still in its log
 * is brought into files first, and the files that this leaves are let go of by one more.
 */
export async function discard(name: string, number: number): Promise<void> {
  const found = await openGeneration(name, number, false);
  if (found !== undefined) await assertEmpty(found);
  found?.close();
  await compact(name);
  if (number > 0) await settled(indexedDB.deleteDatabase(nameOf(name, number)));
  await compact(name);
}

async function compact(name: string): Promise<void> {
  const passing = `${name}-passing`;
  (await open(passing, undefined, true))?.close();
  await settled(indexedDB.deleteDatabase(passing));
}

async function open(name: string, version: number | undefined, mayCreate: boolean): Promise<IDBDatabase | undefined> {
  const opening = indexedDB.open(name, version);
  let isRefused = false;
  opening.onupgradeneeded = ({ oldVersion }) => {
    if (oldVersion > 0) return;
    isRefused = !mayCreate;
    if (isRefused) opening.transaction?.abort();
    else opening.result.createObjectStore(STORE);
  };
  try {
    const db = await settled(opening);
    db.onversionchange = () => db.close();
    return db;
  } catch (error) {
    if (isRefused) return undefined;
    throw error;
  }
}

function generationOver(db: IDBDatabase): Generation {
  const read = <Result>(work: (objects: IDBObjectStore) => Promise<Result>) => transact(db, STORE, 'readonly', work);
  return {
    get: (names) =>
      read((objects) => Promise.all(names.map((name) => settled(objects.get(name) as IDBRequest<Held | undefined>)))),
    names: (prefix) => read((objects) => settled(objects.getAllKeys(rangeOf(prefix)) as IDBRequest<string[]>)),
    list: (prefix, { after = '', limit } = {}) =>
      read(async (objects) => {
        if (after >= prefix + LAST) return [];
        const range = after < prefix ? rangeOf(prefix) : IDBKeyRange.bound(after, prefix + LAST, true);
        const [names, values] = await Promise.all([
          settled(objects.getAllKeys(range, limit) as IDBRequest<string[]>),
          settled(objects.getAll(range, limit) as IDBRequest<Held[]>),
        ]);
        return names.map((name, index) => ({ name, value: values[index] as Held }));
      }),
    change: (change) => transact(db, STORE, 'readwrite', (objects) => apply(objects, change)),
    update: (names, compute) =>
      transact(db, STORE, 'readwrite', async (objects) => {
        const held = names.map((name) => settled(objects.get(name) as IDBRequest<Held | undefined>));
        await apply(objects, compute(await Promise.all(held)));
      }),
  };
}

async function apply(objects: IDBObjectStore, { erase, put = [], add = [] }: GenerationChange): Promise<void> {
  const requests: Promise<unknown>[] = [];
  if (erase !== undefined) requests.push(settled(objects.delete(rangeOf(erase))));
  for (const { name, value } of put) {
    requests.push(value === undefined ? settled(objects.delete(name)) : settled(objects.put(value, name)));
  }
  for (const { name, value } of add) {
    requests.push(
      settled(objects.getKey(name)).then((held) => (held === undefined ? settled(objects.put(value, name)) : held)),
    );
  }
  await Promise.all(requests);
}

function rangeOf(prefix: string): IDBKeyRange {
  return IDBKeyRange.bound(prefix, prefix + LAST);
}
