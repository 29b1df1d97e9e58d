import { useSyncExternalStore } from 'react';
import type { ReadableStore } from '../shell/store.ts';

/** The store's value, rendered again when it changes. */
export function useStore<State>(store: ReadableStore<State>): State {
  return useSyncExternalStore(store.subscribe, store.get);
}
