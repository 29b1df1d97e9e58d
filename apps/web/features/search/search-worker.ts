/** The worker that holds the index: what it reads and writes is sealed, and the key is here for as long as the worker is. */
import { browserClock, browserRandom, createBrowserSealedStore, openDatabase } from '@sotto/adapters-browser';
import { createMemoryStore, openSearchIndex, serveSearchIndex } from '@sotto/client/search';
import { createLocalKey, LocalKey } from '@sotto/vault';

/** The first message. */
export interface OpenIndex {
  /** Absent where nothing is kept. */
  readonly kept?: { readonly accountId: Uint8Array; readonly key: Uint8Array<ArrayBuffer> };
}

/** The part of a worker's own scope that is used. */
const scope = globalThis as unknown as {
  postMessage(message: unknown): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
};

let listener: ((message: unknown) => void) | undefined;
scope.addEventListener('message', ({ data }) => {
  // The first one says what to open, every other one is a call.
  if (listener !== undefined) return listener(data);
  const line = {
    post: (message: unknown) => scope.postMessage(message),
    onMessage: (next: (message: unknown) => void) => {
      listener = next;
    },
  };
  serveSearchIndex(line, open((data as OpenIndex).kept));
});

async function open(kept: OpenIndex['kept']) {
  const ports = { clock: browserClock, random: browserRandom };
  if (kept === undefined) {
    const owner = { accountId: browserRandom.bytes(16), key: createLocalKey(browserRandom) };
    return openSearchIndex({ ...ports, owner, store: createMemoryStore() });
  }
  const owner = { accountId: kept.accountId, key: new LocalKey(kept.key) };
  return openSearchIndex({ ...ports, owner, store: createBrowserSealedStore(await openDatabase()) });
}
