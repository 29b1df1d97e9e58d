/**
 * A queue for generations: at most so many run, waiting sessions take turns, and nobody can fill it alone
 * (spec/enclave.md §limits). The sessions are untrusted.
 */
import { EnclaveError } from './enclave-error.ts';

export interface QueueLimits {
  /** Generations at one time. */
  readonly running: number;
  /** Requests that wait, over all sessions. */
  readonly waiting: number;
  /** Requests that wait or run for one session. */
  readonly perSession: number;
}

/** Frees the place; calling it again does nothing. */
export type Release = () => void;

interface Waiter {
  start(): void;
}

/** Hands out places to run. Sessions are compared by identity and forgotten when they hold nothing. */
export class FairQueue {
  readonly #limits: QueueLimits;
  readonly #waiters = new Map<object, Waiter[]>();
  readonly #held = new Map<object, number>();
  #running = 0;
  #waiting = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Waits for a place.
   * @throws EnclaveError `busy` when the queue or the session's share of it is full; the signal's reason when aborted.
   */
  async acquire(session: object, signal: AbortSignal): Promise<Release> {
    signal.throwIfAborted();
    const held = this.#held.get(session) ?? 0;
    // EN-07: one session must not be able to take every place from the others.
    if (held >= this.#limits.perSession) throw new EnclaveError('busy', {}, 'EN-07');
    const mustWait = this.#running >= this.#limits.running;
    // EN-08: an unbounded queue lets a peer hold our memory for as long as it likes.
    if (mustWait && this.#waiting >= this.#limits.waiting) throw new EnclaveError('busy', {}, 'EN-08');
    this.#held.set(session, held + 1);
    if (mustWait) await this.#wait(session, signal);
    else this.#running++;
    let released = false;
    return () => {
      if (released) return;
      released = true;
      this.#running--;
      this.#drop(session);
      this.#next();
    };
  }

  #wait(session: object, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiters = this.#waiters.get(session) ?? [];
    const onAbort = (): void => {
      this.#remove(session, waiter);
      this.#drop(session);
      reject(signal.reason);
    };
    const waiter: Waiter = {
      start: () => {
        signal.removeEventListener('abort', onAbort);
        this.#running++;
        resolve();
      },
    };
    waiters.push(waiter);
    this.#waiters.set(session, waiters);
    this.#waiting++;
    signal.addEventListener('abort', onAbort, { once: true });
    return promise;
  }

  #remove(session: object, waiter: Waiter): void {
    const waiters = this.#waiters.get(session) ?? [];
    waiters.splice(waiters.indexOf(waiter), 1);
    this.#waiting--;
    if (waiters.length === 0) this.#waiters.delete(session);
  }

  /** Starts the first waiter of the session whose turn it is, and sends that session to the end of the round. */
  #next(): void {
    const turn = this.#waiters.entries().next().value;
    if (turn === undefined || this.#running >= this.#limits.running) return;
    const [session, waiters] = turn;
    const waiter = waiters[0] as Waiter;
    this.#remove(session, waiter);
    if (waiters.length > 0) {
      this.#waiters.delete(session);
      this.#waiters.set(session, waiters);
    }
    waiter.start();
  }

  #drop(session: object): void {
    const held = (this.#held.get(session) ?? 1) - 1;
    if (held <= 0) this.#held.delete(session);
    else this.#held.set(session, held);
  }
}
