/** What is put into an index of words, asked of it, and answered (spec/client.md "Search"). */
import type { SearchDocument } from './build.ts';
import type { DocumentKind } from './segment.ts';

/** What became of one conversation. */
export interface ConversationChange {
  /** 16 bytes as hex. */
  readonly conversationId: string;
  /** How its source names the state that the index covers after this; at most 256 bytes; undefined where it does not cover it. */
  readonly version: string | undefined;
  /** New and changed documents; those that the index holds already stay as they are. */
  readonly documents: readonly SearchDocument[];
  /** Everything else that the index holds of it goes, or only what `removed` names. */
  readonly isWhole: boolean;
  readonly removed?: readonly string[];
}

export interface SearchFilters {
  readonly kinds?: readonly DocumentKind[];
  readonly fromMs?: number;
  readonly toMs?: number;
  /** In these chats only: of a folder, with a tag, or the one that is open. */
  readonly conversationIds?: readonly string[];
  readonly hasFile?: boolean;
}

export interface SearchRequest {
  /** As a person types it. */
  readonly text: string;
  /** The last word may be unfinished. */
  readonly asTyped?: boolean;
  readonly filters?: SearchFilters;
  /** Hits to return, best first. */
  readonly limit: number;
}

export interface SearchHit {
  readonly conversationId: string;
  /** Of the message; of the chat where its title was found. */
  readonly id: string;
  readonly kind: DocumentKind;
  /** To the second. */
  readonly createdAtMs: number;
  readonly score: number;
}

export interface SearchAnswer {
  readonly hits: readonly SearchHit[];
  /** All that match so far, not only those returned. */
  readonly total: number;
  readonly isComplete: boolean;
  /** A part of the index could not be read: it is to be fed anew, and something may be missing here. */
  readonly isDamaged: boolean;
}

/** An index, in this program or in a worker. Writers are one at a time: the caller sees to that. */
export interface SearchIndexLike {
  /** The version of each conversation that the index covers: the others are to be given to it whole. */
  covered(): Promise<ReadonlyMap<string, string>>;
  /** Takes changes over; durable when it resolves. Rejects with SottoError `store-full`, `store-unavailable`. */
  update(changes: readonly ConversationChange[]): Promise<void>;
  /** Forgets every conversation but these; whatever is covered then, is. */
  retain(conversationIds: readonly string[]): Promise<void>;
  /** Everything of these conversations is out of the store when it resolves. */
  forget(conversationIds: readonly string[]): Promise<void>;
  /** One step towards fewer segments; resolves with false where there is nothing to do. */
  maintain(): Promise<boolean>;
  /** Best hits first; partial answers while the device is still reading. Ends without a complete one when the signal says so. */
  query(request: SearchRequest, signal?: AbortSignal): AsyncIterable<SearchAnswer>;
  erase(): Promise<void>;
}
