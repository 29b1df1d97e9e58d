/**
 * The machine's end of suite `confer-1`, for clients of the public confer-proxy. Off unless somebody calls it. Whoever
 * connects is a stranger for good; the caller has checked the access token before (`token.ts`).
 */
import { type Primitives, primitives as platformPrimitives } from '@sotto/crypto/primitives';
import type { Clock, Random, Socket } from '@sotto/ports';
import { IncomingSocket } from '../incoming-socket.ts';
import { run } from '../noise/steps.ts';
import { ConferError } from './errors.ts';
import { createConferCiphers, createXx, withinConferHandshake } from './handshake.ts';
import { type ConferRequest, encodeConferResponse, parseConferRequest } from './messages.ts';
import {
  CONFER_LIMITS,
  type ConferLimits,
  HANDSHAKE_LIMIT_BYTES,
  MESSAGE_1_BYTES,
  MESSAGE_2_OVERHEAD_BYTES,
  MESSAGE_3_BYTES,
  NOISE_LIMIT_BYTES,
} from './suite.ts';
import { ConferTransport } from './transport.ts';

export interface ConferAcceptOptions {
  readonly socket: Socket;
  readonly random: Random;
  readonly clock: Clock;
  /** X25519, 32 bytes; used for this suite and nothing else. */
  readonly staticPrivateKey: Uint8Array;
  /** JSON that vouches for that key, 1 … 65,439 bytes. */
  readonly evidence: Uint8Array;
  /** Called once a request; a rejection is answered with 500. */
  onRequest(request: ConferIncomingRequest): Promise<void>;
  readonly limits?: Partial<ConferLimits>;
  /** Instead of the platform's own. */
  readonly primitives?: Primitives;
}

export interface ConferIncomingRequest extends ConferRequest {
  /** It began an upload; further parts of it are dropped. */
  readonly isUpload: boolean;
  /** Aborted when the connection is lost: there is no other way to cancel. */
  readonly signal: AbortSignal;
  /** May be called again: a streamed answer is many responses. Rejects when the connection is over. */
  respond(status: number, body: Uint8Array, headers?: ReadonlyMap<string, string>): Promise<void>;
}

export interface ConferResponder {
  /** Resolves with what ended it, failed handshakes included, or undefined after `close`; never rejects. */
  readonly closed: Promise<ConferError | undefined>;
  close(): void;
}

const NO_HEADERS: ReadonlyMap<string, string> = new Map();
const text = (words: string): Uint8Array => new TextEncoder().encode(words);

/** Serves one socket. Call in the turn in which the socket was handed over. */
export function acceptConfer(options: ConferAcceptOptions): ConferResponder {
  if (options.evidence.length === 0 || options.evidence.length > NOISE_LIMIT_BYTES - MESSAGE_2_OVERHEAD_BYTES) {
    throw new TypeError('evidence has 1 to 65,439 bytes');
  }
  const incoming = new IncomingSocket(options.socket);
  const abort = new AbortController();
  const gone = new AbortController();
  let transport: ConferTransport | undefined;
  const closed = (async (): Promise<ConferError | undefined> => {
    try {
      transport = await handshake(options, incoming, abort.signal);
    } catch (error) {
      if (abort.signal.aborted) return undefined;
      return error instanceof ConferError ? error : new ConferError('confer-handshake-failed', { cause: error });
    }
    serve(transport, options, gone.signal);
    return transport.closed;
  })();
  void closed.then(() => gone.abort(new ConferError('confer-closed')));
  return {
    closed,
    close() {
      abort.abort(new ConferError('confer-closed'));
      transport?.close();
    },
  };
}

async function handshake(
  options: ConferAcceptOptions,
  incoming: IncomingSocket,
  signal: AbortSignal,
): Promise<ConferTransport> {
  const { socket, random, clock, staticPrivateKey, evidence, primitives = platformPrimitives } = options;
  const limits = { ...CONFER_LIMITS, ...options.limits };
  const state = createXx('responder', random, staticPrivateKey);
  const role = 'responder';
  try {
    return await withinConferHandshake({ incoming, clock, limits, role, signal }, async () => {
      const message1 = await incoming.next();
      assertLength(message1, MESSAGE_1_BYTES);
      await run(state.readMessage(message1), primitives);
      socket.send(await run(state.writeMessage(evidence), primitives));
      const message3 = await incoming.next();
      assertLength(message3, MESSAGE_3_BYTES);
      await run(state.readMessage(message3), primitives);
      const ciphers = await createConferCiphers(state, role, primitives, limits);
      signal.throwIfAborted();
      return new ConferTransport({ ...ciphers, role, incoming, clock, random, limits });
    });
  } finally {
    state.erase();
  }
}

function assertLength(message: Uint8Array, expectedBytes: number): void {
  // CO-02: a stranger's first bytes are not the place for long ones.
  if (message.length > HANDSHAKE_LIMIT_BYTES) throw new ConferError('confer-handshake-too-large', { rule: 'CO-02' });
  // CO-02: one length leaves no payload to read before anything is agreed.
  if (message.length !== expectedBytes) throw new ConferError('confer-handshake-malformed', { rule: 'CO-02' });
}

function serve(transport: ConferTransport, options: ConferAcceptOptions, signal: AbortSignal): void {
  const limits = { ...CONFER_LIMITS, ...options.limits };
  let openRequests = 0;
  const answer = async (request: ConferIncomingRequest): Promise<void> => {
    openRequests++;
    try {
      await options.onRequest(request);
    } catch {
      // What went wrong may hold what was asked, so nothing of it is told.
      if (!signal.aborted) await request.respond(500, text('Internal Server Error'));
    } finally {
      openRequests--;
    }
  };
  transport.start((message) => {
    const parsed = parseConferRequest(message);
    // Parts of an upload that nothing here takes.
    if (parsed.kind === 'upload-part') return;
    const { request, isUpload } = parsed;
    const respond = (status: number, body: Uint8Array, headers = NO_HEADERS): Promise<void> =>
      transport.send(encodeConferResponse({ id: request.id, status, body, headers }));
    // CO-35: each request that runs costs us, and its sender a few bytes.
    if (openRequests >= limits.openRequests) {
      respond(503, text('Too many requests')).catch(() => undefined);
      return;
    }
    answer({ ...request, isUpload, signal, respond }).catch(() => undefined);
  });
}
