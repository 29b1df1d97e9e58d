/**
 * An account's records: kept sealed on this device, written there first, brought to the server in the background, watched
 * (spec/client.md "On this device", "Sync", "Watching the server"). The list is there at once, a chat when it is opened; everything
 * else comes behind. Neither the server nor the device's store is believed. Owned by one `History`; it puts the parts together:
 *
 *     kept-records.ts   what is kept and what is in memory, and how tabs take turns over it
 *     chat-list.ts      the list, and chats as they are read
 *     own-writes.ts     what the person writes and removes, and the heads that list it
 *     arrivals.ts       what the server brings
 *     comparison.ts     what the server shows, against the logs
 *     reseal.ts         what a rotation made old
 */
import { encodeHex, SottoError } from '@sotto/bytes';
import type { Clock, SealedStore, StoredRecord } from '@sotto/ports';
import { type LocalOwner, nextClock, type OpenedRecord, type RecordContent } from '@sotto/vault';
import type { Finding } from '@sotto/vault/heads';
import type { HeldRecords } from '../held-records.ts';
import type {
  ConversationState,
  ConversationSummary,
  Damage,
  RecordChange,
  RecordKeeper,
  Standing,
  WholeConversation,
} from '../record-keeper.ts';
import { type AccountSync, type AccountSyncPorts, startAccountSync } from '../sync/account-sync.ts';
import { Engine } from '../sync/engine.ts';
import { localSeal } from '../sync/local-seal.ts';
import type { AppliedPage, PulledOutcome, RemoteRecords, SyncedHistory } from '../sync/sync-types.ts';
import type { TakingTurns } from '../watch/turns.ts';
import { Watch, type WatchOptions } from '../watch/watch.ts';
import { Archive } from './archive.ts';
import { Arrivals } from './arrivals.ts';
import { ChatList } from './chat-list.ts';
import { Comparison } from './comparison.ts';
import { KeptRecords } from './kept-records.ts';
import { Opening } from './opening.ts';
import { OwnWrites } from './own-writes.ts';
import { Reseal } from './reseal.ts';
import { Sealing, type SealingOptions } from './sealing.ts';
import { shownHistory } from './shown-history.ts';
import { Values } from './values.ts';
import { WatchMemory, type WatchMemoryOptions } from './watch-memory.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** When what is not shown is read, after the list. */
const BEHIND_MS = 300;

export interface AccountKeeperOptions extends SealingOptions, WatchMemoryOptions {
  readonly owner: LocalOwner;
  readonly sealed: SealedStore;
  readonly remote: RemoteRecords;
  readonly clock: Clock;
  readonly takingTurns: TakingTurns;
  readonly epochs?: WatchOptions['epochs'];
}

/** Use `open`. */
export class AccountKeeper implements RecordKeeper, SyncedHistory {
  readonly held: HeldRecords;
  readonly engine: Engine;
  onChanged: (changes: readonly RecordChange[]) => void = () => undefined;
  readonly #options: AccountKeeperOptions;
  readonly #kept: KeptRecords;
  readonly #list: ChatList;
  readonly #watch: Watch;
  readonly #opening: Opening;
  readonly #writes: OwnWrites;
  readonly #arrivals: Arrivals;
  readonly #comparison: Comparison;
  readonly #reseal: Reseal;
  #clock = 0;
  #sync: ReturnType<typeof startAccountSync> | undefined;
  #compared: Promise<void> | undefined;

  /** Reads the list; the rest goes on behind. @throws SottoError `store-unavailable` */
  static async open(options: AccountKeeperOptions): Promise<AccountKeeper> {
    const keeper = new AccountKeeper(options);
    await keeper.#kept.start();
    return keeper;
  }

