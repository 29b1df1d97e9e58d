/**
 * The open form of an exported history, `sotto-export/v1` (spec/client.md "Taking chats along"): written from opened records, read from
 * a file that may be anybody's.
 */
import type { Conversation, JsonObject, JsonValue, MessageRole, MessageStatus } from '@sotto/vault';
import type { Folder } from '@sotto/vault/order';
import { type Attachment, parseAttachments } from '../attachments/attachment.ts';
import { TransferError } from './error.ts';
import {
  FILES_LIMIT,
  type FindFile,
  type ForeignChat,
  type ForeignFile,
  type ForeignFolder,
  type ForeignItems,
  type ForeignMemory,
  type ForeignMessage,
  isObject,
  type LeaveOut,
  type Source,
  stringOf,
  timeOf,
} from './foreign.ts';
import type { TransferLimits } from './limits.ts';

export const EXPORT_FORMAT = 'sotto-export/v1';
/** The ticket of a lost answer opens what a machine keeps: it leaves with no file, and comes with none. */
const SECRET_FIELD = 'recovery';
/** The keys of files: what they open goes along in the open. */
const FILES_FIELD = 'attachments';
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
  /** What goes with it. */
  readonly files?: readonly ExportedFile[];
}

export interface ExportedFile {
  readonly name: string;
  readonly mediaType: string;
  readonly bytes: number;
  /** Of the entry in the same ZIP that holds it. */
  readonly entry: string;
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

export interface ExportedFolder {
  readonly id: string;
  readonly createdAtMs: number;
  /** Name, instructions, order, the folder it stands in, each with the clock of its last write. */
  readonly registers: ExportedConversation['registers'];
}

/** What another program remembered of the person, as it was imported. */
export interface ExportedMemory {
  readonly source: Source;
  readonly text: string;
}

export interface ExportedHistory {
  readonly format: typeof EXPORT_FORMAT;
  readonly exportedAtMs: number;
  readonly conversations: readonly ExportedConversation[];
  /** Absent in exports of earlier versions. */
  readonly folders?: readonly ExportedFolder[];
  readonly memories?: readonly ExportedMemory[];
}

/** Files stay out: an export holds none. */
export function exportFolder({ folderId: id, createdAtMs, registers }: Folder): ExportedFolder {
  const said = Object.entries(registers).filter(([name]) => !name.startsWith('file:'));
  return {
    id,
    createdAtMs,
    registers: Object.fromEntries(said.map(([name, { value, clock }]) => [name, { value, clock }])),
  };
}

/** @param entryOf what the ZIP calls a file; undefined for one that is not in it */
export function exportConversation(
  conversation: Conversation,
  entryOf: (attachment: Attachment) => string | undefined = () => undefined,
): ExportedConversation {
  const { conversationId: id, title, createdAtMs, updatedAtMs } = conversation;
  const registers = Object.entries(conversation.registers).map(([name, { value, clock }]) => [name, { value, clock }]);
  const messages = [...conversation.messages.values()].map(({ recordId, content }): ExportedMessage => {
    const { type: _, conversationId: __, unknownFields, ...known } = content;
    const { [SECRET_FIELD]: ___, [FILES_FIELD]: attachments, ...fields } = unknownFields ?? {};
    const files = parseAttachments(attachments).flatMap((attachment): ExportedFile[] => {
      const { name, mediaType, bytes } = attachment;
      const entry = entryOf(attachment);
      return entry === undefined ? [] : [{ name, mediaType, bytes, entry }];
    });
    return {
      id: recordId,
      ...known,
      ...(Object.keys(fields).length === 0 ? {} : { fields }),
      ...(files.length === 0 ? {} : { files }),
    };
  });
  messages.sort((a, b) => a.createdAtMs - b.createdAtMs || (a.id < b.id ? -1 : 1));
  return { id, title, createdAtMs, updatedAtMs, registers: Object.fromEntries(registers), messages };
}

/** @throws TransferError `import-unknown`, `import-too-large` */
export function parseExport(
  file: Readonly<Record<string, unknown>>,
  leaveOut: LeaveOut,
  limits: TransferLimits,
  findFile: FindFile = () => undefined,
): ForeignItems {
  const { conversations } = file;
  // CL-285: another version's form
  if (!Array.isArray(conversations)) throw new TransferError('import-unknown', 'CL-285');
  const folders = Array.isArray(file.folders) ? file.folders : [];
  // CL-282: each chat, and each folder, becomes several objects here
  if (Math.max(conversations.length, folders.length) > limits.chats)
    throw new TransferError('import-too-large', 'CL-282');
  let count = 0;
  const chats = conversations.flatMap((chat: unknown): ForeignChat[] => {
    const sourceId = isObject(chat) ? stringOf(chat.id) : undefined;
    // CL-285: one odd chat must not cost a person the others
    if (!isObject(chat) || sourceId === undefined || !Array.isArray(chat.messages)) return leaveOut('unreadable') ?? [];
    count += chat.messages.length;
    // CL-282: each message becomes several objects here
    if (count > limits.messages) throw new TransferError('import-too-large', 'CL-282');
    const messages = chat.messages.flatMap(
      (message: unknown) => parseMessage(message, leaveOut, findFile) ?? leaveOut('unreadable') ?? [],
    );
    const createdAtMs = timeOf(chat.createdAtMs, 1) ?? 0;
    const { removing: _, folder, ...registers } = parseRegisters(chat.registers);
    const place = typeof folder?.value === 'string' ? { folder: folder.value } : {};
    return [{ source: 'sotto', sourceId, createdAtMs, ...place, registers, messages }];
  });
  return {
    chats,
    folders: folders.flatMap((folder: unknown) => parseFolder(folder) ?? leaveOut('unreadable') ?? []),
    memories: (Array.isArray(file.memories) ? file.memories : []).flatMap(
      (memory: unknown) => parseMemory(memory) ?? leaveOut('unreadable') ?? [],
    ),
  };
}

function parseFolder(folder: unknown): ForeignFolder | undefined {
  const sourceId = isObject(folder) ? stringOf(folder.id) : undefined;
  if (!isObject(folder) || sourceId === undefined) return undefined;
  const registers = parseRegisters(folder.registers);
  const [name, instructions] = [stringOf(registers.name?.value) ?? '', stringOf(registers.instructions?.value) ?? ''];
  const createdAtMs = timeOf(folder.createdAtMs, 1) ?? 0;
  return { source: 'sotto', sourceId, name, instructions, createdAtMs, registers };
}

function parseMemory(memory: unknown): ForeignMemory | undefined {
  const text = isObject(memory) ? stringOf(memory.text)?.trim() : undefined;
  const source = isObject(memory) ? ['chatgpt', 'claude', 'sotto'].find((each) => each === memory.source) : undefined;
  return text === undefined || text === '' || source === undefined ? undefined : { source: source as Source, text };
}

function parseMessage(message: unknown, leaveOut: LeaveOut, findFile: FindFile): ForeignMessage | undefined {
  if (!isObject(message)) return undefined;
  const { id, parents, role, text, status, model, fields } = message;
  if (typeof id !== 'string' || typeof text !== 'string' || !ROLES.has(role) || !STATUSES.has(status)) return undefined;
  const isList =
    Array.isArray(parents) && parents.length <= PARENT_LIMIT && parents.every((each) => typeof each === 'string');
  if (!isList || (model !== undefined && typeof model !== 'string')) return undefined;
  const { [SECRET_FIELD]: _, [FILES_FIELD]: __, ...others } = isObject(fields) ? fields : {};
  const files = parseFiles(message.files, leaveOut, findFile);
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
    ...(files.length === 0 ? {} : { files }),
  };
}

function parseFiles(list: unknown, leaveOut: LeaveOut, findFile: FindFile): ForeignFile[] {
  if (!Array.isArray(list)) return [];
  return list.slice(0, FILES_LIMIT).flatMap((file: unknown) => {
    const { name, mediaType, entry } = isObject(file) ? file : {};
    const found = typeof entry === 'string' ? findFile(entry) : undefined;
    if (found === undefined || typeof name !== 'string' || typeof mediaType !== 'string')
      return leaveOut('files') ?? [];
    const { bytes, pieces } = found;
    return [{ kind: 'files' as const, name, mediaType, bytes, pieces }];
  });
}

function parseRegisters(registers: unknown): ForeignChat['registers'] {
  const read = Object.entries(isObject(registers) ? registers : {}).flatMap(([name, register]) =>
    isObject(register) && 'value' in register
      ? [[name, { value: register.value as JsonValue, clock: timeOf(register.clock, 1) ?? 1 }] as const]
      : [],
  );
  return Object.fromEntries(read);
}
