/** The types that both ends share. The ends themselves: `@sotto/channel/initiator`, `@sotto/channel/responder`. */
export { ChannelError, type ChannelErrorCode, RESET_CODES, type ResetCode } from './errors.ts';
export type {
  ChannelNotice,
  ChannelStream,
  ConnectOptions,
  ExpectedPeer,
  NodeClaim,
  UnverifiedChannel,
  UnverifiedRenewal,
  VerifiedChannel,
} from './initiator.ts';
export { type ChannelLimits, DEFAULT_LIMITS, HEAD_LIMIT_BYTES, STREAMS_LIMIT } from './limits.ts';
export type {
  AcceptOptions,
  IncomingRequest,
  ResponderChannel,
  ResponderEpoch,
  ResponseWriter,
  SessionIdentity,
} from './responder.ts';
export type { ChannelCloseInfo } from './session.ts';
export { SUITE } from './suite.ts';
