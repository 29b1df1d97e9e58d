/** What can go wrong with an index of words. None of it loses anything: an index is made anew from the history. */
import { SottoError } from '@sotto/bytes';

export type SearchErrorCode = 'index-damaged' | 'index-stale';

const WORDS: Readonly<Record<SearchErrorCode, string>> = {
  'index-damaged': 'A part of the search index cannot be read. It is made anew.',
  'index-stale': 'The search index was changed elsewhere meanwhile.',
};

export class SearchError extends SottoError<SearchErrorCode> {
  constructor(code: SearchErrorCode, details: { readonly cause?: unknown; readonly rule?: string } = {}) {
    super(code, WORDS[code], { action: 'retry', ...details });
  }
}
