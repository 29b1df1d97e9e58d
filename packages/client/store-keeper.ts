/**
 * Records in memory over one store: a guest's, or any store that is read whole. Sealed records come from a store that is not
 * trusted and are opened here; what does not open is counted and left out. Owned by one `History`.
 */
import { encodeHex, parseHex, SottoError } from '@sotto/bytes';
import type { Clock, Random, RecordStore, StoredRecord } from '@sotto/ports';
import {
  type AccountKey,
  type Conversation,
  compareVersions,
  greatestClock,
  listConversations,
  nextClock,
  type OpenedRecord,
  openRecord,
  parseVisibleHeader,
  type RecordContent,
  sealRecord,
} from '@sotto/vault';
import type { Finding } from '@sotto/vault/heads';
import { ClientError, SaveError, saveErrorOf } from './errors.ts';
import { HeldRecords } from './held-records.ts';
import { type Keyring, singleEpoch } from './keyring.ts';
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
} from './record-keeper.ts';
import { Turns } from './turns-by-name.ts';
import type { StoreRecord, Watch } from './watch/watch.ts';

export interface HistoryOptions {
  /** 16 bytes. */
  readonly accountId: Uint8Array;
  /** Of the newest epoch. */
  readonly accountKey: AccountKey;
  /** Given where there may be more than one epoch. */
  readonly keyring?: Keyring;
  /** 16 bytes: the device that writes. */
  readonly deviceId: Uint8Array;
  readonly store: RecordStore;
  readonly clock: Clock;
  readonly random: Random;
  /** Given for an account: its store is somebody else's, and is watched (spec/client.md "Watching the server"). */
  readonly watch?: (store: StoreRecord) => Watch;
}

export class StoreKeeper implements RecordKeeper {
  readonly held = new HeldRecords();
  onChanged: (changes: readonly RecordChange[]) => void = () => undefined;
  readonly #options: HistoryOptions;
  readonly #keyring: Keyring;
  readonly #deviceId: string;
  /** As the store shows them, which may be older than what is held. */
  readonly #shown = new Map<string, OpenedRecord>();
  readonly #watch: Watch | undefined;
  #watching: Promise<void> = Promise.resolve();
  readonly #damaged = new Map<string, Damage>();
  /** Those of an epoch whose key is not known here. */
  readonly #unopened = new Map<string, StoredRecord>();
  /** Two writes of one record keep their order. */
  readonly #turns = new Turns();
  #changes: RecordChange[] = [];
  #sequence = 0;
  #deviceCounter = 0;
  #clock = 0;

  constructor(options: HistoryOptions) {
    this.#options = options;
    this.#keyring = options.keyring ?? singleEpoch(options.accountKey, options.accountId);
    this.#deviceId = encodeHex(options.deviceId);
    this.#watch = options.watch?.((recordId, content, counter) => this.#storeHead(recordId, content, counter));
  }

  get damaged(): ReadonlyMap<string, Damage> {
    return this.#damaged;
  }

  summaries(): ConversationSummary[] {
    const all = [...this.held.conversationIds()].map((id) => [id, this.held.conversation(id) as Conversation] as const);
    return listConversations(new Map(all)).map(summaryOf);
  }

  conversationState(conversationId: string): ConversationState | undefined {
    return stateOf(this.held.conversation(conversationId));
  }

  hasRecord(recordId: string): boolean {
    return this.held.get(recordId) !== undefined;
  }

  isLoaded(): boolean {
    return true;
  }

  async load(): Promise<void> {}

  async *eachConversation(): AsyncGenerator<WholeConversation> {
    for (const summary of this.summaries()) yield { summary, records: this.held.of(summary.conversationId) };
  }

  async wholeConversation(conversationId: string): Promise<WholeConversation | undefined> {
    const conversation = this.held.conversation(conversationId);
    if (conversation === undefined || conversation.deleted) return undefined;
    return { summary: summaryOf(conversation), records: this.held.of(conversationId) };
  }

  unfinished(): readonly string[] {
    return this.summaries().map(({ conversationId }) => conversationId);
  }

  nextClock(): number {
    this.#clock = nextClock(this.#options.clock.nowMs(), this.#clock);
    return this.#clock;
  }

