/** What of a chat is put into the index: its title, and every message in every branch with the names of its files. */
import type { OpenedRecord } from '@sotto/vault';
import { parseAttachments } from '../attachments/attachment.ts';
import type { ConversationSummary, WholeConversation } from '../record-keeper.ts';
import type { SearchDocument } from './build.ts';

/** What the index says it covers: another one whenever a record of the chat was written, came or went. */
export function versionOf({ clock, messageCount }: ConversationSummary): string {
  return `${clock}.${messageCount}`;
}

export function documentsOf({ summary, records }: WholeConversation): SearchDocument[] {
  return [titleOf(summary), ...records.flatMap((record) => messageOf(record) ?? [])];
}

export function titleOf({ conversationId, title, createdAtMs }: ConversationSummary): SearchDocument {
  return { id: conversationId, kind: 'title', createdAtMs, text: title, fileNames: [] };
}

/** Undefined for a record that is no message. */
export function messageOf({ recordId, content }: OpenedRecord): SearchDocument | undefined {
  if (content.type !== 'message') return undefined;
  const { role, createdAtMs, text, unknownFields } = content;
  const fileNames = parseAttachments(unknownFields?.attachments).map(({ name }) => name);
  return { id: recordId, kind: role, createdAtMs, text, fileNames };
}

/**
 * A chat with all of its messages. Somebody else who reads it at the same moment may let go of it in between: then it is read again.
 */
export async function readWhole(
  source: { wholeConversation(conversationId: string): Promise<WholeConversation | undefined> },
  conversationId: string,
): Promise<WholeConversation | undefined> {
  const whole = await source.wholeConversation(conversationId);
  if (whole === undefined) return undefined;
  const messageCount = whole.records.filter(({ content }) => content.type === 'message').length;
  return messageCount < whole.summary.messageCount ? source.wholeConversation(conversationId) : whole;
}
