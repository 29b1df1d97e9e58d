/**
 * `POST /v1/answers/claim`: asks a node for the rest of an answer whose connection was lost. spec/wire.md §claim. It comes
 * from a client, who may be anybody; the answer's body is spec/channel.md's.
 */
import { WireError } from './error.ts';
import { bytes, message, singular, unsigned } from './protobuf.ts';

export interface ClaimRequest {
  /** 16 bytes */
  readonly id: Uint8Array;
  /** 32 bytes */
  readonly token: Uint8Array;
  /** How many bytes of the kept stream the client has. */
  readonly haveBytes: number;
}

const claim = message(128, {
  id: singular(1, bytes(16)),
  token: singular(2, bytes(32)),
  haveBytes: singular(3, unsigned(0xffff_ffff)),
});

export function encodeClaimRequest(request: ClaimRequest): Uint8Array<ArrayBuffer> {
  return claim.encode({ ...request });
}

/** @throws WireError `wire-malformed`, `wire-too-large`, `wire-truncated` */
export function parseClaimRequest(encoded: Uint8Array): ClaimRequest {
  const parsed = claim.parse(encoded);
  const isComplete = parsed.id.length > 0 && parsed.token.length > 0;
  // WI-27: a claim without an id or a token would be compared with nothing.
  if (!isComplete) throw new WireError('wire-malformed', 'a claim names no answer', 'WI-27');
  return parsed;
}
