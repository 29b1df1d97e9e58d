/**
 * One stream of the channel as one web-standard request and answer (spec/enclave.md §streams). The peer is a client whose
 * identity nobody checks: everything it sends is capped.
 */
import type { IncomingRequest, ResponseWriter } from '@sotto/channel';
import { encodeKeptHead, wasLost } from '@sotto/channel/recovery';
import {
  CHAT_REQUEST_LIMIT_BYTES,
  encodeResponseHead,
  type Header,
  parseRequestHead,
  type RequestHead,
  WIRE_VERSION,
} from '@sotto/wire';
import { errorResponse } from './api.ts';
import { CLAIM_PATH, serveClaim } from './claim.ts';
import { EnclaveError, toEnclaveError } from './enclave-error.ts';
import type { KeptAnswer, KeptAnswers, Reader } from './kept-answers.ts';

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
  /** Keeps answers that their client may recover; without it an answer ends with its line. */
  readonly kept?: KeptAnswers;
}

export const DEFAULT_BODY_LIMITS = { allBytes: 32 * BODY_LIMIT_BYTES, sessionBytes: 4 * BODY_LIMIT_BYTES } as const;

type Handle = (request: Request) => Promise<Response>;

/**
 * Reads the request, asks `handle`, sends its answer back. Never rejects.
 * @returns the status that was answered, or undefined when the peer was gone
 */
export async function serveStream(
  incoming: IncomingRequest,
  handle: Handle,
  owner: BodyOwner,
): Promise<number | undefined> {
  const head = parseHead(incoming.head);
  if (head?.path === CLAIM_PATH && head.method === 'POST' && owner.kept !== undefined) {
    return serveClaim(incoming, owner.kept);
  }
  const line = new Line(incoming, owner.kept);
  const response = await answer(incoming, head, line, handle, owner);
  const headers: Header[] = [...response.headers].map(([name, value]) => [name, value]);
  try {
    await line.begin(encodeResponseHead({ version: WIRE_VERSION, status: response.status, headers }));
    await copyBody(response, line);
    return line.isCut ? undefined : response.status;
  } catch {
    await response.body?.cancel().catch(() => undefined);
    line.fail();
    return undefined;
  }
}

function parseHead(bytes: Uint8Array): RequestHead | undefined {
  try {
    return parseRequestHead(bytes);
  } catch {
    return undefined;
  } finally {
    bytes.fill(0); // it may hold a recovery key
  }
}

/**
 * Where one answer goes: to its stream, and, sealed, to where it can be recovered from. Its signal says that nobody wants
 * the answer any more: at once when it was cancelled, and when the line was cut only if it is not kept.
 */
class Line {
  readonly #incoming: IncomingRequest;
  readonly #answers: KeptAnswers | undefined;
  readonly #work = new AbortController();
  readonly #reader: Reader;
  readonly #onAbort: () => void;
  #kept: KeptAnswer | undefined;
  #writer: ResponseWriter | undefined;

  constructor(incoming: IncomingRequest, answers: KeptAnswers | undefined) {
    this.#incoming = incoming;
    this.#answers = answers;
    this.#reader = { onTaken: () => incoming.reject('internal') };
    this.#onAbort = () => this.#end(incoming.signal.reason);
    incoming.signal.addEventListener('abort', this.#onAbort, { once: true });
    if (incoming.signal.aborted) this.#onAbort();
  }

  get signal(): AbortSignal {
    return this.#work.signal;
  }

  get isCut(): boolean {
    return this.#writer === undefined;
  }

  /** From now on a lost line does not end the answer. @param recoveryKey overwritten */
  keep(recoveryKey: Uint8Array): void {
    if (this.#work.signal.aborted) return;
    const stop = (): void => this.#work.abort(new EnclaveError('cancelled'));
    this.#kept = this.#answers?.begin(recoveryKey, this.#reader, stop);
  }

  async begin(head: Uint8Array): Promise<void> {
    await this.#kept?.append(encodeKeptHead(head));
    await this.#send(() => {
      this.#writer = this.#incoming.respond(head);
    });
  }

  async write(part: Uint8Array): Promise<void> {
    await this.#kept?.append(part);
    await this.#send(() => this.#writer?.write(part));
    // SH-40: what is asked for right after a record would be as old as a tick when the next one leaves.
    await this.#writer?.gathering();
  }

  async end(): Promise<void> {
    this.#kept?.finish();
    await this.#send(() => this.#writer?.end());
    if (this.#writer !== undefined) this.#kept?.delivered(this.#reader);
    this.#incoming.signal.removeEventListener('abort', this.#onAbort);
  }

  fail(): void {
    this.#kept?.discard();
    this.#incoming.reject('internal'); // does nothing when the stream is over
  }

  /** What the stream does not take is still kept; without that, its end is the end. */
  async #send(work: () => unknown): Promise<void> {
    try {
      this.#work.signal.throwIfAborted();
      await work();
    } catch (error) {
      const goesOn = this.#kept?.isGone === false && !this.#work.signal.aborted;
      if (!goesOn) throw error;
      this.#writer = undefined;
    }
  }

  #end(reason: unknown): void {
    // CH-105: without a key nobody can come back for the answer, and it would be computed for nobody.
    if (this.#kept === undefined) this.#work.abort(reason);
    else if (wasLost(reason)) this.#kept.lost(this.#reader);
    else this.#kept.cancel(this.#reader);
  }
}

async function answer(
  incoming: IncomingRequest,
  head: RequestHead | undefined,
  line: Line,
  handle: Handle,
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
    if (head === undefined) throw new EnclaveError('bad-request');
    const request = await readRequest(incoming, head, line.signal, take);
    clearTimeout(timer);
    if (head.recoveryKey !== undefined) line.keep(head.recoveryKey);
    return await handle(request);
  } catch (error) {
    return errorResponse(toEnclaveError(error, 'bad-request'));
  } finally {
    clearTimeout(timer);
    head?.recoveryKey?.fill(0);
    budget.give(session, takenBytes);
  }
}

async function readRequest(
  incoming: IncomingRequest,
  { method, path, headers }: RequestHead,
  signal: AbortSignal,
  take: (bytes: number) => void,
): Promise<Request> {
  const body = await readBody(incoming.body, take);
  return new Request(new URL(path, 'http://enclave'), {
    method,
    headers: headers.map(([name, value]): [string, string] => [name, value]),
    ...(method === 'GET' ? {} : { body }),
    signal,
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

async function copyBody(response: Response, line: Line): Promise<void> {
  const reader = response.body?.getReader();
  const onAbort = (): void => void reader?.cancel().catch(() => undefined);
  line.signal.addEventListener('abort', onAbort, { once: true });
  try {
    line.signal.throwIfAborted();
    for (let part = await reader?.read(); part !== undefined && !part.done; part = await reader?.read()) {
      await line.write(part.value);
    }
    line.signal.throwIfAborted();
    await line.end();
  } catch (error) {
    await reader?.cancel().catch(() => undefined);
    throw error;
  } finally {
    line.signal.removeEventListener('abort', onAbort);
  }
}
