/** Token buckets in memory: how often one address, account or connection may do a thing. Lost on restart, on purpose. */
import type { Clock } from '@sotto/ports';

export interface Rate {
  /** How many at once. */
  readonly burst: number;
  /** How many more each second. */
  readonly perSecond: number;
}

/** Above this many keys the fullest are forgotten: they had no debt to remember. */
const KEYS_LIMIT = 10_000;

export class RateLimit {
  readonly #rate: Rate;
  readonly #clock: Clock;
  readonly #buckets = new Map<string, { tokens: number; atMs: number }>();

  constructor(rate: Rate, clock: Clock) {
    this.#rate = rate;
    this.#clock = clock;
  }

  /** Takes `cost` tokens, or takes none and returns false. */
  take(key: string, cost = 1): boolean {
    const nowMs = this.#clock.nowMs();
    const bucket = this.#buckets.get(key) ?? { tokens: this.#rate.burst, atMs: nowMs };
    const elapsedMs = Math.max(0, nowMs - bucket.atMs);
    bucket.tokens = Math.min(this.#rate.burst, bucket.tokens + (elapsedMs / 1000) * this.#rate.perSecond);
    bucket.atMs = nowMs;
    const granted = bucket.tokens >= cost;
    if (granted) bucket.tokens -= cost;
    // Set anew, so that the map's order is from the longest unused to the newest.
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > KEYS_LIMIT) {
      const oldest = this.#buckets.keys().next().value;
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    return granted;
  }
}
