/**
 * Reads ChatGPT's data export: `conversations.json`, a list of chats whose messages are a tree of nodes (spec/client.md "Taking chats
 * along"). The file may be anybody's; parsing is total: what is not understood is counted, and its answers stay below what was before it.
 */
import type { MessageRole } from '@sotto/vault';
import { filesOf } from './chatgpt-files.ts';
import { TransferError } from './error.ts';
import {
  type FindFile,
  type ForeignChat,
  type ForeignFolder,
  type ForeignItems,
  type ForeignMessage,
  isObject,
  type LeaveOut,
  nearestTaken,
  stringOf,
  timeOf,
} from './foreign.ts';
import type { TransferLimits } from './limits.ts';

type Json = Readonly<Record<string, unknown>>;

const REASONING = new Set(['thoughts', 'reasoning_recap']);
const CONTEXT = new Set(['user_editable_context', 'model_editable_context']);
const HIDDEN = new Set([...CONTEXT, 'system_error']);

/** @returns undefined for a list of other things. @throws TransferError `import-too-large` */
export function parseChatGpt(
  list: readonly unknown[],
  leaveOut: LeaveOut,
  limits: TransferLimits,
  findFile: FindFile,
): ForeignItems | undefined {
  const found = list.filter((item): item is Json & { mapping: Json } => isObject(item) && isObject(item.mapping));
  if (list.length > 0 && found.length === 0) return undefined;
  leaveOut('unreadable', list.length - found.length);
  let nodes = 0;
  const remembered: Remembered = new Map();
  const chats = found.map((chat) => {
    nodes += Object.keys(chat.mapping).length;
    // CL-282: each node becomes several objects here
    if (nodes > limits.messages) throw new TransferError('import-too-large', 'CL-282');
    return parseChat(chat, leaveOut, findFile, remembered);
  });
  // One of each is taken; the others stay counted.
  leaveOut('hidden', -remembered.size);
  const memories = [...remembered.values()].map(({ text }) => ({ source: 'chatgpt' as const, text }));
  return { chats, folders: foldersOf(chats), memories };
}

/** The newest of what was told to every chat: custom instructions, and what ChatGPT had noted. */
type Remembered = Map<string, { readonly atMs: number; readonly text: string }>;

function remember(content: Json, atMs: number, remembered: Remembered): void {
  const texts = ['user_profile', 'user_instructions', 'model_set_context'].map((name) =>
    stringOf(content[name])?.trim(),
  );
  const text = texts.filter((each) => each !== undefined && each !== '').join('\n\n');
  const kind = String(content.content_type);
  if (text !== '' && (remembered.get(kind)?.atMs ?? -1) < atMs) remembered.set(kind, { atMs, text });
}

/** The file names a chat's project by its id alone: neither its name nor its instructions are in it. */
function foldersOf(chats: readonly ForeignChat[]): ForeignFolder[] {
  const ids = [...new Set(chats.flatMap(({ folder }) => folder ?? []))];
  return ids.map((sourceId) => {
    const own = chats.filter(({ folder }) => folder === sourceId);
    const createdAtMs = Math.min(...own.map((chat) => chat.createdAtMs));
    return { source: 'chatgpt' as const, sourceId, name: '', instructions: '', createdAtMs };
  });
}

