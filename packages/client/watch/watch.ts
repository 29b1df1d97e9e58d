/**
 * Watches the server (spec/client.md "Watching the server"): lists what this device writes in its signed log, and compares what
 * the server shows with the logs of all devices after every sync. Tabs of one browser are one device: they take turns.
 */
import { encodeHex, encodeUtf8, equalBytes, SottoError } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import type { Clock, DeviceStore, Random } from '@sotto/ports';
import type { AccountKey, DeviceKeys, OpenedRecord, RecordContent, UnknownContent } from '@sotto/vault';
import {
  type Assembled,
  announceDevice,
  announcedKey,
  assembleLogs,
  compareCode,
  compareLogs,
  DEVICE_TYPE,
  type Finding,
  finding,
  HEAD_TYPE,
  type LogPlace,
  Manifest,
  OwnLog,
  placesOf,
  SEEN_LIMIT,
  type ShownRecord,
  type VerifiedSegment,
  verifySegment,
  writeDigest,
} from '@sotto/vault/heads';
import { EPOCH_TYPE, NEXT_KEY_TYPE } from '@sotto/vault/rotation';
import type { EpochView } from '../epochs/account-epochs.ts';
import { FIRST_EPOCH } from '../keyring.ts';
import {
  loadWatchState,
  type PendingWrite,
  saveWatchState,
  type UnsentHead,
  type WatchMemory,
  type WatchState,
} from './state.ts';
import type { TakingTurns } from './turns.ts';

const UNLISTED: readonly string[] = [HEAD_TYPE, DEVICE_TYPE, EPOCH_TYPE, NEXT_KEY_TYPE];
/** Of one line of a log (spec/vault.md "Heads"). */
const REPLACES_LIMIT = 8;
/** How long writes gather before a head lists them. */
const GATHER_MS = 1500;
/** A write that is under way for longer was given up: its tab is gone. */
const UNDER_WAY_MS = 10 * 60 * 1000;

export interface WatchOptions {
  /** 16 bytes. */
  readonly accountId: Uint8Array;
  readonly device: DeviceKeys;
  readonly memory: WatchMemory;
  /** Seals and stores one record of this device; where heads are stored one by one. */
  readonly store?: StoreRecord;
  /** Stores what `signed` gives, where heads are stored with the state that speaks of them. */
  readonly publish?: () => Promise<void>;
  readonly clock: Clock;
  readonly random: Random;
  /** What the epochs of the account say of logs, records and devices; absent where there is one for ever. */
  readonly epochs?: {
    view(epochs: readonly OpenedRecord[], announcements: readonly OpenedRecord[]): Promise<EpochView>;
  };
}

/** What the server shows, as a whole sync left it. */
export interface ShownHistory extends ShownLogs {
  /** Every record but heads, and those with which an epoch begins. */
  readonly records: ReadonlyMap<string, ShownRecord>;
}

/** Of that, what speaks of the rest. */
export interface ShownLogs {
  readonly heads: readonly OpenedRecord[];
  /** Records of type `device`. */
  readonly announcements: readonly OpenedRecord[];
  /** Records of type `epoch`. */
  readonly epochs: readonly OpenedRecord[];
}

/** Records that are to be stored, in this order, together with the state that speaks of them. */
export interface SignedHeads {
  readonly state: WatchState;
  readonly announcement: UnsentHead | undefined;
  readonly heads: readonly UnsentHead[];
}

/** A segment whose signature was checked: the digest of its content, and the key that signed it. */
interface Verified {
  readonly segment: VerifiedSegment;
  readonly digest: string;
  readonly publicKey: Uint8Array;
}

interface StoredHead {
  readonly recordId: string;
  readonly segment: VerifiedSegment;
}

/** Seals and stores one record of this device; given by the history that is watched. */
export type StoreRecord = (recordId: string, content: RecordContent, deviceCounter: number) => Promise<void>;

