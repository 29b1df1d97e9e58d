/**
 * How a history and the server come together (spec/client.md "Sync"): what a device writes waits in an outbox on the device, in
 * order, until the server has it; what other devices wrote is fetched by sequence. The history seals, opens and merges; the
 * engine carries. The server is hostile, the device's store may lose power at any moment.
 */
import type { SealedChange, StoredRecord } from '@sotto/ports';
import type { BatchAnswer, BatchWrite, RecordBulkPage, RecordIndexPage } from '@sotto/wire';

/** One sealed record on its way to the server. */
export interface OutgoingWrite {
  /** 16 bytes as hex. */
  readonly recordId: string;
  /** The sealed envelope; undefined removes the record. */
  readonly envelope: Uint8Array<ArrayBuffer> | undefined;
  /** A head: it stands behind everything that waits, because it lists it. Other records keep their place when written again. */
  readonly isHead?: boolean;
}

/** What the caller writes in ONE `SealedStore.write` together with its own changes. */
export interface Enqueued {
  readonly changes: readonly SealedChange[];
  /** Call once, when that write has ended; with false after a rejection, which may have been applied all the same. */
  ended(isStored: boolean): void;
}

/** The history's side. The engine calls one at a time; none of these may call the engine's `pull`, `push` or `sync`. */
export interface SyncedHistory {
  /**
   * A page of what is new, in order of sequence, within a turn. Opens, merges by VA-65, and gives back what it wants to write with
   * the cursor. A removal (`envelope` undefined) takes nothing away before `pulled`: whether a device removed it, the heads say.
   */
  apply(records: readonly StoredRecord[]): Promise<AppliedPage>;
  /** Everything that is new has arrived and is durable, outside of a turn: compares the heads. */
  pulled(): Promise<PulledOutcome>;
  /** The server went back, or hid something: everything is shown anew from the beginning, and what was shown counts no more. */
  restarted(): void;
  /** Records as the server shows them, those that did not open among them. */
  shownIds(): Iterable<string>;
  /** The server has these no longer, and never said so: compares again without them. */
  missing(recordIds: readonly string[]): Promise<void>;
  /** What a waiting write should be sent as, where its seal is of an older epoch; undefined to send it as it is. */
  sealAnew?(recordId: string, envelope: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer> | undefined>;
}

export interface AppliedPage {
  readonly changes: readonly SealedChange[];
  /** Records of which a waiting write lost against what arrived (VA-65): it is not sent. */
  readonly superseded?: readonly string[];
  /** Called when changes and cursor are durable. */
  readonly stored?: () => void;
}

export interface PulledOutcome {
  /** Records that a device removed, as the heads say that the server shows: writes of them that still wait are not sent. */
  readonly removed?: readonly string[];
}

/** The server, not trusted; every call rejects with a `ClientError`. */
export interface RemoteRecords {
  page(afterSequence: number, signal?: AbortSignal): Promise<RecordBulkPage>;
  index(afterRecordId: string, signal?: AbortSignal): Promise<RecordIndexPage>;
  send(writes: readonly BatchWrite[], signal?: AbortSignal): Promise<BatchAnswer>;
}

/**
 * Why not everything is sent or fetched. Everything that waits is kept on this device. `account-full`: the server has no more
 * room for this account; `account-deleted`: so the server says; `device-full`, `device-unavailable`: this device's own storage refuses.
 */
export type SyncProblem =
  | 'offline'
  | 'signed-out'
  | 'rate-limited'
  | 'account-full'
  | 'account-deleted'
  | 'server-failed'
  | 'device-full'
  | 'device-unavailable';

export interface SyncState {
  /** Writes that the server has not confirmed. */
  readonly pendingCount: number;
  /** When everything was last fetched and sent; undefined before the first time of this visit. */
  readonly lastSyncedAtMs: number | undefined;
  /** False since the last try failed to reach the server. */
  readonly online: boolean;
  readonly problem?: SyncProblem;
}

export interface ReconcileOutcome {
  /** Records that the server dropped without a word. */
  readonly missing: readonly string[];
  /** True when the server showed records that it had not handed out: everything was fetched again. */
  readonly restarted: boolean;
}

export interface SyncEngine {
  /** Reads cursor and outbox from the device. Call first, and again when another tab has written. */
  load(): Promise<void>;
  /** Runs work while nothing else of this account, in any tab, changes what the device keeps: around `enqueue` and its write. */
  inTurn<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Seals the writes for the outbox, in this order; within a turn. Nothing is stored before the caller stores it. */
  enqueue(writes: readonly OutgoingWrite[]): Promise<Enqueued>;
  /** True while a write (or removal) of the record waits. */
  isWaiting(recordId: string): boolean;
  /** True while the removal of the record waits: what the server shows of it meanwhile is of no account. */
  isRemoving(recordId: string): boolean;
  /** Fetches everything new. @throws what `state.problem` then names; what arrived before it is kept */
  pull(): Promise<void>;
  /** Sends everything that waits, fetching what it conflicts with. @throws as `pull`; nothing is lost */
  push(): Promise<void>;
  /** `pull`, then `push`. */
  sync(): Promise<void>;
  /** Compares every id with what the server has: finds what it dropped without a word. @throws as `pull` */
  reconcile(): Promise<ReconcileOutcome>;
  readonly state: SyncState;
  /** Told of every change of `state`. */
  subscribe(listener: () => void): () => void;
  /** Ends what is under way; what waits stays on the device. */
  close(): void;
}
