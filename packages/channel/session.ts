/**
 * A session: records in order over a socket, frames in, silence and the end noticed (spec/channel.md, session). The way
 * out is `outgoing`; streams live above, in `initiator` and `responder`. Every fault of the peer ends the session with a
 * typed reason.
 */
import { CryptoError } from '@sotto/crypto/primitives';
import type { Clock, Random } from '@sotto/ports';
import { Allowance } from './allowance.ts';
import type { BodySink, BodySource } from './body.ts';
import { ChannelError, type ChannelErrorCode, SESSION_CLOSED } from './errors.ts';
import { type Frame, PING_TOKEN_BYTES, parseFrames } from './frames.ts';
import type { IncomingSocket } from './incoming-socket.ts';
import { type ChannelLimits, STREAM_WINDOW_BYTES, WINDOW_GROWTH_BYTES } from './limits.ts';
import type { HandshakeRole } from './noise/handshake.ts';
import { Outgoing } from './outgoing.ts';
import type { RecordCipher } from './records.ts';
import { createPacer } from './shaping/create-pacer.ts';
import { createCompactPacer, type Pacer } from './shaping/pacer.ts';
import type { Profile } from './shaping/profiles.ts';

/** How a session ended. `kind: 'closed'` is an orderly end; anything else names what went wrong. */
export type ChannelCloseInfo =
  | { readonly kind: 'closed'; readonly by: 'us' | 'peer' }
  | { readonly kind: 'failed'; readonly code: ChannelErrorCode; readonly by: 'us' | 'peer' };

/** The `close` frame's reasons. Advice to the peer; nothing is decided on it but the words. */
const CLOSE_REASONS = { done: 0, fault: 1, idle: 2, exhausted: 3, backlog: 4, expired: 5 } as const;

export interface SessionParts {
  readonly role: HandshakeRole;
  readonly incoming: IncomingSocket;
  readonly sending: RecordCipher;
  readonly receiving: RecordCipher;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: ChannelLimits;
}

export interface SessionHandlers {
  /** May throw ChannelError: the session ends with it. */
  onFrame(frame: Frame): void;
  /** Every `tickMs`. May throw ChannelError: the session ends with it. */
  onTick?(): void;
  /** A record has left. */
  onDeparture?(): void;
  /** Once, before `closed` resolves. */
  onEnd(error: ChannelError): void;
}

export class Session implements BodySink {
  readonly closed: Promise<ChannelCloseInfo>;
  readonly #parts: SessionParts;
  readonly #handlers: SessionHandlers;
  readonly #outgoing: Outgoing;
  #receiving: RecordCipher;
  readonly #inbox: Uint8Array[] = [];
  #inboxBytes = 0;
  #isDraining = false;
  #isLineOver = false;
  #silentTicks = 0;
  #windowGrowthBytes = 0;
  readonly #idleWork: Allowance;
  #ping: Uint8Array | undefined;
  #isOver = false;
  readonly #stopTimers = new AbortController();
  #resolveClosed!: (info: ChannelCloseInfo) => void;

