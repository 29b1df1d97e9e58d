/** What folders, pins and removals need of a `History`; a guest's and an account's are the same to them. */
import { type Arrangement, arrangementOf } from '@sotto/vault/order';
import type { ConversationSummary, History } from '../history.ts';

export type OrderTarget = Pick<
  History,
  | 'conversations'
  | 'deviceId'
  | 'inOneChange'
  | 'nextClock'
  | 'recordsOfType'
  | 'removeConversation'
  | 'removeRecords'
  | 'setRegisters'
  | 'writeRecord'
>;

/** A chat of the list, with where it stands. */
export type ArrangedChat = ConversationSummary & Arrangement;

/** Chats that were not removed, last used first; those that are being removed are among them. */
export function arrangedChats(history: Pick<OrderTarget, 'conversations'>): ArrangedChat[] {
  return history.conversations().map((chat) => ({ ...chat, ...arrangementOf(chat.registers) }));
}
