/** The initiator's streams over one session: opening, answers, credit, cancel (spec/channel.md, streams). */
import { Allowance } from './allowance.ts';
import { BodyReader, BodyWriter } from './body.ts';
import { ChannelError, RESET_CODES, type ResetCode } from './errors.ts';
import { ADVICE, type Frame } from './frames.ts';
import type { InitiatorHandshake, NodeClaim } from './initiator-handshake.ts';
import {
  type ChannelLimits,
  CLOCK_TOLERANCE_MS,
  EVIDENCE_STREAM,
  HEAD_LIMIT_BYTES,
  LAST_STREAM,
  STREAMS_LIMIT,
} from './limits.ts';
import { InitiatorRenewal, type UnverifiedRenewal } from './renewal-initiator.ts';
import { Session, type SessionParts, toChannelError } from './session.ts';
import { SessionLife } from './session-life.ts';
import { PROFILES, type Profile } from './shaping/profiles.ts';

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

/** Owned by one channel; its owner sees of it what a `VerifiedChannel` shows. */
export class InitiatorStreams {
  onNotice: ((notice: 'renewal-due' | 'leaving') => void) | undefined;
  readonly #session: Session;
  readonly #life: SessionLife;
  readonly #renewal: InitiatorRenewal;
  readonly #advised: Allowance;
  #handshakeHash: Uint8Array<ArrayBuffer>;
  #isLeaving = false;
  readonly #streams = new Map<number, OpenStream>();
  #lastStream = EVIDENCE_STREAM;
  #hasEvidence = false;
  #endedBy: ChannelError | undefined;

  /** @param createHandshake for a renewal of a session whose latest handshake had this hash */
  constructor(
    parts: SessionParts,
    claim: NodeClaim,
    createHandshake: (handshakeHash: Uint8Array) => InitiatorHandshake,
  ) {
    const { clock, limits } = parts;
    this.#handshakeHash = claim.handshakeHash;
    this.#life = new SessionLife(clock, limits, undefined);
    this.#advised = new Allowance(clock, limits.renewalsAtOnce, limits.renewalsPerSecond);
    this.#session = new Session(parts, {
      onFrame: (frame) => this.#receive(frame),
      onTick: () => this.#tick(limits),
      onEnd: (error) => this.#end(error),
    });
    this.#renewal = new InitiatorRenewal({
      session: this.#session,
      createHandshake: () => createHandshake(this.#handshakeHash),
      onAccepted: ({ handshakeHash }) => {
        this.#handshakeHash = handshakeHash;
      },
      onRenewed: (notAfterMs) => this.#life.renewed(endOf(notAfterMs)),
    });
    this.#session.start();
  }

  get handshakeHash(): Uint8Array<ArrayBuffer> {
    return this.#handshakeHash;
  }

  get isLeaving(): boolean {
    return this.#isLeaving;
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

  /** What waits is dropped. */
  abandon(): void {
    this.#session.abandon();
  }

  /** Tells the responder that its evidence was accepted; from now on it takes requests. */
  promote(notAfterMs: number | undefined, profile: Profile): void {
    if (this.#endedBy !== undefined) throw this.#endedBy;
    this.#life.renewed(endOf(notAfterMs));
    this.#session.send({ kind: 'verified' });
    if (profile === 'compact') return;
    this.#session.send({ kind: 'shape', profile: PROFILES.indexOf(profile) });
    this.#session.shape(profile);
  }

  renew(): Promise<UnverifiedRenewal> {
    return this.#renewal.start();
  }

  request(head: Uint8Array, { signal }: { readonly signal?: AbortSignal } = {}): ChannelStream {
    signal?.throwIfAborted();
    if (this.#endedBy === undefined) this.#assertCurrent();
    if (this.#isLeaving) throw new ChannelError('node-leaving', { rule: 'CH-84' });
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
    if (id !== EVIDENCE_STREAM) session.requestAccepted(id);
    session.send({ kind: 'open', stream: id, head });
    // Stream 0 has no head and no request body: its answer is the evidence and nothing else.
    if (id === EVIDENCE_STREAM) stream.hasHead = true;
    return {
      write: (chunk) => writer.write(chunk),
      end() {
        const ended = writer.end();
        session.requestComplete(id);
        ended.then(
          () => session.requestSent(id),
          () => undefined,
        );
        return ended;
      },
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
    this.#session.streamOver(id);
  }

  /** Between two ticks a session may have outlived its node's evidence. */
  #assertCurrent(): void {
    try {
      this.#life.assertCurrent();
    } catch (error) {
      this.#session.fail(toChannelError(error));
      throw error;
    }
  }

  #tick(limits: ChannelLimits): void {
    this.#life.tick();
    const isUsed = this.#session.remainingRecords <= limits.recordsPerDirection / 2;
    if (this.#life.isRenewalDue || isUsed) this.onNotice?.('renewal-due');
  }

  /** Only advice: of kinds that we do not know nothing is done. */
  #advise(advice: number): void {
    if (advice === ADVICE.leaving && !this.#isLeaving) {
      this.#isLeaving = true;
      this.onNotice?.('leaving');
    }
    // CH-79: a node that advises without end would have us do nothing else.
    if (advice === ADVICE['new-epoch'] && this.#advised.take(1)) this.onNotice?.('renewal-due');
  }

  #end(error: ChannelError): void {
    this.#endedBy = error;
    this.#renewal.end(error);
    // CH-46: whatever ended the session, a stream without its `end` is not a whole one.
    for (const id of [...this.#streams.keys()])
      this.#close(id, new ChannelError('stream-truncated', { rule: 'CH-46', cause: error }));
  }

  #receiveOfSession(frame: Frame): void {
    switch (frame.kind) {
      case 'renewed':
        this.#renewal.receiveRenewed(frame.message);
        return;
      case 'switch':
        this.#renewal.receiveSwitch();
        return;
      case 'advice':
        this.#advise(frame.advice);
        return;
      default:
        throw new ChannelError('frame-misplaced');
    }
  }

  #receive(frame: Frame): void {
    if (!('stream' in frame)) {
      this.#receiveOfSession(frame);
      return;
    }
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

/** Verification allowed the clocks to differ by this much; a session does too. */
function endOf(notAfterMs: number | undefined): number | undefined {
  return notAfterMs === undefined ? undefined : notAfterMs + CLOCK_TOLERANCE_MS;
}

function resetOf(number: number): ResetCode {
  const known = Object.entries(RESET_CODES).find(([, value]) => value === number);
  return (known?.[0] ?? 'internal') as ResetCode;
}
