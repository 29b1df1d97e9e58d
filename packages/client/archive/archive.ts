/**
 * A history as it lies on this device (spec/client.md "On this device"): a list, packs of records by chat, and marks. Everything that
 * belongs together is written at once; a change names the values that it made, and whoever writes them says how that ended. Tabs
 * of one browser share it: `catchUp` first, in turn, then change. Owned by one `AccountKeeper`.
 */
import { encodeUtf8, equalBytes, parseUtf8 } from '@sotto/bytes';
import type { SealedChange } from '@sotto/ports';
import type { OpenedRecord } from '@sotto/vault';
import type { ShownRecord } from '@sotto/vault/heads';
import { ClientError } from '../errors.ts';
import type { Damage } from '../record-keeper.ts';
import { describe, type Entry, encodeEntries, PAGE_LIMIT, parseEntries } from './entries.ts';
import { encodeGroup, encodeMarks, type Mark, parseMarks } from './marks.ts';
import { encodePack, HEADS, KEYS, OTHERS, packLimit, parsePack } from './pack.ts';
import type { Values } from './values.ts';

type Bytes = Uint8Array<ArrayBuffer>;
type Pack = Map<string, OpenedRecord>;

/** The root of everything: the versions of the pages. */
interface Meta {
  readonly version: number;
  /** Of each page: its list and its marks. */
  readonly pages: readonly (readonly [list: number, marks: number])[];
  /** Of `odd`; 0 where there is none. */
  readonly odd: number;
  /** The greatest that was ever seen. */
  readonly clock: number;
  /** A sync has brought something and did not end: heads may be here that list what is not. */
  readonly isArriving?: boolean;
}

/** What is rare: records that did not open, and versions that the server shows in place of what is held. */
interface Odd {
  readonly damaged: ReadonlyMap<string, Damage>;
  readonly shown: ReadonlyMap<string, OpenedRecord>;
}

/** What is read before anything in memory changes. */
interface State {
  readonly meta: Meta;
  readonly lists: ReadonlyMap<number, readonly Entry[]>;
  readonly marks: ReadonlyMap<number, readonly Mark[]>;
  readonly odd: Odd | undefined;
}

const EMPTY_META: Meta = { version: 0, pages: [], odd: 0, clock: 0 };
/** Of a sealed value: form and salt, which differ whenever it was written anew. */
const FINGERPRINT_BYTES = 33;

export class Archive {
  readonly #values: Values;
  readonly #deviceId: string;
  #meta = EMPTY_META;
  /** Of the meta value as it was last read or written; empty where there is none. */
  #fingerprint: Bytes = new Uint8Array(0);
  #version = 0;
  #clock = 0;
  readonly #entries = new Map<string, Entry>();
  readonly #pageSizes = new Map<number, number>();
  readonly #marks = new Map<string, Mark>();
  readonly #marksByGroup = new Map<string, Set<string>>();
  /** As they were last written, for groups that share a page with what changes. */
  readonly #markBytes = new Map<string, Bytes>();
  #hasMarks = false;
  #damaged = new Map<string, Damage>();
  #differing = new Map<string, OpenedRecord>();
  /** Groups whose packs are in memory. */
  readonly #packs = new Map<string, Pack[]>();
  // What is changed and not yet written.
  readonly #dirtyPacks = new Map<string, Set<number>>();
  readonly #dirtyGroups = new Set<string>();
  readonly #dirtyMarks = new Set<number>();
  #isOddDirty = false;
  #isMetaDirty = false;
  /** Of a write the end is not known: what is in memory may not be what is stored. */
  #isDoubtful = false;
  #isClosed = false;

  /** @param deviceId of this device, as hex */
  constructor(values: Values, deviceId: string) {
    this.#values = values;
    this.#deviceId = deviceId;
  }

