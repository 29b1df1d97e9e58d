/** What the person writes and removes: in memory at once, then durable with everything that belongs to it (spec/client.md CL-240). */
import { SottoError } from '@sotto/bytes';
import type { OpenedRecord, RecordContent } from '@sotto/vault';
import { saveErrorOf } from '../errors.ts';
import type { HeldRecords } from '../held-records.ts';
import type { Keyring } from '../keyring.ts';
import type { Engine } from '../sync/engine.ts';
import type { OutgoingWrite } from '../sync/sync-types.ts';
import type { WatchState } from '../watch/state.ts';
import type { Watch } from '../watch/watch.ts';
import type { Archive } from './archive.ts';
import { ALWAYS, groupOf, shownOf } from './groups.ts';
import type { KeptRecords } from './kept-records.ts';
import { HEADS, OTHERS } from './pack.ts';
import type { Sealing } from './sealing.ts';
import type { WatchMemory } from './watch-memory.ts';

/** Of one write to the device's store, when many wait. */
const BATCH_LIMIT = 256;

interface Waiting {
  readonly recordId: string;
  readonly content: RecordContent;
  readonly again: ((stored: RecordContent) => RecordContent) | undefined;
  readonly done: PromiseWithResolvers<void>;
}

export interface OwnWritesParts {
  readonly kept: KeptRecords;
  readonly memory: WatchMemory;
  readonly watch: Watch;
  readonly sealing: Sealing;
  readonly keyring: Keyring;
  /** Resolves when what was kept has been compared. */
  readonly compared: () => Promise<void>;
  /** Told of the clock of each write. */
  readonly seen: (clock: number) => void;
}

export class OwnWrites {
  readonly #kept: KeptRecords;
  readonly #archive: Archive;
  readonly #held: HeldRecords;
  readonly #engine: Engine;
  readonly #memory: WatchMemory;
  readonly #watch: Watch;
  readonly #sealing: Sealing;
  readonly #keyring: Keyring;
  readonly #compared: OwnWritesParts['compared'];
  readonly #seen: OwnWritesParts['seen'];
  #waiting: Waiting[] = [];
  #isWriting = false;

  constructor({ kept, memory, watch, sealing, keyring, compared, seen }: OwnWritesParts) {
    this.#kept = kept;
    this.#archive = kept.archive;
    this.#held = kept.held;
    this.#engine = kept.engine;
    this.#memory = memory;
    this.#watch = watch;
    this.#sealing = sealing;
    this.#keyring = keyring;
    this.#compared = compared;
    this.#seen = seen;
  }

