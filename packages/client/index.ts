/**
 * The library that others embed: find a node, check it, talk to it; open, save and move a history (spec/client.md).
 *
 * @example
 * const session = await openNodeSession(ports, { baseUrl: 'http://localhost:7070', policy });
 * for await (const event of session.chat({ model, messages: [{ role: 'user', content: 'Hello' }] })) …
 */

export { PROFILE_COSTS, PROFILES, type Profile, type ProfileCost } from '@sotto/channel/shaping';
export { ForgettingStore } from './archive/forgetting-store.ts';
export type { ChatEvent } from './chat.ts';
export { NodeConnection } from './connection.ts';
export { ClientError, type ClientErrorCode, SaveError } from './errors.ts';
export { eraseGuest, type Guest, loadGuest } from './guest.ts';
export {
  type ConversationState,
  type ConversationSummary,
  type Damage,
  History,
  type MessageToSave,
  openHistory,
  type PendingAnswer,
  type RecordChange,
  type ThreadMessage,
  type WholeConversation,
} from './history.ts';
export { NodeCache } from './node-cache.ts';
export {
  type ChatOptions,
  type ClientPorts,
  type NodeRequestOptions,
  type NodeSession,
  type NodeSessionOptions,
  openNodeSession,
  type ResumeOptions,
  type SessionPhase,
} from './node-session.ts';
export type { AnswerTicket, LineState } from './recovery.ts';
export type { StoredTicket } from './recovery-ticket.ts';
export { remoteRecords } from './remote-records.ts';
export type { NodeResponse } from './response.ts';
export { ServerApi } from './server-api.ts';
export type { HistoryOptions } from './store-keeper.ts';
