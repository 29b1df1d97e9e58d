/**
 * What the server brings (spec/client.md "Sync"): opened, merged, and kept with the cursor. The server is not believed: what it shows
 * in place of what is held is noted beside it, and what it removes stays until a device says so.
 */
import type { StoredRecord } from '@sotto/ports';
import { compareVersions, type OpenedRecord } from '@sotto/vault';
import type { ShownRecord } from '@sotto/vault/heads';
import type { HeldRecords } from '../held-records.ts';
import { FIRST_EPOCH, type Keyring } from '../keyring.ts';
import type { RecordChange } from '../record-keeper.ts';
import type { Engine } from '../sync/engine.ts';
import type { AppliedPage } from '../sync/sync-types.ts';
import type { Watch } from '../watch/watch.ts';
import type { Archive } from './archive.ts';
import { ALWAYS, groupOf, isUnderOlderKey, shownOf } from './groups.ts';
import type { KeptRecords } from './kept-records.ts';
import type { Opening } from './opening.ts';
import { HEADS } from './pack.ts';
import { shownLogs } from './shown-history.ts';

export class Arrivals {
  readonly #kept: KeptRecords;
  readonly #archive: Archive;
  readonly #held: HeldRecords;
  readonly #engine: Engine;
  readonly #watch: Watch;
  readonly #keyring: Keyring;
  readonly #opening: Opening;
  /** While everything is shown anew from the beginning: what has been. */
  #reshown: Set<string> | undefined;
  /** For which what stood in the logs was last looked for. */
  #triedEpoch = FIRST_EPOCH;

  constructor(kept: KeptRecords, watch: Watch, keyring: Keyring, opening: Opening) {
    this.#kept = kept;
    this.#archive = kept.archive;
    this.#held = kept.held;
    this.#engine = kept.engine;
    this.#watch = watch;
    this.#keyring = keyring;
    this.#opening = opening;
  }

  /** A page of what is new, in turn. @returns what is to be written with the cursor */
  async apply(records: readonly StoredRecord[]): Promise<AppliedPage> {
    // Without marks this reads them too. Whoever reads them behind the list may wait for this very turn: they are not waited for here.
    await this.#kept.catchUp();
    const opened = await this.#opening.openAll(records, () => this.#held.others());
    const known = records.flatMap(({ recordId }) => this.#archive.mark(recordId) ?? []);
    const groups = opened.map(({ content }) => groupOf(content));
    await this.#kept.ensure([...groups, ...known.map(({ groupId }) => groupId)]);
    this.#archive.arriving(true);
    const superseded: string[] = [];
    const changes: RecordChange[] = [];
    for (const { recordId, envelope } of records) {
      this.#reshown?.add(recordId);
      if (envelope === undefined) this.#hide(recordId);
    }
    const isListed = (record: OpenedRecord) => this.#watch.isListed(record);
    const speaking = opened.filter((record) => !isListed(record));
    for (const record of [...speaking, ...opened.filter(isListed)]) {
      const { recordId } = record;
      if (isListed(record)) await this.#learnEpoch(speaking.length > 0);
      if (!this.#take(record)) continue;
      if (this.#engine.isWaiting(recordId)) superseded.push(recordId);
      changes.push({ recordId, record });
    }
    const kept = await this.#archive.changes();
    const stored = () => {
      this.#archive.stored();
      for (const { recordId, record } of changes) {
        if (record === undefined || this.#kept.unsaved.has(recordId)) continue;
        if (this.#kept.isHeld(groupOf(record.content))) this.#held.set(record);
      }
      for (const groupId of new Set(groups)) if (!this.#kept.isHeld(groupId)) this.#archive.unload(groupId);
      this.#kept.tell(changes);
    };
    return { changes: kept, superseded, stored };
  }

  /** What stood in the logs when the newest epoch began, where what is kept here says so. @param isNew what says more has come */
  async #learnEpoch(isNew: boolean): Promise<void> {
    const { epoch } = this.#keyring;
    const isKnown = this.#kept.isFresh || epoch === this.#watch.believedEpoch || (epoch === this.#triedEpoch && !isNew);
    if (epoch === FIRST_EPOCH || isKnown) return;
    this.#triedEpoch = epoch;
    await this.#kept.ensure([HEADS, ...ALWAYS]);
    await this.#watch.prepare(shownLogs(this.#archive));
  }

  /** @returns whether it is another version than the one that was held */
  #take(record: OpenedRecord): boolean {
    const { recordId } = record;
    // It is on its way out: shown once more, it would look as if it had come back.
    if (this.#engine.isRemoving(recordId)) return false;
    const groupId = groupOf(record.content);
    const shown = shownOf(record, this.#opening.digestOf(record));
    this.#archive.undamage(recordId);
    const mark = this.#archive.mark(recordId);
    if (mark?.held?.digest === shown.digest) {
      // The same write, that some device has sealed anew since.
      if ((mark.held.epoch ?? 0) < record.epoch) this.#archive.put(groupId, record, shown, 'held');
      else this.#archive.show(recordId, 'held');
      return false;
    }
    const held = mark?.held === undefined ? undefined : this.#archive.get(mark.groupId, recordId);
    const isForged = this.#watch.isListed(record) && this.#watch.isForged(shown);
    // CL-324: nothing is compared while the server keeps the rest back, and it would stand there until then
    if (isForged && held === undefined) return this.#setAside(groupId, record, shown);
    // CL-18: a server that brings an older version back must not undo what this device has read; that it does is seen.
    const isOld = held !== undefined && (compareVersions(held, record) > 0 || isUnderOlderKey(record, mark?.held));
    // CL-324: what was sealed under the same key, and stood in the logs, is nowhere else
    if (isOld || isForged) {
      if (!this.#engine.isWaiting(recordId)) this.#archive.show(recordId, shown, record);
      return false;
    }
    this.#archive.put(groupId, record, shown, 'held');
    return true;
  }

  /** As shown by the server, and held by nobody: what is found of it is told. */
  #setAside(groupId: string, record: OpenedRecord, shown: ShownRecord): false {
    this.#archive.put(groupId, record, shown, 'held');
    this.#archive.take(record.recordId);
    return false;
  }

  /** The server shows it no longer. Whether a device removed it, the heads say. */
  #hide(recordId: string): void {
    this.#archive.undamage(recordId);
    if (!this.#engine.isWaiting(recordId)) this.#archive.show(recordId, undefined);
  }

  async #showOnly(recordIds: ReadonlySet<string>): Promise<void> {
    await this.#engine.inTurn(async () => {
      await this.#kept.catchUp();
      const hidden = [...this.#archive.marks()].filter(({ recordId, shown }) => shown && !recordIds.has(recordId));
      for (const { recordId } of hidden) this.#hide(recordId);
      for (const recordId of [...this.#archive.damaged.keys()]) {
        if (!recordIds.has(recordId)) this.#archive.undamage(recordId);
      }
      await this.#kept.commit([], undefined);
    });
  }

  /** Everything is shown anew from the beginning. */
  restarted(): void {
    this.#reshown = new Set();
  }

  /** Everything that is new has arrived. */
  async ended(): Promise<void> {
    const reshown = this.#reshown;
    this.#reshown = undefined;
    if (reshown !== undefined) await this.#showOnly(reshown);
    this.#kept.isFresh = false;
  }

  /** The server has these no longer, and never said so. */
  async missing(recordIds: readonly string[]): Promise<void> {
    await this.#engine.inTurn(async () => {
      await this.#kept.catchUp();
      for (const recordId of recordIds) this.#hide(recordId);
      await this.#kept.commit([], undefined);
    });
  }
}
