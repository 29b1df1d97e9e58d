/**
 * The node's end of a channel. Whoever connects is a stranger for good: it proves nothing, and everything it sends is
 * hostile. Until it says `verified` it is given the evidence and nothing else (spec/channel.md).
 */
import { type Primitives, primitives as platformPrimitives } from '@sotto/crypto/primitives';
import type { Clock, Random, Socket } from '@sotto/ports';
import { withinHandshake } from './connect.ts';
import { ChannelError, type ChannelErrorCode, SESSION_CLOSED } from './errors.ts';
import { IncomingSocket } from './incoming-socket.ts';
import { type ChannelLimits, DEFAULT_LIMITS } from './limits.ts';
import { answerHandshake, type ResponderEpoch } from './responder-handshake.ts';
import { type IncomingRequest, ResponderStreams } from './responder-streams.ts';
import type { ChannelCloseInfo } from './session.ts';
import { encodePrologue, encodeRenewalPrologue, SUITE } from './suite.ts';

export { ChannelError, type ChannelErrorCode, type ResetCode } from './errors.ts';
export type { ResponderEpoch, SessionIdentity } from './responder-handshake.ts';
export type { IncomingRequest, ResponseWriter } from './responder-streams.ts';
export type { ChannelCloseInfo } from './session.ts';

export interface AcceptOptions {
  readonly socket: Socket;
  readonly random: Random;
  readonly clock: Clock;
  /** 16 bytes */
  readonly nodeId: Uint8Array;
  /** Asked once, when a handshake begins; again for each renewal. */
  currentEpoch(): ResponderEpoch;
  /** Called once a request; a throw resets the stream with `internal`. */
  onRequest(request: IncomingRequest): void;
  /** The suites this node offers, in its order. Default: `sotto-1` alone. */
  readonly suites?: readonly string[];
  readonly limits?: Partial<ChannelLimits>;
  /** Instead of the platform's own. */
  readonly primitives?: Primitives;
}

export interface ResponderChannel {
  /** Resolves with how it ended, failed handshakes included; never rejects. */
  readonly closed: Promise<ChannelCloseInfo>;
  /** Tells the initiator that a newer key answers handshakes. */
  advise(): void;
  /** Takes no new request; closes in order when those that run are over. */
  leave(): void;
  close(): void;
}

/** Serves one socket. Call in the turn in which the socket was handed over. */
export function acceptChannel(options: AcceptOptions): ResponderChannel {
  const { socket } = options;
  const incoming = new IncomingSocket(socket);
  const abort = new AbortController();
  let streams: ResponderStreams | undefined;
  const closed = (async (): Promise<ChannelCloseInfo> => {
    try {
      streams = await handshake(options, incoming, abort.signal);
    } catch (error) {
      const isOurs = abort.signal.aborted;
      if (isOurs) return { kind: 'closed', by: 'us' };
      return { kind: 'failed', code: codeOf(error), by: codeOf(error) === 'session-truncated' ? 'peer' : 'us' };
    }
    return streams.closed;
  })();
  return {
    closed,
    advise: () => streams?.advise(),
    leave() {
      if (streams === undefined) abort.abort(SESSION_CLOSED);
      else streams.leave();
    },
    close() {
      abort.abort(SESSION_CLOSED);
      streams?.close();
    },
  };
}

function codeOf(error: unknown): ChannelErrorCode {
  return error instanceof ChannelError ? error.code : 'handshake-failed';
}

async function handshake(
  options: AcceptOptions,
  incoming: IncomingSocket,
  signal: AbortSignal,
): Promise<ResponderStreams> {
  const { socket, random, clock, nodeId, suites = [SUITE], primitives = platformPrimitives } = options;
  const limits = options.limits === undefined ? DEFAULT_LIMITS : { ...DEFAULT_LIMITS, ...options.limits };
  const answer = (message: Uint8Array, prologue: Uint8Array) =>
    answerHandshake({ message, prologue, random, primitives, limits, currentEpoch: () => options.currentEpoch() });
  return await withinHandshake(incoming, clock, limits, signal, async () => {
    const answered = await answer(await incoming.next(), encodePrologue(suites, nodeId));
    signal.throwIfAborted();
    socket.send(answered.answer);
    return new ResponderStreams(
      { role: 'responder', incoming, ...answered.ciphers, clock, random, limits },
      answered,
      (message, handshakeHash) => answer(message, encodeRenewalPrologue(suites, nodeId, handshakeHash)),
      (request) => options.onRequest(request),
    );
  });
}
