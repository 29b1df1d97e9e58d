/**
 * How long a session may go on without a new handshake (spec/channel.md, session life). Both ends keep it, each for itself.
 * Time is counted in the session's ticks; only the end of an epoch, which is a date, is read off the clock.
 */
import type { Clock } from '@sotto/ports';
import { ChannelError } from './errors.ts';
import type { ChannelLimits } from './limits.ts';

/** Owned by one end of one session. */
export class SessionLife {
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #limits: ChannelLimits;
  #ticks = 0;
  #notAfterMs: number | undefined;

  /** @param notAfterMs when what vouches for the node's key stops holding */
  constructor(clock: Pick<Clock, 'nowMs'>, limits: ChannelLimits, notAfterMs: number | undefined) {
    this.#clock = clock;
    this.#limits = limits;
    this.#notAfterMs = notAfterMs;
  }

  /** A new handshake has taken the place of the old one. */
  renewed(notAfterMs: number | undefined): void {
    this.#ticks = 0;
    this.#notAfterMs = notAfterMs;
  }

  /** @throws ChannelError `session-expired` */
  tick(): void {
    this.#ticks += 1;
    // CH-80: keys that are never replaced open everything that is ever said under them.
    if (this.#ticks >= this.#limits.lifeTicks) throw new ChannelError('session-expired', { rule: 'CH-80' });
    this.assertCurrent();
  }

  /** @throws ChannelError `session-expired` */
  assertCurrent(): void {
    const isOver = this.#notAfterMs !== undefined && this.#clock.nowMs() >= this.#notAfterMs;
    // CH-81: what vouched for the key does not any more.
    if (isOver) throw new ChannelError('session-expired', { rule: 'CH-81' });
  }

  get isRenewalDue(): boolean {
    return this.#ticks >= this.#limits.renewTicks;
  }
}
