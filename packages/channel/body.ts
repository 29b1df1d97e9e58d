/** The two halves of a stream's body, with flow control (spec/channel.md, streams). Both roles use both. */
import { ChannelError } from './errors.ts';
import { CREDIT_LIMIT_BYTES, STREAM_WINDOW_BYTES } from './limits.ts';

/** Where a body's frames go: the session. */
export interface BodySink {
  /** Puts as much as fits into the record that is being filled, at least one byte. @returns how many bytes were taken */
  sendData(stream: number, bytes: Uint8Array): number;
  sendEnd(stream: number): void;
  sendCredit(stream: number, bytes: number): void;
}

/** Sends a body as fast as the peer grants. Owned by one stream; calls are carried out in the order they were made. */
export class BodyWriter {
  readonly #sink: BodySink;
  readonly #stream: number;
  #credit = STREAM_WINDOW_BYTES;
  #failure: ChannelError | undefined;
  #isUnwanted = false;
  #isEnding = false;
  #wake: (() => void) | undefined;
  #last: Promise<void> | undefined;

  constructor(sink: BodySink, stream: number) {
    this.#sink = sink;
    this.#stream = stream;
  }

  /** Resolves when all of `chunk` has been granted and queued. Rejects with the reason the stream ended. */
  write(chunk: Uint8Array): Promise<void> {
    if (this.#isEnding) return Promise.reject(new ChannelError('stream-closed'));
    return this.#queue(chunk, false);
  }

  /** Marks the whole body as sent; without it the peer reports a truncation. */
  end(): Promise<void> {
    if (this.#isEnding) return this.#last ?? Promise.resolve();
    this.#isEnding = true;
    return this.#queue(undefined, true);
  }

  get isEnding(): boolean {
    return this.#isEnding;
  }

  /** The peer grants more. @throws ChannelError `flow-control` */
  grant(bytes: number): void {
    // CH-49: grants that add up beyond the limit are meant to overflow somebody's arithmetic.
    if (this.#credit + bytes > CREDIT_LIMIT_BYTES) throw new ChannelError('flow-control', { rule: 'CH-49' });
    this.#credit += bytes;
    this.#wake?.();
  }

  /** The answer is whole and the rest of this body is of no use: what waits is dropped, later writes are too. */
  drop(): void {
    this.#isUnwanted = true;
    this.#wake?.();
  }

  /** Ends the body from our side of it: what waits is rejected, later writes are too. */
  fail(error: ChannelError): void {
    this.#failure ??= error;
    this.#wake?.();
  }

  #queue(chunk: Uint8Array | undefined, isEnd: boolean): Promise<void> {
    const before = this.#last;
    const sent = before === undefined ? this.#send(chunk, isEnd) : before.then(() => this.#send(chunk, isEnd));
    const last = sent.catch(() => undefined);
    this.#last = last;
    void last.then(() => {
      if (this.#last === last) this.#last = undefined;
    });
    return sent;
  }

  async #send(chunk: Uint8Array | undefined, isEnd: boolean): Promise<void> {
    let left = chunk ?? new Uint8Array(0);
    while (left.length > 0 && !this.#isUnwanted) {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#credit === 0) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      const taken = this.#sink.sendData(this.#stream, left.subarray(0, this.#credit));
      this.#credit -= taken;
      left = left.subarray(taken);
    }
    if (this.#isUnwanted) return;
    if (this.#failure !== undefined) throw this.#failure;
    if (isEnd) this.#sink.sendEnd(this.#stream);
  }
}

/** Receives a body; one reader. Chunks are as they arrived: their boundaries mean nothing. */
export class BodyReader implements AsyncIterable<Uint8Array> {
  readonly #sink: BodySink;
  readonly #stream: number;
  readonly #onStop: () => void;
  readonly #chunks: Uint8Array[] = [];
  #window = STREAM_WINDOW_BYTES;
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
    this.#wake?.();
  }

  /** The reader gets what had arrived, then this error. */
  fail(error: ChannelError): void {
    if (this.#end !== 'open') return;
    this.#end = error;
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
      this.#chunks.length = 0;
    }
  }

  #consume(bytes: number): void {
    this.#consumed += bytes;
    if (this.#consumed < STREAM_WINDOW_BYTES / 2 || this.#end !== 'open') return;
    this.#sink.sendCredit(this.#stream, this.#consumed);
    this.#window += this.#consumed;
    this.#consumed = 0;
  }
}
