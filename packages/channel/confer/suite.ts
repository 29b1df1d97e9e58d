/**
 * Suite `confer-1`: Noise_XX_25519_AESGCM_SHA256 with an empty prologue and the evidence in message 2 (spec/confer.md).
 * For talking to others' machines only; nothing of `sotto-1` ever falls back to it, and no key is shared with it.
 */
import { hmacSha256, sha256 } from '@sotto/crypto/hash';
import type { HandshakePattern } from '../noise/pattern.ts';
import type { NoiseAlgorithms } from '../noise/symmetric-state.ts';
import { aesGcmNonce } from '../suite.ts';

export const CONFER_SUITE = 'confer-1';
/** What this suite does not give, for whoever is about to use it. Print it. */
export const CONFER_WARNING = 'confer-1: unpadded, no post-quantum, no nonce';

export const XX: HandshakePattern = { name: 'XX', messages: [['e'], ['e', 'ee', 's', 'es'], ['s', 'se']] };

export const CONFER_ALGORITHMS: NoiseAlgorithms = {
  name: '25519_AESGCM_SHA256',
  dhBytes: 32,
  hybridBytes: 0,
  kemCiphertextBytes: 0,
  hashBytes: 32,
  hash: sha256,
  hmac: hmacSha256,
  nonce: aesGcmNonce,
};

export const EMPTY = new Uint8Array(0);
export const MESSAGE_1_BYTES = 32;
/** Ephemeral key 32, sealed static key 48, tag of the payload 16. */
export const MESSAGE_2_OVERHEAD_BYTES = 96;
export const MESSAGE_3_BYTES = 64;
/** The most that a responder takes before the handshake is over. */
export const HANDSHAKE_LIMIT_BYTES = 4096;
export const NOISE_LIMIT_BYTES = 65_535;
/** Noise's 65,535 less the tag, less 30 that are kept free for the frame's own fields. */
export const FRAME_PAYLOAD_LIMIT_BYTES = 65_489;

export interface ConferLimits {
  readonly handshakeTimeoutMs: number;
  /** One message, put together. */
  readonly messageBytes: number;
  readonly framesPerMessage: number;
  /** Messages of which a part has come and a part has not. */
  readonly openAssemblies: number;
  /** What all of them may hold. */
  readonly assemblyBytes: number;
  /** From the first frame of a message to its last. */
  readonly assemblyTimeoutMs: number;
  readonly messagesPerDirection: number;
  /** Requests at a time, at either end. */
  readonly openRequests: number;
  /** Sealed bytes that wait to be opened, and bytes that wait in the socket. */
  readonly backlogBytes: number;
  /** Answers to one request that nobody has read yet. */
  readonly unreadBytes: number;
}

export const CONFER_LIMITS: ConferLimits = {
  handshakeTimeoutMs: 30_000,
  messageBytes: 8 * 1024 * 1024,
  framesPerMessage: 256,
  openAssemblies: 8,
  assemblyBytes: 16 * 1024 * 1024,
  assemblyTimeoutMs: 30_000,
  messagesPerDirection: 2 ** 24,
  openRequests: 64,
  backlogBytes: 16 * 1024 * 1024,
  unreadBytes: 4 * 1024 * 1024,
};
