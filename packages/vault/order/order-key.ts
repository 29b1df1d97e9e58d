/**
 * Keys that put things into an order a person chose (spec/vault.md, "Order"): short texts that compare by code units. There is
 * always room between two of them, so a move rewrites one thing and not its neighbours. Keys of other devices are input.
 */
import type { Random } from '@sotto/ports';
import { compareText } from '../registers.ts';

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const BASE = 62n;
/** Digits of a key at an open end: 14 million places, of which a new one takes at most 128. */
const END_DIGITS = 4;
const END_STEP = 64n;
/** Places that a gap must have before one is drawn: two devices that choose the same gap at once rarely choose one place. */
const ROOM = 4096n;

/** Longer ones are not read, and not written. */
export const ORDER_KEY_LIMIT = 512;

/** What has a place; `id` decides between equal keys. */
export interface Placed {
  readonly id: string;
  /** Undefined for what has none yet: it stands at the end. */
  readonly key: string | undefined;
}

/** A key in the one spelling that leaves room before it: digits and letters, no zero at its end. */
export function isOrderKey(value: unknown): value is string {
  // CL-295: below a key that ends in zero there may be no room, and an endless one would fill a record
  if (typeof value !== 'string' || value.length > ORDER_KEY_LIMIT || !/^[0-9A-Za-z]*[1-9A-Za-z]$/.test(value))
    return false;
  return true;
}

/** First to last: by key, then id; without a key at the end. The same on every device. */
export function comparePlaced(a: Placed, b: Placed): number {
  if (a.key === undefined || b.key === undefined) {
    return Number(a.key === undefined) - Number(b.key === undefined) || compareText(a.id, b.id);
  }
  return compareText(a.key, b.key) || compareText(a.id, b.id);
}

/**
 * A new key between two; undefined stands for the open end. Drawn from the middle of the gap, so that two devices that put
 * something there at once rarely draw the same.
 *
 * @param before, after order keys, `before` the lesser
 * @returns undefined where no key of a readable length fits
 */
export function orderKeyBetween(
  before: string | undefined,
  after: string | undefined,
  random: Random,
): string | undefined {
  if (before !== undefined && after !== undefined && before >= after) return undefined;
  const isOpen = before === undefined || after === undefined;
  // The digits that both begin with leave no gap between them.
  for (let length = isOpen ? END_DIGITS : shared(before, after) + 1; length <= ORDER_KEY_LIMIT; length++) {
    const low = numberOf(before ?? '', length) + (before !== undefined && before.length > length ? 1n : 0n);
    const high = after === undefined ? BASE ** BigInt(length) : numberOf(after, length);
    const gap = high - low;
    if (gap < ROOM) continue;
    return keyOf(draw(low, high, before === undefined, after === undefined, random), length);
  }
  return undefined;
}

/**
 * What to write so that `id` stands at `index` among the others: one key; where two others have the same one, or no room is
 * left, new keys for all.
 *
 * @param others in their order, without `id`
 */
export function place(others: readonly Placed[], id: string, index: number, random: Random): Map<string, string> {
  const [before, after] = [others[index - 1], others[index]];
  // What has no key stands at the end by its id alone: nothing can be put before it.
  const isOpen = (before === undefined || before.key !== undefined) && (after === undefined || after.key !== undefined);
  const key = isOpen ? orderKeyBetween(before?.key, after?.key, random) : undefined;
  if (key !== undefined) return new Map([[id, key]]);
  const keys = new Map<string, string>();
  let last: string | undefined;
  for (const each of [
    ...others.slice(0, index).map((other) => other.id),
    id,
    ...others.slice(index).map((other) => other.id),
  ]) {
    last = orderKeyBetween(last, undefined, random) as string;
    keys.set(each, last);
  }
  return keys;
}

/** Near an open end a small step, which leaves the rest of the room to later ones; else from the middle half of the gap. */
function draw(low: bigint, high: bigint, isFirst: boolean, isLast: boolean, random: Random): bigint {
  const gap = high - low;
  if (isFirst && isLast) return low + gap / 2n + (numberFrom(random) % END_STEP);
  if (isLast) return low + END_STEP + (numberFrom(random) % END_STEP);
  if (isFirst) return high - END_STEP - (numberFrom(random) % END_STEP);
  return low + gap / 4n + (numberFrom(random) % (gap / 2n));
}

/** 64 bits: the gap that is drawn from is never much wider than ROOM times the base. */
function numberFrom(random: Random): bigint {
  return random.bytes(8).reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
}

function shared(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}

function numberOf(key: string, length: number): bigint {
  let number = 0n;
  for (let i = 0; i < length; i++) number = number * BASE + BigInt(Math.max(0, DIGITS.indexOf(key[i] ?? '0')));
  return number;
}

/** Without the zeros at its end: they would say nothing and take the room below. */
function keyOf(number: bigint, length: number): string {
  let key = '';
  for (let i = 0; i < length; i++) {
    key = DIGITS[Number(number % BASE)] + key;
    number /= BASE;
  }
  return key.replace(/0+$/, '');
}