function parseChat(
  chat: Json & { mapping: Json },
  leaveOut: LeaveOut,
  findFile: FindFile,
  remembered: Remembered,
): ForeignChat {
  const nodes = new Map(Object.entries(chat.mapping));
  const createdAtMs = timeOf(chat.create_time, 1000) ?? 0;
  const taken = new Map<string, Omit<ForeignMessage, 'parents'>>();
  for (const [sourceId, node] of nodes) {
    const message = parseNode(node, leaveOut, findFile, remembered);
    if (message !== undefined) taken.set(sourceId, { sourceId, createdAtMs, ...message });
  }
  const nearest = nearestTaken((id) => parentOf(nodes.get(id)), taken);
  const shownId = nearest(stringOf(chat.current_node));
  const folder = [chat.conversation_template_id, chat.gizmo_id].find((id) => /^g-p-/.test(String(id)));
  const clock = timeOf(chat.update_time, 1000) ?? createdAtMs;
  return {
    source: 'chatgpt',
    sourceId: stringOf(chat.conversation_id) ?? stringOf(chat.id) ?? [...nodes.keys()].sort()[0] ?? '',
    createdAtMs,
    ...(folder === undefined ? {} : { folder: String(folder) }),
    registers: {
      title: { value: stringOf(chat.title) ?? '', clock },
      ...(chat.is_archived === true ? { archived: { value: true, clock } } : {}),
    },
    messages: [...taken.values()].map((message) => {
      const parent = nearest(parentOf(nodes.get(message.sourceId)));
      return { ...message, parents: parent === undefined || parent === message.sourceId ? [] : [parent] };
    }),
    ...(shownId === undefined ? {} : { shownId }),
  };
}

type Said = Pick<ForeignMessage, 'role' | 'text' | 'status' | 'model' | 'files'> & { readonly createdAtMs?: number };

/** What a person said or read; undefined for the rest, which is counted. */
function parseNode(node: unknown, leaveOut: LeaveOut, findFile: FindFile, remembered: Remembered): Said | undefined {
  const message = isObject(node) ? node.message : undefined;
  // The first node of every chat holds none.
  if (isObject(node) && (message === null || message === undefined)) return undefined;
  // CL-285: one odd node must not cost a person the others
  if (!isObject(message) || !isObject(message.author) || !isObject(message.content)) return leaveOut('unreadable');
  const { author, content } = message;
  const metadata = isObject(message.metadata) ? message.metadata : {};
  const kind = stringOf(content.content_type);
  if (CONTEXT.has(kind ?? '')) remember(content, timeOf(message.create_time, 1000) ?? 0, remembered);
  if (REASONING.has(kind ?? '')) return leaveOut('reasoning');
  if (HIDDEN.has(kind ?? '') || author.role === 'system' || metadata.is_visually_hidden_from_conversation === true) {
    return leaveOut('hidden');
  }
  const isCall = typeof message.recipient === 'string' && message.recipient !== 'all';
  if (author.role === 'tool' || isCall) return leaveOut('tools');
  const isKnown =
    (author.role === 'user' || author.role === 'assistant') && (kind === 'text' || kind === 'multimodal_text');
  if (!isKnown) return leaveOut(kind === 'code' || kind === 'execution_output' ? 'tools' : 'unreadable');
  // CL-285: as above
  if (!Array.isArray(content.parts)) return leaveOut('unreadable');
  const text = textOf(content.parts, leaveOut);
  const files = filesOf(content.parts, metadata.attachments, leaveOut, findFile);
  if (text === '' && files.length === 0) return undefined;
  const createdAtMs = timeOf(message.create_time, 1000);
  const model = stringOf(metadata.model_slug);
  return {
    role: author.role as MessageRole,
    text,
    status: message.status === 'in_progress' ? 'interrupted' : 'complete',
    ...(createdAtMs === undefined ? {} : { createdAtMs }),
    ...(model === undefined || author.role === 'user' ? {} : { model: model.slice(0, 100) }),
    ...(files.length === 0 ? {} : { files }),
  };
}

function textOf(parts: readonly unknown[], leaveOut: LeaveOut): string {
  const texts: string[] = [];
  for (const part of parts) {
    if (typeof part === 'string') texts.push(part);
    else if (isObject(part) && part.content_type === 'audio_transcription' && typeof part.text === 'string')
      texts.push(part.text);
    else if (!isObject(part) || part.content_type !== 'image_asset_pointer')
      leaveOut(isObject(part) ? 'files' : 'unreadable');
  }
  return texts.filter((text) => text !== '').join('\n\n');
}

const parentOf = (node: unknown) => (isObject(node) ? stringOf(node.parent) : undefined);
