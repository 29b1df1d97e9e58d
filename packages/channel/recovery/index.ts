/**
 * Recovery of a running answer (spec/channel.md): keys, sealing at the node, opening at the client. Who keeps and who asks
 * is the business of the enclave and of the client.
 */
export { encodeClaimStart, encodeSealedChunk, openClaimBody } from './claim-body.ts';
export { RecoveryError, type RecoveryErrorCode } from './error.ts';
export { bodyPosition, encodeKeptHead, readKeptHead } from './kept-stream.ts';
export { type Claim, deriveClaim, deriveRoots } from './keys.ts';
export {
  CHUNK_LIMIT_BYTES,
  CLAIM_ID_BYTES,
  CLAIM_TOKEN_BYTES,
  CLAIMS_LIMIT,
  KEPT_ANSWER_LIMIT_BYTES,
  KEPT_CHUNKS_LIMIT,
  KEPT_TIME_MS,
  RECOVERY_KEY_BYTES,
} from './limits.ts';
export { wasLost } from './lost.ts';
export { AnswerSealer } from './sealer.ts';
