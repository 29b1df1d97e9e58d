/**
 * The client's end of a channel. What comes out of the handshake is unverified and can do one thing: fetch the evidence.
 * Only `promote`, given what verification established, turns it into a channel that carries requests. The peer, the
 * relay and the network are hostile (spec/channel.md).
 */
import { concatBytes, equalBytes } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import { type Primitives, primitives as platformPrimitives } from '@sotto/crypto/primitives';
import type { Clock, Random, Socket } from '@sotto/ports';
import { assertMessageLength, createCiphers, withinHandshake } from './connect.ts';
import { ChannelError } from './errors.ts';
import { IncomingSocket } from './incoming-socket.ts';
import { type ChannelStream, InitiatorStreams } from './initiator-streams.ts';
import { type ChannelLimits, DEFAULT_LIMITS, EVIDENCE_STREAM } from './limits.ts';
import { HandshakeState } from './noise/handshake.ts';
import { NX_HFS } from './noise/pattern.ts';
import { run } from './noise/steps.ts';
import type { ChannelCloseInfo } from './session.ts';
import { ALGORITHMS, encodePrologue, MESSAGE_2_BYTES, parseNodeStatement, SUITE } from './suite.ts';

export { ChannelError, type ChannelErrorCode, type ResetCode } from './errors.ts';
export type { ChannelStream } from './initiator-streams.ts';
export type { ChannelCloseInfo } from './session.ts';

export interface ConnectOptions {
  readonly socket: Socket;
  readonly random: Random;
  readonly clock: Clock;
  /** 16 bytes: the node that this connection is meant for. */
  readonly nodeId: Uint8Array;
  /** The suites that the node offers, as the (untrusted) directory said, in its order. Default: `sotto-1` alone. */
  readonly suites?: readonly string[];
  readonly signal?: AbortSignal;
  readonly limits?: Partial<ChannelLimits>;
  /** Instead of the platform's own. */
  readonly primitives?: Primitives;
}

/** What verification established about the other end; a `VerifiedNode` is one. */
export interface ExpectedPeer {
  readonly staticKey: Uint8Array;
  readonly evidenceDigest: Uint8Array;
  readonly epochId: Uint8Array;
}

/** A channel to somebody who has proven nothing yet. */
export interface UnverifiedChannel {
  /** 32 bytes; equal at both ends. */
  readonly handshakeHash: Uint8Array<ArrayBuffer>;
  /** 32 bytes: whoever answers holds its private half. */
  readonly staticKey: Uint8Array<ArrayBuffer>;
  /** 32 bytes: SHA-256 of the evidence that the other end says speaks for it. */
  readonly evidenceDigest: Uint8Array<ArrayBuffer>;
  /** 16 bytes */
  readonly epochId: Uint8Array<ArrayBuffer>;
  /** 16 bytes: the one that was asked for. */
  readonly nodeId: Uint8Array<ArrayBuffer>;
  /**
   * The evidence bundle, over stream 0; at most once. Rejects with `evidence-too-large`, `evidence-mismatch` (the channel
   * is closed), or why the channel ended.
   */
  fetchEvidence(limitBytes: number): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * The only way to a channel that carries requests. This object is dead afterwards.
   *
   * @throws ChannelError `peer-mismatch` (the channel is closed) unless key, digest and epoch are the verified ones
   */
  promote(expected: ExpectedPeer): VerifiedChannel;
  close(): void;
}

/** A channel to a verified node. */
export interface VerifiedChannel {
  /** 32 bytes */
  readonly handshakeHash: Uint8Array<ArrayBuffer>;
  /**
   * Opens a stream.
   *
   * @param head at most 15,360 bytes
   * @throws ChannelError `head-too-long`, `too-many-streams`, `session-closed` and its kin
   */
  request(head: Uint8Array, options?: { readonly signal?: AbortSignal }): ChannelStream;
  close(): void;
  /** Never rejects. */
  readonly closed: Promise<ChannelCloseInfo>;
}

