/**
 * From opened records to conversations (spec/vault.md, "Merge"). Pure functions: the same set of records gives the same
 * history, in whatever order and however often they arrived. A conversation is a tree that only grows; what a person
 * renames is a last-writer register. No message is ever left out because of what another record says, but for a
 * conversation that was deleted.
 */
import { encodeCanonicalJson } from './canonical-json.ts';
import type { ConversationContent, MessageContent } from './content.ts';
import { isId } from './fields.ts';
import type { OpenedRecord } from './record.ts';
import { compareText, mergeRegisters, type Registers } from './registers.ts';

/** One message in its place. */
export interface MessageNode {
  readonly recordId: string;
  readonly deviceId: string;
  readonly content: MessageContent;
  /** The message it follows, where that one is here. */
  readonly parentId: string | undefined;
  /** It names a message before it that is not here: removed, damaged, or not yet arrived. */
  readonly parentMissing: boolean;
  /** Oldest first. */
  readonly childIds: readonly string[];
}

export interface Conversation {
  readonly conversationId: string;
  /** Empty where no title was written. */
  readonly title: string;
  readonly createdAtMs: number;
  /** Time of its newest message. */
  readonly updatedAtMs: number;
  /** Greatest clock of its records: what conversations are sorted by. */
  readonly clock: number;
  readonly deleted: boolean;
  /** Some device wrote a record of the conversation itself. */
  readonly isDescribed: boolean;
  readonly registers: Registers;
  readonly messages: ReadonlyMap<string, MessageNode>;
  /** First messages, oldest first. */
  readonly rootIds: readonly string[];
}

/** A message of a thread with those that stand in its place in other branches. */
export interface ThreadEntry {
  readonly node: MessageNode;
  /** Ids of all messages that follow the same one (itself included), oldest first: edits and regenerated answers. */
  readonly siblingIds: readonly string[];
}

/** One version of each record: the one with the greatest clock (then device, counter, spelling). */
export function newestVersions(records: Iterable<OpenedRecord>): Map<string, OpenedRecord> {
  const newest = new Map<string, OpenedRecord>();
  for (const record of records) {
    const held = newest.get(record.recordId);
    if (held === undefined || compareVersions(held, record) < 0) newest.set(record.recordId, record);
  }
  return newest;
}

/** Every conversation of a set of records, deleted ones included, by id. */
export function buildConversations(records: Iterable<OpenedRecord>): Map<string, Conversation> {
  const groups = new Map<string, OpenedRecord[]>();
  for (const record of newestVersions(records).values()) {
    const conversationId = conversationOf(record);
    if (conversationId === undefined) continue;
    const group = groups.get(conversationId);
    if (group === undefined) groups.set(conversationId, [record]);
    else group.push(record);
  }
  const conversations = new Map<string, Conversation>();
  for (const [conversationId, group] of groups) conversations.set(conversationId, build(conversationId, group));
  return conversations;
}

/** What a person sees in the list: not deleted, last used first. */
export function listConversations(conversations: ReadonlyMap<string, Conversation>): Conversation[] {
  return [...conversations.values()]
    .filter((conversation) => !conversation.deleted)
    .sort((a, b) => b.clock - a.clock || compareText(a.conversationId, b.conversationId));
}

/**
 * The messages from the first one through `throughId` and on to the newest message below it; without `throughId`, to the
 * newest message of all. Empty for a deleted conversation or an unknown message.
 */
export function thread(conversation: Conversation, throughId?: string): ThreadEntry[] {
  const { messages } = conversation;
  const path: ThreadEntry[] = [];
  let node = messages.get(newestLeaf(conversation, throughId) ?? '');
  while (node !== undefined) {
    const parent: MessageNode | undefined = messages.get(node.parentId ?? '');
    path.push({ node, siblingIds: siblingsOf(conversation, node, parent) });
    node = parent;
  }
  return path.reverse();
}

/** Id of the newest message without children, among all or among those below `throughId` (itself included). */
export function newestLeaf(conversation: Conversation, throughId?: string): string | undefined {
  const waiting = throughId === undefined ? [...conversation.rootIds] : [throughId];
  let best: MessageNode | undefined;
  while (waiting.length > 0) {
    const node = conversation.messages.get(waiting.pop() as string);
    if (node === undefined) continue;
    waiting.push(...node.childIds);
    if (node.childIds.length === 0 && (best === undefined || compareUse(best, node) < 0)) best = node;
  }
  return best?.recordId;
}

/** The greatest clock of all records: what `nextClock` continues from. */
export function greatestClock(records: Iterable<OpenedRecord>): number {
  let greatest = 0;
  for (const { content } of records) greatest = Math.max(greatest, content.clock);
  return greatest;
}

