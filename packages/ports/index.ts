/**
 * The seams of Sotto: everything that touches the world, as interfaces. Packages take these; adapters implement them;
 * every adapter passes the contract suites of `testkit`.
 */

/** Wall clock and timers. The clock is the device's own and may be wrong by years; callers must say what they do then. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  nowMs(): number;
  /** Resolves after `delayMs`; rejects with the signal's reason when aborted. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

/** A cryptographically secure source. */
export interface Random {
  bytes(length: number): Uint8Array<ArrayBuffer>;
}

/**
 * A message socket: binary messages, in order, or closed. The peer and everything between are hostile.
 * Handlers are assigned once, before the first message can arrive (in the same turn in which the socket was handed over).
 */
export interface Socket {
  onMessage: ((message: Uint8Array) => void) | undefined;
  /** Called exactly once, also after a local `close`. */
  onClose: ((code: number, reason: string) => void) | undefined;
  /** Bytes accepted by `send` and not yet given to the network. */
  readonly bufferedBytes: number;
  send(message: Uint8Array): void;
  close(code?: number, reason?: string): void;
}

/** Opens a socket; rejects with a `SottoError` (`network-unreachable`) when it cannot. */
export type ConnectSocket = (url: string, signal?: AbortSignal) => Promise<Socket>;

/** The Fetch API's shape, narrowed to what is used. */
export type Fetch = (url: string, init?: FetchInit) => Promise<FetchResponse>;

export interface FetchInit {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer> | string;
  readonly signal?: AbortSignal;
}

export interface FetchResponse {
  readonly status: number;
  header(name: string): string | undefined;
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
}

/** One sealed record as a store keeps it: nothing in it can be read without the account's key. */
export interface StoredRecord {
  /** 16 random bytes, as lower-case hex. */
  readonly recordId: string;
  /** Store-wide position of the latest write; 1 or more. */
  readonly sequence: number;
  /** The sealed envelope (spec/vault.md), or undefined for a record that was removed. */
  readonly envelope: Uint8Array<ArrayBuffer> | undefined;
}

export interface RecordPage {
  readonly records: readonly StoredRecord[];
  /** Pass to the next `list`; equal to the given one when nothing is newer. */
  readonly nextSequence: number;
  readonly more: boolean;
}

/** Where sealed records are kept. Writes are durable when the promise resolves. Rejects with `SottoError` (`store-full`, `store-unavailable`, `store-signed-out`). */
export interface RecordStore {
  /** Records whose latest write is newer than `afterSequence`, oldest first. */
  list(afterSequence: number): Promise<RecordPage>;
  put(recordId: string, envelope: Uint8Array<ArrayBuffer>): Promise<{ readonly sequence: number }>;
  remove(recordId: string): Promise<{ readonly sequence: number }>;
}

/**
 * Values on this device by name, each sealed by the caller before it comes here. A name holds only random ids and numbers.
 * Rejects with `SottoError` (`store-full`, `store-unavailable`). What another program or the browser did to the values is for
 * the caller to notice: a value may be older than the last one written, changed, or gone.
 */
export interface SealedStore {
  /** In the order of `names`. */
  get(names: readonly string[]): Promise<(Uint8Array<ArrayBuffer> | undefined)[]>;
  /** Names that begin with `prefix`, in order of code units, after `after`, at most `limit` (all where it is not given). */
  list(
    prefix: string,
    options?: { readonly after?: string; readonly limit?: number },
  ): Promise<{ name: string; value: Uint8Array<ArrayBuffer> }[]>;
  /** All or nothing; durable when it resolves. `undefined` removes. A name twice in one write: the last one counts. */
  write(changes: readonly SealedChange[]): Promise<void>;
  /** Removes every name that begins with `prefix`. */
  erase(prefix: string): Promise<void>;
  /**
   * What was removed or replaced before this call is to leave the storage's own files too, of which many keep it for long. Durable
   * when it resolves; the work itself follows in the background, and is gone on with after a restart.
   */
  purge(): Promise<void>;
}