  /** The list, quickly; the rest comes with `loadMarks` and `load`. @returns false where nothing usable was there */
  async open(): Promise<boolean> {
    const prefix = `${this.#values.name('list')}/`;
    const found = new Map((await this.#values.store.list(prefix)).map(({ name, value }) => [name, value]));
    const name = this.#values.name('list', 'meta');
    const sealed = found.get(name);
    const meta = await this.#values.open(name, sealed, parseMeta);
    const state = meta && (await this.#readState(meta, { lists: meta.pages.keys(), odd: true }, found));
    this.#clear();
    this.#fingerprint = fingerprintOf(sealed);
    if (state !== undefined) this.#adopt(state);
    return state !== undefined;
  }

  /** @returns false where they do not belong to the list, which stays: `catchUp` says whether it is damage */
  async loadMarks(): Promise<boolean> {
    const state = await this.#readState(this.#meta, { marks: this.#meta.pages.keys() });
    this.#assertOpen();
    // In turn, everything was read meanwhile, and is newer than this.
    if (this.#hasMarks) return true;
    if (state === undefined) return false;
    this.#adopt(state);
    this.#hasMarks = true;
    return true;
  }

  get hasMarks(): boolean {
    return this.#hasMarks;
  }

  get clock(): number {
    return this.#clock;
  }

  get damaged(): ReadonlyMap<string, Damage> {
    return this.#damaged;
  }

  entry(groupId: string): Entry | undefined {
    return this.#entries.get(groupId);
  }

  entries(): MapIterator<Entry> {
    return this.#entries.values();
  }

  mark(recordId: string): Mark | undefined {
    return this.#marks.get(recordId);
  }

  marks(): MapIterator<Mark> {
    return this.#marks.values();
  }

  marksOf(groupId: string): Mark[] {
    return [...(this.#marksByGroup.get(groupId) ?? [])].flatMap((recordId) => this.#marks.get(recordId) ?? []);
  }

  /** What the server shows in place of a held record. */
  shownInstead(recordId: string): OpenedRecord | undefined {
    return this.#differing.get(recordId);
  }

  isLoaded(groupId: string): boolean {
    return this.#packs.has(groupId);
  }

  /** Records of a group that is loaded. */
  loaded(groupId: string): OpenedRecord[] {
    return (this.#packs.get(groupId) ?? []).flatMap((pack) => [...pack.values()]);
  }

  get(groupId: string, recordId: string): OpenedRecord | undefined {
    for (const pack of this.#packs.get(groupId) ?? []) {
      const found = pack.get(recordId);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /**
   * Brings packs into memory, in turn or not.
   *
   * @returns what is left of groups of which a pack is damaged, gone, or was written meanwhile: in turn, it is damage
   */
  async load(groupIds: Iterable<string>): Promise<Map<string, Pack[]>> {
    const wanted = [...new Set(groupIds)].filter((groupId) => !this.#packs.has(groupId));
    const entries = new Map(wanted.map((groupId) => [groupId, this.#entries.get(groupId)]));
    const damaged = new Map<string, Pack[]>();
    for (const [groupId, { packs, isWhole }] of await this.read(wanted)) {
      // What is in memory by now may hold what is not stored yet.
      if (this.#packs.has(groupId)) continue;
      if (isWhole && this.#entries.get(groupId) === entries.get(groupId)) this.#packs.set(groupId, packs);
      else damaged.set(groupId, packs);
    }
    if (this.#isClosed) this.#packs.clear();
    return damaged;
  }

  /** In turn: who changes a group has it in memory. */
  unload(groupId: string): void {
    if (!this.#dirtyGroups.has(groupId)) this.#packs.delete(groupId);
  }

  /** Packs as they are stored, without keeping them. */
  async read(groupIds: readonly string[]): Promise<Map<string, { readonly packs: Pack[]; readonly isWhole: boolean }>> {
    const places = groupIds.flatMap((groupId) =>
      (this.#entries.get(groupId)?.packs ?? []).map((version, index) => ({ groupId, version, index })),
    );
    const names = places.map(({ groupId, index }) => this.#packName(groupId, index));
    const sealed = names.length === 0 ? [] : await this.#values.store.get(names);
    const opened = await Promise.all(
      places.map(({ version }, i) =>
        version === 0 ? [] : this.#values.open(names[i] as string, sealed[i], (bytes) => parsePack(bytes, version)),
      ),
    );
    const found = new Map(groupIds.map((groupId) => [groupId, { packs: [] as Pack[], isWhole: true }]));
    for (const [i, { groupId }] of places.entries()) {
      const group = found.get(groupId);
      if (group === undefined) continue;
      group.packs.push(new Map((opened[i] ?? []).map((record) => [record.recordId, record])));
      if (opened[i] === undefined) group.isWhole = false;
    }
    return found;
  }

  get isArriving(): boolean {
    return this.#meta.isArriving === true;
  }

  // Changing: in turn, after `catchUp`, with the groups loaded and the marks there.

  /** Holds a record. @param shown what the server shows of it; `held` where it shows this very version */
  put(groupId: string, record: OpenedRecord, held: ShownRecord, shown: ShownRecord | 'held' | undefined): void {
    const { recordId } = record;
    const earlier = this.#marks.get(recordId);
    if (earlier !== undefined && earlier.groupId !== groupId) this.#takeOut(earlier);
    const packs = this.#packs.get(groupId) ?? [];
    this.#packs.set(groupId, packs);
    let index = packs.findIndex((pack) => pack.has(recordId));
    if (index < 0) index = packs.findIndex((pack) => pack.size < packLimit(groupId));
    if (index < 0) index = packs.push(new Map()) - 1;
    packs[index]?.set(recordId, record);
    this.#dirtyPack(groupId, index);
    this.#clock = Math.max(this.#clock, record.content.clock);
    this.#setMark({ recordId, groupId, held, shown: shown === 'held' ? held : shown });
    if (shown === 'held' && this.#differing.delete(recordId)) this.#isOddDirty = true;
    this.undamage(recordId);
  }

  /** Holds a record no longer; what the server shows of it stays marked. */
  take(recordId: string): OpenedRecord | undefined {
    const mark = this.#marks.get(recordId);
    if (mark?.held === undefined) return undefined;
    const record = this.#takeOut(mark);
    this.#setMark({ ...mark, held: undefined });
    return record;
  }

  /** @param record the version itself, where it is another than the held one */
  show(recordId: string, shown: ShownRecord | 'held' | undefined, record?: OpenedRecord): void {
    const mark = this.#marks.get(recordId);
    if (mark === undefined) return;
    this.#setMark({ ...mark, shown: shown === 'held' ? mark.held : shown });
    const differed = this.#differing.delete(recordId);
    if (record !== undefined) this.#differing.set(recordId, record);
    if (differed || record !== undefined) this.#isOddDirty = true;
  }

  arriving(isArriving: boolean): void {
    if (this.isArriving === isArriving) return;
    this.#meta = { ...this.#meta, isArriving };
    this.#isMetaDirty = true;
  }

  damage(recordId: string, damage: Damage): void {
    this.#damaged.set(recordId, damage);
    this.#isOddDirty = true;
  }

  undamage(recordId: string): void {
    if (this.#damaged.delete(recordId)) this.#isOddDirty = true;
  }

  /** Gives up what a damaged pack held: it is fetched again. @param packs what `load` has found of it */
  giveUp(groupId: string, packs: Pack[]): void {
    this.#packs.set(groupId, packs);
    for (const mark of this.marksOf(groupId)) {
      if (mark.held !== undefined && this.get(groupId, mark.recordId) === undefined) this.#dropMark(mark);
    }
    for (const index of this.#packs.get(groupId)?.keys() ?? []) this.#dirtyPack(groupId, index);
  }

  /** Every value that the changes since the last write made; nothing where there is none. */
  async changes(): Promise<SealedChange[]> {
    this.#assertOpen();
    const isSame = this.#dirtyGroups.size === 0 && this.#dirtyMarks.size === 0 && !this.#isOddDirty;
    if (isSame && !this.#isMetaDirty) return [];
    this.#isDoubtful = true;
    const version = this.#version + 1;
    this.#version = version;
    const changes: Promise<SealedChange>[] = [];
    const dirtyPages = new Set<number>();
    for (const groupId of this.#dirtyGroups) {
      const entry = this.#renewed(groupId, version);
      this.#setEntry(entry);
      dirtyPages.add(entry.page);
      for (const index of this.#dirtyPacks.get(groupId) ?? []) {
        const pack = this.#packs.get(groupId)?.[index];
        const name = this.#packName(groupId, index);
        if (pack === undefined || pack.size === 0) changes.push(Promise.resolve({ name, value: undefined }));
        else changes.push(this.#values.seal(name, encodePack(version, pack.values())));
      }
    }
    const pages = [...this.#meta.pages];
    for (const page of new Set([...dirtyPages, ...this.#dirtyMarks])) {
      const entries = [...this.#entries.values()].filter((entry) => entry.page === page);
      pages[page] = [version, version];
      const marks = new Map(entries.map(({ groupId }) => [groupId, this.#encodedMarks(groupId)]));
      changes.push(this.#values.seal(this.#values.name('list', pageName(page)), encodeEntries(version, entries)));
      changes.push(this.#values.seal(this.#values.name('marks', pageName(page)), encodeMarks(version, marks)));
    }
    if (this.#isOddDirty) {
      const rare = { damaged: this.#damaged, shown: this.#differing };
      changes.push(this.#values.seal(this.#values.name('list', 'odd'), encodeOdd(version, rare)));
    }
    const odd = this.#isOddDirty ? version : this.#meta.odd;
    this.#meta = { ...this.#meta, version, pages, odd, clock: this.#clock };
    this.#isMetaDirty = false;
    const meta = await this.#values.seal(this.#values.name('list', 'meta'), encodeUtf8(JSON.stringify(this.#meta)));
    this.#fingerprint = fingerprintOf(meta.value);
    const sealed = await Promise.all(changes);
    this.#dirtyGroups.clear();
    this.#dirtyPacks.clear();
    this.#dirtyMarks.clear();
    this.#isOddDirty = false;
    return [...sealed, meta];
  }

  /** What `changes` gave is durable. */
  stored(): void {
    this.#isDoubtful = false;
  }

  /**
   * Takes what another tab has written since; after a write that failed, and without marks, everything that is stored.
   *
   * @returns ids of groups that may have changed; undefined where nothing usable is stored any more: what is in memory stays until
   *   it is erased
   */
  async catchUp(): Promise<ReadonlySet<string> | undefined> {
    this.#assertOpen();
    const name = this.#values.name('list', 'meta');
    const sealed = await this.#values.sealed(name);
    if (this.#hasMarks && equalBytes(fingerprintOf(sealed), this.#fingerprint)) return NONE;
    const meta = await this.#values.open(name, sealed, parseMeta);
    const isKnown = this.#hasMarks && !this.#isDoubtful;
    const known = isKnown ? this.#meta : EMPTY_META;
    const differs = (place: 0 | 1) => (page: number) => meta?.pages[page]?.[place] !== known.pages[page]?.[place];
    const pages = [...(meta?.pages.keys() ?? [])];
    const wanted = { lists: pages.filter(differs(0)), marks: pages.filter(differs(1)), odd: meta?.odd !== known.odd };
    const state = meta && (await this.#readState(meta, wanted));
    this.#assertOpen();
    if (state === undefined) return undefined;
    const before = new Map(this.#entries);
    if (!isKnown) this.#clear({ andPacks: false });
    this.#fingerprint = fingerprintOf(sealed);
    this.#adopt(state);
    this.#hasMarks = true;
    const changed = new Set<string>();
    for (const groupId of new Set([...before.keys(), ...this.#entries.keys()])) {
      const [then, now] = [before.get(groupId)?.packs ?? [], this.#entries.get(groupId)?.packs ?? []];
      if (then.length !== now.length || then.some((version, i) => version !== now[i])) changed.add(groupId);
    }
    const fresh = await this.read([...changed].filter((groupId) => this.#packs.has(groupId)));
    for (const [groupId, { packs, isWhole }] of fresh) {
      if (isWhole) this.#packs.set(groupId, packs);
      else this.#packs.delete(groupId);
    }
    return changed;
  }

  /** Erases list, packs and marks. What waits to be sent stays. */
  async erase(): Promise<void> {
    this.#assertOpen();
    for (const area of ['list', 'pack', 'marks'] as const)
      await this.#values.store.erase(`${this.#values.name(area)}/`);
    this.#assertOpen();
    this.#clear();
    this.#fingerprint = new Uint8Array(0);
    this.#hasMarks = true;
  }

  /** Lets go of everything in memory. What is still under way rejects with `store-unavailable`. */
  close(): void {
    this.#isClosed = true;
    this.#clear();
  }

  #assertOpen(): void {
    // CL-239: what is in memory after that is empty, and would replace the list of everything that is kept
    if (this.#isClosed) throw new ClientError('store-unavailable', { rule: 'CL-239' });
  }

  /** Everything at once, before anything in memory changes. @returns undefined where a part of it is not usable */
  async #readState(
    meta: Meta,
    wanted: { readonly lists?: Iterable<number>; readonly marks?: Iterable<number>; readonly odd?: boolean },
    found?: ReadonlyMap<string, Bytes>,
  ): Promise<State | undefined> {
    const [listPages, markPages] = [[...(wanted.lists ?? [])], [...(wanted.marks ?? [])]];
    const names = [
      ...listPages.map((page) => this.#values.name('list', pageName(page))),
      ...markPages.map((page) => this.#values.name('marks', pageName(page))),
      this.#values.name('list', 'odd'),
    ];
    const sealed = found === undefined ? await this.#values.store.get(names) : names.map((name) => found.get(name));
    const open = <Value>(index: number, parse: (bytes: Bytes) => Value | undefined) =>
      this.#values.open(names[index] as string, sealed[index], parse);
    const [lists, marks, odd] = await Promise.all([
      Promise.all(
        listPages.map((page, i) => open(i, (bytes) => parseEntries(bytes, page, meta.pages[page]?.[0] ?? 0))),
      ),
      Promise.all(
        markPages.map((page, i) =>
          open(listPages.length + i, (bytes) => parseMarks(bytes, meta.pages[page]?.[1] ?? 0)),
        ),
      ),
      wanted.odd !== true || meta.odd === 0
        ? NOTHING_ODD
        : open(names.length - 1, (bytes) => parseOdd(bytes, meta.odd)),
    ]);
    if (odd === undefined || [...lists, ...marks].includes(undefined)) return undefined;
    const whole = <Item>(pages: readonly number[], read: readonly (Item[] | undefined)[]) =>
      new Map(pages.map((page, i) => [page, read[i] ?? []]));
    return { meta, lists: whole(listPages, lists), marks: whole(markPages, marks), odd: wanted.odd ? odd : undefined };
  }

  #adopt({ meta, lists, marks, odd }: State): void {
    this.#meta = meta;
    this.#version = meta.version;
    this.#clock = Math.max(this.#clock, meta.clock);
    for (const { groupId, page } of [...this.#entries.values()]) {
      if (marks.has(page) || page >= meta.pages.length) for (const mark of this.marksOf(groupId)) this.#dropMark(mark);
      if (lists.has(page) || page >= meta.pages.length) this.#entries.delete(groupId);
    }
    for (const entries of lists.values()) for (const entry of entries) this.#entries.set(entry.groupId, entry);
    this.#pageSizes.clear();
    for (const entry of this.#entries.values()) this.#countPage(entry);
    for (const some of marks.values()) for (const mark of some) this.#setMark(mark);
    if (odd !== undefined) {
      this.#damaged = new Map(odd.damaged);
      this.#differing = new Map(odd.shown);
    }
    this.#dirtyGroups.clear();
    this.#dirtyMarks.clear();
    this.#isMetaDirty = false;
  }

  #clear({ andPacks = true } = {}): void {
    this.#meta = EMPTY_META;
    this.#entries.clear();
    this.#pageSizes.clear();
    this.#marks.clear();
    this.#marksByGroup.clear();
    this.#markBytes.clear();
    if (andPacks) this.#packs.clear();
    this.#dirtyGroups.clear();
    this.#dirtyPacks.clear();
    this.#dirtyMarks.clear();
    this.#damaged = new Map();
    this.#differing = new Map();
    this.#isOddDirty = false;
    this.#isDoubtful = false;
    this.#hasMarks = false;
  }

  #renewed(groupId: string, version: number): Entry {
    const packs = this.#packs.get(groupId) ?? [];
    const earlier = this.#entries.get(groupId);
    const dirty = this.#dirtyPacks.get(groupId);
    const versions = packs.map((pack, index) =>
      pack.size === 0 ? 0 : dirty?.has(index) ? version : (earlier?.packs[index] ?? version),
    );
    const isChat = groupId !== HEADS && groupId !== OTHERS && groupId !== KEYS;
    const told = isChat
      ? describe(groupId, this.loaded(groupId), this.#deviceId)
      : { summary: undefined, state: undefined, unfinished: false };
    return { groupId, page: earlier?.page ?? this.#pageWithRoom(), packs: versions, ...told };
  }

  #pageWithRoom(): number {
    const last = Math.max(0, this.#pageSizes.size - 1);
    return (this.#pageSizes.get(last) ?? 0) < PAGE_LIMIT ? last : last + 1;
  }

  #setEntry(entry: Entry): void {
    if (!this.#entries.has(entry.groupId)) this.#countPage(entry);
    this.#entries.set(entry.groupId, entry);
  }

  #countPage({ page }: Entry): void {
    this.#pageSizes.set(page, (this.#pageSizes.get(page) ?? 0) + 1);
  }

  #setMark(mark: Mark): void {
    if (mark.held === undefined && mark.shown === undefined) {
      this.#dropMark(mark);
      return;
    }
    const earlier = this.#marks.get(mark.recordId);
    if (earlier !== undefined && earlier.groupId !== mark.groupId) this.#dropMark(earlier);
    this.#marks.set(mark.recordId, mark);
    const group = this.#marksByGroup.get(mark.groupId) ?? new Set();
    this.#marksByGroup.set(mark.groupId, group.add(mark.recordId));
    this.#touchMarks(mark.groupId);
  }

  #dropMark({ recordId, groupId }: Mark): void {
    this.#marks.delete(recordId);
    this.#marksByGroup.get(groupId)?.delete(recordId);
    this.#touchMarks(groupId);
  }

  #encodedMarks(groupId: string): Bytes {
    const encoded = this.#markBytes.get(groupId) ?? encodeGroup(this.marksOf(groupId));
    this.#markBytes.set(groupId, encoded);
    return encoded;
  }

  #touchMarks(groupId: string): void {
    this.#markBytes.delete(groupId);
    if (!this.#hasMarks) return;
    const page = this.#entries.get(groupId)?.page;
    if (page === undefined) this.#dirtyGroups.add(groupId);
    else this.#dirtyMarks.add(page);
  }

  #takeOut({ recordId, groupId }: Mark): OpenedRecord | undefined {
    for (const [index, pack] of (this.#packs.get(groupId) ?? []).entries()) {
      const record = pack.get(recordId);
      if (record === undefined) continue;
      pack.delete(recordId);
      this.#dirtyPack(groupId, index);
      return record;
    }
    return undefined;
  }

  #dirtyPack(groupId: string, index: number): void {
    this.#dirtyGroups.add(groupId);
    const dirty = this.#dirtyPacks.get(groupId) ?? new Set();
    this.#dirtyPacks.set(groupId, dirty.add(index));
  }

  #packName(groupId: string, index: number): string {
    return this.#values.name('pack', `${groupId}/${pageName(index)}`);
  }
}

const NONE: ReadonlySet<string> = new Set();
const NOTHING_ODD: Odd = { damaged: new Map(), shown: new Map() };

function fingerprintOf(sealed: Uint8Array | undefined): Bytes {
  return new Uint8Array((sealed ?? new Uint8Array(0)).slice(0, FINGERPRINT_BYTES));
}

/** In order of code units, as a store lists them. */
function pageName(index: number): string {
  return String(index).padStart(6, '0');
}

function parseMeta(bytes: Uint8Array): Meta {
  return JSON.parse(parseUtf8(bytes)) as Meta;
}

function encodeOdd(version: number, { damaged, shown }: Odd): Bytes {
  return encodeUtf8(JSON.stringify({ version, damaged: [...damaged], shown: [...shown.values()] }));
}

function parseOdd(bytes: Uint8Array, expectedVersion: number): Odd | undefined {
  const { version, damaged, shown } = JSON.parse(parseUtf8(bytes)) as {
    readonly version: number;
    readonly damaged: [string, Damage][];
    readonly shown: OpenedRecord[];
  };
  if (version !== expectedVersion) return undefined;
  return { damaged: new Map(damaged), shown: new Map(shown.map((record) => [record.recordId, record])) };
}
