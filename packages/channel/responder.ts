/**
 * The node's end of a channel. Whoever connects is a stranger for good: it proves nothing, and everything it sends is
 * hostile. Until it says `verified` it is given the evidence and nothing else (spec/channel.md).
 */
import { type Primitives, primitives as platformPrimitives } from '@sotto/crypto/primitives';
import type { Clock, Random, Socket } from '@sotto/ports';
import { assertMessageLength, createCiphers, withinHandshake } from './connect.ts';
import { ChannelError, type ChannelErrorCode } from './errors.ts';
import { IncomingSocket } from './incoming-socket.ts';
import { type ChannelLimits, DEFAULT_LIMITS } from './limits.ts';
import { HandshakeState } from './noise/handshake.ts';
import { NX_HFS } from './noise/pattern.ts';
import { run } from './noise/steps.ts';
import { type IncomingRequest, ResponderStreams } from './responder-streams.ts';
import type { ChannelCloseInfo } from './session.ts';
import { ALGORITHMS, encodeNodeStatement, encodePrologue, MESSAGE_1_BYTES, SUITE } from './suite.ts';

export { ChannelError, type ChannelErrorCode, type ResetCode } from './errors.ts';
export type { IncomingRequest, ResponseWriter, SessionIdentity } from './responder-streams.ts';
export type { ChannelCloseInfo } from './session.ts';

/** A node's key and what vouches for it. */
export interface ResponderEpoch {
  /** 16 bytes */
  readonly epochId: Uint8Array;
  /** 32 bytes, X25519 */
  readonly staticPrivateKey: Uint8Array;
  /** The whole bundle, sent on stream 0. */
  readonly evidence: Uint8Array;
  /** SHA-256 of it. */
  readonly evidenceDigest: Uint8Array;
}

export interface AcceptOptions {
  readonly socket: Socket;
  readonly random: Random;
  readonly clock: Clock;
  /** 16 bytes */
  readonly nodeId: Uint8Array;
  /** Asked once, when a handshake begins. */
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
    close() {
      abort.abort(new ChannelError('session-closed'));
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
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  let state: HandshakeState | undefined;
  try {
    return await withinHandshake(incoming, clock, limits, signal, async () => {
      const message = await incoming.next();
      assertMessageLength(message, MESSAGE_1_BYTES);
      const epoch = options.currentEpoch();
      state = new HandshakeState({
        pattern: NX_HFS,
        algorithms: ALGORITHMS,
        role: 'responder',
        prologue: encodePrologue(suites, nodeId),
        keys: { ephemeral: random.bytes(32), static: epoch.staticPrivateKey },
      });
      await run(state.readMessage(message), primitives);
      const statement = encodeNodeStatement(epoch.evidenceDigest, epoch.epochId);
      const answer = await run(state.writeMessage(statement), primitives);
      const ciphers = await createCiphers(state, 'responder', primitives, limits);
      signal.throwIfAborted();
      socket.send(answer);
      const parts = { role: 'responder', incoming, ...ciphers, clock, random, limits } as const;
      const identity = { handshakeHash: state.handshakeHash.slice(), epochId: epoch.epochId };
      return new ResponderStreams(parts, identity, epoch.evidence, (request) => options.onRequest(request));
    });
  } finally {
    state?.erase();
  }
}
