/**
 * The client's end of a channel. What comes out of the handshake is unverified and can do one thing: fetch the evidence.
 * Only `promote`, given what verification established, turns it into a channel that carries requests. The peer, the
 * relay and the network are hostile (spec/channel.md).
 */
import { concatBytes, equalBytes } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import { type Primitives, primitives as platformPrimitives } from '@sotto/crypto/primitives';
import type { Clock, Random, Socket } from '@sotto/ports';
import { withinHandshake } from './connect.ts';
import { ChannelError } from './errors.ts';
import { IncomingSocket } from './incoming-socket.ts';
import { InitiatorHandshake, type NodeClaim } from './initiator-handshake.ts';
import { type ChannelStream, InitiatorStreams } from './initiator-streams.ts';
import { type ChannelLimits, DEFAULT_LIMITS, EVIDENCE_STREAM } from './limits.ts';
import { assertExpectedPeer, type ExpectedPeer, type UnverifiedRenewal } from './renewal-initiator.ts';
import { type ChannelCloseInfo, toChannelError } from './session.ts';
import type { Profile } from './shaping/profiles.ts';
import { encodePrologue, encodeRenewalPrologue, SUITE } from './suite.ts';

export { ChannelError, type ChannelErrorCode, type ResetCode } from './errors.ts';
export type { NodeClaim } from './initiator-handshake.ts';
export type { ChannelStream } from './initiator-streams.ts';
export type { ExpectedPeer, UnverifiedRenewal } from './renewal-initiator.ts';
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
  /** How what passes is shaped, both ways (spec/shaping.md). Default: `compact`, which hides sizes and no times. */
  readonly profile?: Profile;
}

/** A channel to somebody who has proven nothing yet. */
export interface UnverifiedChannel extends NodeClaim {
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

/** What the session asks of its owner: `renewal-due`, until `renew` has succeeded; `leaving`, once: the node takes no new request. */
export type ChannelNotice = 'renewal-due' | 'leaving';

/** A channel to a verified node. */
export interface VerifiedChannel {
  /** 32 bytes: of the handshake under whose keys a request that is made now will leave. */
  readonly handshakeHash: Uint8Array<ArrayBuffer>;
  /**
   * Opens a stream.
   *
   * @param head at most 15,360 bytes
   * @throws ChannelError `head-too-long`, `too-many-streams`, `node-leaving`, `session-closed` and its kin
   */
  request(head: Uint8Array, options?: { readonly signal?: AbortSignal }): ChannelStream;
  /**
   * A new handshake inside the session; streams go on meanwhile, and afterwards. The other end has proven nothing in it yet.
   *
   * Rejects with ChannelError `renewal-running`, or with why the session ended.
   */
  renew(): Promise<UnverifiedRenewal>;
  /** Set in the turn in which the channel was promoted, so that nothing is missed. */
  onNotice: ((notice: ChannelNotice) => void) | undefined;
  /** The node has said that it is going: requests that run are finished, new ones are refused. */
  readonly isLeaving: boolean;
  close(): void;
  /** Ends the session at once: nothing that waits is sent. For a node that must not receive another word. */
  abandon(): void;
  /** Never rejects. */
  readonly closed: Promise<ChannelCloseInfo>;
}

/** Performs the handshake. Rejects with ChannelError or the signal's reason; the socket is closed then. */
export async function connectChannel(options: ConnectOptions): Promise<UnverifiedChannel> {
  const { socket, random, clock, signal, suites = [SUITE], primitives = platformPrimitives } = options;
  const { profile = 'compact' } = options;
  const nodeId = new Uint8Array(options.nodeId);
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const incoming = new IncomingSocket(socket);
  const shared = { random, primitives, limits };
  const handshake = new InitiatorHandshake({ ...shared, prologue: encodePrologue(suites, nodeId) });
  try {
    return await withinHandshake(incoming, clock, limits, signal, async () => {
      socket.send(await handshake.begin());
      const { claim, ciphers } = await handshake.finish(await incoming.next());
      const createHandshake = (handshakeHash: Uint8Array) =>
        new InitiatorHandshake({ ...shared, prologue: encodeRenewalPrologue(suites, nodeId, handshakeHash) });
      const parts = { role: 'initiator', incoming, ...ciphers, clock, random, limits } as const;
      const streams = new InitiatorStreams(parts, claim, createHandshake);
      return createUnverified({ ...claim, nodeId }, streams, profile);
    });
  } finally {
    handshake.erase();
  }
}

type Identity = NodeClaim & Pick<UnverifiedChannel, 'nodeId'>;

function createUnverified(identity: Identity, streams: InitiatorStreams, profile: Profile): UnverifiedChannel {
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
      try {
        assertExpectedPeer(identity, expected);
      } catch (error) {
        throw refuse(toChannelError(error));
      }
      isDead = true;
      streams.promote(expected.notAfterMs, profile);
      return createVerified(streams);
    },
    close() {
      if (isDead) return;
      isDead = true;
      streams.close();
    },
  };
}

function createVerified(streams: InitiatorStreams): VerifiedChannel {
  return {
    get handshakeHash() {
      return streams.handshakeHash;
    },
    get isLeaving() {
      return streams.isLeaving;
    },
    get onNotice() {
      return streams.onNotice;
    },
    set onNotice(listener) {
      streams.onNotice = listener;
    },
    request: (head, options) => streams.request(head, options),
    renew: () => streams.renew(),
    close: () => streams.close(),
    abandon: () => streams.abandon(),
    closed: streams.closed,
  };
}