/** What a `History` over a `RecordStore` is given to be watched. */
export function watchOver(
  options: Omit<WatchOptions, 'memory' | 'store' | 'publish'> & {
    readonly accountKey: AccountKey;
    readonly deviceStore: DeviceStore;
    /** Runs work while no other tab of this browser does. */
    readonly takingTurns: TakingTurns;
  },
): (store: StoreRecord) => Watch {
  const { deviceStore, random, takingTurns } = options;
  const memory: WatchMemory = {
    change: (work) =>
      takingTurns(`heads/${encodeHex(options.accountId)}`, async () => {
        const save = (state: WatchState) => saveWatchState(deviceStore, options, state, random);
        const [state, result] = await work(await loadWatchState(deviceStore, options), save);
        await save(state);
        return result;
      }),
  };
  return (store) => new Watch({ ...options, memory, store });
}

/** Owned by one `History`. */
export class Watch {
  readonly #options: WatchOptions;
  readonly #deviceId: string;
  #logs: Assembled['logs'] = new Map();
  #manifest = new Manifest(new Map());
  #heads: readonly StoredHead[] = [];
  #findings: readonly Finding[] = [];
  #outside: ReadonlySet<string> = new Set();
  #believes: ReturnType<EpochView['believing']>;
  #believedEpoch = FIRST_EPOCH;
  #isGathering = false;
  #isCompared = false;
  readonly #digests = new WeakMap<OpenedRecord, string>();
  readonly #verified = new WeakMap<UnknownContent, Verified>();
  /** Of the heads that were read last, by what they say: they come from the store anew with every comparison. */
  #verifiedBefore: ReadonlyMap<string, Verified> = new Map();

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#deviceId = encodeHex(options.device.deviceId);
  }

  /** What the last comparison found; empty when everything agrees. */
  get findings(): readonly Finding[] {
    return this.#findings;
  }

  /** Twelve digits, equal on devices that were shown the same. */
  get compareCode(): string {
    return compareCode(this.#options.accountId, this.#logs);
  }

  /** When each device last wrote, by its own clock: what a device without a memory can be told. */
  devices(): { readonly deviceId: string; readonly atMs: number; readonly writes: number }[] {
    return [...this.#logs.values()].map(({ deviceId, atMs, entries }) => ({ deviceId, atMs, writes: entries.length }));
  }

  /** True for a record that a device deleted: it is not shown to the person, whatever the server shows. */
  isDeleted(recordId: string): boolean {
    return this.#manifest.isDeleted(recordId);
  }

  /** True for a version (`writeDigest`) that some device replaced or removed. */
  isReplaced(digest: string): boolean {
    return this.#manifest.isReplaced(digest);
  }

  /** True for a record that stands under a key that was given up, and was not there then: it is shown to nobody. */
  isOutside(recordId: string): boolean {
    return this.#outside.has(recordId);
  }

  /** How far the log of every device goes, as last compared. */
  get places(): ReadonlyMap<string, LogPlace> {
    return placesOf(this.#logs);
  }

  /** Those of the records that no log lists: they are under way. */
  unlisted(records: Iterable<ShownRecord>): ShownRecord[] {
    const listed = new Set([...this.#logs.values()].flatMap(({ entries }) => entries.map(({ digest }) => digest)));
    return [...records].filter(({ digest, recordId }) => !listed.has(digest) && !this.#outside.has(recordId));
  }

  /** The same of a whole history that is in memory. */
  unlistedRecords(records: ReadonlyMap<string, OpenedRecord>): OpenedRecord[] {
    const shown = shownHistory(records.values(), this.#digests).records.values();
    return this.unlisted(shown).flatMap(({ recordId }) => records.get(recordId) ?? []);
  }

  /** A counter of this device for a record that no log lists (heads, epochs). */
  reserveCounter(): Promise<number> {
    return this.#change(async (state) => [{ ...state, counter: state.counter + 1 }, state.counter + 1]);
  }

  /** The counter of a new write, which the log will list once `stored` is called for it. */
  begin(recordId: string, content: RecordContent): Promise<number> {
    return this.#change(async (state) => {
      const begun = this.withWrite(state, recordId, content, 'under-way');
      return [begun.state, begun.shown.deviceCounter];
    });
  }

  /** The state with one write more, and what the server will show of it. */
  withWrite(
    state: WatchState,
    recordId: string,
    content: RecordContent,
    standing: PendingWrite['standing'],
  ): { readonly state: WatchState; readonly shown: ShownRecord } {
    const counter = state.counter + 1;
    const digest = encodeHex(writeDigest({ recordId, deviceId: this.#deviceId, deviceCounter: counter, content }));
    const atMs = this.#options.clock.nowMs();
    const replaces = this.#replaced(recordId, state);
    const write = { recordId, digest, counter, standing, atMs, ...(replaces.length > 0 && { replaces }) };
    const pending = [...state.pending, write];
    const shown = { recordId, deviceId: this.#deviceId, deviceCounter: counter, digest };
    return { state: { ...state, counter, pending }, shown };
  }

  /** @param isStored false when the store refused the write, or gave no answer */
  async finished(counter: number, isStored: boolean): Promise<void> {
    const standing = isStored ? 'stored' : 'failed';
    await this.#change(async (state) => {
      const pending = state.pending.map((write) =>
        write.counter === counter ? ({ ...write, standing } as const) : write,
      );
      return [{ ...state, pending }, undefined];
    });
    this.gather();
  }

  /** What was written is listed within seconds (CL-201). */
  gather(): void {
    void this.#gather();
  }

  /** CL-202: a removal is told before it is done, so that what is under way never looks like a server that forgets. */
  async remove(recordIds: readonly string[]): Promise<void> {
    await this.#change(async (state) => [this.withRemovals(state, recordIds), undefined]);
    await this.publish();
  }

  withRemovals(state: WatchState, recordIds: readonly string[]): WatchState {
    const removals = recordIds.map((recordId, i) => ({
      ...{ recordId, digest: null, counter: state.counter + 1 + i, atMs: this.#options.clock.nowMs() },
      replaces: this.#replaced(recordId, state),
      standing: 'stored' as const,
    }));
    const counter = state.counter + recordIds.length;
    return { ...state, counter, pending: [...state.pending, ...removals] };
  }

  /** True once a comparison has told this device its own log: one that does not know it would begin a second one. */
  get isCompared(): boolean {
    return this.#isCompared;
  }

  /** What the server shows is fetched anew: until it is compared, this device lists nothing. */
  forgetComparison(): void {
    this.#isCompared = false;
  }

  /** Heads for everything that is stored, signed. They count once they are stored with the state. */
  async signed(state: WatchState): Promise<SignedHeads> {
    const { state: announced, announcement } = this.#announced(state);
    const { unsent, ...signed } = await this.#sign(announced);
    return { state: this.#withoutUnsent({ ...signed, unsent: [] }), announcement, heads: unsent };
  }

  /** Signs and stores heads for everything that the store has confirmed. */
  async publish(): Promise<void> {
    const { publish, store } = this.#options;
    if (store === undefined) return publish?.();
    // A device that does not yet know its own log would begin a second one.
    if (!this.#isCompared) return;
    await this.#change(async (before, save) => {
      const { state: announced, announcement } = this.#announced(before);
      if (announcement !== undefined) {
        await store(announcement.recordId, announcement.content, announcement.counter);
      }
      let state = await this.#sign(announced);
      if (state.unsent.length > 0) await save(state);
      for (const head of state.unsent) {
        await store(head.recordId, head.content, head.counter);
        state = this.#withoutUnsent(state, head);
        await save(state);
      }
      return [state, undefined];
    });
  }

  /**
   * Compares a whole history that is in memory. Call when a whole sync has arrived; `damaged` as for `compare`.
   */
  compareRecords(records: Iterable<OpenedRecord>, damaged: ReadonlySet<string>): Promise<void> {
    return this.compare(shownHistory(records, this.#digests), damaged);
  }

  /**
   * Compares what the server shows with the logs. Call when a whole sync has arrived.
   *
   * @param damaged records that are there and did not open
   * @param change where the caller is in turn already
   */
  async compare(
    history: ShownHistory,
    damaged: ReadonlySet<string>,
    change: WatchMemory['change'] = this.#change,
  ): Promise<void> {
    const epochs = await this.#options.epochs?.view(history.epochs, history.announcements);
    const { findings: refused, heads } = await this.#readHeads(history, epochs);
    this.#heads = heads;
    const segments = heads.map(({ segment }) => segment);
    const { logs: whole, findings } = assembleLogs(segments);
    this.#learn(epochs, () => whole);
    const byEpochs = epochs?.judge(whole, history.records.values());
    const logs = byEpochs?.logs ?? whole;
    const outside = byEpochs?.outside ?? new Set<string>();
    const manifest = new Manifest(logs);
    const isInside = ([recordId]: readonly [string, ShownRecord]) => !outside.has(recordId);
    const shown = outside.size === 0 ? history.records : new Map([...history.records].filter(isInside));
    const isJudged = ({ recordId = '' }: Finding) => !damaged.has(recordId) && !outside.has(recordId);
    await change(async (state) => {
      const gone = new Set(state.gone);
      const judged = manifest.judge(shown, gone).filter(isJudged);
      const foundInEpochs = [...(epochs?.findings ?? []), ...(byEpochs?.findings ?? [])];
      const compared = compareLogs(logs, new Map(state.known));
      this.#findings = [...foundInEpochs, ...refused, ...findings, ...compared, ...judged];
      this.#outside = outside;
      this.#logs = logs;
      this.#manifest = manifest;
      this.#isCompared = true;
      const adopted = this.#adopt(this.#ownLog(state, heads), shown);
      // CL-203: a state that does not agree is not remembered as the one to come back to.
      if (this.#findings.length > 0) return [adopted, undefined];
      const newlyGone = manifest.deleted().filter((recordId) => !shown.has(recordId) && !gone.has(recordId));
      return [{ ...adopted, known: [...placesOf(logs)], gone: [...state.gone, ...newlyGone] }, undefined];
    });
    if (this.#findings.length === 0) void this.#gather();
  }

  /** Checks signatures, so that `compare` finds them checked, and learns what may be shown under older keys. */
  async prepare(shown: ShownLogs): Promise<void> {
    const epochs = await this.#options.epochs?.view(shown.epochs, shown.announcements);
    const { heads } = await this.#readHeads(shown, epochs);
    this.#learn(epochs, () => assembleLogs(heads.map(({ segment }) => segment)).logs);
  }

  /** The newest epoch for which `isForged` knows what stood in the logs when it began. */
  get believedEpoch(): number {
    return this.#believedEpoch;
  }

  /** True for a record for which only the logs speak: epochs and announcements do so themselves, and heads are the logs. */
  isListed({ content }: OpenedRecord): boolean {
    return content.type !== 'unknown' || !UNLISTED.includes(content.recordType);
  }

  /** As `isForged`. */
  isForgedRecord(record: OpenedRecord): boolean {
    return this.isForged({ epoch: record.epoch, digest: encodeHex(writeDigest(record)) });
  }

  /** True for a record under a key that was given up, that was not there then; false where that is not known yet. */
  isForged(record: Pick<ShownRecord, 'digest' | 'epoch'>): boolean {
    return this.#believes?.(record) === false;
  }

  /**
   * CL-205: only the person decides that what the server shows is the new beginning. The log goes on where the server shows
   * it to end; what this device finds of its own beyond that is listed again.
   */
  async acceptAsItIs(): Promise<void> {
    await this.#change(async ({ log: _, openHead: __, ...state }) => {
      const known = [...placesOf(this.#logs)];
      return [this.#ownLog({ ...state, unsent: [], known, gone: [] }, this.#heads), undefined];
    });
    this.#findings = [];
  }

  // Comparing

  #learn(epochs: EpochView | undefined, logs: () => Assembled['logs']): void {
    if (epochs === undefined || epochs.epoch === this.#believedEpoch) return;
    const believes = epochs.believing(logs());
    if (believes !== undefined) [this.#believes, this.#believedEpoch] = [believes, epochs.epoch];
  }

  async #readHeads({ heads: shownHeads, announcements }: ShownLogs, epochs: EpochView | undefined) {
    const devices = new Map<string, Uint8Array>([[this.#deviceId, this.#options.device.publicKey]]);
    const findings: Finding[] = [];
    const heads: StoredHead[] = [];
    for (const announcement of announcements) {
      const { content, deviceId } = announcement;
      // Its record stands outside the root, and is found as that.
      if (epochs?.admits(announcement) === false) continue;
      try {
        devices.set(deviceId, announcedKey(content as UnknownContent, deviceId));
      } catch (error) {
        findings.push(refusedHead(error, deviceId));
      }
    }
    const verified = new Map<string, Verified>();
    for (const { recordId, content, deviceId } of shownHeads) {
      try {
        const each = await this.#verify(content as UnknownContent, devices);
        verified.set(each.digest, each);
        heads.push({ recordId, segment: each.segment });
      } catch (error) {
        findings.push(refusedHead(error, deviceId));
      }
    }
    this.#verifiedBefore = verified;
    return { findings, heads };
  }

  async #verify(content: UnknownContent, devices: ReadonlyMap<string, Uint8Array>): Promise<Verified> {
    const read = this.#verified.get(content);
    const digest = read?.digest ?? encodeHex(sha256(encodeUtf8(JSON.stringify(content))));
    const known = read ?? this.#verifiedBefore.get(digest);
    const publicKey = devices.get(known?.segment.deviceId ?? '');
    const isSame = known !== undefined && publicKey !== undefined && equalBytes(known.publicKey, publicKey);
    const verified = isSame ? known : await this.#verifyAnew(content, devices, digest);
    this.#verified.set(content, verified);
    return verified;
  }

  async #verifyAnew(
    content: UnknownContent,
    devices: ReadonlyMap<string, Uint8Array>,
    digest: string,
  ): Promise<Verified> {
    const segment = await verifySegment(content, this.#options.accountId, devices);
    return { segment, digest, publicKey: devices.get(segment.deviceId) as Uint8Array };
  }

  /** The log of this device, where the server shows more of it than this device remembers: its memory was lost. */
  #ownLog(state: WatchState, heads: readonly StoredHead[]): WatchState {
    const own = heads.filter(({ segment }) => segment.deviceId === this.#deviceId);
    const newest = own.toSorted((a, b) => a.segment.tip.count - b.segment.tip.count).at(-1);
    const known = state.log === undefined ? 0 : state.log.before.count + state.log.entries.length;
    if (newest === undefined || newest.segment.tip.count <= known) return state;
    const { index, before, entries, covered } = newest.segment;
    const counter = Math.max(state.counter, covered);
    return {
      ...state,
      counter,
      log: { index, before, entries, covered },
      openHead: { index, recordId: newest.recordId },
    };
  }

  /**
   * What became of writes whose end this device did not see, and what stands in the store unlisted because it crashed
   * between a write and its head: listed now. What stands there with a counter that the log speaks for is not its own.
   */
  #adopt(state: WatchState, shown: ReadonlyMap<string, ShownRecord>): WatchState {
    const nowMs = this.#options.clock.nowMs();
    const covered = state.log?.covered ?? 0;
    const isOver = ({ standing, atMs }: PendingWrite) =>
      standing === 'failed' || (standing === 'under-way' && nowMs - atMs > UNDER_WAY_MS);
    const isThere = ({ recordId, digest }: PendingWrite) => shown.get(recordId)?.digest === digest;
    const over = state.pending.filter(isOver);
    const lost = over.filter((write) => !isThere(write)).flatMap(({ digest }) => digest ?? []);
    const kept = state.pending.filter((write) => !isOver(write) || isThere(write));
    const own = [...shown.values()].filter(
      ({ deviceId, deviceCounter, digest }) =>
        deviceId === this.#deviceId && (deviceCounter > covered || state.lost.includes(digest)),
    );
    const inLog = [this.#logs.get(this.#deviceId)?.entries ?? [], state.log?.entries ?? []];
    const listed = new Set(own.length === 0 ? [] : [kept, ...inLog].flat().map(({ digest }) => digest));
    const found = own.filter(({ digest }) => !listed.has(digest));
    const pending = [
      ...kept.map((write) => (isOver(write) ? ({ ...write, standing: 'stored' } as const) : write)),
      ...found.map(({ recordId, digest, deviceCounter }) => ({
        ...{ recordId, digest, counter: deviceCounter, atMs: nowMs, standing: 'stored' as const },
      })),
    ];
    const counter = Math.max(state.counter, ...found.map(({ deviceCounter }) => deviceCounter));
    return { ...state, counter, pending, lost: [...state.lost, ...lost] };
  }

  // Listing

  #announced(state: WatchState): { readonly state: WatchState; readonly announcement: UnsentHead | undefined } {
    if (state.log !== undefined) return { state, announcement: undefined };
    const { clock, random, device } = this.#options;
    const nowMs = Math.max(0, Math.trunc(clock.nowMs()));
    const recordId = encodeHex(random.bytes(16));
    const content = announceDevice(device, nowMs, nowMs);
    const { state: announced, shown } = this.withWrite(state, recordId, content, 'stored');
    return { state: announced, announcement: { index: 0, recordId, counter: shown.deviceCounter, content } };
  }

  /** Moves what the store has confirmed from `pending` into the log, and signs the segments that it touches. */
  async #sign(state: WatchState): Promise<WatchState> {
    const { clock, device, accountId } = this.#options;
    const stored = state.pending.filter(({ standing }) => standing === 'stored');
    const listed = newestOf(stored);
    if (listed.length === 0) return state;
    const byRecord = Map.groupBy(stored, ({ recordId }) => recordId);
    const waiting = state.pending.filter(({ standing }) => standing !== 'stored');
    const log = new OwnLog(device, accountId, state.log);
    const nowMs = Math.max(0, Math.trunc(clock.nowMs()));
    // CL-204: a write that may still arrive is not spoken for.
    const covered = Math.min(state.counter, ...waiting.map(({ counter }) => counter - 1));
    const entries = listed.map(({ recordId, digest }) => ({
      ...{ recordId, digest },
      replaces: replacedBy(byRecord.get(recordId) ?? []).filter((each) => each !== digest),
    }));
    const heads = await log.append(entries, { seen: this.#seen(), covered, atMs: nowMs, clock: nowMs });
    return this.#withHeads({ ...state, log: log.state, pending: waiting }, heads);
  }

  /** The other devices' logs, of which this device's head speaks. */
  #seen(): Map<string, LogPlace> {
    const others = [...this.#logs.values()].filter(({ deviceId }) => deviceId !== this.#deviceId);
    others.sort((a, b) => b.atMs - a.atMs);
    // CL-381: a head with more of them than it has room for would be refused by everybody
    if (others.length > SEEN_LIMIT) others.length = SEEN_LIMIT;
    return placesOf(new Map(others.map((log) => [log.deviceId, log])));
  }

  /**
   * The versions that a new one replaces: those that stood at the last comparison, and what this device listed since. Known when it is
   * written: by the time that a head lists it, another device may have written over it.
   */
  #replaced(recordId: string, { log }: WatchState): string[] {
    const since = log?.entries.findLast((entry) => entry.recordId === recordId)?.digest ?? [];
    return [...new Set([...this.#manifest.standing(recordId), ...[since].flat()])].slice(-REPLACES_LIMIT);
  }

  /** What this device wrote and the store confirmed is known, also before the next comparison. */
  #withoutUnsent(state: WatchState, sent?: UnsentHead): WatchState {
    const unsent = state.unsent.filter((head) => head !== sent);
    if (unsent.length > 0 || state.log === undefined) return { ...state, unsent };
    const { device, accountId } = this.#options;
    const own = new OwnLog(device, accountId, state.log).place;
    return { ...state, unsent, known: [...new Map(state.known).set(this.#deviceId, own)] };
  }

  #withHeads(state: WatchState, heads: readonly { index: number; content: UnknownContent }[]): WatchState {
    let { counter, openHead } = state;
    const unsent = new Map<number, UnsentHead>(state.unsent.map((head) => [head.index, head]));
    for (const { index, content } of heads) {
      if (openHead?.index !== index) openHead = { index, recordId: encodeHex(this.#options.random.bytes(16)) };
      counter += 1;
      unsent.set(index, { index, recordId: openHead.recordId, counter, content });
    }
    return { ...state, counter, ...(openHead && { openHead }), unsent: [...unsent.values()] };
  }

  async #gather(): Promise<void> {
    if (this.#isGathering) return;
    this.#isGathering = true;
    try {
      await this.#options.clock.sleep(GATHER_MS);
      this.#isGathering = false;
      await this.publish();
    } catch {
      // Offline, the store is full, or the page is going: what is pending is kept and listed with the next write or visit.
      // What else it may be, whoever calls `publish` is told.
      this.#isGathering = false;
    }
  }

  get #change(): WatchMemory['change'] {
    return this.#options.memory.change;
  }
}

/** Of several writes of one record only the last stands in the store. */
/** Of the writes of one record: what is written twice before a head lists it may have been seen in between. */
function replacedBy(writes: readonly PendingWrite[]): string[] {
  const replaced = writes.flatMap(({ digest, replaces = [] }) => [...replaces, ...(digest === null ? [] : [digest])]);
  return [...new Set(replaced)].slice(-REPLACES_LIMIT);
}

function newestOf(writes: readonly PendingWrite[]): PendingWrite[] {
  return [...new Map(writes.map((write) => [write.recordId, write])).values()];
}

/**
 * What a whole set of records shows.
 *
 * @param digests of records that were seen before: a history of years is compared after every sync
 */
function shownHistory(records: Iterable<OpenedRecord>, digests: WeakMap<OpenedRecord, string>): ShownHistory {
  const shown = {
    records: new Map<string, ShownRecord>(),
    heads: [] as OpenedRecord[],
    announcements: [] as OpenedRecord[],
    epochs: [] as OpenedRecord[],
  };
  for (const record of records) {
    const { recordId, deviceId, deviceCounter, epoch, content } = record;
    const type = content.type === 'unknown' ? content.recordType : content.type;
    if (type === HEAD_TYPE) {
      shown.heads.push(record);
      continue;
    }
    if (type === EPOCH_TYPE) shown.epochs.push(record);
    if (type === EPOCH_TYPE || type === NEXT_KEY_TYPE) continue;
    if (type === DEVICE_TYPE) shown.announcements.push(record);
    const digest = digests.get(record) ?? encodeHex(writeDigest(record));
    digests.set(record, digest);
    shown.records.set(recordId, { recordId, deviceId, deviceCounter, digest, epoch });
  }
  return shown;
}

function refusedHead(error: unknown, deviceId: string): Finding {
  if (!(error instanceof SottoError)) throw error;
  return finding('history-forked', { deviceId, ...(error.rule === undefined ? {} : { rule: error.rule }) });
}