function build(conversationId: string, records: readonly OpenedRecord[]): Conversation {
  const messages = new Map<string, OpenedRecord & { readonly content: MessageContent }>();
  const follows = new Map<string, string | undefined>();
  const descriptions: ConversationContent[] = [];
  for (const record of records) {
    const { content, recordId } = record;
    if (content.type === 'message') messages.set(recordId, { ...record, content });
    if (content.type === 'conversation') descriptions.push(content);
    else follows.set(recordId, firstParent(record));
  }

  const registers = descriptions.reduce<Registers>((merged, next) => mergeRegisters(merged, next.registers), {});
  // VA-64: a chat that its owner removed must not come back because some device wrote late
  const deleted = descriptions.some((description) => description.deleted === true);
  const nodes = deleted ? new Map<string, MessageNode>() : link(messages, follows);
  const times = [...messages.values()].map((message) => message.content.createdAtMs);
  const started = [...descriptions.map((description) => description.createdAtMs), ...times];
  return {
    conversationId,
    title: String(registers.title?.value ?? ''),
    createdAtMs: started.reduce((least, time) => Math.min(least, time), Number.MAX_SAFE_INTEGER),
    updatedAtMs: (times.length > 0 ? times : started).reduce((most, time) => Math.max(most, time), 0),
    clock: greatestClock(records),
    deleted,
    isDescribed: descriptions.length > 0,
    registers,
    messages: nodes,
    rootIds: [...nodes.values()]
      .filter((node) => node.parentId === undefined)
      .sort(compareAge)
      .map((node) => node.recordId),
  };
}

function link(
  messages: ReadonlyMap<string, OpenedRecord & { readonly content: MessageContent }>,
  follows: ReadonlyMap<string, string | undefined>,
): Map<string, MessageNode> {
  const parents = breakCycles(follows);
  const nodes = new Map<string, MessageNode & { childIds: string[] }>();
  for (const [recordId, { deviceId, content }] of messages) {
    const parentId = nearestMessage(recordId, parents, messages);
    const parentMissing = parentId === undefined && content.parents.length > 0;
    nodes.set(recordId, { recordId, deviceId, content, parentId, parentMissing, childIds: [] });
  }
  for (const node of [...nodes.values()].sort(compareAge)) nodes.get(node.parentId ?? '')?.childIds.push(node.recordId);
  return nodes;
}

/** Messages of a later version stand in the chain unseen: a child follows the nearest message above that is understood. */
function nearestMessage(
  recordId: string,
  parents: ReadonlyMap<string, string | undefined>,
  messages: ReadonlyMap<string, unknown>,
): string | undefined {
  let parentId = parents.get(recordId);
  while (parentId !== undefined && !messages.has(parentId)) parentId = parents.get(parentId);
  return parentId;
}

/**
 * Two messages that each claim to follow the other can only be forged by a device; they are shown, not followed round
 * for ever: in each cycle the message with the least id becomes a first message.
 */
function breakCycles(follows: ReadonlyMap<string, string | undefined>): Map<string, string | undefined> {
  const parents = new Map(follows);
  const finished = new Set<string>();
  for (const start of follows.keys()) {
    const path = new Set<string>();
    let at: string | undefined = start;
    while (at !== undefined && !finished.has(at) && !path.has(at)) {
      path.add(at);
      at = parents.get(at);
    }
    // VA-62: without it a forged cycle would hang the app, or hide the messages in it
    if (at !== undefined && path.has(at)) {
      const walked = [...path];
      const [least] = walked.slice(walked.indexOf(at)).sort(compareText);
      parents.set(least as string, undefined);
    }
    for (const id of path) finished.add(id);
  }
  return parents;
}

function siblingsOf(conversation: Conversation, node: MessageNode, parent: MessageNode | undefined): readonly string[] {
  if (parent !== undefined) return parent.childIds;
  // Messages whose parent is missing are not alternatives of each other, unless they miss the same one.
  return conversation.rootIds.filter(
    (id) => conversation.messages.get(id)?.content.parents[0] === node.content.parents[0],
  );
}

/** The conversation that a record belongs to; undefined for every other type. */
export function conversationOf({ content }: Pick<OpenedRecord, 'content'>): string | undefined {
  if (content.type === 'message' || content.type === 'conversation') return content.conversationId;
  if (content.type !== 'unknown' || content.recordType !== 'message') return undefined;
  return isId(content.fields.conversationId) ? content.fields.conversationId : undefined;
}

function firstParent({ content }: OpenedRecord): string | undefined {
  if (content.type === 'message') return content.parents[0];
  const parents = content.type === 'unknown' ? content.fields.parents : undefined;
  return Array.isArray(parents) && isId(parents[0]) ? parents[0] : undefined;
}

/** By creation, which stays when a message is written again: a place among siblings does not change. */
function compareAge(a: MessageNode, b: MessageNode): number {
  return a.content.createdAtMs - b.content.createdAtMs || compareText(a.recordId, b.recordId);
}

/** By latest write, whatever the devices' own times say. */
function compareUse(a: MessageNode, b: MessageNode): number {
  return a.content.clock - b.content.clock || compareText(a.recordId, b.recordId);
}

/** Below 0 where `b` counts rather than `a`, two versions of one record; 0 where they are one. */
export function compareVersions(a: OpenedRecord, b: OpenedRecord): number {
  return (
    a.content.clock - b.content.clock ||
    compareText(a.deviceId, b.deviceId) ||
    a.deviceCounter - b.deviceCounter ||
    compareText(spelling(a), spelling(b))
  );
}

function spelling({ content }: OpenedRecord): string {
  return new TextDecoder().decode(encodeCanonicalJson(JSON.parse(JSON.stringify(content))));
}
