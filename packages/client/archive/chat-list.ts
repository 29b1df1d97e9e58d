/** The list of chats, and chats as they are read: there at once, a chat when it is opened (spec/client.md "On this device"). */
import { conversationOf, type OpenedRecord } from '@sotto/vault';
import type { HeldRecords } from '../held-records.ts';
import {
  type ConversationState,
  type ConversationSummary,
  stateOf,
  summaryOf,
  type WholeConversation,
} from '../record-keeper.ts';
import type { Archive } from './archive.ts';
import type { KeptRecords } from './kept-records.ts';

export class ChatList {
  readonly #kept: KeptRecords;
  readonly #archive: Archive;
  readonly #held: HeldRecords;
  #summaries: ConversationSummary[] | undefined;

  constructor(kept: KeptRecords) {
    this.#kept = kept;
    this.#archive = kept.archive;
    this.#held = kept.held;
  }

  summaries(): ConversationSummary[] {
    if (this.#summaries !== undefined) return this.#summaries;
    const found = new Map<string, ConversationSummary>();
    for (const { groupId, summary, state } of this.#archive.entries()) {
      if (summary !== undefined && state !== 'removed') found.set(groupId, summary);
    }
    const unkept = this.#kept.open.filter((groupId) => this.#archive.entry(groupId) === undefined);
    const unsaved = [...this.#kept.unsaved.values()].map((record) => conversationOf(record) ?? '');
    for (const conversationId of [...unkept, ...unsaved]) {
      const conversation = this.#held.conversation(conversationId);
      if (conversation?.deleted === false) found.set(conversation.conversationId, summaryOf(conversation));
    }
    const byUse = (a: ConversationSummary, b: ConversationSummary) =>
      b.clock - a.clock || (a.conversationId < b.conversationId ? -1 : 1);
    this.#summaries = [...found.values()].sort(byUse);
    return this.#summaries;
  }

  conversationState(conversationId: string): ConversationState | undefined {
    return this.#archive.entry(conversationId)?.state ?? stateOf(this.#held.conversation(conversationId));
  }

  hasRecord(recordId: string): boolean {
    return this.#archive.mark(recordId)?.held !== undefined || this.#held.get(recordId) !== undefined;
  }

  isLoaded(conversationId: string): boolean {
    return this.#kept.open.includes(conversationId) || this.#archive.entry(conversationId) === undefined;
  }

  async load(conversationId: string): Promise<void> {
    if (this.#kept.open.includes(conversationId)) this.#kept.opened(conversationId);
    else
      await this.#kept.reading([conversationId], () => {
        for (const record of this.#archive.loaded(conversationId)) {
          if (!this.#kept.unsaved.has(record.recordId)) this.#held.set(record);
        }
        this.#kept.opened(conversationId);
      });
    this.#kept.tell([]);
  }

  async *eachConversation(): AsyncGenerator<WholeConversation> {
    for (const { conversationId } of [...this.summaries()]) {
      const whole = await this.wholeConversation(conversationId);
      if (whole !== undefined) yield whole;
    }
  }

  async wholeConversation(conversationId: string): Promise<WholeConversation | undefined> {
    const summaryNow = () => {
      const { summary, state } = this.#archive.entry(conversationId) ?? {};
      const conversation = this.#held.conversation(conversationId);
      if (summary !== undefined) return state === 'removed' ? undefined : summary;
      return conversation?.deleted === false ? summaryOf(conversation) : undefined;
    };
    if (summaryNow() === undefined) return undefined;
    const isOpen = this.#kept.open.includes(conversationId);
    const records = isOpen ? this.#held.of(conversationId) : await this.#recordsOf(conversationId);
    const summary = summaryNow();
    return summary === undefined ? undefined : { summary, records };
  }

  unfinished(): readonly string[] {
    return [...this.#archive.entries()]
      .filter(({ unfinished, state }) => unfinished && state !== 'removed')
      .map(({ groupId }) => groupId);
  }

  /** Of a chat that is not open, which need not stay in memory. */
  async #recordsOf(groupId: string): Promise<OpenedRecord[]> {
    if (this.#archive.isLoaded(groupId)) return this.#archive.loaded(groupId);
    const { packs, isWhole } = (await this.#archive.read([groupId])).get(groupId) ?? { packs: [], isWhole: true };
    if (isWhole) return packs.flatMap((pack) => [...pack.values()]);
    const records = await this.#kept.reading([groupId], () => this.#archive.loaded(groupId));
    this.#kept.letGo(groupId);
    return records;
  }

  /** Something has changed: the list is made anew when somebody asks. */
  changed(): void {
    this.#summaries = this.#kept.isClosed ? [] : undefined;
  }
}
