/** What the app has of a search that is open (session.ts). */
import type { FeedProgress, SearchAnswer, SearchRequest } from '@sotto/client/search';

/** An index of the open history, and what it has read so far. */
export interface SearchSession {
  query(request: SearchRequest, signal?: AbortSignal): AsyncIterable<SearchAnswer>;
  /** Undefined while another tab reads. */
  readonly progress: FeedProgress | undefined;
  subscribe(listener: () => void): () => void;
  close(): void;
}
