/**
 * How a history and the server come together (spec/client.md "Sync"): what a device writes waits in an outbox on the device, in
 * order, until the server has it; what other devices wrote is fetched by sequence. The history seals, opens and merges; the
 * engine carries. The server is hostile, the device's store may lose power at any moment.
 */
import type { SealedStore, StoredRecord } from '@sotto/ports';

export type SealedChange = Parameters<SealedStore['write']>[0][number];

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

/** The history's side. The engine calls one at a time. */
export interface SyncedHistory {
  /**
   * A page of what is new, in order of sequence. Opens, merges by VA-65, and gives back what it wants to write with the cursor.
   * A removal (`envelope` undefined) takes nothing away before `pulled`: whether a device removed it, the heads say.
   */
  apply(records: readonly StoredRecord[]): Promise<AppliedPage>;
  /** Everything that is new has arrived and is durable: compares the heads. */
  pulled(): Promise<PulledOutcome>;
}

export interface AppliedPage {
  readonly changes: readonly SealedChange[];
  /** Records of which a waiting write lost against what arrived (VA-65): it is not sent. */
  readonly superseded?: readonly string[];
  /** Called when changes and cursor are durable. */
  readonly stored?: () => void;
}

export interface PulledOutcome {
  /** Records that a device removed: writes of them that still wait are not sent. */
  readonly removed?: readonly string[];
  readonly changes?: readonly SealedChange[];
}

/** Why nothing is being sent. Everything that waits is kept on this device. */
export type SyncProblem =
  | 'offline'
  | 'rate-limited'
  | 'account-full'
  | 'signed-out'
  | 'store-unavailable'
  | 'server-malformed';

export interface SyncState {
  /** Writes that the server has not confirmed. */
  readonly pendingCount: number;
  /** When everything was last fetched and sent; undefined before the first time of this visit. */
  readonly lastSyncedAtMs: number | undefined;
  /** False since the last try failed to reach the server. */
  readonly online: boolean;
  readonly problem?: SyncProblem;
}

export interface SyncEngine {
  /** Reads cursor and outbox from the device. Call first, and again when another tab has written. */
  load(): Promise<void>;
  /** Seals the writes for the outbox, in this order. Nothing is stored before the caller stores it. */
  enqueue(writes: readonly OutgoingWrite[]): Promise<Enqueued>;
  /** True while a write (or removal) of the record waits. */
  isWaiting(recordId: string): boolean;
  /** Fetches everything new. @throws ClientError as `state.problem` says; what arrived before it is kept */
  pull(): Promise<void>;
  /** Sends everything that waits, fetching first what it conflicts with. @throws ClientError; nothing is lost */
  push(): Promise<void>;
  /** `pull`, then `push`. */
  sync(): Promise<void>;
  /** Begins the background work: sends after each write, retries with backoff, listens for what other devices write. */
  start(): void;
  readonly state: SyncState;
  subscribe(listener: () => void): () => void;
  /** Asks the server for ids and sequences of everything it shows: `undefined` sequence never, removed records apart. */
  reconcile(): Promise<ReconcileOutcome>;
  close(): void;
}

export interface ReconcileOutcome {
  /** Every record that the server says it has, with its sequence. */
  readonly shown: ReadonlyMap<string, number>;
  /** The server's newest sequence is lower than the cursor: it went back. */
  readonly isRolledBack: boolean;
}
