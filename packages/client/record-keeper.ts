/**
 * What holds a history's records and brings them to where they are stored: in memory over one store (store-keeper.ts, for a
 * guest), or on this device and with a server (archive/, for an account). `History` says what is written; a keeper says where.
 */
import type { Conversation, OpenedRecord, RecordContent, Registers } from '@sotto/vault';
import type { Finding, LogPlace } from '@sotto/vault/heads';
import type { HeldRecords } from './held-records.ts';
import type { AccountSync } from './sync/account-sync.ts';
import type { Watch } from './watch/watch.ts';

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

/** Why a record would not open. */
export interface Damage {
  readonly code: string;
  /** The rule of spec/vault.md that refused it. */
  readonly rule: string | undefined;
}

/** `nameless`: messages of it are here, and no device has described it. */
export type ConversationState = 'here' | 'nameless' | 'removed';

/** Everything that the server shows is here, compared, and listed; what a rotation begins from. */
export interface Standing {
  /** The server's newest sequence that is here. */
  readonly sequence: number;
  /** How far the log of every device goes. */
  readonly places: ReadonlyMap<string, LogPlace>;
  /** Records that no log lists yet. */
  readonly unlisted: readonly OpenedRecord[];
  /** A counter of this device, for the records of the rotation. */
  readonly deviceCounter: number;
}

export interface RecordKeeper {
  /** What is in memory: every record that belongs to no chat, and the chats that are loaded. */
  readonly held: HeldRecords;
  readonly damaged: ReadonlyMap<string, Damage>;
  /** Told of every change; assigned once, by the history. */
  onChanged: (changes: readonly RecordChange[]) => void;
  /** Chats that were not removed, last used first. */
  summaries(): ConversationSummary[];
  conversationState(conversationId: string): ConversationState | undefined;
  hasRecord(recordId: string): boolean;
  isLoaded(conversationId: string): boolean;
  load(conversationId: string): Promise<void>;
  /** Every chat that was not removed, last used first: one at a time in memory. */
  eachConversation(): AsyncIterable<WholeConversation>;
  /** One chat, without keeping it in memory; undefined where it was removed or never was. */
  wholeConversation(conversationId: string): Promise<WholeConversation | undefined>;
  /** Chats in which this device may have an answer that is not whole. */
  unfinished(): readonly string[];
  nextClock(): number;
  /**
   * In memory at once, whatever becomes of the promise.
   *
   * @param again makes the content anew where another tab has written the record meanwhile
   * @throws SaveError, VaultError
   */
  write(recordId: string, content: RecordContent, again?: (stored: RecordContent) => RecordContent): Promise<void>;
  /** On every device. */
  remove(recordIds: readonly string[]): Promise<void>;
  /** Lets go of a record that was never stored. */
  drop(recordId: string): void;
  /** Fetches what is new where the records are stored. */
  refresh(): Promise<void>;
  /** What was last fetched is compared, and heads for what was written are stored. */
  settled(): Promise<void>;
  readonly findings: readonly Finding[];
  readonly compareCode: string | undefined;
  devices(): ReturnType<Watch['devices']>;
  acceptAsItIs(): Promise<void>;
  /** Records that this device holds and the server does not show so, while there is a finding. */
  readonly restorableCount: number;
  /** Writes them again. Only the person decides that. */
  putBack(): Promise<void>;
  /** Where a rotation stands on (epochs/rotate.ts); absent for a guest. @throws ClientError `network-unreachable` */
  standing?(): Promise<Standing>;
  /** Records that are sealed under an older key than the newest. */
  readonly olderCount?: number;
  /** Seals at most so many of them anew, each as the same write of the same device. */
  sealOlder?(limitCount: number): Promise<void>;
  /** The sync behind an account's history; undefined for a guest. */
  readonly sync?: AccountSync | undefined;
  /** Lets go of keys and records. */
  close(): void;
}

export function summaryOf(conversation: Conversation): ConversationSummary {
  const { conversationId, title, createdAtMs, updatedAtMs, messages, clock, registers } = conversation;
  return { conversationId, title, createdAtMs, updatedAtMs, messageCount: messages.size, clock, registers };
}

export function stateOf(conversation: Conversation | undefined): ConversationState | undefined {
  if (conversation === undefined) return undefined;
  if (conversation.deleted) return 'removed';
  return conversation.isDescribed ? 'here' : 'nameless';
}