  write(recordId: string, content: RecordContent): Promise<void> {
    return this.#turns.run(recordId, async () => {
      const deviceCounter = (await this.#watch?.begin(recordId, content)) ?? ++this.#deviceCounter;
      // In memory before it is stored: a save that fails loses nothing that can be read.
      this.#hold({ recordId, deviceId: this.#deviceId, deviceCounter, epoch: this.#keyring.epoch, content });
      this.#changed();
      try {
        await this.#sealAndStore(recordId, content, deviceCounter);
      } catch (error) {
        await this.#watch?.finished(deviceCounter, false);
        throw error;
      }
      await this.#watch?.finished(deviceCounter, true);
    });
  }

  async remove(recordIds: readonly string[]): Promise<void> {
    await this.#watch?.remove(recordIds);
    for (const recordId of recordIds) await this.#removeFromStore(recordId);
    this.#changed();
  }

  drop(recordId: string): void {
    this.#release(recordId);
    this.#changed();
  }

  async refresh(): Promise<void> {
    await this.#fetch();
    this.#changed();
    this.#watching = this.#compare();
    // Whoever asks `settled` is told; a sync that could not be compared must not end the program of who does not.
    this.#watching.catch(() => undefined);
  }

  async standing(): Promise<Standing> {
    const watch = this.#watch;
    if (watch === undefined) throw new ClientError('account-required');
    for (let before = -1; before !== this.#sequence; ) {
      before = this.#sequence;
      await this.refresh();
      await this.settled();
    }
    const unlisted = watch.unlistedRecords(this.#shown);
    const deviceCounter = await watch.reserveCounter();
    return { sequence: this.#sequence, places: watch.places, unlisted, deviceCounter };
  }

  async #fetch(): Promise<void> {
    for (;;) {
      const page = await this.#options.store.list(this.#sequence);
      const opened = (await Promise.all(page.records.map((record) => this.#open(record)))).flatMap((one) => one ?? []);
      const isListed = (record: OpenedRecord) => this.#watch?.isListed(record) === true;
      for (const record of opened) if (!isListed(record)) this.#take(record);
      await this.#catchUp();
      // Once it is known which keys are out of use.
      for (const record of opened) if (isListed(record)) this.#take(record);
      const isFurther = page.nextSequence > this.#sequence;
      this.#sequence = page.nextSequence;
      // A store that promises more and gives nothing would be asked for ever.
      if (!page.more || !isFurther) break;
    }
  }

  /** Opens what stood under a key that was not known, for as long as keys are learnt. */
  async #catchUp(): Promise<void> {
    const opened = () => [...this.held.others()];
    while (await this.#keyring.catchUp?.(opened())) {
      for (const record of [...this.#unopened.values()]) {
        const found = await this.#open(record);
        if (found !== undefined) this.#take(found);
      }
    }
  }

  get findings(): readonly Finding[] {
    return this.#watch?.findings ?? [];
  }

  get compareCode(): string | undefined {
    return this.#watch?.compareCode;
  }

  devices(): ReturnType<Watch['devices']> {
    return this.#watch?.devices() ?? [];
  }

  async settled(): Promise<void> {
    await this.#watching;
    await this.#watch?.publish();
  }

  async acceptAsItIs(): Promise<void> {
    const found = this.findings;
    await this.#watch?.acceptAsItIs();
    const idsOf = (...codes: Finding['code'][]) =>
      found.flatMap(({ code, recordId }) => (codes.includes(code) && recordId !== undefined ? [recordId] : []));
    await this.#watch?.remove(idsOf('record-missing'));
    for (const recordId of idsOf('record-resurrected', 'record-outside-root')) await this.#removeFromStore(recordId);
    for (const recordId of idsOf('record-rolled-back', 'record-unlisted')) {
      const shown = this.#shown.get(recordId);
      if (shown !== undefined) await this.write(recordId, { ...shown.content, clock: this.nextClock() });
    }
    await this.refresh();
    await this.settled();
  }

  readonly restorableCount = 0;

  async putBack(): Promise<void> {}

  close(): void {}

  async #compare(): Promise<void> {
    const watch = this.#watch;
    if (watch === undefined) return;
    await watch.compareRecords(this.#shown.values(), new Set(this.#damaged.keys()));
    for (const record of this.#shown.values()) this.#settle(record, watch);
    for (const recordId of [...this.#shown.keys()].filter((recordId) => watch.isDeleted(recordId))) {
      // CL-206: what a device deleted is shown to nobody, and removed again where a crash or the server left it.
      this.#release(recordId);
      if (watch.findings.length === 0) await this.#removeFromStore(recordId).catch(() => undefined);
    }
    this.#changed();
  }

  /** What whoever was removed has sealed since under an old key is shown to nobody, and replaces nothing (CL-324). */
  #settle(record: OpenedRecord, watch: Watch): void {
    const held = this.held.get(record.recordId);
    if (watch.isOutside(record.recordId)) {
      if (held === record || (held !== undefined && watch.isForgedRecord(held))) this.#release(record.recordId);
      return;
    }
    const isNewer = held === undefined || compareVersions(held, record) < 0;
    if (isNewer && this.#isUnderOldKey(record)) this.#hold(record);
  }

  #isUnderOldKey(record: OpenedRecord): boolean {
    return record.epoch < this.#keyring.epoch && this.#watch?.isListed(record) === true;
  }

  async #removeFromStore(recordId: string): Promise<void> {
    await this.#options.store.remove(recordId);
    this.#release(recordId);
    this.#shown.delete(recordId);
  }

  async #open(record: StoredRecord): Promise<OpenedRecord | undefined> {
    const { recordId, envelope } = record;
    this.#unopened.delete(recordId);
    if (envelope === undefined) {
      this.#release(recordId);
      this.#shown.delete(recordId);
      this.#damaged.delete(recordId);
      return undefined;
    }
    try {
      const { epoch } = parseVisibleHeader(envelope);
      const epochKey = this.#keyring.keyOf(epoch);
      if (epochKey === undefined) this.#unopened.set(recordId, record);
      return await openRecord({
        epochKey: epochKey ?? this.#keyring.epochKey,
        envelope,
        expectedAccountId: this.#options.accountId,
        expectedRecordId: parseHex(recordId, 16),
        // VA-08 refuses the record of an epoch whose key is not here.
        expectedEpoch: epochKey === undefined ? this.#keyring.epoch : epoch,
      });
    } catch (error) {
      if (!(error instanceof SottoError)) throw error;
      // CL-14: one record that a store spoiled must not take the others with it, nor pass unnoticed.
      this.#damaged.set(recordId, { code: error.code, rule: error.rule });
      return undefined;
    }
  }

  #take(opened: OpenedRecord): void {
    const { recordId } = opened;
    this.#damaged.delete(recordId);
    this.#shown.set(recordId, opened);
    const held = this.held.get(recordId);
    // CL-18: a store that brings an older version back must not undo what this device has already read.
    if (held !== undefined && held.content.clock > opened.content.clock) return;
    // CL-324: whoever has only a key that is out of use is believed once the logs say so, and not before
    if (this.#isUnderOldKey(opened)) return;
    this.#hold(opened);
  }

  async #storeHead(recordId: string, content: RecordContent, deviceCounter: number): Promise<void> {
    await this.#sealAndStore(recordId, content, deviceCounter);
  }

  async #sealAndStore(recordId: string, content: RecordContent, deviceCounter: number): Promise<void> {
    const { epoch } = this.#keyring;
    const envelope = await this.#seal(recordId, content, deviceCounter);
    try {
      await this.#store(recordId, envelope);
    } catch (error) {
      // Another device has rotated meanwhile; what was sealed under the old key counts nowhere (CL-325).
      const isStale = error instanceof SaveError && error.code === 'epoch-stale';
      if (isStale) await this.#fetch();
      if (!isStale || this.#keyring.epoch === epoch) throw error;
      await this.#store(recordId, await this.#seal(recordId, content, deviceCounter));
    }
  }

  #seal(recordId: string, content: RecordContent, deviceCounter: number): Promise<Uint8Array<ArrayBuffer>> {
    return sealRecord({
      epochKey: this.#keyring.epochKey,
      accountId: this.#options.accountId,
      recordId: parseHex(recordId, 16),
      epoch: this.#keyring.epoch,
      deviceId: this.#options.deviceId,
      deviceCounter,
      content,
      random: this.#options.random,
    });
  }

  async #store(recordId: string, envelope: Uint8Array<ArrayBuffer>): Promise<void> {
    try {
      await this.#options.store.put(recordId, envelope);
    } catch (error) {
      // CL-15: a failed save must be told, with the id that keeps a second try from becoming a second message.
      throw saveErrorOf(error, recordId);
    }
  }

  #release(recordId: string): void {
    if (this.held.delete(recordId)) this.#changes.push({ recordId, record: undefined });
  }

  #hold(record: OpenedRecord): void {
    this.held.set(record);
    this.#changes.push({ recordId: record.recordId, record });
    this.#clock = Math.max(this.#clock, greatestClock([record]));
    if (record.deviceId === this.#deviceId) this.#deviceCounter = Math.max(this.#deviceCounter, record.deviceCounter);
  }

  #changed(): void {
    const changes = this.#changes;
    this.#changes = [];
    this.onChanged(changes);
  }
}
