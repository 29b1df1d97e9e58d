/** The responder's streams over one session: what a stranger may open, and the answers (spec/channel.md, streams). */
import { Allowance } from './allowance.ts';
import { BodyReader, BodyWriter } from './body.ts';
import { ChannelError, RESET_CODES, type ResetCode, SESSION_CLOSED } from './errors.ts';
import { ADVICE, type Frame } from './frames.ts';
import { EVIDENCE_STREAM, HEAD_LIMIT_BYTES, LAST_STREAM, STREAMS_LIMIT } from './limits.ts';
import { ResponderRenewal } from './renewal-responder.ts';
import type { AnsweredHandshake, SessionIdentity } from './responder-handshake.ts';
import { Session, type SessionParts } from './session.ts';
import { SessionLife } from './session-life.ts';
import { PROFILES } from './shaping/profiles.ts';

/** One request. Its body and signal end when the initiator cancels or the channel is lost. */
export interface IncomingRequest {
  readonly head: Uint8Array;
  /** What the session stood on when the stream was opened. */
  readonly channel: SessionIdentity;
  /** One reader. Throws ChannelError `stream-cancelled` or `stream-truncated` when it does not end well. */
  readonly body: AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
  /** @throws ChannelError `head-too-long`, `stream-closed` */
  respond(head: Uint8Array): ResponseWriter;
  /** Gives the stream up before or after the head. */
  reject(code: ResetCode): void;
}

export interface ResponseWriter {
  /** Resolves when the window has taken the whole chunk; rejects with the ChannelError that ended the stream. */
  write(chunk: Uint8Array): Promise<void>;
  /** Resolves when the next record is about to leave: what is written then is the newest there is. Undefined: now. */
  gathering(): Promise<void> | undefined;
  end(): Promise<void>;
  /** Ends the stream so that the other end knows that the answer is not whole. */
  fail(code: ResetCode): void;
}

interface OpenStream {
  readonly writer: BodyWriter;
  readonly reader: BodyReader;
  readonly abort: AbortController;
}

/** Owned by one channel. */
export class ResponderStreams {
  readonly #session: Session;
  #identity: SessionIdentity;
  readonly #renewal: ResponderRenewal;
  #isLeaving = false;
  readonly #evidence: Uint8Array;
  readonly #onRequest: (request: IncomingRequest) => void;
  readonly #streams = new Map<number, OpenStream>();
  /** Until the channel is verified. */
  #stopTimer: AbortController | undefined;
  readonly #opens: Allowance;
  #isVerified = false;
  #hasShape = false;
  #hasEvidence = false;
  #lastStream = EVIDENCE_STREAM;

