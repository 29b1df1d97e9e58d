/**
 * The history of one guest or account: sealed records in a store that is not trusted, opened in memory into chats
 * (spec/client.md "History", spec/vault.md). The store sees ids, sizes and order; what a record is, it cannot say.
 */
import { encodeHex } from '@sotto/bytes';
import {
  type ConversationContent,
  deriveImportedId,
  type JsonValue,
  type MessageContent,
  type MessageRole,
  type MessageStatus,
  type OpenedRecord,
  type RecordContent,
  type ThreadEntry,
  thread,
} from '@sotto/vault';
import type { Finding } from '@sotto/vault/heads';
import { withRoom } from '@sotto/vault/order';
import { ClientError } from './errors.ts';

export type {
  ConversationState,
  ConversationSummary,
  Damage,
  RecordChange,
  WholeConversation,
} from './record-keeper.ts';

import type {
  ConversationState,
  ConversationSummary,
  Damage,
  RecordChange,
  RecordKeeper,
  Standing,
  WholeConversation,
} from './record-keeper.ts';
import { encodeTicket, parseTicket, type StoredTicket } from './recovery-ticket.ts';
import { type HistoryOptions, StoreKeeper } from './store-keeper.ts';
import type { AccountSync } from './sync/account-sync.ts';
import { Turns } from './turns-by-name.ts';

/** Of a message's record (spec/client.md "Lost answers"). */
const RECOVERY_FIELD = 'recovery';
/** Of a message's record (spec/vault.md "Blobs"). */
const ATTACHMENTS_FIELD = 'attachments';

export interface ThreadMessage {
  readonly messageId: string;
  readonly parentId: string | undefined;
  readonly role: MessageRole;
  readonly text: string;
  readonly status: MessageStatus;
  readonly model: string | undefined;
  readonly createdAtMs: number;
  /** This message and the others in its place, oldest first: edits and regenerated answers. */
  readonly siblings: readonly string[];
  /** Fetches the rest of it, where this device began it and did not see its end. */
  readonly recovery?: StoredTicket;
  /** The files that go with it, as its record names them: `parseAttachments` reads it. */
  readonly attachments?: JsonValue;
}

/** An answer that this device began and did not see the end of. */
export interface PendingAnswer {
  readonly conversationId: string;
  readonly message: ThreadMessage;
}

export interface MessageToSave {
  readonly conversationId: string;
  /** Given to write the same message again. */
  readonly messageId?: string;
  readonly parentId: string | undefined;
  readonly role: MessageRole;
  readonly text: string;
  readonly status: MessageStatus;
  readonly model?: string;
  /** Kept with a partial answer, and gone with the next write without it. */
  readonly recovery?: StoredTicket;
  /** Made by `encodeAttachments`; a later write without it keeps those that are there. */
  readonly attachments?: JsonValue;
}

/** Opens the store's records. Those that do not open are counted in `damaged`, the others are readable. */
export async function openHistory(options: HistoryOptions): Promise<History> {
  const history = new History(options, new StoreKeeper(options));
  await history.refresh();
  return history;
}

export class History {
  readonly #options: Pick<HistoryOptions, 'accountId' | 'accountKey' | 'clock' | 'random'>;
  readonly #keeper: RecordKeeper;
  readonly #deviceId: string;
  readonly #listeners = new Set<() => void>();
  readonly #recordListeners = new Set<(changes: readonly RecordChange[]) => void>();
  /** Told with the next change. */
  #changes = new Map<string, RecordChange>();
  /** What is said of one chat in two calls keeps its order. */
  readonly #turns = new Turns();
  /** More than 0 while changes are held back, to be told as one. */
  #heldBack = 0;

  /** Called before a chat is removed, with its messages; the removal waits for it, and does not happen when it rejects. */
  beforeRemoval: ((conversationId: string, messages: readonly OpenedRecord[]) => Promise<void>) | undefined;

  /** Use `openHistory`, or `openAccountHistory`. */
  constructor(options: Omit<HistoryOptions, 'store'>, keeper: RecordKeeper) {
    this.#options = options;
    this.#deviceId = encodeHex(options.deviceId);
    this.#keeper = keeper;
    keeper.onChanged = (changes) => {
      for (const change of changes) this.#changes.set(change.recordId, change);
      this.#tell();
    };
  }

  /** Records that would not open, by id, with what refused them (CL-14). */
  get damaged(): ReadonlyMap<string, Damage> {
    return this.#keeper.damaged;
  }

