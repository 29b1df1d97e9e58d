/** When this browser says that it has, or has lost, a network; and when its page is looked at again, which may be after a long sleep. */
import type { OnlineHints } from '@sotto/ports';

export const browserOnlineHints: OnlineHints = {
  subscribe(listener) {
    const ending = new AbortController();
    const { signal } = ending;
    addEventListener('online', () => listener(true), { signal });
    addEventListener('offline', () => listener(false), { signal });
    document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && listener(true), {
      signal,
    });
    return () => ending.abort();
  },
};
