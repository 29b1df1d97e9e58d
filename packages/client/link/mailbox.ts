/**
 * The mailbox of one link as each device sees it (spec/client.md, "Linking a device"): a few slots that are written once. The
 * server keeps it and is hostile: it may lose, repeat, reorder, replace and invent; what is read counts only after the
 * handshake's own checks.
 */
import { SottoError } from '@sotto/bytes';
import type { Clock } from '@sotto/ports';
import { LinkError } from './error.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** Longest message of a link; the server refuses longer ones, too. */
export const LINK_MESSAGE_LIMIT_BYTES = 2048;
/** How long a link may take, from its beginning to the handing over. */
export const LINK_TIME_MS = 10 * 60_000;
const POLL_MS = 700;

/** The server's mailboxes, by id as 32 hex digits. */
export interface LinkMailboxes {
  /** @throws SottoError `link-ended` where the slot was written before or the mailbox is gone; `rate-limited` */
  put(mailboxId: string, slot: number, message: Bytes): Promise<void>;
  /** Undefined while nothing is there. @throws SottoError `link-ended` */
  get(mailboxId: string, slot: number, signal?: AbortSignal): Promise<Bytes | undefined>;
  /** Forgets all of it; nobody can use the id again. */
  end(mailboxId: string): Promise<void>;
}

/** One link's mailbox: slots are used in their order, by both devices in turn. */
export class Mailbox {
  readonly #mailboxes: LinkMailboxes;
  readonly #id: string;
  readonly #clock: Clock;
  readonly #signal: AbortSignal | undefined;
  #waitedMs = 0;

  constructor(mailboxes: LinkMailboxes, id: string, clock: Clock, signal: AbortSignal | undefined) {
    this.#mailboxes = mailboxes;
    this.#id = id;
    this.#clock = clock;
    this.#signal = signal;
  }

  async put(slot: number, message: Bytes): Promise<void> {
    this.#signal?.throwIfAborted();
    await this.#mailboxes.put(this.#id, slot, message);
  }

  /** Waits for the other device. @throws LinkError `link-ended`, `link-malformed` */
  async take(slot: number): Promise<Bytes> {
    for (;;) {
      this.#signal?.throwIfAborted();
      const message = await this.#mailboxes.get(this.#id, slot, this.#signal).catch(nothingYet);
      if (message !== undefined) {
        // CL-359: what a server makes us hold and hash is bounded.
        if (message.length > LINK_MESSAGE_LIMIT_BYTES) throw new LinkError('link-malformed', 'CL-359');
        return message;
      }
      // CL-356: a link that waits for ever is a door that stays open. Polls are counted, not a clock that may jump.
      if (this.#waitedMs >= LINK_TIME_MS) throw new LinkError('link-ended', 'CL-356');
      await this.#clock.sleep(POLL_MS, this.#signal);
      this.#waitedMs += POLL_MS;
    }
  }

  /** Never fails: what cannot be ended now ends by itself within minutes. */
  async end(): Promise<void> {
    await this.#mailboxes.end(this.#id).catch(() => {});
  }
}

/** A line that is lost for a moment is no reason to begin anew: the next poll may have one. */
function nothingYet(cause: unknown): undefined {
  if (cause instanceof SottoError && cause.code === 'network-unreachable') return undefined;
  throw cause;
}