  get damagedCount(): number {
    return this.#keeper.damaged.size;
  }

  /** Chats that were not removed, last used first. */
  conversations(): ConversationSummary[] {
    return this.#keeper.summaries();
  }

  /** Whether `thread` gives what is there. */
  isLoaded(conversationId: string): boolean {
    return this.#keeper.isLoaded(conversationId);
  }

  /** Makes `thread` whole for a chat. @throws SottoError `store-unavailable` */
  load(conversationId: string): Promise<void> {
    return this.#keeper.load(conversationId);
  }

  /** Every chat that was not removed, last used first: one at a time in memory. */
  eachConversation(): AsyncIterable<WholeConversation> {
    return this.#keeper.eachConversation();
  }

  /** One chat, without keeping it in memory; undefined where it was removed or never was. */
  wholeConversation(conversationId: string): Promise<WholeConversation | undefined> {
    return this.#keeper.wholeConversation(conversationId);
  }

  /** True for a record that is held, whatever it is. */
  hasRecord(recordId: string): boolean {
    return this.#keeper.hasRecord(recordId);
  }

  conversationState(conversationId: string): ConversationState | undefined {
    return this.#keeper.conversationState(conversationId);
  }

  /** All records of a type that is neither message nor conversation. */
  recordsOfType(type: string): readonly OpenedRecord[] {
    return [...this.#keeper.held.others()].filter(
      ({ content }) => (content.type === 'unknown' ? content.recordType : content.type) === type,
    );
  }

