/**
 * One stream of the channel as one web-standard request and answer (spec/enclave.md §streams). The peer is a client whose
 * identity nobody checks: everything it sends is capped.
 */
import type { IncomingRequest, ResponseWriter } from '@sotto/channel';
import { CHAT_REQUEST_LIMIT_BYTES, encodeResponseHead, type Header, parseRequestHead, WIRE_VERSION } from '@sotto/wire';
import { errorResponse } from './api.ts';
import { EnclaveError, toEnclaveError } from './enclave-error.ts';

/** Largest request body. */
export const BODY_LIMIT_BYTES = CHAT_REQUEST_LIMIT_BYTES;

/** How long a body may take to arrive: a slow phone's, and no more. */
const BODY_TIME_MS = 2 * 60_000;
const FIRST_CAPACITY_BYTES = 4096;

/** The memory that bodies may hold at one time, while they are read and until their answer begins (EN-25). */
export class BodyBudget {
  readonly #sessionBytes: number;
  readonly #held = new WeakMap<object, number>();
  #freeBytes: number;

  constructor(limits: { readonly allBytes: number; readonly sessionBytes: number }) {
    this.#freeBytes = limits.allBytes;
    this.#sessionBytes = limits.sessionBytes;
  }

  /** @throws EnclaveError `busy` */
  take(session: object, bytes: number): void {
    const held = (this.#held.get(session) ?? 0) + bytes;
    // EN-25: many streams with one body each are as much memory as one body without a limit.
    if (held > this.#sessionBytes || bytes > this.#freeBytes) throw new EnclaveError('busy', {}, 'EN-25');
    this.#held.set(session, held);
    this.#freeBytes -= bytes;
  }

  give(session: object, bytes: number): void {
    this.#held.set(session, (this.#held.get(session) ?? 0) - bytes);
    this.#freeBytes += bytes;
  }
}

/** Whose memory a body takes. */
export interface BodyOwner {
  readonly budget: BodyBudget;
  readonly session: object;
}

export const DEFAULT_BODY_LIMITS = { allBytes: 32 * BODY_LIMIT_BYTES, sessionBytes: 4 * BODY_LIMIT_BYTES } as const;

/**
 * Reads the request, asks `handle`, sends its answer back. Never rejects.
 * @returns the status that was answered, or undefined when the peer was gone
 */
export async function serveStream(
  incoming: IncomingRequest,
  handle: (request: Request) => Promise<Response>,
  owner: BodyOwner,
): Promise<number | undefined> {
  const response = await answer(incoming, handle, owner);
  const headers: Header[] = [...response.headers].map(([name, value]) => [name, value]);
  try {
    const writer = incoming.respond(encodeResponseHead({ version: WIRE_VERSION, status: response.status, headers }));
    await copyBody(response, writer, incoming.signal);
    return response.status;
  } catch {
    await response.body?.cancel().catch(() => undefined);
    incoming.reject('internal'); // does nothing when the stream is over
    return undefined;
  }
}

async function answer(
  incoming: IncomingRequest,
  handle: (request: Request) => Promise<Response>,
  { budget, session }: BodyOwner,
): Promise<Response> {
  let takenBytes = 0;
  const take = (bytes: number): void => {
    budget.take(session, bytes);
    takenBytes += bytes;
  };
  // A body that never ends would hold its memory as long as the session lives (EN-25).
  const timer = setTimeout(() => incoming.reject('internal'), BODY_TIME_MS);
  try {
    const request = await readRequest(incoming, take);
    clearTimeout(timer);
    return await handle(request);
  } catch (error) {
    return errorResponse(toEnclaveError(error, 'bad-request'));
  } finally {
    clearTimeout(timer);
    budget.give(session, takenBytes);
  }
}

async function readRequest(incoming: IncomingRequest, take: (bytes: number) => void): Promise<Request> {
  const { method, path, headers } = parseRequestHead(incoming.head);
  const body = await readBody(incoming.body, take);
  return new Request(new URL(path, 'http://enclave'), {
    method,
    headers: headers.map(([name, value]): [string, string] => [name, value]),
    ...(method === 'GET' ? {} : { body }),
    signal: incoming.signal,
  });
}

/** Into one growing buffer: a million chunks of one byte, kept as they came, would take hundreds of times their size. */
async function readBody(
  body: AsyncIterable<Uint8Array>,
  take: (bytes: number) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  let buffer = new Uint8Array(FIRST_CAPACITY_BYTES);
  let length = 0;
  for await (const part of body) {
    const needed = length + part.length;
    // EN-04: a body without a limit is memory that a stranger can take from everyone else.
    if (needed > BODY_LIMIT_BYTES) throw new EnclaveError('body-too-large', { limitBytes: BODY_LIMIT_BYTES }, 'EN-04');
    take(part.length);
    if (needed > buffer.length) {
      const larger = new Uint8Array(Math.min(BODY_LIMIT_BYTES, Math.max(needed, 2 * buffer.length)));
      larger.set(buffer.subarray(0, length));
      buffer = larger;
    }
    buffer.set(part, length);
    length = needed;
  }
  return buffer.subarray(0, length);
}

async function copyBody(response: Response, writer: ResponseWriter, signal: AbortSignal): Promise<void> {
  const reader = response.body?.getReader();
  const onAbort = (): void => void reader?.cancel().catch(() => undefined);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    signal.throwIfAborted();
    for (let part = await reader?.read(); part !== undefined && !part.done; part = await reader?.read()) {
      await writer.write(part.value);
    }
    signal.throwIfAborted();
    await writer.end();
  } catch (error) {
    await reader?.cancel().catch(() => undefined);
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
