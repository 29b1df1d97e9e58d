/** A plain observable value: models own one, views subscribe to it. Updates are synchronous and skip equal values. */
export interface Store<State> {
  get(): State;
  set(next: State): void;
  /** Replaces the named fields. */
  patch(change: Partial<State>): void;
  subscribe(listener: () => void): () => void;
}

/** What views get of a store. */
export type ReadableStore<State> = Pick<Store<State>, 'get' | 'subscribe'>;

export function createStore<State extends object>(initial: State): Store<State> {
  let state = initial;
  const listeners = new Set<() => void>();
  const set = (next: State) => {
    if (Object.is(next, state)) return;
    state = next;
    for (const listener of [...listeners]) listener();
  };
  return {
    get: () => state,
    set,
    patch: (change) => set({ ...state, ...change }),
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
