/**
 * The history of one guest or account: sealed records in a store that is not trusted, opened in memory into chats
 * (spec/client.md "History", spec/vault.md). The store sees ids, sizes and order; what a record is, it cannot say.
 */
import { encodeHex, parseHex, SottoError } from '@sotto/bytes';
import type { Clock, Random, RecordStore, StoredRecord } from '@sotto/ports';
import {
  type AccountKey,
  type Conversation,
  type ConversationContent,
  deriveImportedId,
  greatestClock,
  type JsonValue,
  listConversations,
  type MessageContent,
  type MessageRole,
  type MessageStatus,
  nextClock,
  type OpenedRecord,
  openRecord,
  parseVisibleHeader,
  type RecordContent,
  type Registers,
  sealRecord,
  type ThreadEntry,
  thread,
} from '@sotto/vault';
import type { Finding } from '@sotto/vault/heads';
import { withRoom } from '@sotto/vault/order';
import { isClientErrorCode, SaveError } from './errors.ts';
import { HeldRecords } from './held-records.ts';
import { type Keyring, singleEpoch } from './keyring.ts';
import { encodeTicket, parseTicket, type StoredTicket } from './recovery-ticket.ts';
import type { StoreRecord, Watch } from './watch/watch.ts';

/** Of a message's record (spec/client.md "Lost answers"). */
const RECOVERY_FIELD = 'recovery';
/** Of a message's record (spec/vault.md "Blobs"). */
const ATTACHMENTS_FIELD = 'attachments';

export interface HistoryOptions {
  /** 16 bytes. */
  readonly accountId: Uint8Array;
  /** Of the newest epoch. */
  readonly accountKey: AccountKey;
  /** Given where there may be more than one epoch. */
  readonly keyring?: Keyring;
  /** 16 bytes: the device that writes. */
  readonly deviceId: Uint8Array;
  readonly store: RecordStore;
  readonly clock: Clock;
  readonly random: Random;
  /** Given for an account: its store is somebody else's, and is watched (spec/client.md "Watching the server"). */
  readonly watch?: (store: StoreRecord) => Watch;
}

export interface ConversationSummary {
  readonly conversationId: string;
  readonly title: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  /** In every branch. */
  readonly messageCount: number;
  /** Greatest of its records: with the count it changes whenever one of them is written, comes or goes. */
  readonly clock: number;
  /** The winning value of each name: title, and where the chat stands (`arrangementOf` reads it). */
  readonly registers: Registers;
}

/** What changed: a record as it is held now, or undefined where it is gone. */
export interface RecordChange {
  readonly recordId: string;
  readonly record: OpenedRecord | undefined;
}

/** A chat and everything that is held of it. */
export interface WholeConversation {
  readonly summary: ConversationSummary;
  readonly records: readonly OpenedRecord[];
}

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

/** Why a record would not open. */
export interface Damage {
  readonly code: string;
  /** The rule of spec/vault.md that refused it. */
  readonly rule: string | undefined;
}

/** Opens the store's records. Those that do not open are counted in `damaged`, the others are readable. */
export async function openHistory(options: HistoryOptions): Promise<History> {
  const history = new History(options);
  await history.refresh();
  return history;
}

export class History {
  readonly #options: HistoryOptions;
  readonly #keyring: Keyring;
  readonly #deviceId: string;
  readonly #records = new HeldRecords();
  /** As the store shows them, which may be older than what is held. */
  readonly #shown = new Map<string, OpenedRecord>();
  readonly #watch: Watch | undefined;
  #watching: Promise<void> = Promise.resolve();
  readonly #damaged = new Map<string, Damage>();
  readonly #listeners = new Set<() => void>();
  readonly #recordListeners = new Set<(changes: readonly RecordChange[]) => void>();
  /** Told with the next change. */
  #changedIds = new Set<string>();
  /** The last write of each record or conversation still under way, so that two of one keep their order. */
  readonly #turns = new Map<string, Promise<unknown>>();
  /** More than 0 while changes are held back, to be told as one. */
  #heldBack = 0;
  #sequence = 0;
  #deviceCounter = 0;
  #clock = 0;

  /** Called before a chat is removed, with its messages; the removal waits for it, and does not happen when it rejects. */
  beforeRemoval: ((conversationId: string, messages: readonly OpenedRecord[]) => Promise<void>) | undefined;

  /** Use `openHistory`. */
  constructor(options: HistoryOptions) {
    this.#options = options;
    this.#keyring = options.keyring ?? singleEpoch(options.accountKey, options.accountId);
    this.#deviceId = encodeHex(options.deviceId);
    this.#watch = options.watch?.((recordId, content, counter) => this.#storeHead(recordId, content, counter));
  }

