/**
 * Reads Claude's data export: lists of chats, of projects, and of what was remembered (spec/client.md "Taking chats along"). The files may
 * be anybody's; parsing is total: what is not understood is counted, and its answers stay below what was before it.
 */
import { TransferError } from './error.ts';
import {
  type ForeignChat,
  type ForeignFolder,
  type ForeignMemory,
  type ForeignMessage,
  isObject,
  type LeaveOut,
  nearestTaken,
  stringOf,
  timeOf,
} from './foreign.ts';
import type { TransferLimits } from './limits.ts';

type Json = Readonly<Record<string, unknown>>;

/** @returns undefined for a list of other things. @throws TransferError `import-too-large` */
export function parseClaudeChats(
  list: readonly unknown[],
  leaveOut: LeaveOut,
  limits: TransferLimits,
): ForeignChat[] | undefined {
  const chats = list.filter(isChat);
  if (chats.length === 0) return undefined;
  leaveOut('unreadable', list.length - chats.length);
  let messages = 0;
  return chats.map((chat) => {
    messages += chat.chat_messages.length;
    // CL-282: each message becomes several objects here
    if (messages > limits.messages) throw new TransferError('import-too-large', 'CL-282');
    return parseChat(chat, leaveOut);
  });
}

/** @returns undefined for other things */
export function parseClaudeProjects(list: readonly unknown[], leaveOut: LeaveOut): ForeignFolder[] | undefined {
  const projects = list.filter(
    (item): item is Json => isObject(item) && typeof item.uuid === 'string' && 'prompt_template' in item,
  );
  if (projects.length === 0) return undefined;
  leaveOut('unreadable', list.length - projects.length);
  return projects.map((project) => {
    // Their texts are in the file; as files of a project they would have to be sent with every question.
    leaveOut('files', Array.isArray(project.docs) ? project.docs.length : 0);
    return {
      source: 'claude' as const,
      sourceId: String(project.uuid),
      name: stringOf(project.name) ?? '',
      instructions: stringOf(project.prompt_template) ?? '',
      createdAtMs: dateOf(project.created_at) ?? 0,
    };
  });
}

/** @returns undefined for other things */
export function parseClaudeMemories(list: readonly unknown[], leaveOut: LeaveOut): ForeignMemory[] | undefined {
  const known = list.filter(
    (item): item is Json => isObject(item) && ('conversations_memory' in item || 'project_memories' in item),
  );
  if (known.length === 0) return undefined;
  leaveOut('unreadable', list.length - known.length);
  return known.flatMap((item) => {
    const ofProjects = isObject(item.project_memories) ? Object.entries(item.project_memories) : [];
    return [['', item.conversations_memory] as const, ...ofProjects].flatMap(([folder, text]) =>
      typeof text === 'string' && text.trim() !== ''
        ? [{ source: 'claude' as const, text, ...(folder === '' ? {} : { folder }) }]
        : [],
    );
  });
}

function isChat(item: unknown): item is Json & { chat_messages: readonly unknown[] } {
  return isObject(item) && typeof item.uuid === 'string' && Array.isArray(item.chat_messages);
}

function parseChat(chat: Json & { chat_messages: readonly unknown[] }, leaveOut: LeaveOut): ForeignChat {
  const createdAtMs = dateOf(chat.created_at) ?? 0;
  const updatedAtMs = dateOf(chat.updated_at) ?? createdAtMs;
  const parents = new Map<string, string | undefined>();
  const taken = new Map<string, Omit<ForeignMessage, 'parents'>>();
  let before: string | undefined;
  for (const [i, item] of chat.chat_messages.entries()) {
    const sourceId = (isObject(item) ? stringOf(item.uuid) : undefined) ?? `message ${i}`;
    // Without a word of where it belongs it follows the one before it.
    const parent = isObject(item) ? stringOf(item.parent_message_uuid) : undefined;
    parents.set(sourceId, parent ?? before);
    before = sourceId;
    const message = parseMessage(item, leaveOut);
    if (message !== undefined) taken.set(sourceId, { sourceId, createdAtMs, ...message });
  }
  const nearest = nearestTaken((id) => parents.get(id), taken);
  const shownId = nearest(stringOf(chat.current_leaf_message_uuid));
  const folder = stringOf(chat.project_uuid) ?? (isObject(chat.project) ? stringOf(chat.project.uuid) : undefined);
  return {
    source: 'claude',
    sourceId: String(chat.uuid),
    createdAtMs,
    ...(folder === undefined ? {} : { folder }),
    registers: {
      title: { value: stringOf(chat.name) ?? '', clock: updatedAtMs },
      ...(chat.is_starred === true ? { 'tag:starred': { value: true, clock: updatedAtMs } } : {}),
    },
    messages: [...taken.values()].map((message) => {
      const parent = nearest(parents.get(message.sourceId));
      return { ...message, parents: parent === undefined || parent === message.sourceId ? [] : [parent] };
    }),
    ...(shownId === undefined ? {} : { shownId }),
  };
}

type Said = Pick<ForeignMessage, 'role' | 'text' | 'status'> & { readonly createdAtMs?: number };

/** What a person said or read; undefined for the rest, which is counted. */
function parseMessage(item: unknown, leaveOut: LeaveOut): Said | undefined {
  const role = isObject(item) ? { human: 'user', assistant: 'assistant' }[String(item.sender)] : undefined;
  // CL-285: one odd message must not cost a person the others
  if (!isObject(item) || (role !== 'user' && role !== 'assistant')) return leaveOut('unreadable');
  const blocks = Array.isArray(item.content) ? item.content : [];
  const texts = blocks.flatMap((block: unknown) => textOf(block, leaveOut) ?? []);
  if (blocks.length === 0) texts.push(stringOf(item.text) ?? '');
  for (const attachment of Array.isArray(item.attachments) ? item.attachments : []) {
    const content = isObject(attachment) ? stringOf(attachment.extracted_content) : undefined;
    // What was pasted is the person's own words; it follows them under its name.
    if (content !== undefined && content !== '')
      texts.push(`${stringOf(attachment.file_name) ?? ''}\n\n${content}`.trim());
    else leaveOut('files');
  }
  for (const file of Array.isArray(item.files) ? item.files : []) {
    leaveOut(isObject(file) && file.file_kind === 'image' ? 'images' : 'files');
  }
  const text = texts.filter((each) => each !== '').join('\n\n');
  if (text === '') return undefined;
  const createdAtMs = dateOf(item.created_at);
  return { role, text, status: 'complete', ...(createdAtMs === undefined ? {} : { createdAtMs }) };
}

function textOf(block: unknown, leaveOut: LeaveOut): string | undefined {
  const type = isObject(block) ? block.type : undefined;
  if (isObject(block) && type === 'text') return stringOf(block.text) ?? '';
  if (type === 'thinking' || type === 'redacted_thinking') return leaveOut('reasoning');
  if (type === 'tool_use' || type === 'tool_result') return leaveOut('tools');
  if (type === 'token_budget' || type === 'flag') return leaveOut('hidden');
  return leaveOut(type === 'image' ? 'images' : 'unreadable');
}

/** ISO 8601 to milliseconds since 1970, or undefined. */
function dateOf(value: unknown): number | undefined {
  return typeof value === 'string' && value.length <= 40 ? timeOf(Date.parse(value), 1) : undefined;
}