  /** Empty while the chat is not loaded. The messages from the first through `throughId` to the newest below it; the newest path of all without it. */
  thread(conversationId: string, throughId?: string): ThreadMessage[] {
    const conversation = this.#keeper.held.conversation(conversationId);
    if (conversation === undefined) return [];
    return thread(conversation, throughId).map((entry) => toThreadMessage(entry, this.#deviceId));
  }

  /** Answers that may still be fetched, in any chat. */
  async pendingAnswers(): Promise<PendingAnswer[]> {
    const pending: PendingAnswer[] = [];
    for (const conversationId of this.#keeper.unfinished()) {
      await this.#loaded(conversationId);
      for (const message of this.thread(conversationId)) {
        if (message.recovery !== undefined) pending.push({ conversationId, message });
      }
    }
    return pending;
  }

  async createConversation(title: string): Promise<string> {
    const conversationId = this.#newId();
    await this.#describe(conversationId, { title });
    return conversationId;
  }

  rename(conversationId: string, title: string): Promise<void> {
    return this.setRegisters(conversationId, { title });
  }

  /** Says something of a chat by name (spec/vault.md "Merge"); of two devices the last writer wins (VA-63). */
  setRegisters(conversationId: string, values: Readonly<Record<string, JsonValue>>): Promise<void> {
    return this.#describe(conversationId, values);
  }

  /** The clock of the next write, for what is written with `writeRecord`. */
  nextClock(): number {
    return this.#keeper.nextClock();
  }

  /**
   * Writes a record that is neither message nor conversation.
   *
   * @param content with a clock of `nextClock`
   * @param recordId given to write it again
   * @returns its id
   * @throws SaveError as `saveMessage`
   */
  async writeRecord(content: RecordContent, recordId: string = this.#newId()): Promise<string> {
    await this.#keeper.write(recordId, content);
    return recordId;
  }

  /** Removes records that are neither message nor conversation, on every device. */
  removeRecords(recordIds: readonly string[]): Promise<void> {
    return this.#keeper.remove(recordIds);
  }

  removeRecord(recordId: string): Promise<void> {
    return this.removeRecords([recordId]);
  }

  /**
   * Saves a message; resolves when the store has it.
   *
   * @returns the message's id, to be passed when it is written again
   * @throws SaveError `store-full`, `store-unavailable`, `account-full`, `signed-out`, `network-unreachable`: the text is
   *   kept in memory and the error names the id to save under; VaultError `record-too-large` with the limit
   */
  async saveMessage(message: MessageToSave): Promise<string> {
    const messageId = message.messageId ?? this.#newId();
    if (message.messageId !== undefined) await this.#loaded(message.conversationId);
    const held = this.#keeper.held.get(messageId)?.content;
    const earlier = held?.type === 'message' ? held : undefined;
    const content: MessageContent = {
      type: 'message',
      clock: this.nextClock(),
      conversationId: message.conversationId,
      parents: message.parentId === undefined ? [] : [message.parentId],
      role: message.role,
      text: message.text,
      status: message.status,
      createdAtMs: earlier?.createdAtMs ?? this.#options.clock.nowMs(),
      ...(message.model === undefined ? {} : { model: message.model }),
      ...unknownFieldsOf(earlier, message),
    };
    await this.#keeper.write(messageId, content);
    return messageId;
  }

  /** Marks the chat as removed for every device, then removes its messages from the store (CL-17). */
  async removeConversation(conversationId: string): Promise<void> {
    await this.#loaded(conversationId);
    const messages = this.#keeper.held.of(conversationId).filter(({ content }) => content.type !== 'conversation');
    // CL-276: what goes with the chat is known only from its messages.
    await this.beforeRemoval?.(conversationId, messages);
    // CL-17: the mark comes first, so that a crash between the two leaves a removed chat and not half of one.
    await this.#describe(conversationId, 'removed');
    // A title that another device wrote goes too; the marks stay, for whoever writes late.
    const rest = this.#keeper.held.of(conversationId).filter(({ content }) => !isMark(content));
    await this.removeRecords(rest.map(({ recordId }) => recordId));
  }

  /** Fetches what is new where the records are stored. */
  refresh(): Promise<void> {
    return this.#keeper.refresh();
  }

  /** What the watch over the server found (`Finding`); empty for a guest, and when everything agrees. */
  get findings(): readonly Finding[] {
    return this.#keeper.findings;
  }

  /** Twelve digits to compare with another device; undefined for a guest. */
  get compareCode(): string | undefined {
    return this.#keeper.compareCode;
  }

  /** When each device of the account last wrote. */
  devices(): ReturnType<RecordKeeper['devices']> {
    return this.#keeper.devices();
  }

  /** Resolves when the last sync has been compared, and heads for what was written are stored. */
  settled(): Promise<void> {
    return this.#keeper.settled();
  }

  /** Records that are sealed under an older key than the account's newest. */
  get olderCount(): number {
    return this.#keeper.olderCount ?? 0;
  }

  /** Seals some of them anew (epochs/seal-older.ts). @throws SottoError what the device's store refuses */
  async sealOlder(limitCount: number): Promise<void> {
    await this.#keeper.sealOlder?.(limitCount);
  }

  /** What a rotation begins from. @throws ClientError `account-required` for a guest */
  async standing(): Promise<Standing> {
    const standing = await this.#keeper.standing?.();
    if (standing === undefined) throw new ClientError('account-required');
    return standing;
  }

  /**
   * Takes what the server shows as the new beginning, for every device: what is missing counts as removed, and what is shown
   * is written anew. Only the person decides that.
   */
  acceptAsItIs(): Promise<void> {
    return this.#keeper.acceptAsItIs();
  }

  /** What waits to be sent, and how the sync goes; undefined for a guest, and where nothing is kept on this device. */
  get sync(): AccountSync | undefined {
    return this.#keeper.sync;
  }

  /** Records that this device holds and the server does not show so, while there is a finding. */
  get restorableCount(): number {
    return this.#keeper.restorableCount;
  }

  /** Writes them again, for every device. Only the person decides that. */
  putBack(): Promise<void> {
    return this.#keeper.putBack();
  }

  /** Lets go of keys and records: what the person locks is no longer in memory. */
  close(): void {
    this.#listeners.clear();
    this.#recordListeners.clear();
    this.#keeper.close();
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Told after each write, sync and removal. Returns the way to stop. */
  onRecords(listener: (changes: readonly RecordChange[]) => void): () => void {
    this.#recordListeners.add(listener);
    return () => this.#recordListeners.delete(listener);
  }

  /** Every record that is in memory, for moving a guest's history (keep.ts). */
  records(): OpenedRecord[] {
    return [...this.#keeper.held.values()];
  }

  /** Of the device that writes; 16 bytes as hex. */
  get deviceId(): string {
    return this.#deviceId;
  }

  /** The id, in this account, of what came from elsewhere (transfer/). */
  deriveImportedId(source: readonly string[]): string {
    return deriveImportedId(this.#options, source);
  }

  /** Writes another history's record under its own id: ids are what messages point at each other with. */
  async importRecord({ recordId, content }: Pick<OpenedRecord, 'recordId' | 'content'>): Promise<void> {
    const isNew = !this.#keeper.hasRecord(recordId);
    try {
      await this.#keeper.write(recordId, content);
    } catch (error) {
      // CL-292: what is held counts as taken, and another try would leave it out
      if (isNew) this.#keeper.drop(recordId);
      throw error;
    }
  }

  /** Runs `work` and tells of its changes as one, at its end: an import is thousands of writes. */
  async inOneChange<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#heldBack++;
    try {
      return await work();
    } finally {
      this.#heldBack--;
      this.#tell();
    }
  }

  /** One description of a conversation per device. */
  #describe(conversationId: string, values: Readonly<Record<string, JsonValue>> | 'removed'): Promise<void> {
    // What one call says must not be lost to another that began while it was being stored.
    return this.#turns.run(conversationId, async () => {
      await this.#loaded(conversationId);
      const descriptions = this.#keeper.held
        .of(conversationId)
        .filter(({ content }) => content.type === 'conversation');
      const own = descriptions.find(({ deviceId }) => deviceId === this.#deviceId);
      const others = descriptions.flatMap(({ deviceId, content }) =>
        content.type === 'conversation' && deviceId !== this.#deviceId ? [content.registers] : [],
      );
      const isRemoved = values === 'removed';
      const said = Object.entries(isRemoved ? {} : values);
      const saying = (earlier: ConversationContent | undefined): ConversationContent => {
        const clock = this.nextClock();
        const register = (value: JsonValue) => ({ value, clock, deviceId: this.#deviceId });
        const told = Object.fromEntries(said.map(([name, value]) => [name, register(value)]));
        return {
          ...(earlier ?? { type: 'conversation', conversationId, createdAtMs: this.#options.clock.nowMs() }),
          clock,
          // CL-302: a record that is full could not be written at all
          registers: isRemoved ? {} : withRoom({ ...earlier?.registers, ...told }, others),
          ...(isRemoved || earlier?.deleted ? { deleted: true } : {}),
        };
      };
      const again = (stored: RecordContent) => saying(stored.type === 'conversation' ? stored : undefined);
      const content = saying(own?.content.type === 'conversation' ? own.content : undefined);
      await this.#keeper.write(own?.recordId ?? this.#newId(), content, again);
    });
  }

  async #loaded(conversationId: string): Promise<void> {
    if (!this.#keeper.isLoaded(conversationId)) await this.#keeper.load(conversationId);
  }

  #tell(): void {
    if (this.#heldBack > 0) return;
    const changes = [...this.#changes.values()];
    this.#changes = new Map();
    if (changes.length > 0) for (const listener of this.#recordListeners) listener(changes);
    for (const listener of this.#listeners) listener();
  }

  #newId(): string {
    return encodeHex(this.#options.random.bytes(16));
  }
}

/** What another version wrote stays; the ticket of a lost answer stays for as long as it is given. */
function unknownFieldsOf(
  earlier: MessageContent | undefined,
  { recovery, attachments }: Pick<MessageToSave, 'recovery' | 'attachments'>,
) {
  const { [RECOVERY_FIELD]: _, ...others } = earlier?.unknownFields ?? {};
  // CL-47: a ticket that outlives its answer opens nothing, and is one secret more to lose.
  const kept = {
    ...others,
    ...(recovery === undefined ? {} : { [RECOVERY_FIELD]: { ...encodeTicket(recovery) } }),
    ...(attachments === undefined ? {} : { [ATTACHMENTS_FIELD]: attachments }),
  };
  return Object.keys(kept).length === 0 ? {} : { unknownFields: kept };
}

function toThreadMessage({ node, siblingIds }: ThreadEntry, ownDeviceId: string): ThreadMessage {
  const { role, text, status, model, createdAtMs, unknownFields } = node.content;
  // CL-48: on another device the answer may be on its way at this moment, and a claim would take it from there.
  const isOwn = node.deviceId === ownDeviceId && status === 'partial';
  const recovery = isOwn ? parseTicket(unknownFields?.[RECOVERY_FIELD]) : undefined;
  const attachments = unknownFields?.[ATTACHMENTS_FIELD];
  return {
    messageId: node.recordId,
    parentId: node.parentId,
    role,
    text,
    status,
    model,
    createdAtMs,
    siblings: siblingIds,
    ...(recovery === undefined ? {} : { recovery }),
    ...(attachments === undefined ? {} : { attachments }),
  };
}

function isMark(content: RecordContent): boolean {
  return content.type === 'conversation' && content.deleted === true;
}
