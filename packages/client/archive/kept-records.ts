/**
 * What this device keeps of an account and what of it is in memory, as every other part of the keeper uses it (spec/client.md "On
 * this device"): in turn, `catchUp` first, then `ensure`, then changes of the archive, then `commit`. Owned by one `AccountKeeper`.
 */
import type { SealedChange } from '@sotto/ports';
import { conversationOf, type OpenedRecord } from '@sotto/vault';
import { HeldRecords } from '../held-records.ts';
import type { RecordChange } from '../record-keeper.ts';
import type { Engine } from '../sync/engine.ts';
import type { OutgoingWrite } from '../sync/sync-types.ts';
import type { WatchState } from '../watch/state.ts';
import type { Archive } from './archive.ts';
import { ALWAYS, groupOf } from './groups.ts';
import { HEADS } from './pack.ts';
import type { Values } from './values.ts';
import type { WatchMemory } from './watch-memory.ts';

/** Chats that stay in memory after they were opened. */
const OPEN_LIMIT = 6;

export class KeptRecords {
  readonly archive: Archive;
  readonly engine: Engine;
  /** What is in view: every record that belongs to no chat, and the chats that are open. */
  readonly held = new HeldRecords();
  /** Written by the person and not stored: in memory until a later try works. */
  readonly unsaved = new Map<string, OpenedRecord>();
  /** Chats that were opened, the last one last. */
  open: readonly string[] = [];
  /** Nothing has been fetched since this device began to keep something. */
  isFresh = false;
  isClosed = false;
  onChanged: (changes: readonly RecordChange[]) => void = () => undefined;
  /** Told when everything is to be fetched anew. */
  onBegin: () => void = () => undefined;
  readonly #values: Values;
  readonly #memory: WatchMemory;
  /** More may be in view than is kept. */
  #isViewAhead = false;
  #marks: Promise<void> | undefined;

  constructor(values: Values, archive: Archive, engine: Engine, memory: WatchMemory) {
    this.#values = values;
    this.archive = archive;
    this.engine = engine;
    this.#memory = memory;
  }

  /** Reads the list, or begins. @throws SottoError `store-unavailable` */
  async start(): Promise<void> {
    if (!(await this.archive.open())) await this.engine.inTurn(() => this.#beginUnlessBegun());
    await this.engine.load();
    await this.read(ALWAYS);
    for (const groupId of ALWAYS) for (const record of this.archive.loaded(groupId)) this.held.set(record);
  }

  /** In turn. */
  async #beginUnlessBegun(): Promise<void> {
    // CL-268: another tab has begun while this one waited for its turn, and all it wrote would be erased
    if (await this.archive.open()) return;
    await this.#begin();
  }

