/**
 * One stream of the channel as one web-standard request and answer (spec/enclave.md §streams). The peer is a client whose
 * identity nobody checks: everything it sends is capped.
 */
import { concatBytes } from '@sotto/bytes';
import type { IncomingRequest, ResponseWriter } from '@sotto/channel';
import { CHAT_REQUEST_LIMIT_BYTES, encodeResponseHead, type Header, parseRequestHead, WIRE_VERSION } from '@sotto/wire';
import { errorResponse } from './api.ts';
import { EnclaveError, toEnclaveError } from './enclave-error.ts';

/** Largest request body. */
export const BODY_LIMIT_BYTES = CHAT_REQUEST_LIMIT_BYTES;

/**
 * Reads the request, asks `handle`, sends its answer back. Never rejects.
 * @returns the status that was answered, or undefined when the peer was gone
 */
export async function serveStream(
  incoming: IncomingRequest,
  handle: (request: Request) => Promise<Response>,
): Promise<number | undefined> {
  const response = await answer(incoming, handle);
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

async function answer(incoming: IncomingRequest, handle: (request: Request) => Promise<Response>): Promise<Response> {
  try {
    return await handle(await readRequest(incoming));
  } catch (error) {
    return errorResponse(toEnclaveError(error, 'bad-request'));
  }
}

async function readRequest(incoming: IncomingRequest): Promise<Request> {
  const { method, path, headers } = parseRequestHead(incoming.head);
  const body = await readBody(incoming.body);
  return new Request(new URL(path, 'http://enclave'), {
    method,
    headers: headers.map(([name, value]): [string, string] => [name, value]),
    ...(method === 'GET' ? {} : { body }),
    signal: incoming.signal,
  });
}

async function readBody(body: AsyncIterable<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of body) {
    length += part.length;
    // EN-04: a body without a limit is memory that a stranger can take from everyone else.
    if (length > BODY_LIMIT_BYTES) throw new EnclaveError('body-too-large', { limitBytes: BODY_LIMIT_BYTES }, 'EN-04');
    parts.push(part);
  }
  return concatBytes(...parts);
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
