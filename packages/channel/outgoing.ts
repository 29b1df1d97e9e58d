/**
 * One direction's way out: frames and bodies wait here, a pacer says when a record leaves and of what size, and records
 * are sealed and sent in order (spec/channel.md, records). What waits is our own; the peer decides only its credit.
 */
import type { Awaitable } from '@sotto/crypto/primitives';
import type { Clock, Socket } from '@sotto/ports';
import type { BodySource } from './body.ts';
import { ChannelError } from './errors.ts';
import { encodeFrame, type Frame, REKEY_NUMBER } from './frames.ts';
import { bucketOf, type ChannelLimits, RECORD_LIMIT_BYTES } from './limits.ts';
import type { HandshakeRole } from './noise/handshake.ts';
import type { RecordCipher } from './records.ts';
import type { Pacer, Waiting } from './shaping/pacer.ts';

/** Kept free in every record for a `rekey` at its end. */
const RESERVED_BYTES = 1;

/**
 * Where plaintexts of every session are put together if they are sealed at once: all zeros between two records. A record
 * of 64 KiB allocated and cleared anew costs as much as sealing it.
 */
let desk = new Uint8Array(0);

/** Frames whose time says nothing about what is read or written: it follows from the session's own. */
const PROMPT: ReadonlySet<Frame['kind']> = new Set<Frame['kind']>([
  'verified',
  'shape',
  'ping',
  'renew',
  'renewed',
  'switch',
  'advice',
]);

export interface OutgoingParts {
  readonly role: HandshakeRole;
  readonly cipher: RecordCipher;
  readonly socket: Socket;
  readonly clock: Clock;
  readonly limits: ChannelLimits;
  readonly pacer: Pacer;
  /** Aborted when the session is over. */
  readonly stopped: AbortSignal;
  /** The session cannot go on; it says `close` if it can. */
  onFault(error: ChannelError): void;
  /** A record has left, and its pacer knows. */
  onDeparture(): void;
  /** A record could not be sealed: nothing more can be said. */
  onBroken(error: unknown): void;
}

interface Control {
  readonly kind: Frame['kind'];
  readonly bytes: Uint8Array;
  /** With a frame that is the last one under its key: what follows it. */
  readonly next?: RecordCipher;
}

/** Owned by one session. */
export class Outgoing {
  readonly #parts: OutgoingParts;
  #pacer: Pacer;
  #cipher: RecordCipher;
  /** Control frames leave before data, in the order they came. */
  readonly #control: Control[] = [];
  #controlBytes = 0;
  readonly #sources = new Set<BodySource>();
  #isRekeyDue = false;
  /** Whether the present key has sealed anything but pings. */
  #isKeyUsed = false;
  #keyTicks = 0;
  /** When the sleeper that counts wakes up. */
  #dueMs: number | undefined;
  #isStopped = false;
  /** Sealed records leave in order: set while one is still being sealed. */
  #sending: Promise<void> | undefined;

  constructor(parts: OutgoingParts) {
    this.#parts = parts;
    this.#cipher = parts.cipher;
    this.#pacer = parts.pacer;
  }

  /** Queues a frame that is not a body's. */
  send(frame: Frame): void {
    this.#push({ kind: frame.kind, bytes: encodeFrame(frame) });
  }

