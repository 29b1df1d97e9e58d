/**
 * An account's records: kept sealed on this device, written there first, brought to the server in the background, watched
 * (spec/client.md "On this device", "Sync", "Watching the server"). The list is there at once, a chat when it is opened; everything
 * else comes behind. Neither the server nor the device's store is believed. Owned by one `History`.
 */
import { encodeHex, equalBytes, parseHex, SottoError } from '@sotto/bytes';
import type { Clock, DeviceStore, Random, SealedChange, SealedStore, StoredRecord } from '@sotto/ports';
import {
  type AccountKey,
  compareVersions,
  conversationOf,
  type DeviceKeys,
  type LocalOwner,
  nextClock,
  type OpenedRecord,
  openRecordWithBytes,
  parseVisibleHeader,
  type RecordContent,
  sealRecord,
} from '@sotto/vault';
import { DEVICE_TYPE, digestOfBytes, type Finding, HEAD_TYPE, type ShownRecord, writeDigest } from '@sotto/vault/heads';
import { EPOCH_TYPE, NEXT_KEY_TYPE } from '@sotto/vault/rotation';
import { saveErrorOf } from '../errors.ts';
import { HeldRecords } from '../held-records.ts';
import { FIRST_EPOCH, type Keyring } from '../keyring.ts';
import {
  type ConversationState,
  type ConversationSummary,
  type Damage,
  type RecordChange,
  type RecordKeeper,
  type Standing,
  stateOf,
  summaryOf,
  type WholeConversation,
} from '../record-keeper.ts';
import { type AccountSync, type AccountSyncPorts, startAccountSync } from '../sync/account-sync.ts';
import { Engine } from '../sync/engine.ts';
import { localSeal } from '../sync/local-seal.ts';
import type { AppliedPage, OutgoingWrite, PulledOutcome, RemoteRecords, SyncedHistory } from '../sync/sync-types.ts';
import {
  EMPTY_WATCH_STATE,
  encodeWatchState,
  loadWatchState,
  parseWatchState,
  type WatchState,
} from '../watch/state.ts';
import type { TakingTurns } from '../watch/turns.ts';
import { type ShownHistory, Watch, type WatchOptions } from '../watch/watch.ts';
import { Archive } from './archive.ts';
import type { Mark } from './marks.ts';
import { HEADS, KEYS, OTHERS } from './pack.ts';
import { Values } from './values.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** When what is not shown is read, after the list. */
const BEHIND_MS = 300;
/** Chats that stay in memory after they were opened. */
const OPEN_LIMIT = 6;
/** Groups that are in memory as long as the account is open. */
const ALWAYS: readonly string[] = [OTHERS, KEYS];
/** Of one write to the device's store, when many wait. */
const BATCH_LIMIT = 256;

export interface AccountKeeperOptions {
  /** 16 bytes. */
  readonly accountId: Uint8Array;
  readonly device: DeviceKeys;
  readonly keyring: Keyring;
  readonly owner: LocalOwner;
  readonly sealed: SealedStore;
  readonly remote: RemoteRecords;
  readonly clock: Clock;
  readonly random: Random;
  readonly takingTurns: TakingTurns;
  readonly epochs?: WatchOptions['epochs'];
  /** Where the first version kept what the watch remembers. */
  readonly earlierMemory?: { readonly store: DeviceStore; readonly accountKey: AccountKey };
}

type ChangeOfWatch<Result> = (
  state: WatchState,
  save: (state: WatchState) => Promise<void>,
) => Promise<readonly [WatchState, Result]>;

interface Waiting {
  readonly recordId: string;
  readonly content: RecordContent;
  readonly again: ((stored: RecordContent) => RecordContent) | undefined;
  readonly done: PromiseWithResolvers<void>;
}

/** Use `open`. */
export class AccountKeeper implements RecordKeeper, SyncedHistory {
  readonly held = new HeldRecords();
  readonly engine: Engine;
  onChanged: (changes: readonly RecordChange[]) => void = () => undefined;
  readonly #options: AccountKeeperOptions;
  readonly #values: Values;
  readonly #archive: Archive;
  readonly #watch: Watch;
  readonly #deviceId: string;
  /** Chats that were opened, the last one last. */
  #open: string[] = [];
  /** Written by the person and not stored: in memory until a later try works. */
  readonly #unsaved = new Map<string, OpenedRecord>();
  #waiting: Waiting[] = [];
  #isWriting = false;
  #isClosed = false;
  #clock = 0;
  #watchState: { readonly sealed: Bytes; readonly state: WatchState } | undefined;
  /** While everything is shown anew from the beginning: what has been. */
  #reshown: Set<string> | undefined;
  /** Nothing has been fetched since this device began to keep something. */
  #isFresh = false;
  /** More may be in view than is kept. */
  #isViewAhead = false;
  #sync: ReturnType<typeof startAccountSync> | undefined;
  #marks: Promise<void> | undefined;
  #comparison: Promise<void> | undefined;
  #summaries: ConversationSummary[] | undefined;
  /** For which what stood in the logs was last looked for. */
  #triedEpoch = FIRST_EPOCH;
  /** Of what was opened just now. */
  readonly #digests = new WeakMap<OpenedRecord, string>();
  /** Sealed under a key that is not known yet. */
  readonly #unopened = new Map<string, StoredRecord>();

  /** Reads the list; the rest goes on behind. @throws SottoError `store-unavailable` */
  static async open(options: AccountKeeperOptions): Promise<AccountKeeper> {
    const keeper = new AccountKeeper(options);
    await keeper.#start();
    return keeper;
  }

