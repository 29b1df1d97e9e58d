/**
 * Suite `sotto-1`: Noise_NXhfs_25519+MLKEM768_AESGCM_SHA256 with our prologue and message sizes (spec/channel.md, handshake).
 *
 *   struct Prologue {                          struct Message2Payload {
 *     vector16 label  = "sotto/channel/v1"       byte evidenceDigest[32]
 *     vector16 suite  = "sotto-1"                byte epochId[16]
 *     u16      version = 1                     }
 *     byte     offeredSuitesHash[32]
 *     byte     nodeId[16]
 *   }
 */
import { ByteReader, ByteWriter, encodeUtf8 } from '@sotto/bytes';
import { hmacSha256, sha256 } from '@sotto/crypto/hash';
import type { NoiseAlgorithms } from './noise/symmetric-state.ts';

export const SUITE = 'sotto-1';
const VERSION = 1;
const LABEL = 'sotto/channel/v1';
const RENEWAL_LABEL = 'sotto/channel/renew/v1';

export const NODE_ID_BYTES = 16;
export const EPOCH_ID_BYTES = 16;
export const EVIDENCE_DIGEST_BYTES = 32;
export const MESSAGE_1_BYTES = 1216;
export const MESSAGE_2_BYTES = 1248;

export const ALGORITHMS: NoiseAlgorithms = {
  name: '25519+MLKEM768_AESGCM_SHA256',
  dhBytes: 32,
  hybridBytes: 1184,
  kemCiphertextBytes: 1088,
  hashBytes: 32,
  hash: sha256,
  hmac: hmacSha256,
  nonce: aesGcmNonce,
};

/** Four zero bytes and the counter, big-endian (Noise revision 34, 12.3). */
export function aesGcmNonce(counter: number): Uint8Array<ArrayBuffer> {
  const nonce = new Uint8Array(12);
  for (let at = 11, left = counter; left > 0; at--, left = Math.floor(left / 256)) nonce[at] = left % 256;
  return nonce;
}

/**
 * What both sides must agree on before the first byte. Each writes its own view: a list of suites that was shortened on
 * the way, another node or another version gives another handshake hash, and message 2 does not open.
 *
 * @param offeredSuites the suites that the node offers, in its order of preference, as this side knows them
 * @param nodeId 16 bytes
 */
export function encodePrologue(offeredSuites: readonly string[], nodeId: Uint8Array): Uint8Array<ArrayBuffer> {
  return new ByteWriter()
    .vector16(encodeUtf8(LABEL))
    .vector16(encodeUtf8(SUITE))
    .u16(VERSION)
    .raw(hashSuites(offeredSuites))
    .raw(assertNodeId(nodeId))
    .finish();
}

/**
 * The same for a handshake inside a session, which it names: its messages are of no use in another session, nor at another
 * time of this one, nor as a first handshake (spec/channel.md, renewal).
 *
 *   struct RenewalPrologue {
 *     vector16 label = "sotto/channel/renew/v1"
 *     byte     offeredSuitesHash[32]
 *     byte     nodeId[16]
 *     byte     handshakeHash[32]
 *   }
 *
 * @param handshakeHash 32 bytes: of the session's latest handshake
 */
export function encodeRenewalPrologue(
  offeredSuites: readonly string[],
  nodeId: Uint8Array,
  handshakeHash: Uint8Array,
): Uint8Array<ArrayBuffer> {
  if (handshakeHash.length !== ALGORITHMS.hashBytes) throw new TypeError('a handshake hash has 32 bytes');
  return new ByteWriter()
    .vector16(encodeUtf8(RENEWAL_LABEL))
    .raw(hashSuites(offeredSuites))
    .raw(assertNodeId(nodeId))
    .raw(handshakeHash)
    .finish();
}

function hashSuites(offeredSuites: readonly string[]): Uint8Array<ArrayBuffer> {
  const offered = new ByteWriter().u8(offeredSuites.length);
  for (const suite of offeredSuites) offered.vector16(encodeUtf8(suite));
  return sha256(offered.finish());
}

function assertNodeId(nodeId: Uint8Array): Uint8Array {
  if (nodeId.length !== NODE_ID_BYTES) throw new TypeError('a node id has 16 bytes');
  return nodeId;
}

/** What message 2 says: always 48 bytes, whatever the evidence. */
export interface NodeStatement {
  readonly evidenceDigest: Uint8Array<ArrayBuffer>;
  readonly epochId: Uint8Array<ArrayBuffer>;
}

export function encodeNodeStatement(evidenceDigest: Uint8Array, epochId: Uint8Array): Uint8Array<ArrayBuffer> {
  if (evidenceDigest.length !== EVIDENCE_DIGEST_BYTES || epochId.length !== EPOCH_ID_BYTES) {
    throw new TypeError('an evidence digest has 32 bytes, an epoch id 16');
  }
  return new ByteWriter(48).raw(evidenceDigest).raw(epochId).finish();
}

/** @throws BytesError for any length but 48 */
export function parseNodeStatement(payload: Uint8Array): NodeStatement {
  const reader = new ByteReader(payload);
  const evidenceDigest = reader.take(EVIDENCE_DIGEST_BYTES) as Uint8Array<ArrayBuffer>;
  const epochId = reader.take(EPOCH_ID_BYTES) as Uint8Array<ArrayBuffer>;
  reader.end();
  return { evidenceDigest, epochId };
}
