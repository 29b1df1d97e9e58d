/** The two halves of a stream's body, with flow control (spec/channel.md, streams). Both roles use both. */
import { ChannelError } from './errors.ts';
import { DATA_LIMIT_BYTES, DATA_OVERHEAD_BYTES, encodeDataHeader, encodeFrame } from './frames.ts';
import { CREDIT_LIMIT_BYTES, LARGEST_WINDOW_BYTES, STREAM_WINDOW_BYTES } from './limits.ts';
import { Pieces } from './pieces.ts';

/** What a body has to send, asked for when a record leaves. */
export interface BodySource {
  /** Bytes of frames that may leave now. */
  readonly readyBytes: number;
  /** Whether `end` has been taken. */
  readonly hasEnded: boolean;
  /** Writes frames to the start of `room`, as many as fit. @returns their bytes */
  take(room: Uint8Array): number;
}

/** Where a body's frames go: the session. */
export interface BodySink {
  /** The source has something to send. */
  offer(source: BodySource): void;
  /** Whether more waits than writers may be ahead of the records. */
  readonly isAhead: boolean;
  /** How much that is. */
  readonly aheadBytes: number;
  sendCredit(stream: number, bytes: number): void;
  /** Whether a window may be so much larger; it is until the same comes back as less than 0. */
  growWindow(bytes: number): boolean;
}

interface Waiting {
  /** Settled when the body has been taken so far. */
  readonly atBytes: number;
  resolve(): void;
  reject(error: ChannelError): void;
}

const END_BYTES = 5;

/** Sends a body as fast as the peer grants and records leave. Owned by one stream; bytes leave in the order of the calls. */
export class BodyWriter implements BodySource {
  readonly #sink: BodySink;
  readonly #stream: number;
  readonly #chunks: Uint8Array[] = [];
  #queuedBytes = 0;
  #takenBytes = 0;
  #credit = STREAM_WINDOW_BYTES;
  #failure: ChannelError | undefined;
  #isUnwanted = false;
  #ending: Promise<void> | undefined;
  #hasEnded = false;
  readonly #waiting: Waiting[] = [];

  constructor(sink: BodySink, stream: number) {
    this.#sink = sink;
    this.#stream = stream;
  }