  write(recordId: string, content: RecordContent, again?: (stored: RecordContent) => RecordContent): Promise<void> {
    const groupId = groupOf(content);
    const { epoch } = this.#keyring;
    // In memory before it is stored: a save that fails loses nothing that can be read.
    const record = { recordId, deviceId: this.#sealing.deviceId, deviceCounter: 0, epoch, content };
    this.#kept.unsaved.set(recordId, record);
    this.#held.set(record);
    this.#seen(content.clock);
    if (!ALWAYS.includes(groupId) && this.#archive.entry(groupId) === undefined) this.#kept.opened(groupId);
    this.#kept.tell([{ recordId, record }]);
    const done = Promise.withResolvers<void>();
    this.#waiting.push({ recordId, content, again, done });
    if (!this.#isWriting) void this.#writeAll();
    return done.promise;
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH_LIMIT);
      try {
        await this.#kept.marksThere();
        await this.#engine.inTurn(() => this.#storeWrites(batch));
      } catch (error) {
        for (const { done, recordId } of batch) done.reject(saveErrorOf(error, recordId));
      }
    }
    this.#isWriting = false;
  }

  async #storeWrites(batch: readonly Waiting[]): Promise<void> {
    await this.#kept.catchUp();
    await this.#kept.ensure(batch.map(({ content }) => groupOf(content)));
    let state = await this.#memory.load();
    const outgoing: OutgoingWrite[] = [];
    const written: (Waiting & { readonly record: OpenedRecord })[] = [];
    for (const waiting of batch) {
      const { recordId, done } = waiting;
      const stored = this.#archive.get(groupOf(waiting.content), recordId);
      const content = stored === undefined ? waiting.content : (waiting.again?.(stored.content) ?? waiting.content);
      try {
        const begun = this.#watch.withWrite(state, recordId, content, 'stored');
        const record = this.#sealing.recordOf(recordId, content, begun.shown.deviceCounter);
        outgoing.push({ recordId, envelope: await this.#sealing.seal(record) });
        this.#archive.put(groupOf(content), record, { ...begun.shown, epoch: record.epoch }, 'held');
        state = begun.state;
        written.push({ ...waiting, record });
      } catch (error) {
        if (!(error instanceof SottoError)) throw error;
        this.#kept.unsaved.delete(recordId);
        done.reject(error);
      }
    }
    await this.#kept.commit(outgoing, state);
    for (const { record, content } of written) {
      if (this.#kept.unsaved.get(record.recordId)?.content === content) this.#kept.unsaved.delete(record.recordId);
      if (this.#kept.unsaved.has(record.recordId)) continue;
      if (this.#kept.isHeld(groupOf(content))) this.#held.set(record);
      else this.#held.delete(record.recordId);
    }
    this.#kept.tell(written.map(({ record }) => ({ recordId: record.recordId, record })));
    for (const { done } of written) done.resolve();
    this.#watch.gather();
  }

  async remove(recordIds: readonly string[]): Promise<void> {
    if (recordIds.length === 0) return;
    await this.#compared();
    const wasKept = await this.#engine.inTurn(async () => {
      await this.#kept.catchUp();
      const marks = recordIds.flatMap((recordId) => this.#archive.mark(recordId) ?? []);
      await this.#kept.ensure([...marks.map(({ groupId }) => groupId), HEADS]);
      const state = this.#watch.withRemovals(await this.#memory.load(), recordIds);
      // CL-202: the head that tells of it goes before the removal; without one, the next comparison removes it.
      const { outgoing, state: signed } = this.#watch.isCompared ? await this.#sign(state) : { outgoing: [], state };
      const told = this.#watch.isCompared ? recordIds : [];
      for (const recordId of recordIds) {
        if (this.#watch.isCompared) this.#kept.release(recordId);
        // Until then the server shows it, and would be suspected of dropping it.
        else this.#kept.releaseHeld(recordId);
      }
      await this.#kept.commit([...outgoing, ...told.map((recordId) => ({ recordId, envelope: undefined }))], signed);
      this.#kept.tell(recordIds.map((recordId) => ({ recordId, record: undefined })));
      return marks.some(({ held }) => held !== undefined);
    });
    // CL-265: the browser's files would go on holding what the person deleted
    if (wasKept) await this.#kept.purge();
  }

  drop(recordId: string): void {
    this.#kept.unsaved.delete(recordId);
    if (this.#held.delete(recordId)) this.#kept.tell([{ recordId, record: undefined }]);
  }

  /** Heads for what is written and not listed yet, put where records are. */
  async #sign(state: WatchState): Promise<{ readonly outgoing: OutgoingWrite[]; readonly state: WatchState }> {
    const signed = await this.#watch.signed(state);
    const outgoing: OutgoingWrite[] = [];
    const add = async (recordId: string, content: RecordContent, counter: number, groupId: string) => {
      const record = this.#sealing.recordOf(recordId, content, counter);
      this.#archive.put(groupId, record, shownOf(record), 'held');
      if (groupId === OTHERS) this.#held.set(record);
      outgoing.push({ recordId, envelope: await this.#sealing.seal(record), isHead: groupId === HEADS });
    };
    const { announcement } = signed;
    if (announcement !== undefined) {
      await add(announcement.recordId, announcement.content, announcement.counter, OTHERS);
    }
    for (const { recordId, content, counter } of signed.heads) await add(recordId, content, counter, HEADS);
    return { outgoing, state: signed.state };
  }

  /** @returns whether there was something to list */
  async publish(): Promise<boolean> {
    if (!this.#watch.isCompared) return false;
    return this.#engine.inTurn(async () => {
      await this.#kept.catchUp();
      await this.#kept.ensure([HEADS]);
      const before = await this.#memory.load();
      const { outgoing, state } = await this.#sign(before);
      if (outgoing.length > 0) await this.#kept.commit(outgoing, state);
      return outgoing.length > 0;
    });
  }
}
