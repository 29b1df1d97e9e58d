/**
 * Keys of one kept answer (spec/channel.md, recovery of a running answer). The recovery key is made by the client for one
 * request; the node derives from it and forgets it. Every step is one-way: later keys say nothing of earlier ones.
 *
 *   recovery key ─┬─ claim key 0 ─┬─ id, token of the first claim
 *                 │               └─ claim key 1 ─┬─ id, token of the second …
 *                 └─ chain key 0 ─┬─ key of chunk 0
 *                                 └─ chain key 1 ─┬─ key of chunk 1 …
 */
import { encodeUtf8 } from '@sotto/bytes';
import { hmacSha256 } from '@sotto/crypto/hash';
import { hkdfSha256 } from '@sotto/crypto/kdf';
import { CLAIM_ID_BYTES, CLAIM_TOKEN_BYTES } from './limits.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const CLAIM_ROOT = encodeUtf8('sotto/recovery/claims/v1');
const CHAIN_ROOT = encodeUtf8('sotto/recovery/chain/v1');
const CLAIM = encodeUtf8('sotto/recovery/claim/v1');
const CHUNK_KEY = encodeUtf8('sotto/recovery/chunk/v1');
const NEXT_CHAIN = encodeUtf8('sotto/recovery/next/v1');
const NO_SALT = new Uint8Array(0);

/** What one claim is made with, and the key of the next. */
export interface Claim {
  /** 16 bytes: names the answer; knowing it is not enough. */
  readonly id: Bytes;
  /** 32 bytes: shows that the claimant made the request. */
  readonly token: Bytes;
  /** 32 bytes */
  readonly nextKey: Bytes;
}

/** The two roots of a recovery key (32 bytes). The caller owns, and erases, all three. */
export function deriveRoots(recoveryKey: Uint8Array): { readonly claimKey: Bytes; readonly chainKey: Bytes } {
  return {
    claimKey: hkdfSha256(recoveryKey, NO_SALT, CLAIM_ROOT, 32),
    chainKey: hkdfSha256(recoveryKey, NO_SALT, CHAIN_ROOT, 32),
  };
}

/** One step of the claims' ladder. */
export function deriveClaim(claimKey: Uint8Array): Claim {
  const okm = hkdfSha256(claimKey, NO_SALT, CLAIM, CLAIM_ID_BYTES + CLAIM_TOKEN_BYTES + 32);
  const claim = {
    id: okm.slice(0, CLAIM_ID_BYTES),
    token: okm.slice(CLAIM_ID_BYTES, CLAIM_ID_BYTES + CLAIM_TOKEN_BYTES),
    nextKey: okm.slice(CLAIM_ID_BYTES + CLAIM_TOKEN_BYTES),
  };
  okm.fill(0);
  return claim;
}

/** The key of this chain key's chunk. */
export function deriveChunkKey(chainKey: Uint8Array): Bytes {
  return hmacSha256(chainKey, CHUNK_KEY);
}

/** The chain key after this one. */
export function deriveNextChainKey(chainKey: Uint8Array): Bytes {
  return hmacSha256(chainKey, NEXT_CHAIN);
}
