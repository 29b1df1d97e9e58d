/**
 * @sotto/wire: the shapes that client, server and enclave exchange, and their strict codecs (spec/wire.md).
 * A parser returns a checked value or throws `WireError`; nothing here is trusted because it parsed.
 */
export * from './api.ts';
export * from './blobs.ts';
export * from './chat.ts';
export { type ClaimRequest, encodeClaimRequest, parseClaimRequest } from './claim.ts';
export * from './device-sign-in.ts';
export { WireError, type WireErrorCode } from './error.ts';
export {
  encodeRequestHead,
  encodeResponseHead,
  type Header,
  headerValue,
  type Method,
  parseRequestHead,
  parseResponseHead,
  type RequestHead,
  type ResponseHead,
  WIRE_VERSION,
} from './heads.ts';
export * from './records.ts';
export * from './rotation.ts';
export { parseJson } from './shape.ts';
export * from './shares.ts';
export { encodeSseEvent, parseSse } from './sse.ts';
export { EVIDENCE_STREAM_ID, FIRST_REQUEST_STREAM_ID } from './streams.ts';
