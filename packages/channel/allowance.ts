/** What a peer may make us do in a time, whatever it sends (spec/channel.md, hostile peers). */
import type { Clock } from '@sotto/ports';

/** So much at once, and so much a second afterwards. A clock that jumps back adds nothing. Owned by one session. */
export class Allowance {
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #most: number;
  readonly #perSecond: number;
  #left: number;
  #sinceMs: number;

  constructor(clock: Pick<Clock, 'nowMs'>, most: number, perSecond: number) {
    this.#clock = clock;
    this.#most = most;
    this.#perSecond = perSecond;
    this.#left = most;
    this.#sinceMs = clock.nowMs();
  }

  /** @returns false when there is not so much left; nothing is taken then */
  take(amount: number): boolean {
    const nowMs = this.#clock.nowMs();
    const gained = (Math.max(0, nowMs - this.#sinceMs) / 1000) * this.#perSecond;
    this.#left = Math.min(this.#most, this.#left + gained);
    this.#sinceMs = nowMs;
    if (amount > this.#left) return false;
    this.#left -= amount;
    return true;
  }
}