export interface SealedChange {
  readonly name: string;
  readonly value: Uint8Array<ArrayBuffer> | undefined;
}

/** One part of a sealed file, as a server keeps it. */
export interface BlobPart {
  /** The account it belongs to, and the file: 16 bytes as lower-case hex each. */
  readonly ownerId: string;
  readonly blobId: string;
  /** 0 or more. */
  readonly part: number;
}

/**
 * Where a server keeps the parts of sealed files, beside its database: a part is an object, named `owner/blob/part`, as a store in the
 * manner of S3 keeps it. Whoever has the store learns sizes and times. Rejects with `SottoError` (`store-full`, `store-unavailable`).
 */
export interface BlobStore {
  /** Whole and durable when it resolves; takes the place of what had the name. */
  put(name: BlobPart, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  get(name: BlobPart): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Bytes of each part that is there, by number. */
  sizes(ownerId: string, blobId: string): Promise<ReadonlyMap<number, number>>;
  /** Removes every part; done where there is none. */
  remove(ownerId: string, blobId: string): Promise<void>;
  /** Every file of which a part is there, in any order. */
  list(): AsyncIterable<{ readonly ownerId: string; readonly blobId: string; readonly writtenAtMs: number }>;
}

/** What the device knows of its network: true when there may be one again, false when there is none. Never the whole truth. */
export interface OnlineHints {
  /** @returns the way to stop listening */
  subscribe(listener: (isOnline: boolean) => void): () => void;
}

/** Small named values that survive a reload on this device (settings, pins, a guest's key). */
export interface DeviceStore {
  get(key: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  set(key: string, value: Uint8Array<ArrayBuffer>): Promise<void>;
  delete(key: string): Promise<void>;
}

/** What Argon2id (RFC 9106) is asked; whoever asks bounds it. */
export interface StretchRequest {
  readonly message: Uint8Array<ArrayBuffer>;
  /** 16 bytes. */
  readonly salt: Uint8Array<ArrayBuffer>;
  readonly memoryKiB: number;
  readonly passes: number;
  readonly lanes: number;
}

/** Argon2id, 32 bytes, off the thread that draws. Rejects with a `SottoError` where the device has no room for it. */
export type StretchPassphrase = (request: StretchRequest) => Promise<Uint8Array<ArrayBuffer>>;

/** Words between the tabs of one browser, or the parts of one program. None of them is secret. */
export interface TabChannel {
  /** Reaches every other tab, and not this one. */
  post(word: string): void;
  /** @returns the way to stop listening */
  subscribe(listener: (word: string) => void): () => void;
}

/** Hands out a platform's signed statement over `reportData`; run only on a node. */
export interface EvidenceSource {
  readonly platform: 'dev' | 'tdx' | 'sev-snp' | 'tpm';
  /** @param reportData 64 bytes (spec/evidence.md, binding); of a TPM the device nonce, 32 bytes */
  quote(reportData: Uint8Array): Promise<Uint8Array<ArrayBuffer>>;
}

/** Devices beside the processor (GPUs, switches), which answer to a nonce of their own; run only on a node. */
export interface DeviceEvidenceSource {
  /** @param nonce 32 bytes (spec/evidence.md, device nonce) */
  collect(
    nonce: Uint8Array,
  ): Promise<readonly { readonly deviceKind: string; readonly evidence: Uint8Array<ArrayBuffer> }[]>;
}

/** What must no longer be trusted. Empty until the log exists; tests drive it. */
export interface DistrustSource {
  /** True when this evidence digest (32 bytes) or static key (32 bytes) has been withdrawn. */
  isDistrusted(subject: { readonly evidenceDigest: Uint8Array; readonly staticKey: Uint8Array }): boolean;
  /** Called on every change; returns the way to stop listening. */
  subscribe(listener: () => void): () => void;
}
