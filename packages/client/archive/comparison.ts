/**
 * What is kept, compared with what the server shows and what the devices' logs say (spec/client.md "Watching the server"): what a
 * device removed is let go of, what the server does not show can be put back.
 */
import type { OpenedRecord, RecordContent } from '@sotto/vault';
import type { Engine } from '../sync/engine.ts';
import type { OutgoingWrite } from '../sync/sync-types.ts';
import type { WatchState } from '../watch/state.ts';
import type { Watch } from '../watch/watch.ts';
import type { Archive } from './archive.ts';
import { ALWAYS } from './groups.ts';
import type { KeptRecords } from './kept-records.ts';
import type { Mark } from './marks.ts';
import { HEADS } from './pack.ts';
import type { Sealing } from './sealing.ts';
import { shownHistory, shownLogs } from './shown-history.ts';
import type { WatchMemory } from './watch-memory.ts';

export class Comparison {
  readonly #kept: KeptRecords;
  readonly #archive: Archive;
  readonly #engine: Engine;
  readonly #memory: WatchMemory;
  readonly #watch: Watch;
  readonly #sealing: Sealing;

  constructor(kept: KeptRecords, memory: WatchMemory, watch: Watch, sealing: Sealing) {
    this.#kept = kept;
    this.#archive = kept.archive;
    this.#engine = kept.engine;
    this.#memory = memory;
    this.#watch = watch;
    this.#sealing = sealing;
  }

  /** Before anything is fetched. A device that does not know its own log learns it from the server first. */
  async compareKept(): Promise<void> {
    const { log } = await this.#memory.load();
    if (log !== undefined && !this.#kept.isFresh) await this.compare();
  }

  /** Compares what the server shows with the logs. @returns ids of records that a device removed */
  async compare(isPulled = false): Promise<string[]> {
    await this.#kept.read([HEADS, ...ALWAYS]);
    await this.#watch.prepare(shownLogs(this.#archive));
    const isWhole = await this.#engine.inTurn(async () => {
      await this.#kept.catchUp();
      await this.#kept.ensure([HEADS]);
      if (isPulled && this.#archive.isArriving) {
        this.#archive.arriving(false);
        await this.#kept.commit([], undefined);
      }
      // CL-243: in the middle of a sync, of this tab or another, heads are here that list what is not
      if (this.#archive.isArriving) return false;
      const damaged = new Set(this.#archive.damaged.keys());
      await this.#watch.compare(shownHistory(this.#archive), damaged, (work) => this.#memory.changeInTurn(work));
      return true;
    });
    if (!isWhole) return [];
    // What whoever was removed has sealed since under an old key is shown to nobody (CL-324).
    const [outside, removed]: [string[], string[]] = [[], []];
    for (const mark of this.#archive.marks()) {
      const { recordId } = mark;
      if (this.#watch.isOutside(recordId)) outside.push(recordId);
      if (this.#watch.isDeleted(recordId) || this.#isPast(mark)) removed.push(recordId);
    }
    await this.#forgetWrites(new Set(removed));
    await this.removeAgain(outside, false);
    await this.removeAgain(removed, this.#watch.findings.length === 0);
    this.#kept.tell([]);
    return removed;
  }

  /** What waits or is held here was on the server, and another device has replaced and removed it since. */
  #isPast({ recordId, held, shown }: Mark): boolean {
    if (held === undefined || !this.#watch.isReplaced(held.digest) || this.#engine.isRemoving(recordId)) return false;
    return this.#engine.isWaiting(recordId) || (shown === undefined && this.#watch.findings.length === 0);
  }

  /** A write that is not sent is not listed either. */
  async #forgetWrites(recordIds: ReadonlySet<string>): Promise<void> {
    const isKept = ({ recordId, digest }: WatchState['pending'][number]) => digest === null || !recordIds.has(recordId);
    await this.#memory.change(async (state) => {
      const pending = state.pending.filter(isKept);
      return [pending.length === state.pending.length ? state : { ...state, pending }, undefined];
    });
  }

  /** CL-206: what a device deleted is shown to nobody, and removed again where a crash or the server left it. */
  async removeAgain(recordIds: readonly string[], fromServer: boolean): Promise<void> {
    if (recordIds.length === 0) return;
    const wasKept = await this.#engine.inTurn(async () => {
      await this.#kept.catchUp();
      const marks = recordIds.flatMap((recordId) => this.#archive.mark(recordId) ?? []);
      if (marks.length === 0) return false;
      await this.#kept.ensure(marks.map(({ groupId }) => groupId));
      const again = marks.filter(({ shown }) => fromServer && shown !== undefined).map(({ recordId }) => recordId);
      for (const { recordId, held, shown } of marks) {
        if (fromServer) this.#kept.release(recordId);
        // What is held in place of what the server shows was believed, and is nowhere else.
        else if (held === undefined || held === shown || this.#watch.isForged(held)) this.#kept.releaseHeld(recordId);
      }
      await this.#kept.commit(
        again.map((recordId) => ({ recordId, envelope: undefined })),
        undefined,
      );
      this.#kept.tell(marks.map(({ recordId }) => ({ recordId, record: undefined })));
      return marks.some(({ recordId, held }) => held !== undefined && this.#archive.mark(recordId)?.held === undefined);
    });
    // CL-265: deleted on another device, it would stay in the files of this one
    if (wasKept) await this.#kept.purge();
  }

  /** What is held and no device removed, and the server does not show so. */
  #restorable(): Mark[] {
    return [...this.#archive.marks()].filter(
      ({ recordId, held, shown }) =>
        held !== undefined &&
        held !== shown &&
        !this.#engine.isWaiting(recordId) &&
        !this.#watch.isDeleted(recordId) &&
        !this.#watch.isOutside(recordId),
    );
  }

  /** Writes it again, for every device. */
  async putBack(): Promise<void> {
    await this.#engine.inTurn(async () => {
      await this.#kept.catchUp();
      const marks = this.#restorable();
      await this.#kept.ensure(marks.map(({ groupId }) => groupId));
      const outgoing: OutgoingWrite[] = [];
      for (const { recordId, groupId } of marks) {
        const record = this.#archive.get(groupId, recordId);
        if (record === undefined) continue;
        outgoing.push({ recordId, envelope: await this.#sealing.seal(record), isHead: groupId === HEADS });
        this.#archive.show(recordId, 'held');
      }
      await this.#kept.commit(outgoing, undefined);
    });
    await this.compare();
  }

  /** As this device keeps it. */
  async heldContent(recordId: string): Promise<RecordContent | undefined> {
    const groupId = this.#archive.mark(recordId)?.groupId;
    if (groupId === undefined) return undefined;
    return this.#kept.reading([groupId], () => this.#archive.get(groupId, recordId)?.content);
  }

  /** As the server shows it. */
  async shownRecord(recordId: string): Promise<OpenedRecord | undefined> {
    const mark = this.#archive.mark(recordId);
    if (mark?.shown === undefined) return undefined;
    if (mark.shown !== mark.held) return this.#archive.shownInstead(recordId);
    return this.#kept.reading([mark.groupId], () => this.#archive.get(mark.groupId, recordId));
  }

  get restorableCount(): number {
    return this.#watch.findings.length === 0 ? 0 : this.#restorable().length;
  }
}
