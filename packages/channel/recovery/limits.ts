/** Caps and times of kept answers (spec/channel.md, recovery of a running answer). */

export const RECOVERY_KEY_BYTES = 32;
export const CLAIM_ID_BYTES = 16;
export const CLAIM_TOKEN_BYTES = 32;
/** Plaintext of one sealed chunk. */
export const CHUNK_LIMIT_BYTES = 16_384;
/** Sealed bytes of one answer; above it nothing of it is kept. */
export const KEPT_ANSWER_LIMIT_BYTES = 1024 * 1024;
export const KEPT_CHUNKS_LIMIT = 16_384;
/** How long an answer is kept after its connection was lost, or after it ended. */
export const KEPT_TIME_MS = 2 * 60_000;
/** Claims of one answer, one after the other: a line can be cut more than once. */
export const CLAIMS_LIMIT = 16;