  /** @param answer makes the second message of a renewal, for a session whose latest handshake had this hash */
  constructor(
    parts: SessionParts,
    { identity, epoch }: Pick<AnsweredHandshake, 'identity' | 'epoch'>,
    answer: (message: Uint8Array, handshakeHash: Uint8Array) => Promise<AnsweredHandshake>,
    onRequest: (request: IncomingRequest) => void,
  ) {
    const { clock, limits } = parts;
    this.#identity = identity;
    this.#evidence = epoch.evidence;
    this.#onRequest = onRequest;
    this.#opens = new Allowance(clock, limits.opensAtOnce, limits.opensPerSecond);
    const life = new SessionLife(clock, limits, epoch.notAfterMs);
    this.#session = new Session(parts, {
      onFrame: (frame) => this.#receive(frame),
      onTick: () => life.tick(),
      onDeparture: () => this.#closeIfDone(),
      onEnd: (error) => this.#end(error),
    });
    this.#renewal = new ResponderRenewal({
      session: this.#session,
      // Twice what an initiator allows itself: its clock is not ours.
      allowance: new Allowance(clock, 2 * limits.renewalsAtOnce, 2 * limits.renewalsPerSecond),
      answer: (message) => answer(message, this.#identity.handshakeHash),
      onRenewed: (answered) => {
        this.#identity = answered.identity;
        life.renewed(answered.epoch.notAfterMs);
      },
    });
    const stopTimer = new AbortController();
    this.#stopTimer = stopTimer;
    parts.clock.sleep(parts.limits.verificationTimeoutMs, stopTimer.signal).then(
      // CH-18: a channel that is never verified is of no use to an honest client.
      () => this.#session.fail(new ChannelError('verification-timeout', { rule: 'CH-18' })),
      () => undefined,
    );
    this.#session.start();
  }

  get closed() {
    return this.#session.closed;
  }

  close(): void {
    this.#session.close();
  }

  /** A newer key answers handshakes: the initiator had better renew. */
  advise(): void {
    if (this.#isVerified) this.#session.send({ kind: 'advice', advice: ADVICE['new-epoch'] });
  }

  /** Takes no stream from now on, and closes when the last one is over. */
  leave(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.#session.send({ kind: 'advice', advice: ADVICE.leaving });
    this.#closeIfDone();
  }

  /** A session whose shape goes on after its last answer ends with the shape, so that its end does not show the answer's. */
  #closeIfDone(): void {
    const { isShaping, isSpent } = this.#session.shaping;
    if (isSpent || (this.#isLeaving && this.#streams.size === 0 && !isShaping)) this.#session.close();
  }

  #receive(frame: Frame): void {
    if (frame.kind === 'verified') {
      // CH-19: it is said once; twice is a state nobody designed.
      if (this.#isVerified) throw new ChannelError('frame-misplaced', { rule: 'CH-19' });
      this.#isVerified = true;
      this.#stopTimer?.abort(SESSION_CLOSED);
      this.#stopTimer = undefined;
      return;
    }
    if (frame.kind === 'shape') {
      const isInTime = this.#isVerified && !this.#hasShape && this.#lastStream === EVIDENCE_STREAM;
      // SH-01: a shape that changes while something is under way shows where it changed.
      if (!isInTime) throw new ChannelError('frame-misplaced', { rule: 'SH-01' });
      this.#hasShape = true;
      this.#session.shape(PROFILES[frame.profile] ?? 'compact');
      return;
    }
    if (frame.kind === 'renew' || frame.kind === 'switch') {
      // CH-71: a session that nobody verified has nothing that could be carried over.
      if (!this.#isVerified) throw new ChannelError('not-verified', { rule: 'CH-71' });
      if (frame.kind === 'renew') this.#renewal.receiveRenew(frame.message);
      else this.#renewal.receiveSwitch();
      return;
    }
    if (!('stream' in frame)) throw new ChannelError('frame-misplaced');
    if (frame.kind === 'open') {
      if (frame.stream === EVIDENCE_STREAM) this.#openEvidence(frame.head);
      else this.#openRequest(frame.stream, frame.head);
      return;
    }
    const stream = this.#streams.get(frame.stream);
    if (stream === undefined) {
      const wasOpened = frame.stream === EVIDENCE_STREAM ? this.#hasEvidence : frame.stream <= this.#lastStream;
      // CH-41: what belongs to no stream belongs to nobody's limits.
      if (!wasOpened) throw new ChannelError('frame-misplaced', { rule: 'CH-41' });
      return;
    }
    const isEvidence = frame.stream === EVIDENCE_STREAM;
    switch (frame.kind) {
      case 'data':
      case 'end':
        // CH-10: stream 0 carries nothing from the initiator: nothing of a person's can leave on it.
        if (isEvidence) throw new ChannelError('not-verified', { rule: 'CH-10' });
        if (frame.kind === 'data') stream.reader.push(frame.bytes);
        else stream.reader.finish();
        return;
      case 'credit':
        stream.writer.grant(frame.bytes);
        return;
      case 'cancel':
        this.#close(frame.stream, new ChannelError('stream-cancelled'));
        return;
      default:
        throw new ChannelError('frame-misplaced', { rule: 'CH-32' });
    }
  }

  #openEvidence(head: Uint8Array): void {
    // CH-11: evidence is asked for once, before it was believed, without a word beside.
    if (this.#hasEvidence || this.#isVerified || head.length > 0) {
      throw new ChannelError('frame-misplaced', { rule: 'CH-11' });
    }
    this.#hasEvidence = true;
    const { writer } = this.#create(EVIDENCE_STREAM);
    writer
      .write(this.#evidence)
      .then(() => writer.end())
      .then(() => this.#close(EVIDENCE_STREAM, new ChannelError('stream-closed')))
      .catch(() => undefined);
  }

  #openRequest(id: number, head: Uint8Array): void {
    // CH-10: a client that sends a request to a node it has not verified is broken; its words must not be read.
    if (!this.#isVerified) throw new ChannelError('not-verified', { rule: 'CH-10' });
    // CH-40: a number used twice, or out of turn, would mix two requests.
    if (id !== this.#lastStream + 1 || id > LAST_STREAM) throw new ChannelError('frame-misplaced', { rule: 'CH-40' });
    this.#lastStream = id;
    this.#session.requestAccepted(id);
    const refuse = (code: ResetCode) => {
      this.#session.send({ kind: 'error', stream: id, reset: RESET_CODES[code] });
      this.#session.streamOver(id);
    };
    // CH-84: a request that is taken while the node stops would be cut in the middle.
    if (this.#isLeaving) {
      refuse('busy');
      return;
    }
    // CH-111: opening and cancelling costs a peer twelve bytes, and us a request begun for nothing.
    if (!this.#opens.take(1)) {
      refuse('busy');
      return;
    }
    // CH-42: each open stream may hold a window of our memory.
    if (this.#streams.size >= STREAMS_LIMIT) {
      refuse('too-many-streams');
      return;
    }
    const { writer, reader, abort } = this.#create(id);
    let hasHead = false;
    const reject = (code: ResetCode) => {
      if (!this.#streams.has(id)) return;
      this.#session.send({ kind: 'error', stream: id, reset: RESET_CODES[code] });
      this.#close(id, new ChannelError('stream-closed'));
    };
    const close = (error: ChannelError) => this.#close(id, error, false);
    const response: ResponseWriter = {
      write: (chunk) => writer.write(chunk),
      gathering: () => this.#session.gathering(),
      end() {
        const ended = writer.end().then(() => close(new ChannelError('stream-closed')));
        // Whoever does not wait for the end must not bring the program down with it.
        ended.catch(() => undefined);
        return ended;
      },
      fail: reject,
    };
    const request: IncomingRequest = {
      head,
      channel: this.#identity,
      body: reader,
      signal: abort.signal,
      reject,
      respond: (responseHead) => {
        if (responseHead.length > HEAD_LIMIT_BYTES) throw new ChannelError('head-too-long', { rule: 'CH-33' });
        if (hasHead || !this.#streams.has(id)) throw new ChannelError('stream-closed');
        hasHead = true;
        this.#session.send({ kind: 'head', stream: id, head: responseHead });
        return response;
      },
    };
    try {
      this.#onRequest(request);
    } catch {
      reject('internal');
    }
  }

  #create(id: number): OpenStream {
    const stream = {
      writer: new BodyWriter(this.#session, id),
      reader: new BodyReader(this.#session, id, () => undefined),
      abort: new AbortController(),
    };
    this.#streams.set(id, stream);
    return stream;
  }

  /** @param isLost whether whoever works on the request should stop */
  #close(id: number, error: ChannelError, isLost = true): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    this.#streams.delete(id);
    stream.writer.fail(error);
    stream.reader.fail(error);
    // CH-48: work for nobody costs everybody else.
    if (isLost) stream.abort.abort(error);
    this.#session.streamOver(id);
    this.#closeIfDone();
  }

  #end(error: ChannelError): void {
    this.#stopTimer?.abort(SESSION_CLOSED);
    this.#stopTimer = undefined;
    for (const id of [...this.#streams.keys()])
      this.#close(id, new ChannelError('stream-truncated', { rule: 'CH-46', cause: error }));
  }
}
