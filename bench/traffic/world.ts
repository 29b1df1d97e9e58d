/** Virtual time, and a wire that writes down what an eavesdropper sees of it. */
import type { Clock, Socket } from '@sotto/ports';

/** A WebSocket frame's head for these sizes, and what TLS adds, are the same for every record: left out. */
export interface Seen {
  readonly atMs: number;
  readonly isUp: boolean;
  readonly bytes: number;
}

interface Sleeper {
  readonly atMs: number;
  readonly order: number;
  wake(): void;
}

export interface VirtualClock extends Clock {
  /** Runs everything that is due until then, each with what it causes. */
  runUntil(untilMs: number): Promise<void>;
}

/** Lets what has been caused happen: promises, and the streams that are made of them. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

export function createVirtualClock(startMs = 1_800_000_000_000): VirtualClock {
  let nowMs = startMs;
  let order = 0;
  const sleepers = new Set<Sleeper>();
  return {
    nowMs: () => nowMs,
    sleep(delayMs, signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const stop = () => {
          sleepers.delete(sleeper);
          reject(signal?.reason);
        };
        const sleeper: Sleeper = {
          atMs: nowMs + Math.max(0, delayMs),
          order: order++,
          wake() {
            signal?.removeEventListener('abort', stop);
            resolve();
          },
        };
        signal?.addEventListener('abort', stop, { once: true });
        sleepers.add(sleeper);
      });
    },
    async runUntil(untilMs) {
      await turn();
      for (;;) {
        let next: Sleeper | undefined;
        for (const sleeper of sleepers) {
          if (sleeper.atMs > untilMs) continue;
          if (
            next === undefined ||
            sleeper.atMs < next.atMs ||
            (sleeper.atMs === next.atMs && sleeper.order < next.order)
          )
            next = sleeper;
        }
        if (next === undefined) break;
        nowMs = Math.max(nowMs, next.atMs);
        sleepers.delete(next);
        next.wake();
        await turn();
      }
      nowMs = Math.max(nowMs, untilMs);
    },
  };
}

/** Two ends of a line that takes `delayMs`; what passes is written to `seen` when it is sent. */
export function createLine(clock: Clock, seen: Seen[], delayMs: number): { client: Socket; node: Socket } {
  let isClosed = false;
  const create = (isUp: boolean): Socket => ({
    onMessage: undefined,
    onClose: undefined,
    bufferedBytes: 0,
    send(message) {
      if (isClosed) return;
      seen.push({ atMs: clock.nowMs(), isUp, bytes: message.length });
      const bytes = message.slice();
      void clock.sleep(delayMs).then(() => {
        if (!isClosed) (isUp ? node : client).onMessage?.(bytes);
      });
    },
    close(code = 1000, reason = '') {
      void clock.sleep(delayMs).then(() => {
        if (isClosed) return;
        isClosed = true;
        client.onClose?.(code, reason);
        node.onClose?.(code, reason);
      });
    },
  });
  const client = create(true);
  const node = create(false);
  return { client, node };
}
