/**
 * A sealed store in memory that can also fail as a disk and a browser do. Honest by default, it is the reference for the
 * contract suite (sealed-store-contract.ts). Tests only.
 */
import type { Random, SealedChange, SealedStore } from '@sotto/ports';
import { StoreError } from './record-store.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * `lost`: refused, nothing applied. `applied`: applied, and reported as failed. `full`: refused as `store-full`.
 * `power-cut`: nothing applied, and every later call is refused until `reopen`; `power-cut-after`: the same, once applied.
 */
export type SealedFault = 'lost' | 'applied' | 'full' | 'power-cut' | 'power-cut-after';

export interface MemorySealedStore extends SealedStore {
  /** The next `writes` writes fail in this way, after `after` that work. */
  failWrites(fault: SealedFault, writes?: number, after?: number): void;
  /** From now on about one write in `oneIn` fails, in one of these ways; `heal` ends it. */
  failAtRandom(random: Random, oneIn: number, faults: readonly SealedFault[]): void;
  /** Every `get` and `list` is refused while true. */
  failReads(refused: boolean): void;
  /** Ends every planned fault, but not a power cut. */
  heal(): void;
  /** What the next start of the device finds: another store over the same values. */
  reopen(): MemorySealedStore;
  /** Names that are there now, in order. */
  names(): string[];
  /** Puts any bytes at all in place of a value, or takes it away, as another program or the browser would. */
  damage(name: string, value: Bytes | undefined): void;
  /** Sum of all values. */
  readonly usedBytes: number;
  /** How often it was asked to purge. */
  readonly purges: number;
}

export interface MemorySealedStoreOptions {
  /** Sum of all values beyond which a write is `store-full`. */
  readonly capacityBytes?: number;
}

export function createMemorySealedStore(options: MemorySealedStoreOptions = {}): MemorySealedStore {
  return over(new Map(), options);
}

function over(values: Map<string, Bytes>, options: MemorySealedStoreOptions): MemorySealedStore {
  const { capacityBytes = Number.POSITIVE_INFINITY } = options;
  let planned: { fault: SealedFault; left: number; after: number } | undefined;
  let chance: { random: Random; oneIn: number; faults: readonly SealedFault[] } | undefined;
  let isDown = false;
  let refusesReads = false;
  let purges = 0;

  const sizeOf = (held: ReadonlyMap<string, Bytes>) => [...held.values()].reduce((sum, { length }) => sum + length, 0);
  const nextFault = (): SealedFault | undefined => {
    if (planned !== undefined) {
      if (planned.after-- > 0) return undefined;
      const { fault } = planned;
      if (--planned.left <= 0) planned = undefined;
      return fault;
    }
    if (chance === undefined) return undefined;
    const [a = 0, b = 0] = chance.random.bytes(2);
    return a % chance.oneIn === 0 ? chance.faults[b % chance.faults.length] : undefined;
  };
  const unavailable = () => new StoreError('store-unavailable');
  const assertReadable = () => {
    if (isDown || refusesReads) throw unavailable();
  };
  const apply = (changes: readonly SealedChange[]): void => {
    const last = new Map(changes.map(({ name, value }) => [name, value]));
    if (capacityBytes < Number.POSITIVE_INFINITY) {
      const kept = new Map([...values].filter(([name]) => !last.has(name)));
      const added = [...last.values()].reduce((sum, value) => sum + (value?.length ?? 0), 0);
      if (sizeOf(kept) + added > capacityBytes) throw new StoreError('store-full');
    }
    for (const [name, value] of last) {
      if (value === undefined) values.delete(name);
      else values.set(name, value);
    }
  };
  const write = async (given: readonly SealedChange[]): Promise<void> => {
    const changes = given.map(({ name, value }) => ({ name, value: value?.slice() }));
    if (isDown) throw unavailable();
    const fault = nextFault();
    if (fault === 'full') throw new StoreError('store-full');
    if (fault === 'power-cut') isDown = true;
    if (fault === 'lost' || fault === 'power-cut') throw unavailable();
    apply(changes);
    if (fault === 'power-cut-after') isDown = true;
    if (fault !== undefined) throw unavailable();
  };
  const namesOf = (prefix: string, after = '') =>
    [...values.keys()].filter((name) => name > after && name.startsWith(prefix)).sort(byCodeUnits);

  return {
    async get(names) {
      assertReadable();
      return names.map((name) => values.get(name)?.slice());
    },
    async list(prefix, { after = '', limit = Number.POSITIVE_INFINITY } = {}) {
      assertReadable();
      const names = namesOf(prefix, after);
      return names.slice(0, limit).map((name) => ({ name, value: (values.get(name) as Bytes).slice() }));
    },
    write,
    erase: (prefix) => write(namesOf(prefix).map((name) => ({ name, value: undefined }))),
    async purge() {
      if (isDown) throw unavailable();
      purges++;
    },
    get purges() {
      return purges;
    },
    failWrites(fault, writes = 1, after = 0) {
      planned = { fault, left: writes, after };
    },
    failAtRandom(random, oneIn, faults) {
      chance = { random, oneIn, faults };
    },
    failReads(refused) {
      refusesReads = refused;
    },
    heal() {
      planned = undefined;
      chance = undefined;
      refusesReads = false;
    },
    reopen: () => over(values, options),
    names: () => namesOf(''),
    damage(name, value) {
      if (value === undefined) values.delete(name);
      else values.set(name, value.slice());
    },
    get usedBytes() {
      return sizeOf(values);
    },
  };
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