  constructor(parts: SessionParts, handlers: SessionHandlers) {
    this.#parts = parts;
    this.#handlers = handlers;
    this.#receiving = parts.receiving;
    this.#idleWork = new Allowance(parts.clock, parts.limits.idleWorkAtOnce, parts.limits.idleWorkPerSecond);
    const { socket } = parts.incoming;
    this.#outgoing = new Outgoing({
      role: parts.role,
      cipher: parts.sending,
      socket,
      clock: parts.clock,
      limits: parts.limits,
      pacer: createCompactPacer(parts.limits.coalesceMs),
      stopped: this.#stopTimers.signal,
      onFault: (error) => this.fail(error),
      onDeparture: () => handlers.onDeparture?.(),
      onBroken: (error) => {
        this.#finish(toChannelError(error), 'us');
        socket.close(4000, 'fault');
      },
    });
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  /** Takes the socket over; frames may arrive during this call. */
  start(): void {
    void this.#watch();
    this.#parts.incoming.attach(
      (message) => this.#receive(message),
      () => {
        this.#isLineOver = true;
        if (!this.#isDraining) this.#endOfLine();
      },
    );
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Queues a frame; it leaves with the next record. */
  send(frame: Frame): void {
    this.#outgoing.send(frame);
  }

  offer(source: BodySource): void {
    this.#outgoing.offer(source);
  }

  get isAhead(): boolean {
    return this.#outgoing.queuedBytes > this.aheadBytes;
  }

  get aheadBytes(): number {
    return this.#outgoing.pacer.aheadBytes;
  }

  sendCredit(stream: number, bytes: number): void {
    this.send({ kind: 'credit', stream, bytes });
  }

  growWindow(bytes: number): boolean {
    if (this.#windowGrowthBytes + bytes > WINDOW_GROWTH_BYTES) return false;
    this.#windowGrowthBytes += bytes;
    return true;
  }

  /** From now on we send as this profile does. */
  shape(profile: Profile): void {
    const { role, clock, limits } = this.#parts;
    this.#outgoing.pacer = createPacer(role, profile, limits.coalesceMs, clock.nowMs());
  }

  /** Whether records leave whatever waits, and whether all of them have that ever will. */
  get shaping(): Pick<Pacer, 'isShaping' | 'isSpent'> {
    return this.#outgoing.pacer;
  }

  /** A request was taken, or made. */
  requestAccepted(stream: number): void {
    this.#outgoing.tell((pacer, nowMs) => pacer.requestAccepted?.(stream, nowMs));
  }

  /** A request that we make is written to its end. */
  requestComplete(stream: number): void {
    this.#outgoing.tell((pacer) => pacer.requestComplete?.(stream));
  }

  /** And has left. */
  requestSent(stream: number): void {
    this.#outgoing.tell((pacer) => pacer.requestSent?.(stream));
  }

  /** However it ended. */
  streamOver(stream: number): void {
    this.#outgoing.tell((pacer) => pacer.streamOver?.(stream));
  }

  /** Resolves when there is room again for what writers have; undefined: now. */
  gathering(): Promise<void> | undefined {
    return this.#outgoing.gathering();
  }

  /** Sends `frame` as the last one under the present key; later records are sealed by `cipher`. */
  switchSending(frame: Frame, cipher: RecordCipher): void {
    this.#outgoing.switchKeys(frame, cipher);
  }

  /** The next record is opened by `cipher`. Call while the last frame under the old key is handled. */
  switchReceiving(cipher: RecordCipher): void {
    this.#receiving = cipher;
  }

  /** Of the direction that has fewer left. */
  get remainingRecords(): number {
    return Math.min(this.#outgoing.remainingRecords, this.#receiving.remaining);
  }

  /** The orderly end. Nothing is sent or received afterwards. */
  close(): void {
    this.#leave(undefined, CLOSE_REASONS.done);
  }

  /** The same at once: what waits is dropped. */
  abandon(): void {
    this.#outgoing.drop();
    this.#leave(undefined, CLOSE_REASONS.done);
  }

  /** Ends the session because of `error`: what waits is dropped, and the peer told no more than the kind of reason. */
  fail(error: ChannelError): void {
    const { code } = error;
    const reason =
      code === 'session-idle' || code === 'verification-timeout'
        ? CLOSE_REASONS.idle
        : code === 'session-exhausted'
          ? CLOSE_REASONS.exhausted
          : code === 'backlog'
            ? CLOSE_REASONS.backlog
            : code === 'session-expired'
              ? CLOSE_REASONS.expired
              : CLOSE_REASONS.fault;
    this.#outgoing.drop();
    this.#leave(error, reason);
  }

  #leave(error: ChannelError | undefined, reason: number): void {
    if (this.#isOver) return;
    const { socket } = this.#parts.incoming;
    const leaving = this.#outgoing.leave({ kind: 'close', reason });
    this.#finish(error, 'us');
    const disconnect = () => socket.close(error === undefined ? 1000 : 4000, error === undefined ? 'done' : 'fault');
    if (leaving === undefined) disconnect();
    else void leaving.then(disconnect, disconnect);
  }

  #finish(error: ChannelError | undefined, by: 'us' | 'peer'): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stopTimers.abort(SESSION_CLOSED);
    this.#inbox.length = 0;
    this.#outgoing.stop();
    this.#handlers.onEnd(error ?? new ChannelError('session-closed'));
    this.#resolveClosed(error === undefined ? { kind: 'closed', by } : { kind: 'failed', code: error.code, by });
  }

  // Incoming

  #receive(message: Uint8Array): void {
    if (this.#isOver) return;
    this.#inbox.push(message);
    this.#inboxBytes += message.length;
    // CH-52: a peer may be faster than our cipher; what waits to be opened is its choice, how much is ours.
    if (this.#inboxBytes > this.#parts.limits.incomingBacklogBytes) {
      this.fail(new ChannelError('backlog', { rule: 'CH-52' }));
      return;
    }
    if (!this.#isDraining) void this.#drain();
  }

  /** Runs through without a pause where primitives answer at once; in strict order in any case. */
  async #drain(): Promise<void> {
    this.#isDraining = true;
    try {
      for (let record = this.#inbox.shift(); record !== undefined && !this.#isOver; record = this.#inbox.shift()) {
        this.#inboxBytes -= record.length;
        const opened = this.#receiving.open(record);
        const plaintext = opened instanceof Promise ? await opened : opened;
        if (this.#isOver) return;
        this.#silentTicks = 0;
        const peer = this.#parts.role === 'initiator' ? 'responder' : 'initiator';
        const frames = parseFrames(plaintext, peer);
        eraseCopied(plaintext, frames);
        // CH-110: pings, grants, resets and padding cost their sender nothing and us a record, a frame, an answer each.
        if (!this.#idleWork.take(idleWorkOf(frames))) throw new ChannelError('flood', { rule: 'CH-110' });
        for (const frame of frames) {
          if (this.#isOver) return;
          this.#handle(frame);
        }
        this.#outgoing.tell((pacer, nowMs) => pacer.received?.(nowMs));
      }
    } catch (error) {
      this.fail(toChannelError(error));
    } finally {
      this.#isDraining = false;
    }
    if (this.#isLineOver) this.#endOfLine();
  }

  /** After the last record that arrived was opened. */
  #endOfLine(): void {
    // CH-47: a line that ends without `close` was cut, by chance or on purpose, and must not look like an end.
    if (!this.#isOver) this.#finish(new ChannelError('session-truncated', { rule: 'CH-47' }), 'peer');
  }

  #handle(frame: Frame): void {
    switch (frame.kind) {
      case 'ping':
        this.send({ kind: 'pong', token: frame.token });
        return;
      case 'pong': {
        const expected = this.#ping;
        this.#ping = undefined;
        const isExpected = expected?.every((byte, i) => byte === frame.token[i]) === true;
        // CH-36: an answer to no question keeps a dead session alive.
        if (!isExpected) throw new ChannelError('frame-misplaced', { rule: 'CH-36' });
        return;
      }
      case 'rekey':
        this.#receiving.rekey();
        return;
      case 'close':
        this.#finish(frame.reason === CLOSE_REASONS.done ? undefined : closeError(frame.reason), 'peer');
        this.#parts.incoming.socket.close(1000, 'done');
        return;
      default:
        this.#handlers.onFrame(frame);
        // What was asked ends with its answer: so does the key it was under.
        if (this.#parts.role === 'initiator' && (frame.kind === 'end' || frame.kind === 'error'))
          this.#outgoing.rekey();
    }
  }

  /** Counts silent ticks instead of reading the clock, which may jump. */
  async #watch(): Promise<void> {
    const { clock, limits, role, random } = this.#parts;
    for (;;) {
      try {
        await clock.sleep(limits.tickMs, this.#stopTimers.signal);
      } catch {
        return;
      }
      this.#outgoing.tick();
      try {
        this.#handlers.onTick?.();
      } catch (error) {
        this.fail(toChannelError(error));
      }
      if (this.#isOver) return;
      this.#silentTicks += 1;
      // CH-50: a session whose peer is gone keeps keys and streams in memory for nobody.
      if (this.#silentTicks >= limits.silentTicks) {
        this.fail(new ChannelError('session-idle', { rule: 'CH-50' }));
        return;
      }
      if (role === 'initiator' && this.#ping === undefined) {
        this.#ping = random.bytes(PING_TOKEN_BYTES);
        this.send({ kind: 'ping', token: this.#ping });
      }
      if (this.#silentTicks >= 2) this.#outgoing.tell((pacer) => pacer.silence?.());
    }
  }
}

/** Bytes of bodies that make a record worth its cost. */
const WORTHWHILE_BYTES = 256;

/** What a record makes us do beyond taking in bodies: its frames, and itself when it brings little. */
function idleWorkOf(frames: readonly Frame[]): number {
  let [count, bytes] = [0, 0];
  for (const frame of frames) {
    if (frame.kind === 'data') bytes += frame.bytes.length;
    // Half a window granted again answers as much data of ours.
    else if (frame.kind === 'credit' && frame.bytes >= STREAM_WINDOW_BYTES / 2) bytes += WORTHWHILE_BYTES;
    else count += 1;
  }
  return bytes < WORTHWHILE_BYTES ? count + 1 : count;
}

/** What frames have copied out of a record goes at once: a head may hold a key, and whoever read it erases the only copy. */
function eraseCopied(plaintext: Uint8Array, frames: readonly Frame[]): void {
  let at = 0;
  for (const frame of frames) {
    if (frame.kind !== 'data' || frame.bytes.buffer !== plaintext.buffer) continue;
    const start = frame.bytes.byteOffset - plaintext.byteOffset;
    plaintext.fill(0, at, start);
    at = start + frame.bytes.length;
  }
  plaintext.fill(0, at);
}

function closeError(reason: number): ChannelError {
  if (reason === CLOSE_REASONS.idle) return new ChannelError('session-idle');
  if (reason === CLOSE_REASONS.exhausted) return new ChannelError('session-exhausted');
  if (reason === CLOSE_REASONS.backlog) return new ChannelError('backlog');
  if (reason === CLOSE_REASONS.expired) return new ChannelError('session-expired');
  return new ChannelError('session-closed');
}

/** Whatever went wrong with what a peer sent, as one of our errors. */
export function toChannelError(error: unknown): ChannelError {
  if (error instanceof ChannelError) return error;
  if (error instanceof CryptoError) return new ChannelError('record-forged', { rule: 'CH-21' });
  return new ChannelError('frame-malformed');
}
