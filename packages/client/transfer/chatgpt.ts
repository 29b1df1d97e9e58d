/**
 * Reads ChatGPT's data export: `conversations.json`, a list of chats whose messages are a tree of nodes (spec/client.md "Taking chats
 * along"). The file may be anybody's; parsing is total: what is not understood is counted, and its answers stay below what was before it.
 */
import type { MessageRole } from '@sotto/vault';
import { TransferError } from './error.ts';
import { type ForeignChat, type ForeignMessage, isObject, type LeaveOut, stringOf, timeOf } from './foreign.ts';
import type { TransferLimits } from './limits.ts';

type Json = Readonly<Record<string, unknown>>;

const REASONING = new Set(['thoughts', 'reasoning_recap']);
const HIDDEN = new Set(['user_editable_context', 'model_editable_context', 'system_error']);

/** @returns undefined for a list of other things. @throws TransferError `import-too-large` */
export function parseChatGpt(
  list: readonly unknown[],
  leaveOut: LeaveOut,
  limits: TransferLimits,
): ForeignChat[] | undefined {
  const chats = list.filter((item): item is Json & { mapping: Json } => isObject(item) && isObject(item.mapping));
  if (list.length > 0 && chats.length === 0) return undefined;
  leaveOut('unreadable', list.length - chats.length);
  let nodes = 0;
  return chats.map((chat) => {
    nodes += Object.keys(chat.mapping).length;
    // CL-282: each node becomes several objects here
    if (nodes > limits.messages) throw new TransferError('import-too-large', 'CL-282');
    return parseChat(chat, leaveOut);
  });
}

function parseChat(chat: Json & { mapping: Json }, leaveOut: LeaveOut): ForeignChat {
  const nodes = new Map(Object.entries(chat.mapping));
  const createdAtMs = timeOf(chat.create_time, 1000) ?? 0;
  const taken = new Map<string, Omit<ForeignMessage, 'parents'>>();
  for (const [sourceId, node] of nodes) {
    const message = parseNode(node, leaveOut);
    if (message !== undefined) taken.set(sourceId, { sourceId, createdAtMs, ...message });
  }
  const nearest = nearestTaken(nodes, taken);
  const shownId = nearest(stringOf(chat.current_node));
  return {
    source: 'chatgpt',
    sourceId: stringOf(chat.conversation_id) ?? stringOf(chat.id) ?? [...nodes.keys()].sort()[0] ?? '',
    createdAtMs,
    registers: { title: { value: stringOf(chat.title) ?? '', clock: timeOf(chat.update_time, 1000) ?? createdAtMs } },
    messages: [...taken.values()].map((message) => {
      const parent = nearest(parentOf(nodes.get(message.sourceId)));
      return { ...message, parents: parent === undefined || parent === message.sourceId ? [] : [parent] };
    }),
    ...(shownId === undefined ? {} : { shownId }),
  };
}

type Said = Pick<ForeignMessage, 'role' | 'text' | 'status' | 'model'> & { readonly createdAtMs?: number };

/** What a person said or read; undefined for the rest, which is counted. */
function parseNode(node: unknown, leaveOut: LeaveOut): Said | undefined {
  const message = isObject(node) ? node.message : undefined;
  // The first node of every chat holds none.
  if (isObject(node) && (message === null || message === undefined)) return undefined;
  // CL-285: one odd node must not cost a person the others
  if (!isObject(message) || !isObject(message.author) || !isObject(message.content)) return leaveOut('unreadable');
  const { author, content } = message;
  const metadata = isObject(message.metadata) ? message.metadata : {};
  const kind = stringOf(content.content_type);
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
  if (Array.isArray(metadata.attachments)) {
    const files = metadata.attachments.filter(
      (each) => !(isObject(each) && String(each.mime_type).startsWith('image/')),
    );
    leaveOut('files', files.length);
  }
  if (text === '') return undefined;
  const createdAtMs = timeOf(message.create_time, 1000);
  const model = stringOf(metadata.model_slug);
  return {
    role: author.role as MessageRole,
    text,
    status: message.status === 'in_progress' ? 'interrupted' : 'complete',
    ...(createdAtMs === undefined ? {} : { createdAtMs }),
    ...(model === undefined || author.role === 'user' ? {} : { model: model.slice(0, 100) }),
  };
}

function textOf(parts: readonly unknown[], leaveOut: LeaveOut): string {
  const texts: string[] = [];
  for (const part of parts) {
    if (typeof part === 'string') texts.push(part);
    else if (isObject(part) && part.content_type === 'audio_transcription' && typeof part.text === 'string')
      texts.push(part.text);
    else if (isObject(part) && part.content_type === 'image_asset_pointer') leaveOut('images');
    else leaveOut(isObject(part) ? 'files' : 'unreadable');
  }
  return texts.filter((text) => text !== '').join('\n\n');
}

const parentOf = (node: unknown) => (isObject(node) ? stringOf(node.parent) : undefined);

/** The nearest node that was taken, from one upwards; each node is walked once, and a circle ends. */
function nearestTaken(nodes: ReadonlyMap<string, unknown>, taken: ReadonlyMap<string, unknown>) {
  const known = new Map<string, string | undefined>();
  return (start: string | undefined): string | undefined => {
    const path: string[] = [];
    let at = start;
    while (at !== undefined && !taken.has(at) && !known.has(at)) {
      path.push(at);
      known.set(at, undefined);
      at = parentOf(nodes.get(at));
    }
    const found = at !== undefined && taken.has(at) ? at : known.get(at ?? '');
    for (const id of path) known.set(id, found);
    return found;
  };
}
