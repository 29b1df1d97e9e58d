/**
 * Mailboxes for devices that are being linked (spec/server.md, "Links"): a few small messages under an id that the devices made,
 * in memory, for minutes. What is in them is sealed or public to the server, or opens nothing; no account stands beside it.
 */
import type { Clock } from '@sotto/ports';
import { ServerError } from './errors.ts';

type Bytes = Uint8Array<ArrayBuffer>;

export const LINK_SLOTS = 8;

interface Held {
  readonly openedBy: string;
  readonly slots: (Bytes | undefined)[];
  readonly expiresAtMs: number;
  isEnded: boolean;
}

export interface LinkLimits {
  readonly linkMs: number;
  readonly links: number;
}

export class LinkMailboxes {
  readonly #clock: Clock;
  readonly #limits: LinkLimits;
  /** From the oldest to the newest. */
  readonly #held = new Map<string, Held>();
  /** Ids by who opened them, from the oldest to the newest. */
  readonly #opened = new Map<string, Set<string>>();

  constructor(clock: Clock, limits: LinkLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** @param from whose message it is, as far as can be told: a network. @throws ServerError `link-ended`, `link-taken`, `rate-limited` */
  put(id: string, slot: number, message: Bytes, from: string): void {
    this.#sweep();
    const held = this.#held.get(id) ?? this.#open(id, from);
    // SV-117: whoever saw an old code could meet somebody under it.
    if (held.isEnded) throw new ServerError('link-ended');
    // SV-116: who comes second must not replace what the first one said.
    if (held.slots[slot] !== undefined) throw new ServerError('link-taken');
    held.slots[slot] = message;
  }

  /** Undefined while nothing is there. @throws ServerError `link-ended` */
  get(id: string, slot: number): Bytes | undefined {
    this.#sweep();
    const held = this.#held.get(id);
    if (held?.isEnded) throw new ServerError('link-ended');
    return held?.slots[slot];
  }

  /** Forgets the messages at once, and the id when its time is over. */
  end(id: string): void {
    this.#sweep();
    const held = this.#held.get(id);
    if (held === undefined) return;
    held.isEnded = true;
    held.slots.length = 0;
  }

  #open(id: string, openedBy: string): Held {
    // SV-118: mailboxes that anybody may open are memory that anybody may fill.
    if (this.#held.size >= this.#limits.links) this.#makeRoom(openedBy);
    const held = { openedBy, slots: [], expiresAtMs: this.#clock.nowMs() + this.#limits.linkMs, isEnded: false };
    this.#held.set(id, held);
    this.#opened.set(openedBy, (this.#opened.get(openedBy) ?? new Set()).add(id));
    return held;
  }

  /** The oldest of whoever has most goes, for one who has at least two fewer. @throws ServerError `rate-limited` */
  #makeRoom(newcomer: string): void {
    let most: ReadonlySet<string> = new Set();
    for (const ids of this.#opened.values()) if (ids.size > most.size) most = ids;
    const [oldest] = most;
    const own = this.#opened.get(newcomer)?.size ?? 0;
    // SV-138: a few that fill every place would keep everybody else from linking, or put out who is linking.
    if (oldest === undefined || most.size < own + 2) throw new ServerError('rate-limited');
    this.#forget(oldest);
  }

  #forget(id: string): void {
    const openedBy = this.#held.get(id)?.openedBy ?? '';
    this.#held.delete(id);
    const ids = this.#opened.get(openedBy);
    ids?.delete(id);
    if (ids?.size === 0) this.#opened.delete(openedBy);
  }

  #sweep(): void {
    const nowMs = this.#clock.nowMs();
    for (const [id, { expiresAtMs }] of this.#held) {
      // SV-117: what nobody fetched in time is for nobody.
      if (expiresAtMs > nowMs) continue;
      this.#forget(id);
    }
  }
}