/** Performs the handshake. Rejects with ChannelError or the signal's reason; the socket is closed then. */
export async function connectChannel(options: ConnectOptions): Promise<UnverifiedChannel> {
  const { socket, random, clock, signal, suites = [SUITE], primitives = platformPrimitives } = options;
  const nodeId = new Uint8Array(options.nodeId);
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const incoming = new IncomingSocket(socket);
  const state = new HandshakeState({
    pattern: NX_HFS,
    algorithms: ALGORITHMS,
    role: 'initiator',
    prologue: encodePrologue(suites, nodeId),
    keys: { ephemeral: random.bytes(32), hybrid: random.bytes(64) },
  });
  try {
    return await withinHandshake(incoming, clock, limits, signal, async () => {
      socket.send(await run(state.writeMessage(new Uint8Array(0)), primitives));
      const message = await incoming.next();
      assertMessageLength(message, MESSAGE_2_BYTES);
      const statement = parseNodeStatement(await run(state.readMessage(message), primitives));
      const identity = {
        ...statement,
        nodeId,
        handshakeHash: new Uint8Array(state.handshakeHash),
        staticKey: new Uint8Array(state.peerStaticKey),
      };
      const ciphers = await createCiphers(state, 'initiator', primitives, limits);
      const streams = new InitiatorStreams({ role: 'initiator', incoming, ...ciphers, clock, random, limits });
      return createUnverified(identity, streams);
    });
  } finally {
    state.erase();
  }
}

type Identity = Pick<UnverifiedChannel, 'handshakeHash' | 'staticKey' | 'evidenceDigest' | 'epochId' | 'nodeId'>;

function createUnverified(identity: Identity, streams: InitiatorStreams): UnverifiedChannel {
  let isDead = false;
  const assertAlive = () => {
    // CH-17: a second owner of the channel could act on it after the first one refused the peer.
    if (isDead) throw new ChannelError('session-closed', { rule: 'CH-17' });
  };
  const refuse = (error: ChannelError): ChannelError => {
    isDead = true;
    streams.fail(error);
    return error;
  };
  return {
    ...identity,
    async fetchEvidence(limitBytes) {
      assertAlive();
      const stream = streams.open(EVIDENCE_STREAM, new Uint8Array(0));
      const parts: Uint8Array[] = [];
      let length = 0;
      for await (const part of stream.body) {
        length += part.length;
        // CH-13: until it is verified the other end is nobody, and gets no more memory than the caller allows.
        if (length > limitBytes) throw refuse(new ChannelError('evidence-too-large', { rule: 'CH-13' }));
        parts.push(part);
      }
      const bundle = concatBytes(...parts);
      const isNamed = equalBytes(sha256(bundle), identity.evidenceDigest);
      // CH-12: evidence that the handshake did not name says nothing about the key that the handshake used.
      if (!isNamed) throw refuse(new ChannelError('evidence-mismatch', { rule: 'CH-12' }));
      return bundle;
    },
    promote(expected) {
      assertAlive();
      const [isKey, isDigest, isEpoch] = [
        equalBytes(expected.staticKey, identity.staticKey),
        equalBytes(expected.evidenceDigest, identity.evidenceDigest),
        equalBytes(expected.epochId, identity.epochId),
      ];
      // CH-14: with another key the other end is not the machine whose evidence was checked.
      if (!isKey) throw refuse(new ChannelError('peer-mismatch', { rule: 'CH-14' }));
      // CH-15: with other evidence, what was checked is not what this machine says of itself.
      if (!isDigest) throw refuse(new ChannelError('peer-mismatch', { rule: 'CH-15' }));
      // CH-16: with another epoch the key may be one that has been given up.
      if (!isEpoch) throw refuse(new ChannelError('peer-mismatch', { rule: 'CH-16' }));
      isDead = true;
      streams.promote();
      return {
        handshakeHash: identity.handshakeHash,
        request: (head, { signal } = {}) => streams.request(head, signal),
        close: () => streams.close(),
        closed: streams.closed,
      };
    },
    close() {
      if (isDead) return;
      isDead = true;
      streams.close();
    },
  };
}
