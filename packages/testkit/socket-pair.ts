/** Two sockets joined in memory, with a hook that plays the hostile network between them. */
import type { Socket } from '@sotto/ports';

export type SocketSide = 'a' | 'b';

export interface PassingMessage {
  readonly from: SocketSide;
  /** Position among the messages of this side, from 0. */
  readonly index: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * What arrives instead of the message: `[]` drops it, two entries duplicate it, a changed copy alters it; a message that
 * the hook keeps and returns later is delayed or reordered. Undefined lets it pass.
 */
export type Intercept = (message: PassingMessage) => readonly Uint8Array[] | undefined;

export interface SocketPair {
  readonly a: Socket;
  readonly b: Socket;
  /** Every message sent, before `intercept` saw it. */
  readonly sent: readonly PassingMessage[];
  intercept: Intercept | undefined;
  /** While true nothing is delivered, and `bufferedBytes` grows. */
  paused: boolean;
  /** The line breaks: both sides see close code 1006. */
  cut(): void;
  /** Delivers a message to one side that the other never sent. */
  inject(to: SocketSide, bytes: Uint8Array): void;
}

export function createSocketPair(intercept?: Intercept): SocketPair {
  const sent: PassingMessage[] = [];
  const queues: Record<SocketSide, Uint8Array<ArrayBuffer>[]> = { a: [], b: [] };
  let closing: { code: number; reason: string; by: SocketSide | undefined } | undefined;
  let isClosed = false;
  let isScheduled = false;

  function schedule(): void {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      deliver();
    });
  }

  function deliver(): void {
    if (pair.paused || isClosed) return;
    for (const to of ['a', 'b'] as const) {
      // After a local close nothing more arrives at that side; what it sent before still reaches the other.
      for (const bytes of queues[to].splice(0)) if (closing?.by !== to) pair[to].onMessage?.(bytes);
    }
    if (closing === undefined || isClosed) return;
    if (queues.a.length + queues.b.length > 0) {
      schedule();
      return;
    }
    isClosed = true;
    const { code, reason } = closing;
    pair.a.onClose?.(code, reason);
    pair.b.onClose?.(code, reason);
  }

  function createSide(side: SocketSide): Socket {
    const other = side === 'a' ? 'b' : 'a';
    let index = 0;
    return {
      onMessage: undefined,
      onClose: undefined,
      get bufferedBytes() {
        return queues[other].reduce((sum, message) => sum + message.length, 0);
      },
      send(message) {
        if (closing !== undefined) return;
        const passing = { from: side, index: index++, bytes: message.slice() };
        sent.push(passing as PassingMessage);
        const arriving = pair.intercept === undefined ? undefined : pair.intercept(passing as PassingMessage);
        for (const bytes of arriving ?? [passing.bytes]) queues[other].push(bytes.slice() as Uint8Array<ArrayBuffer>);
        schedule();
      },
      close(code = 1000, reason = '') {
        closing ??= { code, reason, by: side };
        schedule();
      },
    };
  }

  let paused = false;
  const pair: SocketPair = {
    a: createSide('a'),
    b: createSide('b'),
    sent,
    intercept,
    get paused() {
      return paused;
    },
    set paused(value) {
      paused = value;
      if (!value) schedule();
    },
    cut() {
      closing = { code: 1006, reason: '', by: undefined };
      queues.a.length = 0;
      queues.b.length = 0;
      schedule();
    },
    inject(to, bytes) {
      queues[to].push(bytes.slice() as Uint8Array<ArrayBuffer>);
      schedule();
    },
  };
  return pair;
}
