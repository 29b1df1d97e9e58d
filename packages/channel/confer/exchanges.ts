/**
 * The client's requests and what is answered to each. The protocol has no end of an answer: whoever asked says when it has
 * all it needs (spec/confer.md, exchanges). Answers are untrusted.
 */
import { ConferError } from './errors.ts';
import { type ConferRequest, type ConferResponse, encodeConferRequest, parseConferResponse } from './messages.ts';
import type { ConferLimits } from './suite.ts';
import type { ConferTransport } from './transport.ts';

export interface ConferExchange {
  /** The next answer. Rejects with ConferError `confer-closed` or what ended the connection. One call at a time. */
  next(): Promise<ConferResponse>;
  /** No more is expected; what still comes is dropped. */
  done(): void;
}

/** A connection whose handshake is over. */
export interface ConferChannel {
  /** @throws ConferError `confer-closed`, `confer-too-many-requests` */
  request(request: Omit<ConferRequest, 'id'>): ConferExchange;
  /** Resolves with what ended the connection, or undefined after `close`. */
  readonly closed: Promise<ConferError | undefined>;
  close(): void;
}

/** Owned by one connection. */
export class Exchanges implements ConferChannel {
  readonly closed: Promise<ConferError | undefined>;
  readonly #transport: ConferTransport;
  readonly #limits: ConferLimits;
  readonly #open = new Map<bigint, Exchange>();
  #lastId = 0n;

  constructor(transport: ConferTransport, limits: ConferLimits) {
    this.#transport = transport;
    this.#limits = limits;
    this.closed = transport.closed;
    void this.closed.then((error) => {
      for (const exchange of this.#open.values()) exchange.fail(error ?? new ConferError('confer-closed'));
      this.#open.clear();
    });
    transport.start((message) => this.#take(message));
  }

  request(request: Omit<ConferRequest, 'id'>): ConferExchange {
    if (this.#transport.isClosed) throw new ConferError('confer-closed');
    // CO-35: the other end would refuse it, or forget another.
    if (this.#open.size >= this.#limits.openRequests)
      throw new ConferError('confer-too-many-requests', { rule: 'CO-35' });
    this.#lastId++;
    const id = this.#lastId;
    const exchange = new Exchange(this.#limits.unreadBytes, () => this.#open.delete(id));
    this.#open.set(id, exchange);
    this.#transport.send(encodeConferRequest({ ...request, id })).catch((error) => exchange.fail(error));
    return exchange;
  }

  close(): void {
    this.#transport.close();
  }

  #take(message: Uint8Array): void {
    const response = parseConferResponse(message);
    // CO-32: an answer to what was never asked is an answer put into somebody's mouth.
    if (response.id < 1n || response.id > this.#lastId) throw new ConferError('confer-id-unknown', { rule: 'CO-32' });
    this.#open.get(response.id)?.take(response);
  }
}

class Exchange implements ConferExchange {
  readonly #limitBytes: number;
  readonly #forget: () => void;
  readonly #unread: ConferResponse[] = [];
  #unreadBytes = 0;
  #failure: unknown;
  #waiting: { resolve(response: ConferResponse): void; reject(error: unknown): void } | undefined;

  constructor(limitBytes: number, forget: () => void) {
    this.#limitBytes = limitBytes;
    this.#forget = forget;
  }

  next(): Promise<ConferResponse> {
    const response = this.#unread.shift();
    if (response !== undefined) {
      this.#unreadBytes -= costOf(response);
      return Promise.resolve(response);
    }
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  done(): void {
    this.#forget();
    this.fail(new ConferError('confer-closed'));
  }

  take(response: ConferResponse): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) {
      waiting.resolve(response);
      return;
    }
    this.#unread.push(response);
    this.#unreadBytes += costOf(response);
    // CO-33: the protocol has no window, so an answer that nobody reads would grow for ever.
    if (this.#unreadBytes > this.#limitBytes) throw new ConferError('confer-backlog', { rule: 'CO-33' });
  }

  fail(error: unknown): void {
    this.#failure ??= error;
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }
}

/** Headers count, and so does the mere existence of an answer. */
function costOf({ body, headers }: ConferResponse): number {
  let cost = 64 + body.length;
  for (const [name, value] of headers) cost += name.length + value.length;
  return cost;
}
