/**
 * The channels that are open now: told when a new epoch has begun, and let go in order when the node stops
 * (spec/channel.md, session life and drain).
 */
import type { ResponderChannel } from '@sotto/channel';
import type { Clock } from '@sotto/ports';

type Channel = Pick<ResponderChannel, 'closed' | 'advise' | 'leave' | 'close'>;

/** Advice goes out in so many parts, so that not all sessions ask for a handshake at one moment. */
const ADVICE_PARTS = 20;
const ADVICE_SPREAD_MS = 60_000;

/** Owned by one node. */
export class OpenChannels {
  readonly #channels = new Set<Channel>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get count(): number {
    return this.#channels.size;
  }

  add(channel: Channel): void {
    this.#channels.add(channel);
    void channel.closed.then(() => this.#channels.delete(channel));
  }

  /**
   * Advises every session that is open now to renew.
   *
   * @param epochMs how long an epoch lasts: the advice is out after a quarter of it, at most a minute
   */
  async advise(epochMs: number, signal: AbortSignal): Promise<void> {
    const channels = [...this.#channels];
    const pauseMs = Math.min(ADVICE_SPREAD_MS, epochMs / 4) / ADVICE_PARTS;
    const part = Math.ceil(channels.length / ADVICE_PARTS);
    try {
      while (channels.length > 0) {
        for (const channel of channels.splice(0, part)) channel.advise();
        if (channels.length > 0) await this.#clock.sleep(pauseMs, signal);
      }
    } catch {
      // The node stops: there will be no next epoch.
    }
  }

  /** No channel takes another request. Resolves when all are over; after `limitMs` those that are left are closed. */
  async leave(limitMs: number): Promise<void> {
    const stop = new AbortController();
    for (const channel of this.#channels) channel.leave();
    const over = Promise.all([...this.#channels].map(({ closed }) => closed));
    // CH-89: an answer that never ends would keep a node that was told to stop.
    const late = this.#clock.sleep(limitMs, stop.signal).catch(() => undefined);
    await Promise.race([over, late]);
    stop.abort(new Error('over'));
    for (const channel of this.#channels) channel.close();
    await over;
  }
}
