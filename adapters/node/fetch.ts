/** `Fetch` over Node's own fetch. Answers come from a hostile server: redirects are refused and bodies are bounded. */
import { concatBytes } from '@sotto/bytes';
import type { Fetch } from '@sotto/ports';
import type { CookieJar } from './cookie-jar.ts';
import { NetworkError } from './network-error.ts';

const ANSWER_LIMIT_BYTES = 64 * 1024 * 1024;

/**
 * @param options.cookieJar keeps the server's session between calls; share it with `createNodeConnectSocket`
 * @returns a `Fetch` that rejects with `NetworkError` (`network-unreachable`) or the signal's reason
 */
export function createNodeFetch(options: { cookieJar?: CookieJar; limitBytes?: number } = {}): Fetch {
  const limitBytes = options.limitBytes ?? ANSWER_LIMIT_BYTES;
  return async (url, init = {}) => {
    const cookie = options.cookieJar?.header(url);
    const headers = { ...init.headers, ...(cookie === undefined ? {} : { cookie }) };
    const response = await globalThis
      .fetch(url, { ...init, headers, redirect: 'error' })
      .catch((error: unknown) => rethrow(error, init.signal));
    options.cookieJar?.store(url, response.headers.getSetCookie());
    return {
      status: response.status,
      header: (name) => response.headers.get(name) ?? undefined,
      bytes: () => readBody(response, limitBytes).catch((error: unknown) => rethrow(error, init.signal)),
    };
  };
}

async function readBody(response: Response, limitBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body ?? []) {
    length += part.length;
    if (length > limitBytes) {
      throw new NetworkError('network-answer-too-large', 'the answer is longer than its limit');
    }
    parts.push(part);
  }
  return concatBytes(...parts);
}

function rethrow(error: unknown, signal: AbortSignal | undefined): never {
  signal?.throwIfAborted();
  if (error instanceof NetworkError) throw error;
  throw new NetworkError('network-unreachable', 'the server could not be reached', error);
}
