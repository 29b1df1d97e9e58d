/** The initiator's streams over one session: opening, answers, credit, cancel (spec/channel.md, streams). */
import { BodyReader, BodyWriter } from './body.ts';
import { ChannelError, RESET_CODES, type ResetCode } from './errors.ts';
import type { Frame } from './frames.ts';
import { EVIDENCE_STREAM, HEAD_LIMIT_BYTES, LAST_STREAM, STREAMS_LIMIT } from './limits.ts';
import { Session, type SessionParts } from './session.ts';

/** A request and its answer. Everything rejects with the ChannelError that ended the stream. */
export interface ChannelStream {
  /** Resolves when the peer's window has taken the whole chunk. */
  write(chunk: Uint8Array): Promise<void>;
  /** Says that the request is complete. */
  end(): Promise<void>;
  /** Gives the stream up at both ends. */
  cancel(): void;
  readonly head: Promise<Uint8Array>;
  /** One reader; leaving it early cancels the stream. */
  readonly body: AsyncIterable<Uint8Array>;
}

interface OpenStream {
  readonly writer: BodyWriter;
  readonly reader: BodyReader;
  readonly resolveHead: (head: Uint8Array) => void;
  readonly rejectHead: (error: ChannelError) => void;
  hasHead: boolean;
  stopListening(): void;
}

/** Owned by one channel. */
export class InitiatorStreams {
  readonly #session: Session;
  readonly #streams = new Map<number, OpenStream>();
  #lastStream = EVIDENCE_STREAM;
  #hasEvidence = false;
  #endedBy: ChannelError | undefined;

  constructor(parts: SessionParts) {
    this.#session = new Session(parts, {
      onFrame: (frame) => this.#receive(frame),
      onEnd: (error) => this.#end(error),
    });
    this.#session.start();
  }

  get closed() {
    return this.#session.closed;
  }

  close(): void {
    this.#session.close();
  }

  fail(error: ChannelError): void {
    this.#session.fail(error);
  }

  /** Tells the responder that its evidence was accepted; from now on it takes requests. */
  promote(): void {
    if (this.#endedBy !== undefined) throw this.#endedBy;
    this.#session.send({ kind: 'verified' });
  }

  request(head: Uint8Array, signal: AbortSignal | undefined): ChannelStream {
    signal?.throwIfAborted();
    if (head.length > HEAD_LIMIT_BYTES) throw new ChannelError('head-too-long', { rule: 'CH-33' });
    if (this.#streams.size >= STREAMS_LIMIT) throw new ChannelError('too-many-streams', { rule: 'CH-42' });
    if (this.#lastStream >= LAST_STREAM) throw new ChannelError('session-exhausted');
    if (this.#endedBy !== undefined) throw this.#endedBy;
    this.#lastStream += 1;
    return this.open(this.#lastStream, head, signal);
  }

  /** Opens stream 0, or the next one. */
  open(id: number, head: Uint8Array, signal?: AbortSignal): ChannelStream {
    if (this.#endedBy !== undefined) throw this.#endedBy;
    if (id === EVIDENCE_STREAM) {
      if (this.#hasEvidence) throw new ChannelError('stream-closed', { rule: 'CH-11' });
      this.#hasEvidence = true;
    }
    const session = this.#session;
    const cancel = () => this.#cancel(id);
    const writer = new BodyWriter(session, id);
    const reader = new BodyReader(session, id, cancel);
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    promise.catch(() => undefined);
    signal?.addEventListener('abort', cancel, { once: true });
    const stopListening = () => signal?.removeEventListener('abort', cancel);
    const stream = { writer, reader, resolveHead: resolve, rejectHead: reject, hasHead: false, stopListening };
    this.#streams.set(id, stream);
    session.send({ kind: 'open', stream: id, head });
    // Stream 0 has no head and no request body: its answer is the evidence and nothing else.
    if (id === EVIDENCE_STREAM) stream.hasHead = true;
    return {
      write: (chunk) => writer.write(chunk),
      end: () => writer.end(),
      cancel,
      head: promise,
      body: reader,
    };
  }

  #cancel(id: number): void {
    if (!this.#streams.has(id)) return;
    this.#session.send({ kind: 'cancel', stream: id });
    this.#close(id, new ChannelError('stream-cancelled'));
  }

  #close(id: number, error: ChannelError): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    this.#streams.delete(id);
    stream.stopListening();
    stream.rejectHead(error);
    stream.writer.fail(error);
    stream.reader.fail(error);
  }

  #end(error: ChannelError): void {
    this.#endedBy = error;
    // CH-46: whatever ended the session, a stream without its `end` is not a whole one.
    for (const id of [...this.#streams.keys()])
      this.#close(id, new ChannelError('stream-truncated', { rule: 'CH-46', cause: error }));
  }

  #receive(frame: Frame): void {
    if (!('stream' in frame)) throw new ChannelError('frame-misplaced');
    const stream = this.#streams.get(frame.stream);
    if (stream === undefined) {
      const wasOpened = frame.stream === EVIDENCE_STREAM ? this.#hasEvidence : frame.stream <= this.#lastStream;
      // CH-41: an answer to nothing is no answer of ours.
      if (!wasOpened) throw new ChannelError('frame-misplaced', { rule: 'CH-41' });
      return;
    }
    switch (frame.kind) {
      case 'head':
        // CH-45: two heads are two answers, and the caller would have acted on the first.
        if (stream.hasHead) throw new ChannelError('frame-misplaced', { rule: 'CH-45' });
        stream.hasHead = true;
        stream.resolveHead(frame.head);
        return;
      case 'data':
        // CH-45: a body without a head is a body whose meaning nobody stated.
        if (!stream.hasHead) throw new ChannelError('frame-misplaced', { rule: 'CH-45' });
        stream.reader.push(frame.bytes);
        return;
      case 'end':
        // CH-45: nor is an end without a head a whole answer.
        if (!stream.hasHead) throw new ChannelError('frame-misplaced', { rule: 'CH-45' });
        stream.reader.finish();
        stream.writer.drop();
        this.#close(frame.stream, new ChannelError('stream-closed'));
        return;
      case 'error':
        this.#close(frame.stream, new ChannelError('stream-reset', { reset: resetOf(frame.reset) }));
        return;
      case 'credit':
        stream.writer.grant(frame.bytes);
        return;
      default:
        throw new ChannelError('frame-misplaced', { rule: 'CH-32' });
    }
  }
}

function resetOf(number: number): ResetCode {
  const known = Object.entries(RESET_CODES).find(([, value]) => value === number);
  return (known?.[0] ?? 'internal') as ResetCode;
}
