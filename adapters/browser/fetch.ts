/** Same-origin requests only: a redirect is an error, the session travels in a cookie that no script can read. */
import type { Fetch } from '@sotto/ports';
import { BrowserError } from './error.ts';

export const browserFetch: Fetch = async (url, init = {}) => {
  const response = await fetch(url, {
    ...init,
    credentials: 'same-origin',
    redirect: 'error',
    cache: 'no-store',
    referrerPolicy: 'no-referrer',
  }).catch((cause: unknown) => {
    throw init.signal?.aborted ? init.signal.reason : new BrowserError('network-unreachable', cause);
  });
  return {
    status: response.status,
    header: (name) => response.headers.get(name) ?? undefined,
    bytes: async () => {
      try {
        return new Uint8Array(await response.arrayBuffer());
      } catch (cause) {
        throw init.signal?.aborted ? init.signal.reason : new BrowserError('network-unreachable', cause);
      }
    },
  };
};
