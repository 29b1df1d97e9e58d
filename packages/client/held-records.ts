/**
 * Opened records in memory, chat by chat, so that a change costs the chat that it is in and not the whole history. What is in
 * them was written by the account's devices and is merged by the vault's rules. Owned by one `History`.
 */
import { buildConversations, type Conversation, conversationOf, type OpenedRecord } from '@sotto/vault';

interface Group {
  readonly records: Map<string, OpenedRecord>;
  view: Conversation | undefined;
}

export class HeldRecords {
  readonly #all = new Map<string, OpenedRecord>();
  readonly #groups = new Map<string, Group>();
  readonly #others = new Map<string, OpenedRecord>();

  get(recordId: string): OpenedRecord | undefined {
    return this.#all.get(recordId);
  }

  /** Every record, in the order of its first arrival. */
  values(): MapIterator<OpenedRecord> {
    return this.#all.values();
  }

  /** Those that belong to no conversation. */
  others(): MapIterator<OpenedRecord> {
    return this.#others.values();
  }

  /** Those of one conversation; empty where none is here. */
  of(conversationId: string): OpenedRecord[] {
    return [...(this.#groups.get(conversationId)?.records.values() ?? [])];
  }

  conversationIds(): MapIterator<string> {
    return this.#groups.keys();
  }

  /** Undefined where no record of it is here. */
  conversation(conversationId: string): Conversation | undefined {
    const group = this.#groups.get(conversationId);
    if (group === undefined) return undefined;
    group.view ??= buildConversations(group.records.values()).get(conversationId);
    return group.view;
  }

  set(record: OpenedRecord): void {
    const { recordId } = record;
    const conversationId = conversationOf(record);
    const held = this.#all.get(recordId);
    if (held !== undefined && conversationOf(held) !== conversationId) this.delete(recordId);
    this.#all.set(recordId, record);
    if (conversationId === undefined) {
      this.#others.set(recordId, record);
      return;
    }
    const group = this.#groups.get(conversationId) ?? { records: new Map(), view: undefined };
    group.records.set(recordId, record);
    group.view = undefined;
    this.#groups.set(conversationId, group);
  }

  /** @returns whether it was here */
  delete(recordId: string): boolean {
    const held = this.#all.get(recordId);
    if (held === undefined) return false;
    this.#all.delete(recordId);
    this.#others.delete(recordId);
    const conversationId = conversationOf(held);
    const group = conversationId === undefined ? undefined : this.#groups.get(conversationId);
    if (group === undefined || conversationId === undefined) return true;
    group.records.delete(recordId);
    group.view = undefined;
    if (group.records.size === 0) this.#groups.delete(conversationId);
    return true;
  }
}
