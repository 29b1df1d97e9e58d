/**
 * @sotto/client/confer: machines of others, over their protocol. Off unless imported by this name; `@sotto/client` and the
 * web app hold nothing of it (spec/confer.md, client).
 */
export { CONFER_WARNING, ConferError, type ConferErrorCode } from '@sotto/channel/confer';
export type { ThirdPartyAttested } from './attested.ts';
export type { ConferChatEvent } from './chat.ts';
export {
  type ConferChat,
  type ConferOptions,
  type ConferPorts,
  connectThirdPartyAttestedConferUnpaddedNotPostQuantum,
  type ThirdPartyAttestedSession,
} from './connect.ts';
export type { ThirdPartyJudge, ThirdPartyJudgement } from './judge.ts';
