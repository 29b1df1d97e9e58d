/**
 * @sotto/channel/confer: suite `confer-1`, for talking to machines that speak the public confer-proxy's protocol
 * (spec/confer.md). Nothing else in this package leads here, and nothing here leads to a `VerifiedNode`.
 */
export { ConferError, type ConferErrorCode } from './errors.ts';
export type { ConferChannel, ConferExchange } from './exchanges.ts';
export { type ConferConnectOptions, connectConfer, type UnjudgedConfer } from './initiator.ts';
export type { ConferRequest, ConferResponse } from './messages.ts';
export {
  acceptConfer,
  type ConferAcceptOptions,
  type ConferIncomingRequest,
  type ConferResponder,
} from './responder.ts';
export { CONFER_LIMITS, CONFER_SUITE, CONFER_WARNING, type ConferLimits } from './suite.ts';
export { type ConferClaims, isPaymentRequired, verifyConferToken } from './token.ts';