  private constructor(options: AccountKeeperOptions) {
    const { accountId, sealed, owner, random, device, clock } = options;
    this.#options = options;
    this.#deviceId = encodeHex(device.deviceId);
    this.#values = new Values(sealed, owner, random);
    this.#archive = new Archive(this.#values, this.#deviceId);
    this.engine = new Engine({ ...options, store: sealed, seal: localSeal(owner, random), history: this });
    const memory = { change: this.#changeWatch.bind(this) };
    const { epochs } = options;
    const publish = async () => void (await this.#publish());
    this.#watch = new Watch({ accountId, device, clock, random, memory, publish, ...(epochs && { epochs }) });
  }

  async #start(): Promise<void> {
    if (!(await this.#archive.open())) await this.engine.inTurn(() => this.#beginUnlessBegun());
    await this.engine.load();
    await this.#read(ALWAYS);
    for (const groupId of ALWAYS) for (const record of this.#archive.loaded(groupId)) this.held.set(record);
    this.#clock = this.#archive.clock;
  }

  /** In turn. */
  async #beginUnlessBegun(): Promise<void> {
    // CL-268: another tab has begun while this one waited for its turn, and all it wrote would be erased
    if (await this.#archive.open()) return;
    await this.#begin();
  }

  /** In turn. Nothing usable is here: everything is fetched anew. What waits to be sent stays, and what is in view. */
  async #begin(): Promise<void> {
    this.#isFresh = true;
    this.#isViewAhead = true;
    this.#watch.forgetComparison();
    await this.#values.store.write([{ name: this.#values.name('cursor'), value: undefined }]);
    await this.#archive.erase();
    this.#tell([]);
  }

  #marksThere(): Promise<void> {
    this.#marks ??= this.#loadMarks();
    return this.#marks;
  }

  async #loadMarks(): Promise<void> {
    if (this.#archive.hasMarks || (await this.#archive.loadMarks())) return;
    // Another tab may have written between the list and the marks, which is no damage.
    await this.engine.inTurn(() => this.#catchUp());
  }

  startSync(ports: AccountSyncPorts): void {
    this.#sync = startAccountSync(this.engine, ports);
    // Without a network nothing else asks for it.
    void this.#options.clock
      .sleep(BEHIND_MS)
      .then(() => this.compared())
      .catch(() => undefined);
  }

  get sync(): AccountSync | undefined {
    return this.#sync;
  }

  close(): void {
    this.#isClosed = true;
    this.#sync?.stop();
    this.engine.close();
    this.#archive.close();
    for (const { recordId } of [...this.held.values()]) this.held.delete(recordId);
    this.#unsaved.clear();
    this.#unopened.clear();
    this.#open = [];
    this.#summaries = [];
    this.#watchState = undefined;
  }

  // Reading

  get damaged(): ReadonlyMap<string, Damage> {
    return this.#archive.damaged;
  }

  summaries(): ConversationSummary[] {
    if (this.#summaries !== undefined) return this.#summaries;
    const found = new Map<string, ConversationSummary>();
    for (const { groupId, summary, state } of this.#archive.entries()) {
      if (summary !== undefined && state !== 'removed') found.set(groupId, summary);
    }
    const unkept = this.#open.filter((groupId) => this.#archive.entry(groupId) === undefined);
    const unsaved = [...this.#unsaved.values()].map((record) => conversationOf(record) ?? '');
    for (const conversationId of [...unkept, ...unsaved]) {
      const conversation = this.held.conversation(conversationId);
      if (conversation?.deleted === false) found.set(conversation.conversationId, summaryOf(conversation));
    }
    const byUse = (a: ConversationSummary, b: ConversationSummary) =>
      b.clock - a.clock || (a.conversationId < b.conversationId ? -1 : 1);
    this.#summaries = [...found.values()].sort(byUse);
    return this.#summaries;
  }

  conversationState(conversationId: string): ConversationState | undefined {
    return this.#archive.entry(conversationId)?.state ?? stateOf(this.held.conversation(conversationId));
  }

  hasRecord(recordId: string): boolean {
    return this.#archive.mark(recordId)?.held !== undefined || this.held.get(recordId) !== undefined;
  }

  isLoaded(conversationId: string): boolean {
    return this.#open.includes(conversationId) || this.#archive.entry(conversationId) === undefined;
  }

  async load(conversationId: string): Promise<void> {
    if (this.#open.includes(conversationId)) this.#opened(conversationId);
    else
      await this.#reading([conversationId], () => {
        for (const record of this.#archive.loaded(conversationId)) {
          if (!this.#unsaved.has(record.recordId)) this.held.set(record);
        }
        this.#opened(conversationId);
      });
    this.#tell([]);
  }

  async *eachConversation(): AsyncGenerator<WholeConversation> {
    for (const { conversationId } of [...this.summaries()]) {
      const whole = await this.wholeConversation(conversationId);
      if (whole !== undefined) yield whole;
    }
  }

  async wholeConversation(conversationId: string): Promise<WholeConversation | undefined> {
    const summaryNow = () => {
      const { summary, state } = this.#archive.entry(conversationId) ?? {};
      const conversation = this.held.conversation(conversationId);
      if (summary !== undefined) return state === 'removed' ? undefined : summary;
      return conversation?.deleted === false ? summaryOf(conversation) : undefined;
    };
    if (summaryNow() === undefined) return undefined;
    const isOpen = this.#open.includes(conversationId);
    const records = isOpen ? this.held.of(conversationId) : await this.#recordsOf(conversationId);
    const summary = summaryNow();
    return summary === undefined ? undefined : { summary, records };
  }

  unfinished(): readonly string[] {
    return [...this.#archive.entries()]
      .filter(({ unfinished, state }) => unfinished && state !== 'removed')
      .map(({ groupId }) => groupId);
  }

  nextClock(): number {
    this.#clock = nextClock(this.#options.clock.nowMs(), Math.max(this.#clock, this.#archive.clock));
    return this.#clock;
  }

  /** Packs into memory. What another tab has written meanwhile is no damage; what is damage is fetched again. */
  async #read(groupIds: readonly string[]): Promise<void> {
    if ((await this.#archive.load(groupIds)).size === 0) return;
    await this.#marksThere();
    await this.engine.inTurn(async () => {
      await this.#catchUp();
      await this.#ensure(groupIds);
    });
  }

  /** Reads packs and uses them at once: what goes on in turn may let go of them a moment later. */
  async #reading<Result>(groupIds: readonly string[], use: () => Result): Promise<Result> {
    for (;;) {
      await this.#read(groupIds);
      if (this.#isClosed || groupIds.every((groupId) => this.#archive.isLoaded(groupId))) return use();
    }
  }

  /** Of a chat that is not open, which need not stay in memory. */
  async #recordsOf(groupId: string): Promise<OpenedRecord[]> {
    if (this.#archive.isLoaded(groupId)) return this.#archive.loaded(groupId);
    const { packs, isWhole } = (await this.#archive.read([groupId])).get(groupId) ?? { packs: [], isWhole: true };
    if (isWhole) return packs.flatMap((pack) => [...pack.values()]);
    const records = await this.#reading([groupId], () => this.#archive.loaded(groupId));
    this.#letGo(groupId);
    return records;
  }

  /** In turn, so that nothing is taken from whoever is about to write it. */
  #letGo(groupId: string): void {
    const unload = async () => {
      if (!this.#isHeld(groupId)) this.#archive.unload(groupId);
    };
    // What stays in memory for once does no harm.
    void this.engine.inTurn(unload).catch(() => undefined);
  }

  #opened(conversationId: string): void {
    this.#open = [...this.#open.filter((each) => each !== conversationId), conversationId];
    const isInUse = (groupId: string) =>
      [...this.#unsaved.values()].some((record) => conversationOf(record) === groupId);
    while (this.#open.length > OPEN_LIMIT) {
      const oldest = this.#open.find((each) => !isInUse(each));
      if (oldest === undefined || oldest === conversationId) return;
      this.#open = this.#open.filter((each) => each !== oldest);
      for (const { recordId } of this.held.of(oldest)) this.held.delete(recordId);
      this.#letGo(oldest);
    }
  }

  // Writing

  write(recordId: string, content: RecordContent, again?: (stored: RecordContent) => RecordContent): Promise<void> {
    const groupId = groupOf(content);
    const { epoch } = this.#options.keyring;
    // In memory before it is stored: a save that fails loses nothing that can be read.
    const record = { recordId, deviceId: this.#deviceId, deviceCounter: 0, epoch, content };
    this.#unsaved.set(recordId, record);
    this.held.set(record);
    this.#clock = Math.max(this.#clock, content.clock);
    if (!ALWAYS.includes(groupId) && this.#archive.entry(groupId) === undefined) this.#opened(groupId);
    this.#tell([{ recordId, record }]);
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
        await this.#marksThere();
        await this.engine.inTurn(() => this.#storeWrites(batch));
      } catch (error) {
        for (const { done, recordId } of batch) done.reject(saveErrorOf(error, recordId));
      }
    }
    this.#isWriting = false;
  }

  async #storeWrites(batch: readonly Waiting[]): Promise<void> {
    await this.#catchUp();
    await this.#ensure(batch.map(({ content }) => groupOf(content)));
    let state = await this.#loadWatch();
    const outgoing: OutgoingWrite[] = [];
    const written: (Waiting & { readonly record: OpenedRecord })[] = [];
    for (const waiting of batch) {
      const { recordId, done } = waiting;
      const stored = this.#archive.get(groupOf(waiting.content), recordId);
      const content = stored === undefined ? waiting.content : (waiting.again?.(stored.content) ?? waiting.content);
      try {
        const begun = this.#watch.withWrite(state, recordId, content, 'stored');
        const record = this.#recordOf(recordId, content, begun.shown.deviceCounter);
        outgoing.push({ recordId, envelope: await this.#seal(record) });
        this.#archive.put(groupOf(content), record, { ...begun.shown, epoch: record.epoch }, 'held');
        state = begun.state;
        written.push({ ...waiting, record });
      } catch (error) {
        if (!(error instanceof SottoError)) throw error;
        this.#unsaved.delete(recordId);
        done.reject(error);
      }
    }
    await this.#commit(outgoing, state);
    for (const { record, content } of written) {
      if (this.#unsaved.get(record.recordId)?.content === content) this.#unsaved.delete(record.recordId);
      if (this.#unsaved.has(record.recordId)) continue;
      if (this.#isHeld(groupOf(content))) this.held.set(record);
      else this.held.delete(record.recordId);
    }
    this.#tell(written.map(({ record }) => ({ recordId: record.recordId, record })));
    for (const { done } of written) done.resolve();
    this.#watch.gather();
  }

  async remove(recordIds: readonly string[]): Promise<void> {
    if (recordIds.length === 0) return;
    await this.compared();
    const wasKept = await this.engine.inTurn(async () => {
      await this.#catchUp();
      const marks = recordIds.flatMap((recordId) => this.#archive.mark(recordId) ?? []);
      await this.#ensure([...marks.map(({ groupId }) => groupId), HEADS]);
      const state = this.#watch.withRemovals(await this.#loadWatch(), recordIds);
      // CL-202: the head that tells of it goes before the removal; without one, the next comparison removes it.
      const { outgoing, state: signed } = this.#watch.isCompared ? await this.#sign(state) : { outgoing: [], state };
      const told = this.#watch.isCompared ? recordIds : [];
      for (const recordId of recordIds) {
        if (this.#watch.isCompared) this.#release(recordId);
        // Until then the server shows it, and would be suspected of dropping it.
        else this.#releaseHeld(recordId);
      }
      await this.#commit([...outgoing, ...told.map((recordId) => ({ recordId, envelope: undefined }))], signed);
      this.#tell(recordIds.map((recordId) => ({ recordId, record: undefined })));
      return marks.some(({ held }) => held !== undefined);
    });
    // CL-265: the browser's files would go on holding what the person deleted
    if (wasKept) await this.#values.store.purge();
  }

  drop(recordId: string): void {
    this.#unsaved.delete(recordId);
    if (this.held.delete(recordId)) this.#tell([{ recordId, record: undefined }]);
  }

  /** Everything that belongs to one change, in one write. */
  async #commit(
    outgoing: readonly OutgoingWrite[],
    state: WatchState | undefined,
    more: readonly SealedChange[] = [],
  ): Promise<void> {
    const kept = await this.#archive.changes();
    const watch = state === undefined ? undefined : await this.#sealWatch(state);
    const { changes, ended } = await this.engine.enqueue(outgoing);
    const all = [...kept, ...(watch === undefined ? [] : [watch]), ...changes, ...more];
    try {
      if (all.length > 0) await this.#values.store.write(all);
    } catch (error) {
      ended(false);
      this.#watchState = undefined;
      throw error;
    }
    ended(true);
    this.#archive.stored();
    if (watch?.value !== undefined && state !== undefined) this.#watchState = { sealed: watch.value, state };
  }

  /** Heads for what is written and not listed yet, put where records are. */
  async #sign(state: WatchState): Promise<{ readonly outgoing: OutgoingWrite[]; readonly state: WatchState }> {
    const signed = await this.#watch.signed(state);
    const outgoing: OutgoingWrite[] = [];
    const add = async (recordId: string, content: RecordContent, counter: number, groupId: string) => {
      const record = this.#recordOf(recordId, content, counter);
      this.#archive.put(groupId, record, shownOf(record), 'held');
      if (groupId === OTHERS) this.held.set(record);
      outgoing.push({ recordId, envelope: await this.#seal(record), isHead: groupId === HEADS });
    };
    const { announcement } = signed;
    if (announcement !== undefined) {
      await add(announcement.recordId, announcement.content, announcement.counter, OTHERS);
    }
    for (const { recordId, content, counter } of signed.heads) await add(recordId, content, counter, HEADS);
    return { outgoing, state: signed.state };
  }

  /** @returns whether there was something to list */
  async #publish(): Promise<boolean> {
    if (!this.#watch.isCompared) return false;
    return this.engine.inTurn(async () => {
      await this.#catchUp();
      await this.#ensure([HEADS]);
      const before = await this.#loadWatch();
      const { outgoing, state } = await this.#sign(before);
      if (outgoing.length > 0) await this.#commit(outgoing, state);
      return outgoing.length > 0;
    });
  }

  #recordOf(recordId: string, content: RecordContent, deviceCounter: number): OpenedRecord {
    return { recordId, deviceId: this.#deviceId, deviceCounter, epoch: this.#options.keyring.epoch, content };
  }

  /** A record of another device is sealed as that device's write, which it is. */
  #seal({ recordId, deviceId, deviceCounter, content }: OpenedRecord): Promise<Bytes> {
    const { keyring, accountId, random } = this.#options;
    return sealRecord({
      epochKey: keyring.epochKey,
      accountId,
      recordId: parseHex(recordId, 16),
      epoch: keyring.epoch,
      deviceId: parseHex(deviceId, 16),
      deviceCounter,
      content,
      random,
    });
  }

  // What the server brings

  async refresh(): Promise<void> {
    try {
      await this.#marksThere();
      await this.engine.inTurn(() => this.#catchUp());
      await this.engine.sync();
    } catch (error) {
      // CL-236: without the server everything that is here goes on; the engine's state says why
      if (!(error instanceof SottoError)) throw error;
    }
  }

  /** What was kept is compared with the logs; begun by whoever needs it first, so that the list is there before it. */
  compared(): Promise<void> {
    this.#comparison ??= this.#marksThere().then(() => this.#compareKept());
    return this.#comparison;
  }

  async settled(): Promise<void> {
    await this.compared();
    await this.#publish();
    await this.refresh();
    if (await this.#publish()) await this.refresh();
  }

  async apply(records: readonly StoredRecord[]): Promise<AppliedPage> {
    await this.#marksThere();
    await this.#catchUp();
    const opened = await this.#openRecords(records);
    const known = records.flatMap(({ recordId }) => this.#archive.mark(recordId) ?? []);
    const groups = opened.map(({ content }) => groupOf(content));
    await this.#ensure([...groups, ...known.map(({ groupId }) => groupId)]);
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
      if (this.engine.isWaiting(recordId)) superseded.push(recordId);
      changes.push({ recordId, record });
    }
    const kept = await this.#archive.changes();
    const stored = () => {
      this.#archive.stored();
      for (const { recordId, record } of changes) {
        if (record === undefined || this.#unsaved.has(recordId)) continue;
        if (this.#isHeld(groupOf(record.content))) this.held.set(record);
      }
      for (const groupId of new Set(groups)) if (!this.#isHeld(groupId)) this.#archive.unload(groupId);
      this.#clock = Math.max(this.#clock, this.#archive.clock);
      this.#tell(changes);
    };
    return { changes: kept, superseded, stored };
  }

  /** What stood in the logs when the newest epoch began, where what is kept here says so. @param isNew what says more has come */
  async #learnEpoch(isNew: boolean): Promise<void> {
    const { epoch } = this.#options.keyring;
    const isKnown = this.#isFresh || epoch === this.#watch.believedEpoch || (epoch === this.#triedEpoch && !isNew);
    if (epoch === FIRST_EPOCH || isKnown) return;
    this.#triedEpoch = epoch;
    await this.#ensure([HEADS, ...ALWAYS]);
    await this.#watch.prepare(this.#shownHistory());
  }

  async pulled(): Promise<PulledOutcome> {
    const reshown = this.#reshown;
    this.#reshown = undefined;
    if (reshown !== undefined) await this.#showOnly(reshown);
    this.#isFresh = false;
    await this.compared();
    const removed = await this.#compare(true);
    this.#dropUnkept();
    return { removed };
  }

  /** Once everything is here, what is not is no longer in view. */
  #dropUnkept(): void {
    if (!this.#isViewAhead) return;
    this.#isViewAhead = false;
    const gone = [...this.held.values()].filter(
      ({ recordId }) => !this.#unsaved.has(recordId) && this.#archive.mark(recordId)?.held === undefined,
    );
    for (const { recordId } of gone) this.held.delete(recordId);
    this.#tell(gone.map(({ recordId }) => ({ recordId, record: undefined })));
  }

  restarted(): void {
    this.#reshown = new Set();
  }

  *shownIds(): Generator<string> {
    for (const { recordId, shown } of this.#archive.marks()) {
      if (shown !== undefined && !this.engine.isWaiting(recordId)) yield recordId;
    }
    yield* this.#archive.damaged.keys();
  }

  async missing(recordIds: readonly string[]): Promise<void> {
    await this.engine.inTurn(async () => {
      await this.#catchUp();
      for (const recordId of recordIds) this.#hide(recordId);
      await this.#commit([], undefined);
    });
    await this.#compare();
  }

  /** Those that open, also of what came before and needed a key that has come now. */
  async #openRecords(records: readonly StoredRecord[]): Promise<OpenedRecord[]> {
    const opened = new Map<string, OpenedRecord>();
    const open = async (some: readonly StoredRecord[]) => {
      for (const { recordId } of some) this.#unopened.delete(recordId);
      for (const record of await Promise.all(some.map((each) => this.#openRecord(each)))) {
        if (record !== undefined) opened.set(record.recordId, record);
      }
    };
    await open(records);
    const { keyring } = this.#options;
    while (await keyring.catchUp?.([...this.held.others(), ...opened.values()])) {
      await open([...this.#unopened.values()]);
    }
    return [...opened.values()];
  }

  /** CL-14: what does not open is counted, and takes nothing with it. */
  async #openRecord(record: StoredRecord): Promise<OpenedRecord | undefined> {
    const { recordId, envelope } = record;
    if (envelope === undefined) return undefined;
    const { keyring, accountId } = this.#options;
    try {
      const { epoch } = parseVisibleHeader(envelope);
      const epochKey = keyring.keyOf(epoch);
      if (epochKey === undefined) this.#unopened.set(recordId, record);
      const { record: opened, bytes } = await openRecordWithBytes({
        epochKey: epochKey ?? keyring.epochKey,
        envelope,
        expectedAccountId: accountId,
        expectedRecordId: parseHex(recordId, 16),
        // VA-08 refuses the record of an epoch whose key is not here.
        expectedEpoch: epochKey === undefined ? keyring.epoch : epoch,
      });
      this.#digests.set(opened, encodeHex(digestOfBytes(opened, bytes)));
      return opened;
    } catch (error) {
      if (!(error instanceof SottoError)) throw error;
      this.#archive.damage(recordId, { code: error.code, rule: error.rule });
      return undefined;
    }
  }

  /** @returns whether it is another version than the one that was held */
  #take(record: OpenedRecord): boolean {
    const { recordId } = record;
    // It is on its way out: shown once more, it would look as if it had come back.
    if (this.engine.isRemoving(recordId)) return false;
    const groupId = groupOf(record.content);
    const shown = shownOf(record, this.#digests.get(record));
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
      if (!this.engine.isWaiting(recordId)) this.#archive.show(recordId, shown, record);
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
    if (!this.engine.isWaiting(recordId)) this.#archive.show(recordId, undefined);
  }

  async #showOnly(recordIds: ReadonlySet<string>): Promise<void> {
    await this.engine.inTurn(async () => {
      await this.#catchUp();
      const hidden = [...this.#archive.marks()].filter(({ recordId, shown }) => shown && !recordIds.has(recordId));
      for (const { recordId } of hidden) this.#hide(recordId);
      for (const recordId of [...this.#archive.damaged.keys()]) {
        if (!recordIds.has(recordId)) this.#archive.undamage(recordId);
      }
      await this.#commit([], undefined);
    });
  }

  /** What a rotation made old is sealed under the newest key, as the same write. */
  async sealAnew(recordId: string, envelope: Bytes): Promise<Bytes | undefined> {
    const { keyring } = this.#options;
    if (parseVisibleHeader(envelope).epoch >= keyring.epoch) return undefined;
    const record = await this.#openRecord({ recordId, sequence: 0, envelope });
    return record === undefined ? undefined : this.#seal(record);
  }

  get olderCount(): number {
    return this.#older().length;
  }

  async sealOlder(limitCount: number): Promise<void> {
    await this.compared();
    // CL-334: where something does not agree, what is sealed anew would be believed for good.
    if (this.findings.length > 0) return;
    await this.engine.inTurn(async () => {
      await this.#catchUp();
      const { epoch } = this.#options.keyring;
      const some = this.#older().slice(0, limitCount);
      await this.#ensure(some.map(({ groupId }) => groupId));
      const outgoing: OutgoingWrite[] = [];
      for (const { recordId, groupId, held } of some) {
        const record = this.#archive.get(groupId, recordId);
        if (record === undefined || held === undefined) continue;
        outgoing.push({ recordId, envelope: await this.#seal(record) });
        this.#archive.put(groupId, { ...record, epoch }, { ...held, epoch }, 'held');
      }
      await this.#commit(outgoing, undefined);
      for (const groupId of new Set(some.map((each) => each.groupId))) {
        if (!this.#isHeld(groupId)) this.#archive.unload(groupId);
      }
    });
  }

  /** What is whole here and stands under an older key; announcements and heads speak for themselves (spec/vault.md "Rotation"). */
  #older(): Mark[] {
    const { epoch: newest } = this.#options.keyring;
    const announced = new Set(this.#shownHistory().announcements.map(({ recordId }) => recordId));
    return [...this.#archive.marks()].filter(
      ({ recordId, groupId, held, shown }) =>
        held !== undefined &&
        shown === held &&
        (held.epoch ?? newest) < newest &&
        groupId !== HEADS &&
        groupId !== KEYS &&
        !announced.has(recordId) &&
        !this.engine.isWaiting(recordId),
    );
  }

  async standing(): Promise<Standing> {
    for (let before = -1; before !== this.engine.cursor; ) {
      before = this.engine.cursor;
      await this.engine.sync();
      await this.compared();
      await this.#publish();
    }
    await this.engine.sync();
    const unlisted: OpenedRecord[] = [];
    for (const { recordId } of this.#watch.unlisted(this.#shownHistory().records.values())) {
      const record = await this.#shownRecord(recordId);
      if (record !== undefined) unlisted.push(record);
    }
    const deviceCounter = await this.#watch.reserveCounter();
    return { sequence: this.engine.cursor, places: this.#watch.places, unlisted, deviceCounter };
  }

  // The watch

  get findings(): readonly Finding[] {
    return this.#watch.findings;
  }

  get compareCode(): string {
    return this.#watch.compareCode;
  }

  devices(): ReturnType<Watch['devices']> {
    return this.#watch.devices();
  }

  async acceptAsItIs(): Promise<void> {
    const found = this.findings;
    await this.#watch.acceptAsItIs();
    const idsOf = (...codes: Finding['code'][]) =>
      found.flatMap(({ code, recordId }) => (codes.includes(code) && recordId !== undefined ? [recordId] : []));
    await this.remove(idsOf('record-missing'));
    const isReplaced = (recordId: string) => {
      const { held, shown } = this.#archive.mark(recordId) ?? {};
      return held !== undefined && held !== shown;
    };
    const outside = idsOf('record-outside-root');
    const replaced = outside.filter(isReplaced);
    await this.#removeAgain([...idsOf('record-resurrected'), ...outside.filter((id) => !isReplaced(id))], true);
    for (const recordId of replaced) {
      const content = await this.#heldContent(recordId);
      if (content !== undefined) await this.write(recordId, { ...content, clock: this.nextClock() });
    }
    for (const recordId of idsOf('record-rolled-back', 'record-unlisted')) {
      const shown = await this.#shownRecord(recordId);
      if (shown !== undefined) await this.write(recordId, { ...shown.content, clock: this.nextClock() });
    }
    await this.refresh();
    await this.settled();
  }

  get restorableCount(): number {
    return this.findings.length === 0 ? 0 : this.#restorable().length;
  }

  async putBack(): Promise<void> {
    await this.engine.inTurn(async () => {
      await this.#catchUp();
      const marks = this.#restorable();
      await this.#ensure(marks.map(({ groupId }) => groupId));
      const outgoing: OutgoingWrite[] = [];
      for (const { recordId, groupId } of marks) {
        const record = this.#archive.get(groupId, recordId);
        if (record === undefined) continue;
        outgoing.push({ recordId, envelope: await this.#seal(record), isHead: groupId === HEADS });
        this.#archive.show(recordId, 'held');
      }
      await this.#commit(outgoing, undefined);
    });
    await this.#compare();
    await this.settled();
  }

  /** What is held and no device removed, and the server does not show so. */
  #restorable(): Mark[] {
    return [...this.#archive.marks()].filter(
      ({ recordId, held, shown }) =>
        held !== undefined &&
        held !== shown &&
        !this.engine.isWaiting(recordId) &&
        !this.#watch.isDeleted(recordId) &&
        !this.#watch.isOutside(recordId),
    );
  }

  /** Before anything is fetched. A device that does not know its own log learns it from the server first. */
  async #compareKept(): Promise<void> {
    const { log } = await this.#loadWatch();
    if (log !== undefined && !this.#isFresh) await this.#compare();
  }

  /** Compares what the server shows with the logs. @returns ids of records that a device removed */
  async #compare(isPulled = false): Promise<string[]> {
    await this.#read([HEADS, ...ALWAYS]);
    await this.#watch.prepare(this.#shownHistory());
    const isWhole = await this.engine.inTurn(async () => {
      await this.#catchUp();
      await this.#ensure([HEADS]);
      if (isPulled && this.#archive.isArriving) {
        this.#archive.arriving(false);
        await this.#commit([], undefined);
      }
      // CL-243: in the middle of a sync, of this tab or another, heads are here that list what is not
      if (this.#archive.isArriving) return false;
      const damaged = new Set(this.#archive.damaged.keys());
      await this.#watch.compare(this.#shownHistory(), damaged, (work) => this.#changeWatchInTurn(work));
      return true;
    });
    if (!isWhole) return [];
    const idsOf = (isSo: (recordId: string) => boolean) =>
      [...this.#archive.marks()].flatMap(({ recordId }) => (isSo(recordId) ? [recordId] : []));
    // What whoever was removed has sealed since under an old key is shown to nobody (CL-324).
    const outside = idsOf((recordId) => this.#watch.isOutside(recordId));
    const removed = idsOf((recordId) => this.#watch.isDeleted(recordId) || this.#isPast(recordId));
    await this.#forgetWrites(new Set(removed));
    await this.#removeAgain(outside, false);
    await this.#removeAgain(removed, this.findings.length === 0);
    this.#tell([]);
    return removed;
  }

  /** What waits or is held here was on the server, and another device has replaced and removed it since. */
  #isPast(recordId: string): boolean {
    const { held, shown } = this.#archive.mark(recordId) ?? {};
    if (held === undefined || !this.#watch.isReplaced(held.digest) || this.engine.isRemoving(recordId)) return false;
    return this.engine.isWaiting(recordId) || (shown === undefined && this.findings.length === 0);
  }

  /** A write that is not sent is not listed either. */
  async #forgetWrites(recordIds: ReadonlySet<string>): Promise<void> {
    const isKept = ({ recordId, digest }: WatchState['pending'][number]) => digest === null || !recordIds.has(recordId);
    await this.#changeWatch(async (state) => {
      const pending = state.pending.filter(isKept);
      return [pending.length === state.pending.length ? state : { ...state, pending }, undefined];
    });
  }

  /** CL-206: what a device deleted is shown to nobody, and removed again where a crash or the server left it. */
  async #removeAgain(recordIds: readonly string[], fromServer: boolean): Promise<void> {
    if (recordIds.length === 0) return;
    const wasKept = await this.engine.inTurn(async () => {
      await this.#catchUp();
      const marks = recordIds.flatMap((recordId) => this.#archive.mark(recordId) ?? []);
      if (marks.length === 0) return false;
      await this.#ensure(marks.map(({ groupId }) => groupId));
      const again = marks.filter(({ shown }) => fromServer && shown !== undefined).map(({ recordId }) => recordId);
      for (const { recordId, held, shown } of marks) {
        if (fromServer) this.#release(recordId);
        // What is held in place of what the server shows was believed, and is nowhere else.
        else if (held === undefined || held === shown || this.#watch.isForged(held)) this.#releaseHeld(recordId);
      }
      await this.#commit(
        again.map((recordId) => ({ recordId, envelope: undefined })),
        undefined,
      );
      this.#tell(marks.map(({ recordId }) => ({ recordId, record: undefined })));
      return marks.some(({ recordId, held }) => held !== undefined && this.#archive.mark(recordId)?.held === undefined);
    });
    // CL-265: deleted on another device, it would stay in the files of this one
    if (wasKept) await this.#values.store.purge();
  }

  #shownHistory(): ShownHistory {
    const records = new Map<string, ShownRecord>();
    for (const { recordId, groupId, shown } of this.#archive.marks()) {
      if (shown !== undefined && groupId !== HEADS && groupId !== KEYS) records.set(recordId, shown);
    }
    const shownOfGroup = (groupId: string) =>
      this.#archive.marksOf(groupId).flatMap((mark) => {
        if (mark.shown === undefined) return [];
        const isHeld = mark.shown === mark.held;
        return (isHeld ? this.#archive.get(groupId, mark.recordId) : this.#archive.shownInstead(mark.recordId)) ?? [];
      });
    return {
      records,
      heads: shownOfGroup(HEADS),
      announcements: shownOfGroup(OTHERS).filter(({ content }) => typeOf(content) === DEVICE_TYPE),
      epochs: shownOfGroup(KEYS).filter(({ content }) => typeOf(content) === EPOCH_TYPE),
    };
  }

  async #heldContent(recordId: string): Promise<RecordContent | undefined> {
    const groupId = this.#archive.mark(recordId)?.groupId;
    if (groupId === undefined) return undefined;
    return this.#reading([groupId], () => this.#archive.get(groupId, recordId)?.content);
  }

  async #shownRecord(recordId: string): Promise<OpenedRecord | undefined> {
    const mark = this.#archive.mark(recordId);
    if (mark?.shown === undefined) return undefined;
    if (mark.shown !== mark.held) return this.#archive.shownInstead(recordId);
    return this.#reading([mark.groupId], () => this.#archive.get(mark.groupId, recordId));
  }

  #changeWatch<Result>(work: ChangeOfWatch<Result>): Promise<Result> {
    return this.engine.inTurn(() => this.#changeWatchInTurn(work));
  }

  async #changeWatchInTurn<Result>(work: ChangeOfWatch<Result>): Promise<Result> {
    const before = await this.#loadWatch();
    const save = (state: WatchState) => this.#saveWatch(state);
    const [state, result] = await work(before, save);
    if (state !== before) await save(state);
    return result;
  }

  async #loadWatch(): Promise<WatchState> {
    const name = this.#values.name('watch');
    const sealed = await this.#values.sealed(name);
    const known = this.#watchState;
    if (known !== undefined && sealed !== undefined && isSame(known.sealed, sealed)) return known.state;
    const state = (await this.#values.open(name, sealed, parseWatchState)) ?? (await this.#earlierWatch());
    if (sealed !== undefined) this.#watchState = { sealed, state };
    return state;
  }

  /** What the first version remembered under the account key itself. */
  async #earlierWatch(): Promise<WatchState> {
    const { accountId, earlierMemory } = this.#options;
    if (earlierMemory === undefined) return EMPTY_WATCH_STATE;
    return loadWatchState(earlierMemory.store, { accountId, accountKey: earlierMemory.accountKey });
  }

  #sealWatch(state: WatchState) {
    return this.#values.seal(this.#values.name('watch'), encodeWatchState(state));
  }

  async #saveWatch(state: WatchState): Promise<void> {
    const change = await this.#sealWatch(state);
    this.#watchState = undefined;
    await this.#values.store.write([change]);
    this.#watchState = { sealed: change.value, state };
  }

  // What this device keeps

  /** In turn: what another tab wrote is taken over before anything is changed. */
  async #catchUp(): Promise<void> {
    const changed = await this.#archive.catchUp();
    if (changed === undefined) {
      await this.#begin();
      await this.engine.load();
      return;
    }
    if (changed.size === 0) return;
    await this.engine.load();
    const changes: RecordChange[] = [];
    // Half of a chat may be kept, of what another tab fetches anew.
    const isPart = this.#isFresh || this.#archive.isArriving;
    for (const groupId of changed) {
      const isHeld = this.#isHeld(groupId);
      const found = isHeld || this.#archive.isLoaded(groupId) ? this.#archive.loaded(groupId) : [];
      const packs = found.length > 0 ? [] : ((await this.#archive.read([groupId])).get(groupId)?.packs ?? []);
      const now = found.length > 0 ? found : packs.flatMap((pack) => [...pack.values()]);
      const ids = new Set(now.map(({ recordId }) => recordId));
      const isOther = ALWAYS.includes(groupId);
      const before = isOther
        ? [...this.held.others()].filter(({ content }) => groupOf(content) === groupId)
        : this.held.of(groupId);
      for (const { recordId } of before) {
        if (ids.has(recordId) || this.#unsaved.has(recordId)) continue;
        this.#isViewAhead ||= isPart;
        // CL-269: an open chat would shrink, or close itself, while another tab fetches it anew
        if (isPart) continue;
        this.held.delete(recordId);
        changes.push({ recordId, record: undefined });
      }
      for (const record of now) {
        if (isHeld && !this.#unsaved.has(record.recordId)) this.held.set(record);
        if (groupId !== HEADS) changes.push({ recordId: record.recordId, record });
      }
    }
    this.#tell(changes);
  }

  /** In turn: the groups are in memory; what is damaged is given up, and fetched again. */
  async #ensure(groupIds: readonly string[]): Promise<void> {
    const damaged = await this.#archive.load(groupIds.filter((groupId) => this.#archive.entry(groupId) !== undefined));
    if (damaged.size === 0) return;
    for (const [groupId, packs] of damaged) this.#archive.giveUp(groupId, packs);
    await this.#commit([], undefined, [{ name: this.#values.name('cursor'), value: undefined }]);
    await this.engine.load();
  }

  #isHeld(groupId: string): boolean {
    return !this.#isClosed && (ALWAYS.includes(groupId) || this.#open.includes(groupId));
  }

  #release(recordId: string): void {
    this.#releaseHeld(recordId);
    this.#archive.show(recordId, undefined);
  }

  #releaseHeld(recordId: string): void {
    this.#archive.take(recordId);
    this.#unsaved.delete(recordId);
    this.held.delete(recordId);
  }

  #tell(changes: readonly RecordChange[]): void {
    this.#summaries = undefined;
    this.onChanged(changes);
  }
}

/** Whoever has only a key that is out of use must not replace what was sealed since. */
function isUnderOlderKey({ epoch }: OpenedRecord, held: ShownRecord | undefined): boolean {
  return held?.epoch !== undefined && epoch < held.epoch;
}

/** Where records lie together: a chat, the heads, everything else. */
function groupOf(content: RecordContent): string {
  const conversationId = conversationOf({ content });
  if (conversationId !== undefined) return conversationId;
  const type = typeOf(content);
  if (type === EPOCH_TYPE || type === NEXT_KEY_TYPE) return KEYS;
  return type === HEAD_TYPE ? HEADS : OTHERS;
}

function typeOf(content: RecordContent): string {
  return content.type === 'unknown' ? content.recordType : content.type;
}

function shownOf(record: OpenedRecord, digest = encodeHex(writeDigest(record))): ShownRecord {
  const { recordId, deviceId, deviceCounter, epoch } = record;
  return { recordId, deviceId, deviceCounter, epoch, digest };
}

/** Two sealed values: form and salt differ whenever one was written anew. */
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return equalBytes(a.subarray(0, 33), b.subarray(0, 33));
}
