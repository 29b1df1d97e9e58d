/** After a rotation: records and waiting writes of older epochs, sealed under the newest key as the same writes (spec/vault.md "Rotation"). */
import { parseVisibleHeader } from '@sotto/vault';
import type { Keyring } from '../keyring.ts';
import type { Engine } from '../sync/engine.ts';
import type { OutgoingWrite } from '../sync/sync-types.ts';
import type { Watch } from '../watch/watch.ts';
import type { Archive } from './archive.ts';
import type { KeptRecords } from './kept-records.ts';
import type { Mark } from './marks.ts';
import type { Opening } from './opening.ts';
import { HEADS, KEYS } from './pack.ts';
import type { Sealing } from './sealing.ts';
import { shownLogs } from './shown-history.ts';

type Bytes = Uint8Array<ArrayBuffer>;

export class Reseal {
  readonly #kept: KeptRecords;
  readonly #archive: Archive;
  readonly #engine: Engine;
  readonly #watch: Watch;
  readonly #keyring: Keyring;
  readonly #sealing: Sealing;
  readonly #opening: Opening;

  constructor(kept: KeptRecords, watch: Watch, keyring: Keyring, sealing: Sealing, opening: Opening) {
    this.#kept = kept;
    this.#archive = kept.archive;
    this.#engine = kept.engine;
    this.#watch = watch;
    this.#keyring = keyring;
    this.#sealing = sealing;
    this.#opening = opening;
  }

  get olderCount(): number {
    return this.#older().length;
  }

  /** What a rotation made old is sealed under the newest key, as the same write. */
  async sealAnew(recordId: string, envelope: Bytes): Promise<Bytes | undefined> {
    if (parseVisibleHeader(envelope).epoch >= this.#keyring.epoch) return undefined;
    const record = await this.#opening.open({ recordId, sequence: 0, envelope });
    return record === undefined ? undefined : this.#sealing.seal(record);
  }

  async sealOlder(limitCount: number): Promise<void> {
    // CL-334: where something does not agree, what is sealed anew would be believed for good.
    if (this.#watch.findings.length > 0) return;
    await this.#engine.inTurn(async () => {
      await this.#kept.catchUp();
      const { epoch } = this.#keyring;
      const some = this.#older().slice(0, limitCount);
      await this.#kept.ensure(some.map(({ groupId }) => groupId));
      const outgoing: OutgoingWrite[] = [];
      for (const { recordId, groupId, held } of some) {
        const record = this.#archive.get(groupId, recordId);
        if (record === undefined || held === undefined) continue;
        outgoing.push({ recordId, envelope: await this.#sealing.seal(record) });
        this.#archive.put(groupId, { ...record, epoch }, { ...held, epoch }, 'held');
      }
      await this.#kept.commit(outgoing, undefined);
      for (const groupId of new Set(some.map((each) => each.groupId))) {
        if (!this.#kept.isHeld(groupId)) this.#archive.unload(groupId);
      }
    });
  }

  /** What is whole here and stands under an older key; announcements and heads speak for themselves (spec/vault.md "Rotation"). */
  #older(): Mark[] {
    const { epoch: newest } = this.#keyring;
    const announced = new Set(shownLogs(this.#archive).announcements.map(({ recordId }) => recordId));
    return [...this.#archive.marks()].filter(
      ({ recordId, groupId, held, shown }) =>
        held !== undefined &&
        shown === held &&
        (held.epoch ?? newest) < newest &&
        groupId !== HEADS &&
        groupId !== KEYS &&
        !announced.has(recordId) &&
        !this.#engine.isWaiting(recordId),
    );
  }
}
