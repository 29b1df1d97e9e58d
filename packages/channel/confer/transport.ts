/**
 * A connection after its handshake: whole messages in and out, in order, over sealed frames (spec/confer.md, transport).
 * Requests and answers live above it. Every fault of the peer ends it, with one typed reason.
 */
import { ByteReader } from '@sotto/bytes';
import { CryptoError } from '@sotto/crypto/primitives';
import type { Clock, Random } from '@sotto/ports';
import type { IncomingSocket } from '../incoming-socket.ts';
import type { HandshakeRole } from '../noise/handshake.ts';
import { ConferError } from './errors.ts';
import { Assembler, encodeFrames, parseFrame } from './frames.ts';
import { type ConferCiphers, closeFor } from './handshake.ts';
import type { ConferLimits } from './suite.ts';

export interface TransportParts extends ConferCiphers {
  readonly role: HandshakeRole;
  readonly incoming: IncomingSocket;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: ConferLimits;
}

/** Owned by one end of a connection; owns the socket, both ciphers and what is half received. */
export class ConferTransport {
  /** Resolves with what ended it, or undefined after `close`; never rejects. */
  readonly closed: Promise<ConferError | undefined>;
  readonly #parts: TransportParts;
  readonly #assembler: Assembler;
  readonly #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #isOpening = false;
  #isClosed = false;
  #sending: Promise<void> = Promise.resolve();
  #resolveClosed: (error: ConferError | undefined) => void = () => undefined;
  #onMessage: (message: Uint8Array) => void = () => undefined;

  constructor(parts: TransportParts) {
    this.#parts = parts;
    this.#assembler = new Assembler(parts.limits, parts.clock, (error) => this.fail(error));
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  /** Begins to read. @param onMessage may throw ConferError, which ends the connection */
  start(onMessage: (message: Uint8Array) => void): void {
    this.#onMessage = onMessage;
    this.#parts.incoming.attach(
      (message) => this.#take(message),
      () => this.fail(new ConferError('confer-lost')),
    );
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Sends one message, its frames together. Rejects with `confer-closed` or what ended the connection. */
  send(message: Uint8Array): Promise<void> {
    const sent = this.#sending.then(async () => {
      const { sending, incoming, random, limits } = this.#parts;
      for (const frame of encodeFrames(BigInt.asIntN(64, new ByteReader(random.bytes(8)).u64()), message)) {
        if (this.#isClosed) throw new ConferError('confer-closed');
        incoming.socket.send(await sending.seal(frame));
        const isStuck = incoming.socket.bufferedBytes > limits.backlogBytes;
        // CO-13: a peer that asks and does not read would have us hold every answer.
        if (isStuck) throw new ConferError('confer-backlog', { rule: 'CO-13' });
      }
    });
    this.#sending = sent.catch((error) => this.fail(error));
    return sent;
  }

  close(): void {
    this.#end(undefined);
  }

  /** Ends the connection because of this error; anything that is not ours counts as lost. */
  fail(error: unknown): void {
    this.#end(error instanceof ConferError ? error : new ConferError('confer-lost', { cause: error }));
  }

  #end(error: ConferError | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#waiting.length = 0;
    this.#assembler.clear();
    closeFor(this.#parts.incoming, this.#parts.role, error);
    this.#resolveClosed(error);
  }

  #take(sealed: Uint8Array): void {
    if (this.#isClosed) return;
    this.#waitingBytes += sealed.length;
    // CO-13: what comes faster than it can be opened would pile up here.
    if (this.#waitingBytes > this.#parts.limits.backlogBytes) {
      this.fail(new ConferError('confer-backlog', { rule: 'CO-13' }));
      return;
    }
    this.#waiting.push(sealed);
    if (!this.#isOpening) void this.#openAll();
  }

  async #openAll(): Promise<void> {
    this.#isOpening = true;
    try {
      for (let sealed = this.#waiting.shift(); sealed !== undefined; sealed = this.#waiting.shift()) {
        this.#waitingBytes -= sealed.length;
        const message = this.#assembler.take(parseFrame(await this.#parts.receiving.open(sealed)));
        if (this.#isClosed) return;
        if (message !== undefined) this.#onMessage(message);
      }
    } catch (error) {
      const isForged = error instanceof CryptoError;
      this.fail(isForged ? new ConferError('confer-message-forged', { rule: 'CO-11' }) : error);
    } finally {
      this.#isOpening = false;
    }
  }
}
