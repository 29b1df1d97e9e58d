/**
 * The client's shape: padded uploads, and one record for so many of the node's (spec/shaping.md, the client). Everything
 * that follows from reading an answer (credit, cancel, keys) rides in those records. The client has no tick of its own:
 * what it sends follows from what arrives, which whoever watches has seen already, also one who holds records back.
 */
import type { Departure, Pacer, Waiting } from './pacer.ts';
import { BALANCED, PAUSE_MS, STRICT, type UpShape } from './profiles.ts';
import { uploadRecordsOf, uploadSizeOf } from './windows.ts';

/** One record for so many that arrive. */
class Answers {
  readonly #shape: UpShape;
  #owed = 0;
  #lastMs = Number.NEGATIVE_INFINITY;
  #isSilent = false;

  constructor(shape: UpShape) {
    this.#shape = shape;
  }

  received(nowMs: number): void {
    this.#owed += 1;
    this.#lastMs = nowMs;
    this.#isSilent = false;
  }

  sent(): void {
    this.#owed = 0;
    this.#isSilent = false;
  }

  /** Nothing has arrived for a tick of the session: what waits may leave. */
  silence(): void {
    this.#isSilent = true;
  }

  next(nowMs: number, { bytes, promptBytes }: Waiting): Departure | undefined {
    const sizeBytes = this.#shape.recordBytes;
    if (this.#owed >= this.#shape.everyRecords) return { atMs: nowMs, sizeBytes };
    if (this.#isSilent && bytes > 0) return { atMs: nowMs, sizeBytes };
    if (promptBytes === 0) return undefined;
    // While records arrive, one of ours is due soon, and what is prompt rides in it.
    const sinceMs = nowMs - this.#lastMs;
    const isAnswering = sinceMs >= 0 && sinceMs < PAUSE_MS;
    return { atMs: isAnswering ? this.#lastMs + PAUSE_MS : nowMs, sizeBytes };
  }
}

/** What a request takes on its way up: held until it is whole, in one record, or in as many full ones as a power of two. */
class Uploads {
  /** Requests whose end is not written yet. */
  readonly #open = new Set<number>();
  /** Requests whose end has not left yet. */
  readonly #unsent = new Set<number>();
  /** Full records of the present upload. */
  #records = 0;
  #isActive = false;

  begin(stream: number): void {
    this.#isActive = true;
    this.#open.add(stream);
    this.#unsent.add(stream);
  }

  complete(stream: number): void {
    this.#open.delete(stream);
  }

  finish(stream: number): void {
    this.#open.delete(stream);
    this.#unsent.delete(stream);
    this.#endWhenPadded();
  }

  sent(sizeBytes: number): void {
    // A smaller one was an answer to the node's records.
    if (!this.#isActive || sizeBytes < BALANCED.uploadBytes) return;
    this.#records += 1;
    this.#endWhenPadded();
  }

  get isActive(): boolean {
    return this.#isActive;
  }

  next(nowMs: number, bytes: number): Departure | undefined {
    const { uploadBytes, uploadRecordBytes } = BALANCED;
    if (bytes >= uploadRecordBytes) return { atMs: nowMs, sizeBytes: uploadRecordBytes };
    // What the caller writes in parts is not sent in parts.
    if (this.#open.size > 0) return undefined;
    if (this.#records > 0) {
      const isDue = bytes > 0 || (this.#unsent.size === 0 && this.#records < uploadRecordsOf(this.#records));
      return isDue ? { atMs: nowMs, sizeBytes: uploadRecordBytes } : undefined;
    }
    return bytes > 0 ? { atMs: nowMs, sizeBytes: uploadSizeOf(bytes, uploadBytes, uploadRecordBytes) } : undefined;
  }

  #endWhenPadded(): void {
    if (this.#unsent.size > 0) return;
    if (this.#records > 0 && this.#records < uploadRecordsOf(this.#records)) return;
    this.#isActive = false;
    this.#records = 0;
  }
}

/** The client's pacer of profile `balanced`. */
export function createBalancedClientPacer(): Pacer {
  const answers = new Answers(BALANCED.up);
  const uploads = new Uploads();
  return {
    // What a caller writes in parts is held until it is whole, or fills a record.
    aheadBytes: BALANCED.uploadRecordBytes,
    gatherMs: 0,
    isShaping: true,
    recordBytes: BALANCED.up.recordBytes,
    isSpent: false,
    next(nowMs, waiting) {
      return (uploads.isActive ? uploads.next(nowMs, waiting.bytes) : undefined) ?? answers.next(nowMs, waiting);
    },
    sent(_, sizeBytes) {
      answers.sent();
      uploads.sent(sizeBytes);
    },
    received: (nowMs) => answers.received(nowMs),
    requestAccepted: (stream) => uploads.begin(stream),
    requestComplete: (stream) => uploads.complete(stream),
    requestSent: (stream) => uploads.finish(stream),
    streamOver: (stream) => uploads.finish(stream),
    silence: () => answers.silence(),
  };
}

/** The client's pacer of profile `strict`: uploads wait for its records like everything else. */
export function createStrictClientPacer(): Pacer {
  const answers = new Answers(STRICT.up);
  return {
    aheadBytes: 0,
    gatherMs: 0,
    isShaping: true,
    recordBytes: STRICT.up.recordBytes,
    isSpent: false,
    next: (nowMs, waiting) => answers.next(nowMs, waiting),
    sent: () => answers.sent(),
    received: (nowMs) => answers.received(nowMs),
    silence: () => answers.silence(),
  };
}
