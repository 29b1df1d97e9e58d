/**
 * Two generations of one sealed store (spec/client.md "On this device"). A storage keeps what was removed in its files, often for
 * long; what it drops whole leaves them. So the values that still count move, a few at a time, from the older generation to the newer one,
 * and the older one is dropped. Meanwhile every read asks both and every write goes to the newer one. Any number of tabs may read
 * and write, and one of them moves.
 */
import type { SealedChange, SealedStore } from '@sotto/ports';
import { BrowserError } from './error.ts';

type Bytes = Uint8Array<ArrayBuffer>;
type ListOptions = Parameters<SealedStore['list']>[1];

/** `null`: removed, whatever the older generation holds. */
export type Held = Bytes | null;

export interface HeldValue {
  readonly name: string;
  readonly value: Held;
}

/** One transaction: first `erase`, then `put`, then `add`. */
export interface GenerationChange {
  /** Every name under this prefix goes. */
  readonly erase?: string;
  /** `undefined`: the name goes. */
  readonly put?: readonly { readonly name: string; readonly value: Held | undefined }[];
  /** Where nothing is held, not even `null`. */
  readonly add?: readonly HeldValue[];
}

export interface Generation {
  get(names: readonly string[]): Promise<(Held | undefined)[]>;
  names(prefix: string): Promise<string[]>;
  /** As `SealedStore.list`. */
  list(prefix: string, options?: ListOptions): Promise<HeldValue[]>;
  change(change: GenerationChange): Promise<void>;
  /** Reads and changes in one transaction. @param compute called once or again, with what these names hold */
  update(names: readonly string[], compute: (held: (Held | undefined)[]) => GenerationChange): Promise<void>;
}

export interface BrowserSealedStore extends SealedStore {
  /** Writes what `compute` makes of the values of these names, in one transaction. It may be called again. */
  update(names: readonly string[], compute: Compute): Promise<void>;
}

export interface Generations {
  /** Absent where nothing moves. */
  readonly older?: Generation;
  readonly newer: Generation;
}

/** Values that move in one step: how much is in memory, and how long others wait. */
const STEP_VALUES = 16;

// Everywhere below the older one is read before the newer one: what moves between the two reads is then in both, never in none.

export async function getIn({ older, newer }: Generations, names: readonly string[]): Promise<(Bytes | undefined)[]> {
  const before = (await older?.get(names)) ?? [];
  return joined(before, await newer.get(names));
}

export async function listIn(
  { older, newer }: Generations,
  prefix: string,
  { after = '', limit = Number.POSITIVE_INFINITY }: NonNullable<ListOptions> = {},
): Promise<{ name: string; value: Bytes }[]> {
  const found: { name: string; value: Bytes }[] = [];
  for (let from = after; ; ) {
    const size = limit - found.length;
    const options = size === Number.POSITIVE_INFINITY ? { after: from } : { after: from, limit: size };
    const before = (await older?.list(prefix, options)) ?? [];
    const now = await newer.list(prefix, options);
    // A full page says nothing of the names after its last one.
    const ends = [before, now].flatMap((page) => (page.length >= size ? [page.at(-1)?.name ?? from] : [])).sort();
    const end = ends[0];
    const values = new Map([...before, ...now].map(({ name, value }) => [name, value]));
    for (const name of [...values.keys()].sort()) {
      const value = values.get(name);
      if (value && (end === undefined || name <= end)) found.push({ name, value });
    }
    if (end === undefined || found.length >= limit) return found.slice(0, limit);
    from = end;
  }
}

export function writeIn({ older, newer }: Generations, changes: readonly SealedChange[]): Promise<void> {
  return newer.change(putting(changes, older));
}

/** Writes what `compute` makes of the values of these names; nobody writes in between. */
export async function updateIn(
  { older, newer }: Generations,
  names: readonly string[],
  compute: Compute,
): Promise<void> {
  const before = (await older?.get(names)) ?? [];
  await newer.update(names, (held) => putting(compute(joined(before, held)), older));
}

export type Compute = (values: (Bytes | undefined)[]) => readonly SealedChange[];

function joined(before: readonly (Held | undefined)[], now: readonly (Held | undefined)[]): (Bytes | undefined)[] {
  return now.map((value, at) => (value === undefined ? before[at] : value) ?? undefined);
}

function putting(changes: readonly SealedChange[], older: Generation | undefined): GenerationChange {
  // CL-266: a name that is only taken away here would come back with the value that the older generation still holds
  const removed = older === undefined ? undefined : null;
  return { put: changes.map(({ name, value }) => ({ name, value: value ?? removed })) };
}

export async function eraseIn({ older, newer }: Generations, prefix: string): Promise<void> {
  const names = (await older?.names(prefix)) ?? [];
  await newer.change({ erase: prefix, put: names.map((name) => ({ name, value: null })) });
}

/** Moves some values. @returns whether there may be more */
export async function moveSome({ older, newer }: Generations): Promise<boolean> {
  const some = (await older?.list('', { limit: STEP_VALUES })) ?? [];
  if (older === undefined || some.length === 0) return false;
  // There first and here no more second, and (CL-267) over nothing that was written since: an end in between loses nothing
  await newer.change({ add: some.filter(({ value }) => value !== null) });
  await older.change({ put: some.map(({ name }) => ({ name, value: undefined })) });
  return true;
}

/** @throws BrowserError `store-unavailable` */
export async function assertEmpty(generation: Generation): Promise<void> {
  const names = await generation.names('');
  // CL-267: whatever went wrong before, what still counts is never dropped
  if (names.length > 0) throw new BrowserError('store-unavailable');
}