  private constructor(options: AccountKeeperOptions) {
    const { accountId, sealed, owner, random, device, clock, keyring, epochs } = options;
    this.#options = options;
    const values = new Values(sealed, owner, random);
    const archive = new Archive(values, encodeHex(device.deviceId));
    this.engine = new Engine({ ...options, store: sealed, seal: localSeal(owner, random), history: this });
    const memory = new WatchMemory(values, options, (work) => this.engine.inTurn(work));
    const publish = async () => void (await this.#writes.publish());
    const remembering = { memory: { change: memory.change.bind(memory) }, publish };
    const watch = new Watch({ accountId, device, clock, random, ...remembering, ...(epochs && { epochs }) });
    const kept = new KeptRecords(values, archive, this.engine, memory);
    const sealing = new Sealing(options);
    const opening = new Opening(options, (recordId, damage) => archive.damage(recordId, damage));
    const compared = () => this.compared();
    const seen = (atClock: number) => {
      this.#clock = Math.max(this.#clock, atClock);
    };
    this.#kept = kept;
    this.#watch = watch;
    this.#opening = opening;
    this.held = kept.held;
    this.#list = new ChatList(kept);
    this.#writes = new OwnWrites({ kept, memory, watch, sealing, keyring, compared, seen });
    this.#arrivals = new Arrivals(kept, watch, keyring, opening);
    this.#comparison = new Comparison(kept, memory, watch, sealing);
    this.#reseal = new Reseal(kept, watch, keyring, sealing, opening);
    kept.onBegin = () => watch.forgetComparison();
    kept.onChanged = (changes) => {
      this.#list.changed();
      this.onChanged(changes);
    };
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
    this.#sync?.stop();
    this.engine.close();
    this.#kept.close();
    this.#opening.close();
    this.#list.changed();
  }

  // Reading

  get damaged(): ReadonlyMap<string, Damage> {
    return this.#kept.archive.damaged;
  }

  summaries(): ConversationSummary[] {
    return this.#list.summaries();
  }

  conversationState(conversationId: string): ConversationState | undefined {
    return this.#list.conversationState(conversationId);
  }

  hasRecord(recordId: string): boolean {
    return this.#list.hasRecord(recordId);
  }

  isLoaded(conversationId: string): boolean {
    return this.#list.isLoaded(conversationId);
  }

  load(conversationId: string): Promise<void> {
    return this.#list.load(conversationId);
  }

  eachConversation(): AsyncGenerator<WholeConversation> {
    return this.#list.eachConversation();
  }

  wholeConversation(conversationId: string): Promise<WholeConversation | undefined> {
    return this.#list.wholeConversation(conversationId);
  }

  unfinished(): readonly string[] {
    return this.#list.unfinished();
  }

  nextClock(): number {
    this.#clock = nextClock(this.#options.clock.nowMs(), Math.max(this.#clock, this.#kept.archive.clock));
    return this.#clock;
  }

  // Writing

  write(recordId: string, content: RecordContent, again?: (stored: RecordContent) => RecordContent): Promise<void> {
    return this.#writes.write(recordId, content, again);
  }

  remove(recordIds: readonly string[]): Promise<void> {
    return this.#writes.remove(recordIds);
  }

  drop(recordId: string): void {
    this.#writes.drop(recordId);
  }

  // What the server brings

  async refresh(): Promise<void> {
    try {
      await this.#kept.marksThere();
      await this.engine.inTurn(() => this.#kept.catchUp());
      await this.engine.sync();
    } catch (error) {
      // CL-236: without the server everything that is here goes on; the engine's state says why
      if (!(error instanceof SottoError)) throw error;
    }
  }

  async settled(): Promise<void> {
    await this.compared();
    await this.#writes.publish();
    await this.refresh();
    if (await this.#writes.publish()) await this.refresh();
  }

  /** What was kept is compared with the logs; begun by whoever needs it first, so that the list is there before it. */
  compared(): Promise<void> {
    this.#compared ??= this.#compareKept().catch((error: unknown) => {
      this.#compared = undefined;
      throw error;
    });
    return this.#compared;
  }

  async #compareKept(): Promise<void> {
    await this.#kept.marksThere();
    await this.#comparison.compareKept();
  }

  apply(records: readonly StoredRecord[]): Promise<AppliedPage> {
    return this.#arrivals.apply(records);
  }

  async pulled(): Promise<PulledOutcome> {
    await this.#arrivals.ended();
    await this.compared();
    const removed = await this.#comparison.compare(true);
    this.#kept.dropUnkept();
    return { removed };
  }

  restarted(): void {
    this.#arrivals.restarted();
  }

  *shownIds(): Generator<string> {
    for (const { recordId, shown } of this.#kept.archive.marks()) {
      if (shown !== undefined && !this.engine.isWaiting(recordId)) yield recordId;
    }
    yield* this.#kept.archive.damaged.keys();
  }

  async missing(recordIds: readonly string[]): Promise<void> {
    await this.#arrivals.missing(recordIds);
    await this.#comparison.compare();
  }

  // Rotation

  sealAnew(recordId: string, envelope: Bytes): Promise<Bytes | undefined> {
    return this.#reseal.sealAnew(recordId, envelope);
  }

  get olderCount(): number {
    return this.#reseal.olderCount;
  }

  async sealOlder(limitCount: number): Promise<void> {
    await this.compared();
    await this.#reseal.sealOlder(limitCount);
  }

  async standing(): Promise<Standing> {
    for (let before = -1; before !== this.engine.cursor; ) {
      before = this.engine.cursor;
      await this.engine.sync();
      await this.compared();
      await this.#writes.publish();
    }
    await this.engine.sync();
    const unlisted: OpenedRecord[] = [];
    for (const { recordId } of this.#watch.unlisted(shownHistory(this.#kept.archive).records.values())) {
      const record = await this.#comparison.shownRecord(recordId);
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
      const { held, shown } = this.#kept.archive.mark(recordId) ?? {};
      return held !== undefined && held !== shown;
    };
    const outside = idsOf('record-outside-root');
    const replaced = outside.filter(isReplaced);
    await this.#comparison.removeAgain(
      [...idsOf('record-resurrected'), ...outside.filter((id) => !isReplaced(id))],
      true,
    );
    for (const recordId of replaced) {
      const content = await this.#comparison.heldContent(recordId);
      if (content !== undefined) await this.write(recordId, { ...content, clock: this.nextClock() });
    }
    for (const recordId of idsOf('record-rolled-back', 'record-unlisted')) {
      const shown = await this.#comparison.shownRecord(recordId);
      if (shown !== undefined) await this.write(recordId, { ...shown.content, clock: this.nextClock() });
    }
    await this.refresh();
    await this.settled();
  }

  get restorableCount(): number {
    return this.#comparison.restorableCount;
  }

  async putBack(): Promise<void> {
    await this.#comparison.putBack();
    await this.settled();
  }
}
