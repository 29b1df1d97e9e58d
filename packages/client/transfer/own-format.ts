/**
 * The open form of an exported history, `sotto-export/v1` (spec/client.md "Taking chats along"): written from opened records, read from
 * a file that may be anybody's.
 */
import type { Conversation, JsonObject, JsonValue, MessageRole, MessageStatus } from '@sotto/vault';
import { TransferError } from './error.ts';
import { type ForeignChat, type ForeignMessage, isObject, type LeaveOut, stringOf, timeOf } from './foreign.ts';
import type { TransferLimits } from './limits.ts';

export const EXPORT_FORMAT = 'sotto-export/v1';
/** The ticket of a lost answer opens what a machine keeps: it leaves with no file, and comes with none. */
const SECRET_FIELD = 'recovery';
const ROLES: ReadonlySet<unknown> = new Set<MessageRole>(['system', 'user', 'assistant']);
const STATUSES: ReadonlySet<unknown> = new Set<MessageStatus>(['complete', 'partial', 'interrupted']);
const PARENT_LIMIT = 16;

export interface ExportedMessage {
  /** 16 bytes as hex, as are all ids. */
  readonly id: string;
  /** What it follows; empty for a first message, the first entry counts. */
  readonly parents: readonly string[];
  readonly role: MessageRole;
  readonly text: string;
  readonly status: MessageStatus;
  readonly model?: string;
  /** Milliseconds since 1970. */
  readonly createdAtMs: number;
  /** Of its last write: grows with every write of the history. */
  readonly clock: number;
  /** What a later version keeps with it. */
  readonly fields?: JsonObject;
}

export interface ExportedConversation {
  readonly id: string;
  readonly title: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  /** Title and what else is kept with a chat, each with the clock of its last write. */
  readonly registers: Readonly<Record<string, { readonly value: JsonValue; readonly clock: number }>>;
  /** Oldest first; a tree by `parents`. */
  readonly messages: readonly ExportedMessage[];
}

export interface ExportedHistory {
  readonly format: typeof EXPORT_FORMAT;
  readonly exportedAtMs: number;
  readonly conversations: readonly ExportedConversation[];
}

export function exportConversation(conversation: Conversation): ExportedConversation {
  const { conversationId: id, title, createdAtMs, updatedAtMs } = conversation;
  const registers = Object.entries(conversation.registers).map(([name, { value, clock }]) => [name, { value, clock }]);
  const messages = [...conversation.messages.values()].map(({ recordId, content }): ExportedMessage => {
    const { type: _, conversationId: __, unknownFields, ...known } = content;
    const { [SECRET_FIELD]: ___, ...fields } = unknownFields ?? {};
    return { id: recordId, ...known, ...(Object.keys(fields).length === 0 ? {} : { fields }) };
  });
  messages.sort((a, b) => a.createdAtMs - b.createdAtMs || (a.id < b.id ? -1 : 1));
  return { id, title, createdAtMs, updatedAtMs, registers: Object.fromEntries(registers), messages };
}

/** @throws TransferError `import-unknown`, `import-too-large` */
export function parseExport(
  file: Readonly<Record<string, unknown>>,
  leaveOut: LeaveOut,
  limits: TransferLimits,
): ForeignChat[] {
  const { conversations } = file;
  // CL-285: another version's form, or another program's
  if (file.format !== EXPORT_FORMAT || !Array.isArray(conversations))
    throw new TransferError('import-unknown', 'CL-285');
  let count = 0;
  return conversations.flatMap((chat: unknown) => {
    const sourceId = isObject(chat) ? stringOf(chat.id) : undefined;
    // CL-285: one odd chat must not cost a person the others
    if (!isObject(chat) || sourceId === undefined || !Array.isArray(chat.messages)) return leaveOut('unreadable') ?? [];
    count += chat.messages.length;
    // CL-282: each message becomes several objects here
    if (count > limits.messages) throw new TransferError('import-too-large', 'CL-282');
    const messages = chat.messages.flatMap((message: unknown) => parseMessage(message) ?? leaveOut('unreadable') ?? []);
    const createdAtMs = timeOf(chat.createdAtMs, 1) ?? 0;
    return [{ source: 'sotto' as const, sourceId, createdAtMs, registers: parseRegisters(chat.registers), messages }];
  });
}

function parseMessage(message: unknown): ForeignMessage | undefined {
  if (!isObject(message)) return undefined;
  const { id, parents, role, text, status, model, fields } = message;
  if (typeof id !== 'string' || typeof text !== 'string' || !ROLES.has(role) || !STATUSES.has(status)) return undefined;
  const isList =
    Array.isArray(parents) && parents.length <= PARENT_LIMIT && parents.every((each) => typeof each === 'string');
  if (!isList || (model !== undefined && typeof model !== 'string')) return undefined;
  const { [SECRET_FIELD]: _, ...others } = isObject(fields) ? fields : {};
  const clock = timeOf(message.clock, 1);
  return {
    sourceId: id,
    parents,
    role: role as MessageRole,
    text,
    status: status as MessageStatus,
    ...(model === undefined ? {} : { model }),
    createdAtMs: timeOf(message.createdAtMs, 1) ?? 0,
    ...(clock === undefined ? {} : { clock }),
    ...(Object.keys(others).length === 0 ? {} : { fields: others as JsonObject }),
  };
}

function parseRegisters(registers: unknown): ForeignChat['registers'] {
  const read = Object.entries(isObject(registers) ? registers : {}).flatMap(([name, register]) =>
    isObject(register) && 'value' in register
      ? [[name, { value: register.value as JsonValue, clock: timeOf(register.clock, 1) ?? 1 }] as const]
      : [],
  );
  return Object.fromEntries(read);
}
