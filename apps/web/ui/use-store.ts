import { useSyncExternalStore } from 'react';
import type { ReadableStore } from '../shell/store.ts';

/** The store's value, rendered again when it changes. */
export function useStore<State>(store: ReadableStore<State>): State {
  return useSyncExternalStore(store.subscribe, store.get);
}

/**
 * What `select` takes of the store's value, rendered again when that is another.
 *
 * @param select gives the very same for the same value of the store: nothing that it made
 */
export function useSelected<State, Selected>(
  store: ReadableStore<State>,
  select: (state: State) => Selected,
): Selected {
  return useSyncExternalStore(store.subscribe, () => select(store.get()));
}