  /** Records that would not open, by id, with what refused them (CL-14). */
  get damaged(): ReadonlyMap<string, Damage> {
    return this.#damaged;
  }

  get damagedCount(): number {
    return this.#damaged.size;
  }

  /** Chats that were not removed, last used first. */
  conversations(): ConversationSummary[] {
    const all = [...this.#records.conversationIds()].map(
      (id) => [id, this.#records.conversation(id) as Conversation] as const,
    );
    return listConversations(new Map(all)).map(summaryOf);
  }

  /** Whether `thread` gives what is there. */
  isLoaded(conversationId: string): boolean {
    void conversationId;
    return true;
  }

  /** Makes `thread` whole for a chat. @throws SottoError `store-unavailable` */
  async load(conversationId: string): Promise<void> {
    void conversationId;
  }

  /** Every chat that was not removed, last used first: one at a time in memory. */
  async *eachConversation(): AsyncGenerator<WholeConversation> {
    for (const summary of this.conversations()) {
      yield { summary, records: this.#records.of(summary.conversationId) };
    }
  }

  /** One chat as `eachConversation` gives it, without loading it for good; undefined where there is none. */
  async wholeConversation(conversationId: string): Promise<WholeConversation | undefined> {
    const found = this.#records.conversation(conversationId);
    if (found === undefined || found.deleted) return undefined;
    return { summary: summaryOf(found), records: this.#records.of(conversationId) };
  }

  /** True for a record that is held, whatever it is. */
  hasRecord(recordId: string): boolean {
    return this.#records.get(recordId) !== undefined;
  }

  /** `nameless`: messages of it are here, and no device has described it. */
  conversationState(conversationId: string): 'here' | 'nameless' | 'removed' | undefined {
    const found = this.#records.conversation(conversationId);
    if (found === undefined) return undefined;
    if (found.deleted) return 'removed';
    return found.isDescribed ? 'here' : 'nameless';
  }

  /** All records of a type that is neither message nor conversation. */
  recordsOfType(type: string): readonly OpenedRecord[] {
    return [...this.#records.others()].filter(
      ({ content }) => (content.type === 'unknown' ? content.recordType : content.type) === type,
    );
  }

  /** Empty while the chat is not loaded. The messages from the first through `throughId` to the newest below it; the newest path of all without it. */
  thread(conversationId: string, throughId?: string): ThreadMessage[] {
    const conversation = this.#records.conversation(conversationId);
    if (conversation === undefined) return [];
    return thread(conversation, throughId).map((entry) => toThreadMessage(entry, this.#deviceId));
  }

  /** Answers that may still be fetched, in any chat. */
  async pendingAnswers(): Promise<PendingAnswer[]> {
    return this.conversations().flatMap(({ conversationId }) =>
      this.thread(conversationId)
        .filter(({ recovery }) => recovery !== undefined)
        .map((message) => ({ conversationId, message })),
    );
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
    this.#clock = nextClock(this.#options.clock.nowMs(), this.#clock);
    return this.#clock;
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
    await this.#write(recordId, content);
    return recordId;
  }

  /** Removes records that are neither message nor conversation, on every device. */
  async removeRecords(recordIds: readonly string[]): Promise<void> {
    await this.#watch?.remove(recordIds);
    for (const recordId of recordIds) await this.#removeFromStore(recordId);
    this.#changed();
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
    const held = this.#records.get(messageId)?.content;
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
    await this.#write(messageId, content);
    return messageId;
  }

  /** Marks the chat as removed for every device, then removes its messages from the store (CL-17). */
  async removeConversation(conversationId: string): Promise<void> {
    const messages = this.#records.of(conversationId).filter(({ content }) => content.type !== 'conversation');
    // CL-276: what goes with the chat is known only from its messages.
    await this.beforeRemoval?.(conversationId, messages);
    // CL-17: the mark comes first, so that a crash between the two leaves a removed chat and not half of one.
    await this.#describe(conversationId, 'removed');
    await this.removeRecords(messages.map(({ recordId }) => recordId));
  }

  /** Fetches what is new in the store. */
  async refresh(): Promise<void> {
    for (;;) {
      const page = await this.#options.store.list(this.#sequence);
      await Promise.all(page.records.map((record) => this.#take(record)));
      const isFurther = page.nextSequence > this.#sequence;
      this.#sequence = page.nextSequence;
      // A store that promises more and gives nothing would be asked for ever.
      if (!page.more || !isFurther) break;
    }
    this.#changed();
    this.#watching = this.#compare();
    // Whoever asks `settled` is told; a sync that could not be compared must not end the program of who does not.
    this.#watching.catch(() => undefined);
  }

  /** What the watch over the server found (`Finding`); empty for a guest, and when everything agrees. */
  get findings(): readonly Finding[] {
    return this.#watch?.findings ?? [];
  }

  /** Twelve digits to compare with another device; undefined for a guest. */
  get compareCode(): string | undefined {
    return this.#watch?.compareCode;
  }

  /** When each device of the account last wrote. */
  devices(): ReturnType<Watch['devices']> {
    return this.#watch?.devices() ?? [];
  }

  /** Resolves when the last sync has been compared, and heads for what was written are stored. */
  async settled(): Promise<void> {
    await this.#watching;
    await this.#watch?.publish();
  }

  /**
   * Takes what the server shows as the new beginning, for every device: what is missing counts as removed, and what is shown
   * is written anew. Only the person decides that.
   */
  async acceptAsItIs(): Promise<void> {
    const found = this.findings;
    await this.#watch?.acceptAsItIs();
    const idsOf = (...codes: Finding['code'][]) =>
      found.flatMap(({ code, recordId }) => (codes.includes(code) && recordId !== undefined ? [recordId] : []));
    await this.#watch?.remove(idsOf('record-missing'));
    for (const recordId of idsOf('record-resurrected')) await this.#removeFromStore(recordId);
    for (const recordId of idsOf('record-rolled-back', 'record-unlisted')) {
      const shown = this.#shown.get(recordId);
      if (shown !== undefined) await this.#write(recordId, { ...shown.content, clock: this.nextClock() });
    }
    await this.refresh();
    await this.settled();
  }

  async #compare(): Promise<void> {
    const watch = this.#watch;
    if (watch === undefined) return;
    await watch.compareRecords(this.#shown.values(), new Set(this.#damaged.keys()));
    for (const recordId of [...this.#shown.keys()].filter((recordId) => watch.isDeleted(recordId))) {
      // CL-206: what a device deleted is shown to nobody, and removed again where a crash or the server left it.
      this.#release(recordId);
      if (watch.findings.length === 0) await this.#removeFromStore(recordId).catch(() => undefined);
    }
    this.#changed();
  }

  async #removeFromStore(recordId: string): Promise<void> {
    await this.#options.store.remove(recordId);
    this.#release(recordId);
    this.#shown.delete(recordId);
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

  /** Every record as it was opened, for moving a history (keep.ts). */
  records(): OpenedRecord[] {
    return [...this.#records.values()];
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
    const earlier = this.#records.get(recordId);
    try {
      await this.#write(recordId, content);
    } catch (error) {
      // CL-292: what is held counts as taken, and another try would leave it out
      if (earlier === undefined) this.#release(recordId);
      this.#changed();
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
      this.#changed();
    }
  }

  async #take(record: StoredRecord): Promise<void> {
    const { recordId, envelope } = record;
    if (envelope === undefined) {
      this.#release(recordId);
      this.#shown.delete(recordId);
      this.#damaged.delete(recordId);
      return;
    }
    try {
      const { epoch } = parseVisibleHeader(envelope);
      const epochKey = this.#keyring.keyOf(epoch);
      const opened = await openRecord({
        epochKey: epochKey ?? this.#keyring.epochKey,
        envelope,
        expectedAccountId: this.#options.accountId,
        expectedRecordId: parseHex(recordId, 16),
        // VA-08 refuses the record of an epoch whose key is not here.
        expectedEpoch: epochKey === undefined ? this.#keyring.epoch : epoch,
      });
      this.#damaged.delete(recordId);
      this.#shown.set(recordId, opened);
      const held = this.#records.get(recordId);
      // CL-18: a store that brings an older version back must not undo what this device has already read.
      if (held !== undefined && held.content.clock > opened.content.clock) return;
      this.#hold(opened);
    } catch (error) {
      if (!(error instanceof SottoError)) throw error;
      // CL-14: one record that a store spoiled must not take the others with it, nor pass unnoticed.
      this.#damaged.set(recordId, { code: error.code, rule: error.rule });
    }
  }

  /** One description of a conversation per device. */
  #describe(conversationId: string, values: Readonly<Record<string, JsonValue>> | 'removed'): Promise<void> {
    // What one call says must not be lost to another that began while it was being stored.
    return this.#inTurn(`describe/${conversationId}`, async () => {
      const descriptions = this.#records.of(conversationId).filter(({ content }) => content.type === 'conversation');
      const own = descriptions.find(({ deviceId }) => deviceId === this.#deviceId);
      const others = descriptions.flatMap(({ deviceId, content }) =>
        content.type === 'conversation' && deviceId !== this.#deviceId ? [content.registers] : [],
      );
      const earlier = own?.content as ConversationContent | undefined;
      const clock = this.nextClock();
      const isRemoved = values === 'removed' || earlier?.deleted === true;
      const said = Object.entries(values === 'removed' ? {} : values).map(([name, value]) => [
        name,
        { value, clock, deviceId: this.#deviceId },
      ]);
      const content: ConversationContent = {
        ...(earlier ?? { type: 'conversation', conversationId, createdAtMs: this.#options.clock.nowMs() }),
        clock,
        // CL-302: a record that is full could not be written at all
        registers: values === 'removed' ? {} : withRoom({ ...earlier?.registers, ...Object.fromEntries(said) }, others),
        ...(isRemoved ? { deleted: true } : {}),
      };
      await this.#write(own?.recordId ?? this.#newId(), content);
    });
  }

  #write(recordId: string, content: RecordContent): Promise<void> {
    return this.#inTurn(recordId, async () => {
      const deviceCounter = (await this.#watch?.begin(recordId, content)) ?? ++this.#deviceCounter;
      const envelope = await this.#seal(recordId, content, deviceCounter);
      // In memory before it is stored: a save that fails loses nothing that can be read.
      this.#hold({ recordId, deviceId: this.#deviceId, deviceCounter, epoch: this.#keyring.epoch, content });
      this.#changed();
      try {
        await this.#store(recordId, envelope);
      } catch (error) {
        await this.#watch?.finished(deviceCounter, false);
        throw error;
      }
      await this.#watch?.finished(deviceCounter, true);
    });
  }

  async #inTurn(name: string, work: () => Promise<void>): Promise<void> {
    const before = this.#turns.get(name);
    const turn = (async () => {
      await before?.catch(() => undefined);
      await work();
    })();
    this.#turns.set(name, turn);
    try {
      await turn;
    } finally {
      if (this.#turns.get(name) === turn) this.#turns.delete(name);
    }
  }

  async #storeHead(recordId: string, content: RecordContent, deviceCounter: number): Promise<void> {
    await this.#store(recordId, await this.#seal(recordId, content, deviceCounter));
  }

  #seal(recordId: string, content: RecordContent, deviceCounter: number): Promise<Uint8Array<ArrayBuffer>> {
    return sealRecord({
      epochKey: this.#keyring.epochKey,
      accountId: this.#options.accountId,
      recordId: parseHex(recordId, 16),
      epoch: this.#keyring.epoch,
      deviceId: this.#options.deviceId,
      deviceCounter,
      content,
      random: this.#options.random,
    });
  }

  async #store(recordId: string, envelope: Uint8Array<ArrayBuffer>): Promise<void> {
    try {
      await this.#options.store.put(recordId, envelope);
    } catch (error) {
      // CL-15: a failed save must be told, with the id that keeps a second try from becoming a second message.
      const code = error instanceof SottoError && isClientErrorCode(error.code) ? error.code : 'store-unavailable';
      throw new SaveError(code, recordId, error);
    }
  }

  #release(recordId: string): void {
    if (this.#records.delete(recordId)) this.#changedIds.add(recordId);
  }

  #hold(record: OpenedRecord): void {
    this.#records.set(record);
    this.#changedIds.add(record.recordId);
    this.#clock = Math.max(this.#clock, greatestClock([record]));
    if (record.deviceId === this.#deviceId) this.#deviceCounter = Math.max(this.#deviceCounter, record.deviceCounter);
  }

  #changed(): void {
    if (this.#heldBack > 0) return;
    const changes = [...this.#changedIds].map((recordId) => ({ recordId, record: this.#records.get(recordId) }));
    this.#changedIds = new Set();
    if (changes.length > 0) for (const listener of this.#recordListeners) listener(changes);
    for (const listener of this.#listeners) listener();
  }

  #newId(): string {
    return encodeHex(this.#options.random.bytes(16));
  }
}

function summaryOf(conversation: Conversation): ConversationSummary {
  const { conversationId, title, createdAtMs, updatedAtMs, messages, clock, registers } = conversation;
  return { conversationId, title, createdAtMs, updatedAtMs, messageCount: messages.size, clock, registers };
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
