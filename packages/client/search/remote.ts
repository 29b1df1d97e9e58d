/**
 * An index in another thread: what is said between the two. Both ends are this program, and what goes between them stays in
 * memory; the key of the device is said once, at the beginning.
 *
 *     page → worker   open, then calls {id, method, arguments} and {id, cancel}
 *     worker → page   {id, answer} of a query, {id, result} or {id, error: code} at the end of a call
 */
import { SottoError } from '@sotto/bytes';
import { ClientError, isClientErrorCode } from '../errors.ts';
import { SearchError } from './error.ts';
import type { ConversationChange, SearchAnswer, SearchIndexLike, SearchRequest } from './types.ts';

/** One end of a line that carries structured values: a worker, or what a worker talks to. */
export interface MessageLine {
  post(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
}

type Method = keyof SearchIndexLike;
type Call =
  | { readonly id: number; readonly method: Method; readonly given: unknown }
  | { readonly id: number; readonly cancel: true };
type Reply =
  | { readonly id: number; readonly answer: SearchAnswer }
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: string };

/** Serves an index to the other end, from when it is open. A query ends the one before it. */
export function serveSearchIndex(line: MessageLine, opening: Promise<SearchIndexLike>): void {
  const running = new Map<number, AbortController>();
  const answer = async ({ id, method, given }: Extract<Call, { method: Method }>): Promise<unknown> => {
    if (method !== 'query') {
      const index = await opening;
      return (index[method] as (given: unknown) => Promise<unknown>).call(index, given);
    }
    for (const earlier of running.values()) earlier.abort();
    const stopping = new AbortController();
    running.set(id, stopping);
    try {
      for await (const each of (await opening).query(given as SearchRequest, stopping.signal)) {
        line.post({ id, answer: each } satisfies Reply);
      }
    } finally {
      running.delete(id);
    }
    return undefined;
  };
  line.onMessage((message) => {
    const call = message as Call;
    if ('cancel' in call) return running.get(call.id)?.abort();
    answer(call).then(
      (result) => line.post({ id: call.id, result } satisfies Reply),
      (error: unknown) =>
        line.post({ id: call.id, error: error instanceof SottoError ? error.code : 'unexpected' } satisfies Reply),
    );
  });
}

interface Waiting {
  readonly onAnswer: (answer: SearchAnswer) => void;
  readonly onEnd: (reply: { readonly result?: unknown; readonly error?: string }) => void;
}

/** The index at the other end of the line. */
export function connectSearchIndex(line: MessageLine): SearchIndexLike {
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  line.onMessage((message) => {
    const reply = message as Reply;
    const one = waiting.get(reply.id);
    if (one === undefined) return;
    if ('answer' in reply) return one.onAnswer(reply.answer);
    waiting.delete(reply.id);
    one.onEnd(reply);
  });
  const start = (method: Method, given: unknown, onAnswer: Waiting['onAnswer'] = () => {}) => {
    const id = ++lastId;
    const ended = new Promise<unknown>((resolve, reject) => {
      waiting.set(id, {
        onAnswer,
        onEnd: ({ result, error }) => (error === undefined ? resolve(result) : reject(errorOf(error))),
      });
    });
    line.post({ id, method, given } satisfies Call);
    return { id, ended };
  };
  return {
    covered: () => start('covered', undefined).ended as Promise<ReadonlyMap<string, string>>,
    update: (changes: readonly ConversationChange[]) => start('update', changes).ended as Promise<void>,
    retain: (ids) => start('retain', ids).ended as Promise<void>,
    forget: (ids) => start('forget', ids).ended as Promise<void>,
    maintain: () => start('maintain', undefined).ended as Promise<boolean>,
    erase: () => start('erase', undefined).ended as Promise<void>,
    async *query(request, signal) {
      let held: SearchAnswer[] = [];
      let wake = () => {};
      const { id, ended } = start('query', request, (answer) => {
        held.push(answer);
        wake();
      });
      const cancel = () => line.post({ id, cancel: true } satisfies Call);
      signal?.addEventListener('abort', cancel, { once: true });
      let isOver = false;
      const over = ended.finally(() => {
        isOver = true;
        wake();
      });
      over.catch(() => undefined);
      try {
        for (;;) {
          const ready = held;
          held = [];
          yield* ready;
          if (isOver && held.length === 0) break;
          if (held.length === 0) await new Promise<void>((resolve) => (wake = resolve));
        }
        await over;
      } finally {
        signal?.removeEventListener('abort', cancel);
        if (!isOver) cancel();
      }
    },
  };
}

function errorOf(code: string): SottoError {
  if (isClientErrorCode(code)) return new ClientError(code);
  return code === 'index-stale' ? new SearchError('index-stale') : new SearchError('index-damaged');
}