  /** A body has bytes, or its end, to send. It is asked for them when a record leaves. */
  offer(source: BodySource): void {
    if (this.#isStopped) return;
    this.#sources.add(source);
    this.#schedule();
  }

  /** Queues `frame` as the last one under the present key; every later record is sealed by `cipher`. */
  switchKeys(frame: Frame, cipher: RecordCipher): void {
    this.#push({ kind: frame.kind, bytes: encodeFrame(frame), next: cipher });
  }

  /** The next record is the last one under its key; one leaves for that alone if nothing else waits. */
  rekey(): void {
    if (this.#isStopped) return;
    this.#isRekeyDue = true;
    this.#schedule();
  }

  /** Call at every tick of the session: a key that protects something is replaced after some of them. */
  tick(): void {
    if (!this.#isKeyUsed) return;
    this.#keyTicks += 1;
    // CH-66: a long answer would be under one key from its first word to its last.
    if (this.#keyTicks >= this.#parts.limits.rekeyTicks) this.rekey();
  }

  get pacer(): Pacer {
    return this.#pacer;
  }

  /** Another profile from now on. */
  set pacer(pacer: Pacer) {
    this.#pacer = pacer;
    this.#schedule();
  }

  /** Tells the pacer what has happened, and sends what is due then. */
  tell(happened: (pacer: Pacer, nowMs: number) => void): void {
    if (this.#isStopped) return;
    happened(this.#pacer, this.#parts.clock.nowMs());
    this.#schedule();
  }

  /** Resolves when writers had better say what they have: shortly before a record leaves. Undefined: now. */
  gathering(): Promise<void> | undefined {
    const { gatherMs } = this.#pacer;
    if (gatherMs === 0 || this.#isStopped) return undefined;
    const nowMs = this.#parts.clock.nowMs();
    const waitMs = (this.#pacer.next(nowMs, this.#waiting)?.atMs ?? nowMs) - gatherMs - nowMs;
    return waitMs <= 0 ? undefined : this.#parts.clock.sleep(waitMs, this.#parts.stopped).catch(() => undefined);
  }

  /**
   * One last record with what waits and fits, and `close` at its end; nothing leaves afterwards.
   *
   * @returns what to wait for before the socket may be closed
   */
  leave(close: Frame): Promise<void> | undefined {
    if (this.#isStopped) return this.#sending;
    if (this.#cipher.remaining > 0) {
      const bytes = encodeFrame(close);
      const nowMs = this.#parts.clock.nowMs();
      const waitingBytes = this.queuedBytes + bytes.length;
      const { isShaping, recordBytes } = this.#pacer;
      const next = this.#pacer.next(nowMs, { bytes: waitingBytes, promptBytes: waitingBytes });
      const size = isShaping ? recordBytes : (next?.sizeBytes ?? 0);
      this.#seal(size, bytes);
    }
    this.stop();
    return this.#sending;
  }

  /** Drops everything that waits. */
  drop(): void {
    for (const { bytes } of this.#control) bytes.fill(0);
    this.#control.length = 0;
    this.#controlBytes = 0;
    this.#sources.clear();
  }

  /** Drops everything that waits, and takes nothing more. */
  stop(): void {
    this.#isStopped = true;
    this.drop();
  }

  get remainingRecords(): number {
    return this.#cipher.remaining;
  }

  /** What waits to leave and may: frames, and bodies within their credit. */
  get queuedBytes(): number {
    let bytes = this.#controlBytes;
    for (const source of this.#sources) bytes += source.readyBytes;
    return bytes === 0 && !this.#isRekeyDue ? 0 : bytes + RESERVED_BYTES;
  }

  get #waiting(): Waiting {
    let [promptBytes, grantBytes] = [0, 0];
    for (const { kind, bytes } of this.#control) {
      if (PROMPT.has(kind)) promptBytes += bytes.length;
      if (kind === 'credit') grantBytes += bytes.length;
    }
    return { bytes: this.queuedBytes, promptBytes, grantBytes };
  }

  #push(control: Control): void {
    if (this.#isStopped) return;
    this.#control.push(control);
    this.#controlBytes += control.bytes.length;
    // CH-113: a shape says when we answer, and the peer how much there is to answer: what waits would grow for hours.
    if (this.#control.length > this.#parts.limits.waitingFrames) {
      this.#fault(new ChannelError('backlog', { rule: 'CH-113' }));
      return;
    }
    this.#schedule();
  }

  /** Sends what is due now, and sleeps until the next record is. */
  #schedule(): void {
    const { clock } = this.#parts;
    while (!this.#isStopped) {
      const nowMs = clock.nowMs();
      const waiting = this.#waiting;
      const next = this.#pacer.next(nowMs, waiting);
      if (next === undefined) return;
      // A record that is full cannot become fuller: no turn is waited for.
      const isFull = next.isAtOnce === true || waiting.bytes >= next.sizeBytes;
      if (next.atMs <= nowMs && isFull) this.#depart(nowMs, next.sizeBytes);
      else {
        if (this.#dueMs === undefined || next.atMs < this.#dueMs) void this.#sleepUntil(next.atMs, nowMs);
        return;
      }
    }
  }

  async #sleepUntil(dueMs: number, nowMs: number): Promise<void> {
    this.#dueMs = dueMs;
    const { clock } = this.#parts;
    try {
      await clock.sleep(Math.max(0, dueMs - nowMs), this.#parts.stopped);
    } catch {
      return;
    }
    // An earlier record took the place of this one.
    if (this.#dueMs !== dueMs) return;
    this.#dueMs = undefined;
    const thenMs = Math.max(clock.nowMs(), dueMs);
    const next = this.#pacer.next(thenMs, this.#waiting);
    if (next !== undefined && next.atMs <= thenMs) this.#depart(thenMs, next.sizeBytes);
    this.#schedule();
  }

  #depart(nowMs: number, sizeBytes: number): void {
    const { limits, socket } = this.#parts;
    // CH-51: a peer that makes us answer and never reads would have us hold the answers.
    if (socket.bufferedBytes > limits.outgoingBacklogBytes) {
      this.#fault(new ChannelError('backlog', { rule: 'CH-51' }));
      return;
    }
    // The last record is kept for `close`.
    if (this.#cipher.remaining <= 1) {
      this.#fault(new ChannelError('session-exhausted', { rule: 'CH-23' }));
      return;
    }
    this.#pacer.sent(nowMs, this.#seal(sizeBytes));
    this.#parts.onDeparture();
  }

  #fault(error: ChannelError): void {
    this.#control.length = 0;
    this.#controlBytes = 0;
    this.#sources.clear();
    this.#parts.onFault(error);
  }

  /** One record: control frames, then bodies in turn, then `last`, then the end of the key if it is due. */
  #seal(sizeBytes: number, last?: Uint8Array): number {
    const cipher = this.#cipher;
    if (desk.length === 0) desk = new Uint8Array(RECORD_LIMIT_BYTES);
    const needed = (this.#control[0]?.bytes.length ?? 0) + (last?.length ?? 0) + RESERVED_BYTES;
    const size = bucketOf(Math.max(sizeBytes, needed)) ?? RECORD_LIMIT_BYTES;
    const isAtOnce = cipher.sealsAtOnce;
    const plaintext = isAtOnce ? desk.subarray(0, size) : new Uint8Array(size);
    try {
      const { isRekeyed, next } = this.#write(plaintext, last);
      this.#send(cipher.seal(plaintext), plaintext);
      if (isRekeyed) cipher.rekey();
      if (isRekeyed || next !== undefined) {
        this.#cipher = next ?? cipher;
        this.#isRekeyDue = false;
        this.#isKeyUsed = false;
        this.#keyTicks = 0;
      }
    } finally {
      if (isAtOnce) plaintext.fill(0);
    }
    return size;
  }

  /** Fills `plaintext`, which is zeros. */
  #write(plaintext: Uint8Array, last: Uint8Array | undefined): { isRekeyed: boolean; next: RecordCipher | undefined } {
    const room = plaintext.subarray(0, plaintext.length - (last?.length ?? 0) - RESERVED_BYTES);
    let next: RecordCipher | undefined;
    let isStreamOver = false;
    let length = 0;
    while (next === undefined) {
      const control = this.#control[0];
      if (control === undefined || length + control.bytes.length > room.length) break;
      this.#control.shift();
      this.#controlBytes -= control.bytes.length;
      room.set(control.bytes, length);
      length += control.bytes.length;
      control.bytes.fill(0);
      next = control.next;
      isStreamOver ||= control.kind === 'error' || control.kind === 'cancel';
      this.#isKeyUsed ||= control.kind !== 'ping' && control.kind !== 'pong';
    }
    for (const source of next === undefined ? [...this.#sources] : []) {
      if (length >= room.length) break;
      this.#sources.delete(source);
      length += source.take(room.subarray(length));
      if (source.readyBytes > 0) this.#sources.add(source);
      isStreamOver ||= source.hasEnded && this.#parts.role === 'responder';
      this.#isKeyUsed = true;
    }
    if (last !== undefined) {
      plaintext.set(last, length);
      length += last.length;
    }
    const isKeyOver = this.#isRekeyDue || isStreamOver || this.#cipher.remainingUnderKey <= 1;
    const isRekeyed = next === undefined && isKeyOver;
    if (isRekeyed) plaintext[length] = REKEY_NUMBER;
    return { isRekeyed, next };
  }

  #send(sealed: Awaitable<Uint8Array>, plaintext: Uint8Array): void {
    if (sealed instanceof Promise || this.#sending !== undefined) {
      this.#sending = this.#sendInTurn(this.#sending, sealed, plaintext);
    } else this.#parts.socket.send(sealed);
  }

  async #sendInTurn(
    before: Promise<void> | undefined,
    sealed: Awaitable<Uint8Array>,
    plaintext: Uint8Array,
  ): Promise<void> {
    try {
      await before;
      this.#parts.socket.send(await sealed);
    } catch (error) {
      this.#parts.onBroken(error);
    } finally {
      plaintext.fill(0);
    }
  }
}
