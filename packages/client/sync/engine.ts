/**
 * The sync engine (spec/client.md "Sync"): fetches what is new after a cursor that is stored with what it brought, and sends what
 * waits in the outbox, each write on the sequence up to which this device has merged. The server is hostile: it can delay, repeat
 * and withhold, and nothing of it can make this device lose a write.
 */
import { ByteReader, ByteWriter, encodeHex, SottoError } from '@sotto/bytes';
import type { Clock, SealedChange, SealedStore } from '@sotto/ports';
import { RECORD_BATCH_LIMIT_BYTES, RECORD_BATCH_LIMIT_COUNT, type RecordBulkPage } from '@sotto/wire';
import { localName } from '../archive/local-key.ts';
import { ClientError } from '../errors.ts';
import type { TakingTurns } from '../watch/turns.ts';
import type { LocalSeal } from './local-seal.ts';
import { Outbox, type WaitingWrite } from './outbox.ts';
import type {
  Enqueued,
  OutgoingWrite,
  ReconcileOutcome,
  RemoteRecords,
  SyncEngine,
  SyncedHistory,
  SyncProblem,
  SyncState,
} from './sync-types.ts';

/** Room for ids and lengths beside the envelopes of a batch. */
const BATCH_BYTES = RECORD_BATCH_LIMIT_BYTES - 64 * RECORD_BATCH_LIMIT_COUNT;
/** A server that calls everything a conflict, and has nothing new, is believed so often. */
const CONFLICT_LIMIT = 3;
const CURSOR_VERSION = 1;

export interface SyncOptions {
  /** 16 bytes. */
  readonly accountId: Uint8Array;
  readonly store: SealedStore;
  readonly seal: LocalSeal;
  readonly remote: RemoteRecords;
  readonly history: SyncedHistory;
  readonly clock: Clock;
  readonly takingTurns: TakingTurns;
}