  /**
   * Resolves when all of `chunk` is in records, or little enough waits for the next ones; it may be reused then.
   * Rejects with the reason the stream ended.
   */
  write(chunk: Uint8Array): Promise<void> {
    if (this.#ending !== undefined) return Promise.reject(new ChannelError('stream-closed'));
    if (this.#isUnwanted) return Promise.resolve();
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (chunk.length > 0) {
      this.#chunks.push(chunk);
      this.#queuedBytes += chunk.length;
      this.#sink.offer(this);
    }
    if (this.#queuedBytes > 0 && this.#queuedBytes <= this.#credit && !this.#sink.isAhead) {
      // Held here until a record takes it: the caller's own bytes may change by then.
      const left = this.#chunks.pop();
      if (left !== undefined) this.#chunks.push(left.slice());
      return Promise.resolve();
    }
    return this.#until(this.#takenBytes + this.#queuedBytes);
  }

  /** Marks the whole body as sent; without it the peer reports a truncation. Resolves when the mark is in a record. */
  end(): Promise<void> {
    if (this.#ending === undefined) {
      this.#ending = this.#until(this.#takenBytes + this.#queuedBytes + 1);
      // Whoever does not wait for the end must not bring the program down with it.
      this.#ending.catch(() => undefined);
      if (this.#failure === undefined && !this.#isUnwanted) this.#sink.offer(this);
    }
    return this.#ending;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  get readyBytes(): number {
    const bytes = Math.min(this.#queuedBytes, this.#credit);
    const frames = Math.ceil(bytes / DATA_LIMIT_BYTES) * DATA_OVERHEAD_BYTES;
    const isEnd = this.#ending !== undefined && !this.#hasEnded && bytes === this.#queuedBytes;
    return bytes + frames + (isEnd ? END_BYTES : 0);
  }

  take(room: Uint8Array): number {
    let at = 0;
    while (this.#queuedBytes > 0) {
      const granted = Math.min(this.#queuedBytes, this.#credit, DATA_LIMIT_BYTES);
      const length = Math.min(granted, room.length - at - DATA_OVERHEAD_BYTES);
      if (length <= 0) break;
      at += encodeDataHeader(room.subarray(at), this.#stream, length);
      this.#move(room.subarray(at, at + length));
      at += length;
    }
    if (this.#ending !== undefined && !this.#hasEnded && this.#queuedBytes === 0 && room.length - at >= END_BYTES) {
      room.set(encodeFrame({ kind: 'end', stream: this.#stream }), at);
      at += END_BYTES;
      this.#hasEnded = true;
    }
    this.#settle();
    return at;
  }

  /** The peer grants more. @throws ChannelError `flow-control` */
  grant(bytes: number): void {
    // CH-49: grants that add up beyond the limit are meant to overflow somebody's arithmetic.
    if (this.#credit + bytes > CREDIT_LIMIT_BYTES) throw new ChannelError('flow-control', { rule: 'CH-49' });
    this.#credit += bytes;
    if (this.#queuedBytes > 0) this.#sink.offer(this);
  }

  /** The answer is whole and the rest of this body is of no use: what waits is dropped, later writes are too. */
  drop(): void {
    this.#isUnwanted = true;
    this.#forget();
    for (const waiting of this.#waiting.splice(0)) waiting.resolve();
  }

  /** Ends the body from our side of it: what waits is rejected, later writes are too. */
  fail(error: ChannelError): void {
    this.#failure ??= error;
    this.#forget();
    for (const waiting of this.#waiting.splice(0)) waiting.reject(this.#failure);
  }

  #until(atBytes: number): Promise<void> {
    if (this.#isUnwanted || atBytes <= this.#takenBytes) return Promise.resolve();
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => this.#waiting.push({ atBytes, resolve, reject }));
  }

  /** Moves the first bytes that wait to `room`, which they fill. */
  #move(room: Uint8Array): void {
    this.#queuedBytes -= room.length;
    this.#takenBytes += room.length;
    this.#credit -= room.length;
    for (let at = 0; at < room.length; ) {
      const chunk = this.#chunks[0] as Uint8Array;
      const part = chunk.subarray(0, room.length - at);
      room.set(part, at);
      at += part.length;
      if (part.length === chunk.length) this.#chunks.shift();
      else this.#chunks[0] = chunk.subarray(part.length);
    }
  }

  #settle(): void {
    const takenBytes = this.#takenBytes + (this.#hasEnded ? 1 : 0);
    while ((this.#waiting[0]?.atBytes ?? Number.POSITIVE_INFINITY) <= takenBytes) this.#waiting.shift()?.resolve();
    const isLittle = this.#queuedBytes <= Math.min(this.#credit, this.#sink.aheadBytes);
    if (this.#waiting.length === 0 || this.#ending !== undefined || !isLittle) return;
    // The rest waits for what is written next, and shares its record: held here as in `write`.
    for (const [index, chunk] of this.#chunks.entries()) this.#chunks[index] = chunk.slice();
    for (const waiting of this.#waiting.splice(0)) waiting.resolve();
  }

  #forget(): void {
    this.#chunks.length = 0;
    this.#queuedBytes = 0;
    this.#hasEnded = true;
  }
}

/** Receives a body; one reader. Chunks are as they arrived: their boundaries mean nothing. */
export class BodyReader implements AsyncIterable<Uint8Array> {
  readonly #sink: BodySink;
  readonly #stream: number;
  readonly #onStop: () => void;
  readonly #chunks = new Pieces();
  /** What the peer may still send, of what it may send at most. */
  #window = STREAM_WINDOW_BYTES;
  #size = STREAM_WINDOW_BYTES;
  #consumed = 0;
  #end: 'open' | 'ended' | ChannelError = 'open';
  #wake: (() => void) | undefined;

  /** @param onStop called when the reader leaves before the end */
  constructor(sink: BodySink, stream: number, onStop: () => void) {
    this.#sink = sink;
    this.#stream = stream;
    this.#onStop = onStop;
  }

  get isOpen(): boolean {
    return this.#end === 'open';
  }

  /** @throws ChannelError `flow-control`, `frame-misplaced` */
  push(bytes: Uint8Array): void {
    // CH-44: bytes after the end are bytes that a reader who stopped there would never see.
    if (this.#end === 'ended') throw new ChannelError('frame-misplaced', { rule: 'CH-44' });
    // CH-43: without this a peer decides how much memory we spend on it.
    if (bytes.length > this.#window) throw new ChannelError('flow-control', { rule: 'CH-43' });
    this.#window -= bytes.length;
    if (this.#end !== 'open') return;
    this.#chunks.push(bytes);
    this.#wake?.();
  }

  /** @throws ChannelError `frame-misplaced` at a second end */
  finish(): void {
    // CH-44: a body has one end.
    if (this.#end === 'ended') throw new ChannelError('frame-misplaced', { rule: 'CH-44' });
    if (this.#end !== 'open') return;
    this.#end = 'ended';
    this.#shrink();
    this.#wake?.();
  }

  /** The reader gets what had arrived, then this error. */
  fail(error: ChannelError): void {
    if (this.#end !== 'open') return;
    this.#end = error;
    this.#shrink();
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (;;) {
        const chunk = this.#chunks.shift();
        if (chunk !== undefined) {
          this.#consume(chunk.length);
          yield chunk;
        } else if (this.#end === 'ended') return;
        else if (this.#end !== 'open') throw this.#end;
        else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
      }
    } finally {
      if (this.#end === 'open') this.#onStop();
      this.#chunks.clear();
    }
  }

  /** Grants what was read again, at half a window; the more of it there is, the larger the window becomes. */
  #consume(bytes: number): void {
    this.#consumed += bytes;
    if (this.#consumed < this.#size / 2 || this.#end !== 'open') return;
    const isLarger = this.#size < LARGEST_WINDOW_BYTES && this.#sink.growWindow(this.#size);
    const granted = this.#consumed + (isLarger ? this.#size : 0);
    if (isLarger) this.#size *= 2;
    this.#window += granted;
    this.#consumed = 0;
    this.#sink.sendCredit(this.#stream, granted);
  }

  #shrink(): void {
    if (this.#size > STREAM_WINDOW_BYTES) this.#sink.growWindow(STREAM_WINDOW_BYTES - this.#size);
    this.#size = STREAM_WINDOW_BYTES;
  }
}
