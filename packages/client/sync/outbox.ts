/**
 * The outbox: writes that the server has not confirmed, in the order in which they must reach it, sealed in the device's store
 * (spec/client.md "Sync"). The store is another program's to change: an entry that does not open is as if it were gone.
 *
 *     name  = acct/<account>/outbox/<order, 16 digits>-<revision, 6 digits>-<kind>-<record id>     kind 0 write, 1 head, 2 removal
 *     value = sealed under the local key and its name: the record's envelope; empty for a removal
 */
import { SottoError } from '@sotto/bytes';
import type { SealedChange, SealedStore } from '@sotto/ports';
import type { LocalSeal } from './local-seal.ts';
import type { Enqueued, OutgoingWrite } from './sync-types.ts';

type Bytes = Uint8Array<ArrayBuffer>;
type Kind = 'write' | 'head' | 'removal';

const KINDS: readonly Kind[] = ['write', 'head', 'removal'];
const NAME = /^(\d{16})-(\d{6})-([012])-([0-9a-f]{32})$/;
const REVISION_LIMIT = 999_999;
const PAGE = 500;

interface Place {
  readonly name: string;
  readonly order: number;
  readonly revision: number;
  readonly kind: Kind;
  readonly recordId: string;
}

/** What the last part of a name says. @returns undefined for another form */
export function parseWaiting(name: string): { readonly kind: Kind; readonly recordId: string } | undefined {
  const [, , , kind, recordId] = NAME.exec(name) ?? [];
  return recordId === undefined ? undefined : { kind: KINDS[Number(kind)] as Kind, recordId };
}

/** A write as it waits. */
export interface WaitingWrite {
  readonly name: string;
  readonly recordId: string;
  readonly envelope: Bytes | undefined;
}

export class Outbox {
  readonly #store: SealedStore;
  readonly #seal: LocalSeal;
  readonly #prefix: string;
  /** What waits, in order: that of this program, and what it found when it loaded. A place that is rewritten keeps its key. */
  #places = new Map<number, Place>();
  /** The same by record: its writes, and behind them its removal. */
  #byRecord = new Map<string, readonly Place[]>();
  #last = 0;
  #lastRemoval = 0;
  /** Of what waits, by this program. */
  #changeCount = 0;

  /** @param prefix of the names, ending in a slash */
  constructor(store: SealedStore, seal: LocalSeal, prefix: string) {
    this.#store = store;
    this.#seal = seal;
    this.#prefix = prefix;
  }

  get count(): number {
    return this.#places.size;
  }

  has(recordId: string): boolean {
    return this.#byRecord.has(recordId);
  }

  isRemoving(recordId: string): boolean {
    return this.#byRecord.get(recordId)?.at(-1)?.kind === 'removal';
  }

