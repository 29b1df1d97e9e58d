/** Search over the history that is open: an index in a worker, and what feeds it. Loaded when there is a history to read. */
import { startWorker } from '@sotto/adapters-browser';
import { encodeHex } from '@sotto/bytes';
import { connectSearchIndex, type MessageLine, SearchFeed, type SearchSource } from '@sotto/client/search';
import type { Clock } from '@sotto/ports';
import { type LocalOwner, unsafeRevealSecret } from '@sotto/vault';
import type { SearchSession } from './search-session.ts';
import type { OpenIndex } from './search-worker.ts';
import workerAddress from './search-worker.ts?worker&url';

export interface SessionPorts {
  readonly clock: Clock;
  readonly takingTurns: <Result>(name: string, work: () => Promise<Result>) => Promise<Result>;
}

/**
 * @param owner whose index is kept on this device; undefined for a guest, whose index is in memory
 */
export function openSearchSession(
  ports: SessionPorts,
  source: SearchSource,
  owner: LocalOwner | undefined,
): SearchSession {
  const worker = startWorker(workerAddress);
  const line: MessageLine = {
    post: (message) => worker.postMessage(message),
    onMessage: (listener) => worker.addEventListener('message', ({ data }) => listener(data)),
  };
  const opening: OpenIndex =
    owner === undefined ? {} : { kept: { accountId: owner.accountId, key: unsafeRevealSecret(owner.key) } };
  worker.postMessage(opening);
  const index = connectSearchIndex(line);
  // A guest's index is this tab's own.
  const turnName = owner === undefined ? undefined : `search/${encodeHex(owner.accountId)}`;
  const takingTurns: SessionPorts['takingTurns'] = (name, work) =>
    turnName === undefined ? work() : ports.takingTurns(name, work);
  const feed = new SearchFeed({ source, index, clock: ports.clock, takingTurns, turnName: turnName ?? '' });
  void feed.run();
  return {
    query: (request, signal) => feed.query(request, signal),
    get progress() {
      return feed.progress;
    },
    subscribe: (listener) => feed.subscribe(listener),
    close: () => {
      feed.stop();
      // With it goes the key, and what it has opened.
      worker.terminate();
    },
  };
}
