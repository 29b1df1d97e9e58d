/**
 * The list of chats as it lies on this device (spec/client.md "On this device"): everything that the list shows, and which packs
 * hold a chat. In pages of 128, so that a write seals little anew. Only this device writes it.
 */
import { encodeUtf8, parseUtf8 } from '@sotto/bytes';
import { buildConversations, type OpenedRecord } from '@sotto/vault';
import { type ConversationState, type ConversationSummary, stateOf, summaryOf } from '../record-keeper.ts';

/** Of a page. */
export const PAGE_LIMIT = 128;

/** A chat, or one of the groups of records that belong to none. */
export interface Entry {
  readonly groupId: string;
  /** Number of its page. */
  readonly page: number;
  /** The version of each of its packs; 0 for one that is empty. */
  readonly packs: readonly number[];
  /** Undefined for what is no chat. */
  readonly summary: ConversationSummary | undefined;
  readonly state: ConversationState | undefined;
  /** This device began an answer in it and did not see its end. */
  readonly unfinished: boolean;
}

interface ListForm {
  readonly version: number;
  readonly entries: readonly Omit<Entry, 'page'>[];
}

export function encodeEntries(version: number, entries: readonly Entry[]): Uint8Array<ArrayBuffer> {
  const form: ListForm = { version, entries: entries.map(({ page: _, ...entry }) => entry) };
  return encodeUtf8(JSON.stringify(form));
}

/** @returns undefined for another version than the expected one @throws SyntaxError, BytesError */
export function parseEntries(bytes: Uint8Array, page: number, expectedVersion: number): Entry[] | undefined {
  const { version, entries } = JSON.parse(parseUtf8(bytes)) as ListForm;
  // CL-233: an older list would show what was removed since
  if (version !== expectedVersion) return undefined;
  return entries.map((entry) => ({ ...entry, page }));
}

/** What the list shows of a chat. @param deviceId of this device, as hex */
export function describe(
  conversationId: string,
  records: readonly OpenedRecord[],
  deviceId: string,
): Pick<Entry, 'summary' | 'state' | 'unfinished'> {
  const conversation = buildConversations(records).get(conversationId);
  const isOwnAndCut = ({ deviceId: writer, content }: OpenedRecord) =>
    writer === deviceId &&
    content.type === 'message' &&
    content.status === 'partial' &&
    content.unknownFields?.recovery !== undefined;
  return {
    summary: conversation === undefined ? undefined : summaryOf(conversation),
    state: stateOf(conversation),
    unfinished: records.some(isOwnAndCut),
  };
}