/** Call `load` before anything else. */
export class Engine implements SyncEngine {
  readonly #options: SyncOptions;
  readonly #outbox: Outbox;
  readonly #cursorName: string;
  readonly #listeners = new Set<() => void>();
  readonly #closing = new AbortController();
  /** Everything up to it has been merged here. */
  #cursor = 0;
  /** Own writes beyond the cursor that the server confirmed, by record. */
  readonly #confirmed = new Map<string, number>();
  /** Records that came or went while a reconciliation is under way. */
  #touched: Set<string> | undefined;
  /** Records with something waiting that the server has shown as removed. */
  readonly #gone = new Set<string>();
  #mustLoad = false;
  /** The outbox is being read again; whoever needs it waits. */
  #loading: Promise<void> = Promise.resolve();
  #state: Omit<SyncState, 'pendingCount'> = { lastSyncedAtMs: undefined, online: true };
  /** Pulls and pushes of this program, one after the other. */
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: SyncOptions) {
    this.#options = options;
    this.#outbox = new Outbox(options.store, options.seal, `${localName(options.accountId, 'outbox')}/`);
    this.#cursorName = localName(options.accountId, 'cursor');
  }

  get state(): SyncState {
    return { pendingCount: this.#outbox.count, ...this.#state };
  }

  /** What is fetched next lies after it. */
  get cursor(): number {
    return this.#cursor;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#closing.abort(new ClientError('network-unreachable'));
    this.#listeners.clear();
  }

  async load(): Promise<void> {
    await this.#outbox.load();
    this.#cursor = await this.#storedCursor();
    this.#mustLoad = false;
    this.#tell({});
  }

  inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#options.takingTurns(`sync/${encodeHex(this.#options.accountId)}`, work);
  }

  async enqueue(writes: readonly OutgoingWrite[]): Promise<Enqueued> {
    await this.#reload();
    const { changes, ended } = await this.#outbox.enqueue(writes);
    return {
      changes,
      ended: (isStored) => {
        ended(isStored);
        // CL-211: a write that was refused may have been applied, and would wait unseen.
        if (!isStored) this.#mustLoad = true;
        this.#tell({});
      },
    };
  }

  isWaiting(recordId: string): boolean {
    return this.#outbox.has(recordId);
  }

  isRemoving(recordId: string): boolean {
    return this.#outbox.isRemoving(recordId);
  }

  pull(): Promise<void> {
    return this.#alone(() => this.#pull());
  }

  push(): Promise<void> {
    return this.#alone(() => this.#push());
  }

  sync(): Promise<void> {
    return this.#alone(async () => {
      await this.#pull();
      await this.#push();
      this.#tell({ lastSyncedAtMs: this.#options.clock.nowMs() });
    });
  }

  reconcile(): Promise<ReconcileOutcome> {
    return this.#alone(async () => {
      const { history } = this.#options;
      await this.#pull();
      this.#touched = new Set();
      try {
        const known = this.#cursor;
        const before = new Set(history.shownIds());
        const shown = await this.#index();
        // Whatever left the index by right has come with this.
        await this.#pull();
        const touched = this.#touched;
        const missing = [...before].filter((recordId) => !shown.has(recordId) && !touched.has(recordId));
        // CL-222: what the server drops without a word would be missed only by who looks for it.
        if (missing.length > 0) await history.missing(missing);
        const isHidden = ([recordId, sequence]: readonly [string, number]) =>
          sequence <= known && !before.has(recordId) && !touched.has(recordId);
        const restarted = [...shown].some(isHidden);
        // CL-223: what the index lists and no page brought was kept back.
        if (restarted) await this.#pull({ fromTheBeginning: true });
        return { missing, restarted };
      } finally {
        this.#touched = undefined;
      }
    });
  }

  // Fetching

  async #pull({ fromTheBeginning = false } = {}): Promise<void> {
    const { remote, history } = this.#options;
    await this.#reload();
    const { signal } = this.#closing;
    let hasRestarted = false;
    const restart = () => {
      hasRestarted = true;
      this.#cursor = 0;
      this.#confirmed.clear();
      history.restarted();
      return remote.page(0, signal);
    };
    let coming = fromTheBeginning ? restart() : remote.page(this.#cursor, signal);
    for (;;) {
      let page = await coming;
      // CL-214: a server that went back would hide everything new until it has come as far again.
      if (page.newest < this.#cursor && !hasRestarted) page = await restart();
      const isBehind = page.records.some(({ sequence }) => sequence <= this.#cursor);
      // CL-213: a page from before the cursor would take the cursor back, and go round for ever.
      if (isBehind) throw new ClientError('server-malformed', { rule: 'CL-213' });
      const next = page.more ? (page.records.at(-1)?.sequence ?? page.newest) : page.newest;
      if (page.more) {
        coming = remote.page(next, signal);
        coming.catch(() => undefined);
      }
      await this.#take(page, next);
      if (!page.more) break;
    }
    const { removed = [] } = await history.pulled();
    await this.#forget(removed);
  }

  /** One page, and the cursor after it, in one write. */
  async #take(page: RecordBulkPage, next: number): Promise<void> {
    const { history, seal } = this.#options;
    if (page.records.length === 0 && next === this.#cursor) return;
    await this.inTurn(async () => {
      const { changes, superseded = [], stored } = await history.apply(page.records);
      const gone = page.records.filter(({ envelope }) => envelope === undefined).map(({ recordId }) => recordId);
      const lost = [...this.#outbox.writesOf(superseded), ...this.#outbox.writesOfGone(gone)];
      const value = await seal.seal(this.#cursorName, encodeCursor(next));
      // CL-212: a cursor that is stored before what it brought would skip it after a crash.
      await this.#write([...changes, ...this.#outbox.remove(lost), { name: this.#cursorName, value }]);
      this.#outbox.removed(lost);
      this.#cursor = next;
      stored?.();
    });
    for (const { recordId, envelope } of page.records) {
      this.#touched?.add(recordId);
      if (envelope === undefined && this.#outbox.has(recordId)) this.#gone.add(recordId);
      else this.#gone.delete(recordId);
    }
    for (const [recordId, sequence] of this.#confirmed) if (sequence <= next) this.#confirmed.delete(recordId);
    this.#tell({});
  }

  /** Writes of records that a device removed wait no longer. */
  async #forget(recordIds: readonly string[]): Promise<void> {
    const gone = recordIds.filter((recordId) => this.#gone.has(recordId));
    const lost = [...this.#outbox.writesOf(recordIds), ...this.#outbox.writesOfGone(gone)];
    if (lost.length === 0) return;
    await this.inTurn(() => this.#write(this.#outbox.remove(lost)));
    this.#outbox.removed(lost);
    this.#tell({});
  }

  async #index(): Promise<Map<string, number>> {
    const { remote } = this.#options;
    const shown = new Map<string, number>();
    for (let after = '', more = true; more; ) {
      const page = await remote.index(after, this.#closing.signal);
      for (const { recordId, sequence } of page.entries) {
        // CL-224: an index that goes back would go round for ever.
        if (recordId <= after) throw new ClientError('server-malformed', { rule: 'CL-224' });
        after = recordId;
        shown.set(recordId, sequence);
      }
      more = page.more;
    }
    return shown;
  }

  // Sending

  async #push(): Promise<void> {
    await this.#reload();
    for (let conflicts = 0; ; ) {
      const waiting = await this.#deviceStore(() => this.#outbox.first(RECORD_BATCH_LIMIT_COUNT, BATCH_BYTES));
      if (waiting.length === 0) return;
      const cursor = this.#cursor;
      const { sequences, refused } = await this.#send(await this.#sealAnew(waiting));
      await this.#confirm(waiting.slice(0, sequences.length), sequences);
      if (refused === 'store-full') throw new ClientError('account-full');
      if (refused === undefined) continue;
      await this.#pull();
      conflicts = sequences.length > 0 || this.#cursor > cursor ? 0 : conflicts + 1;
      // CL-217: a server that calls everything a conflict would be asked for ever.
      if (conflicts >= CONFLICT_LIMIT) throw new ClientError('server-malformed', { rule: 'CL-217' });
    }
  }

  async #send(waiting: readonly WaitingWrite[]) {
    const writes = waiting.map(({ recordId, envelope }) => ({
      ...{ recordId, envelope },
      base: Math.max(this.#cursor, this.#confirmed.get(recordId) ?? 0),
    }));
    const answer = await this.#options.remote.send(writes, this.#closing.signal);
    const isOdd =
      answer.sequences.length > writes.length ||
      (answer.refused === undefined) !== (answer.sequences.length === writes.length);
    // CL-216: a write that the server did not name is not sent.
    if (isOdd) throw new ClientError('server-malformed', { rule: 'CL-216' });
    return answer;
  }

  async #confirm(sent: readonly WaitingWrite[], sequences: readonly number[]): Promise<void> {
    if (sent.length === 0) return;
    // CL-208: it waits until the server has said that it is stored, and this is durable.
    await this.inTurn(() => this.#write(this.#outbox.remove(sent)));
    this.#outbox.removed(sent);
    for (const [i, { recordId }] of sent.entries()) {
      this.#touched?.add(recordId);
      this.#confirmed.set(recordId, sequences[i] as number);
    }
    this.#tell({});
  }

  /** What a rotation made old is sealed under the new epoch, in its place, before it is sent. */
  async #sealAnew(waiting: readonly WaitingWrite[]): Promise<readonly WaitingWrite[]> {
    const { history } = this.#options;
    if (history.sealAnew === undefined) return waiting;
    const result: WaitingWrite[] = [];
    for (const write of waiting) {
      const { recordId, envelope } = write;
      const anew = envelope === undefined ? undefined : await history.sealAnew(recordId, envelope);
      result.push(anew === undefined ? write : { ...write, envelope: anew });
    }
    return result;
  }

  // The device's store

  async #reload(): Promise<void> {
    if (this.#mustLoad) {
      // Before it is read: a write that fails meanwhile asks for another time.
      this.#mustLoad = false;
      this.#loading = this.#deviceStore(() => this.#outbox.load()).catch((error) => {
        this.#mustLoad = true;
        throw error;
      });
    }
    await this.#loading;
  }

  async #storedCursor(): Promise<number> {
    const [kept] = await this.#options.store.get([this.#cursorName]);
    if (kept === undefined) return 0;
    try {
      return parseCursor(await this.#options.seal.open(this.#cursorName, kept));
    } catch (error) {
      // CL-215: a cursor that another program changed would skip records; without one everything is fetched again.
      if (error instanceof SottoError) return 0;
      throw error;
    }
  }

  async #write(changes: readonly SealedChange[]): Promise<void> {
    try {
      await this.#deviceStore(() => this.#options.store.write(changes));
    } catch (error) {
      this.#mustLoad = true;
      throw error;
    }
  }

  /** What the device's own store refuses is told apart from what the server refuses. */
  async #deviceStore<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof SottoError)) throw error;
      throw new DeviceStoreError(error.code === 'store-full' ? 'store-full' : 'store-unavailable', { cause: error });
    }
  }

  // State

  #alone<Result>(work: () => Promise<Result>): Promise<Result> {
    const running = this.#running.then(async () => {
      // CL-227: a page that goes, or an account that is locked, sends nothing more.
      if (this.#closing.signal.aborted) throw this.#closing.signal.reason;
      try {
        const result = await work();
        const { problem: _, ...state } = this.#state;
        this.#state = { ...state, online: true };
        this.#tell({});
        return result;
      } catch (error) {
        if (this.#closing.signal.aborted) throw error;
        const problem = problemOf(error);
        if (problem !== undefined) this.#tell({ problem, online: problem !== 'offline' });
        throw error;
      }
    });
    this.#running = running.catch(() => undefined);
    return running;
  }

  #tell(change: Partial<SyncState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }
}

/** This device's own storage refused. */
class DeviceStoreError extends ClientError {}

const PROBLEMS: Partial<Record<string, SyncProblem>> = {
  'network-unreachable': 'offline',
  'signed-out': 'signed-out',
  'account-required': 'signed-out',
  'rate-limited': 'rate-limited',
  'account-full': 'account-full',
  'account-deleted': 'account-deleted',
  'store-full': 'account-full',
};

/** CL-219: each refusal has one name; undefined for what is no refusal but a bug. */
function problemOf(error: unknown): SyncProblem | undefined {
  if (!(error instanceof SottoError)) return undefined;
  if (error instanceof DeviceStoreError) return error.code === 'store-full' ? 'device-full' : 'device-unavailable';
  return PROBLEMS[error.code] ?? 'server-failed';
}

function encodeCursor(cursor: number): Uint8Array<ArrayBuffer> {
  return new ByteWriter(9).u8(CURSOR_VERSION).u64(cursor).finish();
}

function parseCursor(bytes: Uint8Array): number {
  const reader = new ByteReader(bytes);
  if (reader.u8() !== CURSOR_VERSION) return 0;
  const cursor = reader.u64Number();
  reader.end();
  return cursor;
}