  /** May be called at any time, also beside writes of this program, and twice at once. */
  async load(): Promise<void> {
    for (;;) {
      const before = this.#changeCount;
      const found = await this.#list();
      // CL-386: what was put in its place meanwhile would be forgotten, or taken for an earlier one and erased
      if (before !== this.#changeCount) continue;
      return this.#replace(found);
    }
  }

  async #list(): Promise<Place[]> {
    const found: Place[] = [];
    for (let after: string | undefined; ; ) {
      const page = await this.#store.list(this.#prefix, { limit: PAGE, ...(after === undefined ? {} : { after }) });
      found.push(...page.flatMap(({ name }) => this.#parse(name) ?? []));
      after = page.at(-1)?.name;
      if (page.length < PAGE) return found;
    }
  }

  /** At once, before anything else can happen. */
  async #replace(found: readonly Place[]): Promise<void> {
    this.#places = new Map();
    this.#byRecord = new Map();
    const outdated: string[] = [];
    for (const place of found) {
      const earlier = this.#places.get(place.order);
      // Two tabs wrote the same record anew: the earlier of the two would undo the later one.
      if (earlier?.recordId === place.recordId) outdated.push(earlier.name);
      this.#add(place);
    }
    if (outdated.length > 0) await this.#store.write(outdated.map((name) => ({ name, value: undefined })));
  }

  /** The changes that put the writes in their places. Call within a turn; `ended` before the next `enqueue`. */
  async enqueue(writes: readonly OutgoingWrite[]): Promise<Enqueued> {
    await this.#learnLast();
    const [removed, added, news] = [new Set<Place>(), new Map<string, Place>(), [] as Place[]];
    const changes = new Map<string, Bytes | undefined>();
    for (const { recordId, envelope, isHead } of writes) {
      const kind = envelope === undefined ? 'removal' : isHead === true ? 'head' : 'write';
      const standing = added.get(recordId) ?? this.#byRecord.get(recordId)?.at(-1);
      if (kind === 'removal' && standing?.kind === kind) continue;
      // CL-202: a head that tells of a removal stays before it.
      const isNeeded = kind === 'head' && standing !== undefined && standing.order < this.#lastRemoval;
      const isRewrite = standing?.kind === kind && !isNeeded;
      if (isRewrite) {
        removed.add(standing);
        changes.set(standing.name, undefined);
      }
      // CL-209: a head that kept its place would reach the server before what it lists.
      const keepsPlace = isRewrite && kind === 'write' && standing.revision < REVISION_LIMIT;
      const order = keepsPlace ? standing.order : ++this.#last;
      const place = this.#place(order, keepsPlace ? standing.revision + 1 : 0, kind, recordId);
      if (kind === 'removal') this.#lastRemoval = order;
      added.set(recordId, place);
      news.push(place);
      changes.set(place.name, await this.#seal.seal(place.name, envelope ?? new Uint8Array()));
    }
    return {
      changes: [...changes].map(([name, value]) => ({ name, value })),
      ended: (isStored) => {
        if (!isStored) return;
        this.#changeCount++;
        for (const place of news) if (!removed.has(place)) this.#add(place);
        for (const place of removed) this.#drop(place);
      },
    };
  }

  /**
   * The first writes, each record once, with at most so many bytes (or one). What another tab has sent meanwhile is no longer
   * there, what it wrote meanwhile is its own to send, and what does not open is dropped.
   */
  async first(limitCount: number, limitBytes: number): Promise<readonly WaitingWrite[]> {
    for (;;) {
      const places = firstOf(this.#places.values(), limitCount);
      if (places.length === 0) return [];
      const values = await this.#store.get(places.map(({ name }) => name));
      const found: WaitingWrite[] = [];
      const damaged: Place[] = [];
      let bytes = 0;
      for (const [i, place] of places.entries()) {
        const opened = await this.#open(place, values[i]);
        if (opened === undefined) {
          damaged.push(place);
          continue;
        }
        bytes += opened.envelope?.length ?? 0;
        const isNext = found.length === 0 || bytes <= limitBytes;
        // The second write of a record is sent on the sequence that the first one gets.
        if (!isNext || found.some(({ recordId }) => recordId === place.recordId)) break;
        found.push(opened);
      }
      if (damaged.length > 0) this.#changeCount++;
      for (const place of damaged) this.#drop(place);
      if (damaged.length > 0) await this.#store.write(damaged.map(({ name }) => ({ name, value: undefined })));
      if (found.length > 0) return found;
    }
  }

  /** The changes that take confirmed writes out. */
  remove(sent: readonly WaitingWrite[]): readonly SealedChange[] {
    return sent.map(({ name }) => ({ name, value: undefined }));
  }

  /** Once those changes are durable. */
  removed(sent: readonly WaitingWrite[]): void {
    this.#changeCount++;
    for (const { name } of sent) {
      const place = this.#parse(name);
      if (place !== undefined) this.#drop(place);
    }
  }

  /** Writes of these records that wait, but for those that this device has removed since: their heads wait behind them. */
  writesOf(recordIds: Iterable<string>): WaitingWrite[] {
    return [...recordIds].flatMap((recordId) => {
      // CL-220: what a head lists, that waits between the two, would never have been there.
      if (this.isRemoving(recordId)) return [];
      return (this.#byRecord.get(recordId) ?? []).map(waitingAt);
    });
  }

  /** Writes of records that this device has removed since, and that are gone already: another device removed them, too. */
  writesOfGone(recordIds: Iterable<string>): WaitingWrite[] {
    return [...recordIds].flatMap((recordId) => {
      if (!this.isRemoving(recordId)) return [];
      return (this.#byRecord.get(recordId) ?? []).filter(({ kind }) => kind !== 'removal').map(waitingAt);
    });
  }

  async #open({ name, recordId, kind }: Place, value: Bytes | undefined): Promise<WaitingWrite | undefined> {
    if (value === undefined) return undefined;
    try {
      const envelope = await this.#seal.open(name, value);
      return { name, recordId, envelope: kind === 'removal' ? undefined : envelope };
    } catch (error) {
      // CL-210: what another program spoiled must not stop everything behind it.
      if (error instanceof SottoError) return undefined;
      throw error;
    }
  }

  /** Another tab of this device may have put writes behind the last one known here. */
  async #learnLast(): Promise<void> {
    const after = `${this.#prefix}${digits(this.#last, 16)}.`;
    for (const { name } of await this.#store.list(this.#prefix, { after })) {
      this.#last = Math.max(this.#last, this.#parse(name)?.order ?? 0);
    }
  }

  #place(order: number, revision: number, kind: Kind, recordId: string): Place {
    const name = `${this.#prefix}${digits(order, 16)}-${digits(revision, 6)}-${KINDS.indexOf(kind)}-${recordId}`;
    return { name, order, revision, kind, recordId };
  }

  #parse(name: string): Place | undefined {
    const [, order, revision, kind, recordId] = NAME.exec(name.slice(this.#prefix.length)) ?? [];
    if (recordId === undefined) return undefined;
    return this.#place(Number(order), Number(revision), KINDS[Number(kind)] as Kind, recordId);
  }

  #add(place: Place): void {
    const { order, recordId, kind } = place;
    this.#last = Math.max(this.#last, order);
    if (kind === 'removal') this.#lastRemoval = Math.max(this.#lastRemoval, order);
    this.#places.set(order, place);
    const others = (this.#byRecord.get(recordId) ?? []).filter((each) => each.order !== order);
    this.#byRecord.set(
      recordId,
      [...others, place].toSorted((a, b) => a.order - b.order),
    );
  }

  #drop({ name, order, recordId }: Place): void {
    if (this.#places.get(order)?.name === name) this.#places.delete(order);
    const kept = (this.#byRecord.get(recordId) ?? []).filter((place) => place.name !== name);
    if (kept.length === 0) this.#byRecord.delete(recordId);
    else this.#byRecord.set(recordId, kept);
  }
}

const waitingAt = ({ name, recordId }: Place): WaitingWrite => ({ name, recordId, envelope: undefined });

function firstOf<Value>(values: Iterable<Value>, limit: number): Value[] {
  const first: Value[] = [];
  for (const value of values) if (first.push(value) >= limit) break;
  return first;
}

const digits = (value: number, width: number) => String(value).padStart(width, '0');
