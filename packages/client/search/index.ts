/** Full text over a history, on the device: an index of sealed segments (spec/client.md "Search"). */
export type { SearchDocument } from './build.ts';
export { readWhole } from './documents.ts';
export { openSearchIndex, SearchIndex, type SearchIndexOptions } from './engine.ts';
export { type FeedProgress, SearchFeed, type SearchFeedOptions, type SearchSource } from './feed.ts';
export { createMemoryStore } from './memory-store.ts';
export { connectSearchIndex, type MessageLine, serveSearchIndex } from './remote.ts';
export type { DocumentKind } from './segment.ts';
export { makeSnippet, type SnippetPart } from './snippet.ts';
export type {
  ConversationChange,
  SearchAnswer,
  SearchFilters,
  SearchHit,
  SearchIndexLike,
  SearchRequest,
} from './types.ts';
