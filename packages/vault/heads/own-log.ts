/** The writing half of heads: the log of this device, line after line, and the segment that is open (spec/vault.md, "Heads"). */
import { encodeHex, parseHex } from '@sotto/bytes';
import type { UnknownContent } from '../content.ts';
import type { DeviceKeys } from '../device.ts';
import { chain, FIRST_HASH, type LogEntry } from './entry.ts';
import { type LogPlace, SEGMENT_LIMIT, signSegment } from './segment.ts';

export interface OwnLogState {
  readonly index: number;
  readonly before: LogPlace;
  readonly entries: readonly LogEntry[];
  /** As in the newest head. */
  readonly covered: number;
}

/** A record of type `head` to be stored. */
export interface HeadToStore {
  /** Which segment: each has a record of its own, whose id the caller keeps. */
  readonly index: number;
  readonly content: UnknownContent;
}

/** Owned by one device, and by one running program of it. */
export class OwnLog {
  readonly #keys: DeviceKeys;
  readonly #accountId: Uint8Array;
  #state: OwnLogState;

  /** @param state as `state` gave it, or as the device's own verified log says; undefined for a new device */
  constructor(keys: DeviceKeys, accountId: Uint8Array, state?: OwnLogState) {
    this.#keys = keys;
    this.#accountId = accountId;
    this.#state = state ?? { index: 0, before: { count: 0, hash: FIRST_HASH }, entries: [], covered: 0 };
  }

  get state(): OwnLogState {
    return this.#state;
  }

  /** Where the log ends. */
  get place(): LogPlace {
    return endOf(this.#state);
  }

  /**
   * Adds lines and signs every segment that they touch: the last one is open, those before it are full.
   *
   * @param seen what this device knows of the other devices' logs
   * @param covered the device counter up to which its writes stand in the log with these lines
   */
  async append(
    entries: readonly LogEntry[],
    details: {
      readonly seen: ReadonlyMap<string, LogPlace>;
      readonly covered: number;
      readonly atMs: number;
      readonly clock: number;
    },
  ): Promise<HeadToStore[]> {
    const heads: HeadToStore[] = [];
    let left = entries;
    while (left.length > 0) {
      if (this.#state.entries.length === SEGMENT_LIMIT) this.#state = nextSegment(this.#state);
      const room = SEGMENT_LIMIT - this.#state.entries.length;
      // A full segment may be stored and the next one lost: it does not yet speak for what stands in the next.
      const covered = left.length > room ? this.#state.covered : details.covered;
      this.#state = { ...this.#state, entries: [...this.#state.entries, ...left.slice(0, room)], covered };
      left = left.slice(room);
      const segment = {
        ...this.#state,
        deviceId: encodeHex(this.#keys.deviceId),
        seen: details.seen,
        atMs: details.atMs,
      };
      const content = await signSegment(this.#keys, this.#accountId, segment, details.clock);
      heads.push({ index: segment.index, content });
    }
    return heads;
  }
}

function nextSegment(state: OwnLogState): OwnLogState {
  return { index: state.index + 1, before: endOf(state), entries: [], covered: state.covered };
}

function endOf({ before, entries }: OwnLogState): LogPlace {
  const hash = entries.reduce<Uint8Array>((hash, entry) => chain(hash, entry), parseHex(before.hash, 32));
  return { count: before.count + entries.length, hash: encodeHex(hash) };
}