  /** In turn. Nothing usable is here: everything is fetched anew. What waits to be sent stays, and what is in view. */
  async #begin(): Promise<void> {
    this.isFresh = true;
    this.#isViewAhead = true;
    this.onBegin();
    await this.#values.store.write([{ name: this.#values.name('cursor'), value: undefined }]);
    await this.archive.erase();
    this.tell([]);
  }

  /** Marks are read behind the list; every change needs them. */
  marksThere(): Promise<void> {
    this.#marks ??= this.#loadMarks().catch((error: unknown) => {
      // The next one who needs them tries again: a store that refused once would refuse for the whole visit.
      this.#marks = undefined;
      throw error;
    });
    return this.#marks;
  }

  async #loadMarks(): Promise<void> {
    if (this.archive.hasMarks || (await this.archive.loadMarks())) return;
    // Another tab may have written between the list and the marks, which is no damage.
    await this.engine.inTurn(() => this.catchUp());
  }

  /** Packs into memory. What another tab has written meanwhile is no damage; what is damage is fetched again. */
  async read(groupIds: readonly string[]): Promise<void> {
    if ((await this.archive.load(groupIds)).size === 0) return;
    await this.marksThere();
    await this.engine.inTurn(async () => {
      await this.catchUp();
      await this.ensure(groupIds);
    });
  }

  /** Reads packs and uses them at once: what goes on in turn may let go of them a moment later. */
  async reading<Result>(groupIds: readonly string[], use: () => Result): Promise<Result> {
    for (;;) {
      await this.read(groupIds);
      if (this.isClosed || groupIds.every((groupId) => this.archive.isLoaded(groupId))) return use();
    }
  }

  /** Chats that were opened long ago leave the memory. */
  opened(conversationId: string): void {
    this.open = [...this.open.filter((each) => each !== conversationId), conversationId];
    const isInUse = (groupId: string) =>
      [...this.unsaved.values()].some((record) => conversationOf(record) === groupId);
    while (this.open.length > OPEN_LIMIT) {
      const oldest = this.open.find((each) => !isInUse(each));
      if (oldest === undefined || oldest === conversationId) return;
      this.open = this.open.filter((each) => each !== oldest);
      for (const { recordId } of this.held.of(oldest)) this.held.delete(recordId);
      this.letGo(oldest);
    }
  }

  /** In turn, so that nothing is taken from whoever is about to write it. */
  letGo(groupId: string): void {
    const unload = async () => {
      if (!this.isHeld(groupId)) this.archive.unload(groupId);
    };
    // What stays in memory for once does no harm.
    void this.engine.inTurn(unload).catch(() => undefined);
  }

  /** Everything that belongs to one change, in one write. */
  async commit(
    outgoing: readonly OutgoingWrite[],
    state: WatchState | undefined,
    more: readonly SealedChange[] = [],
  ): Promise<void> {
    const kept = await this.archive.changes();
    const watch = state === undefined ? undefined : await this.#memory.seal(state);
    const { changes, ended } = await this.engine.enqueue(outgoing);
    const all = [...kept, ...(watch === undefined ? [] : [watch]), ...changes, ...more];
    try {
      if (all.length > 0) await this.#values.store.write(all);
    } catch (error) {
      ended(false);
      this.#memory.forget();
      throw error;
    }
    ended(true);
    this.archive.stored();
    if (watch !== undefined && state !== undefined) this.#memory.stored(watch.value, state);
  }

  /** In turn: what another tab wrote is taken over before anything is changed. */
  async catchUp(): Promise<void> {
    const changed = await this.archive.catchUp();
    if (changed === undefined) {
      await this.#begin();
      await this.engine.load();
      return;
    }
    if (changed.size === 0) return;
    await this.engine.load();
    const changes: RecordChange[] = [];
    // Half of a chat may be kept, of what another tab fetches anew.
    const isPart = this.isFresh || this.archive.isArriving;
    for (const groupId of changed) {
      const isHeld = this.isHeld(groupId);
      const found = isHeld || this.archive.isLoaded(groupId) ? this.archive.loaded(groupId) : [];
      const packs = found.length > 0 ? [] : ((await this.archive.read([groupId])).get(groupId)?.packs ?? []);
      const now = found.length > 0 ? found : packs.flatMap((pack) => [...pack.values()]);
      const ids = new Set(now.map(({ recordId }) => recordId));
      const isOther = ALWAYS.includes(groupId);
      const before = isOther
        ? [...this.held.others()].filter(({ content }) => groupOf(content) === groupId)
        : this.held.of(groupId);
      for (const { recordId } of before) {
        if (ids.has(recordId) || this.unsaved.has(recordId)) continue;
        this.#isViewAhead ||= isPart;
        // CL-269: an open chat would shrink, or close itself, while another tab fetches it anew
        if (isPart) continue;
        this.held.delete(recordId);
        changes.push({ recordId, record: undefined });
      }
      for (const record of now) {
        if (isHeld && !this.unsaved.has(record.recordId)) this.held.set(record);
        if (groupId !== HEADS) changes.push({ recordId: record.recordId, record });
      }
    }
    this.tell(changes);
  }

  /** In turn: the groups are in memory; what is damaged is given up, and fetched again. */
  async ensure(groupIds: readonly string[]): Promise<void> {
    const damaged = await this.archive.load(groupIds.filter((groupId) => this.archive.entry(groupId) !== undefined));
    if (damaged.size === 0) return;
    for (const [groupId, packs] of damaged) this.archive.giveUp(groupId, packs);
    await this.commit([], undefined, [{ name: this.#values.name('cursor'), value: undefined }]);
    await this.engine.load();
  }

  /** Whether its records are in view, or always in memory. */
  isHeld(groupId: string): boolean {
    return !this.isClosed && (ALWAYS.includes(groupId) || this.open.includes(groupId));
  }

  /** As if it had never been here: neither held nor shown. */
  release(recordId: string): void {
    this.releaseHeld(recordId);
    this.archive.show(recordId, undefined);
  }

  /** What the server shows of it stays marked. */
  releaseHeld(recordId: string): void {
    this.archive.take(recordId);
    this.unsaved.delete(recordId);
    this.held.delete(recordId);
  }

  /** Once everything is here, what is not is no longer in view. */
  dropUnkept(): void {
    if (!this.#isViewAhead) return;
    this.#isViewAhead = false;
    const gone = [...this.held.values()].filter(
      ({ recordId }) => !this.unsaved.has(recordId) && this.archive.mark(recordId)?.held === undefined,
    );
    for (const { recordId } of gone) this.held.delete(recordId);
    this.tell(gone.map(({ recordId }) => ({ recordId, record: undefined })));
  }

  /** @param changes none, where only the list may have changed */
  tell(changes: readonly RecordChange[]): void {
    this.onChanged(changes);
  }

  /** What was removed leaves the storage's own files too. */
  purge(): Promise<void> {
    return this.#values.store.purge();
  }

  close(): void {
    this.isClosed = true;
    this.archive.close();
    for (const { recordId } of [...this.held.values()]) this.held.delete(recordId);
    this.unsaved.clear();
    this.open = [];
    this.#memory.forget();
  }
}
