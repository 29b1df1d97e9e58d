/** The responder's half of one handshake: message 1 in, message 2 out (spec/channel.md, handshake and renewal). */
import type { Primitives } from '@sotto/crypto/primitives';
import type { Random } from '@sotto/ports';
import { assertMessageLength, type Ciphers, createCiphers } from './connect.ts';
import type { ChannelLimits } from './limits.ts';
import { HandshakeState } from './noise/handshake.ts';
import { NX_HFS } from './noise/pattern.ts';
import { run } from './noise/steps.ts';
import { ALGORITHMS, encodeNodeStatement, MESSAGE_1_BYTES } from './suite.ts';

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
  /** When the evidence stops holding, in milliseconds since the Unix epoch by the node's clock. Absent: never. */
  readonly notAfterMs?: number;
}

/** A session's latest handshake. */
export interface SessionIdentity {
  /** 32 bytes; equal at both ends. */
  readonly handshakeHash: Uint8Array;
  /** 16 bytes: the epoch whose key it used. */
  readonly epochId: Uint8Array;
}

export interface AnsweredHandshake {
  /** Message 2: 1,248 bytes. */
  readonly answer: Uint8Array;
  readonly ciphers: Ciphers;
  readonly identity: SessionIdentity;
  readonly epoch: ResponderEpoch;
}

/** Rejects with ChannelError `handshake-malformed`, or with what cryptography refused; the ephemeral keys are gone either way. */
export async function answerHandshake(options: {
  readonly message: Uint8Array;
  readonly prologue: Uint8Array;
  readonly random: Random;
  readonly primitives: Primitives;
  readonly limits: ChannelLimits;
  /** Asked when the message has its length. */
  currentEpoch(): ResponderEpoch;
}): Promise<AnsweredHandshake> {
  const { message, prologue, random, primitives, limits } = options;
  assertMessageLength(message, MESSAGE_1_BYTES);
  const epoch = options.currentEpoch();
  const keys = { ephemeral: random.bytes(32), static: epoch.staticPrivateKey };
  const state = new HandshakeState({ pattern: NX_HFS, algorithms: ALGORITHMS, role: 'responder', prologue, keys });
  try {
    await run(state.readMessage(message), primitives);
    const statement = encodeNodeStatement(epoch.evidenceDigest, epoch.epochId);
    const answer = await run(state.writeMessage(statement), primitives);
    const identity = { handshakeHash: state.handshakeHash.slice(), epochId: epoch.epochId };
    return { answer, ciphers: await createCiphers(state, 'responder', primitives, limits), identity, epoch };
  } finally {
    state.erase();
  }
}
