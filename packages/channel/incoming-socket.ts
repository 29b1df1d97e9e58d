/** Holds a socket's messages while nobody takes them, so that none is lost between the handshake and the session. */
import type { Socket } from '@sotto/ports';
import { ChannelError } from './errors.ts';

/** More than a peer can honestly send before the handshake is over. */
const HELD_LIMIT_BYTES = 262_144;

/** Owns the socket's two handlers. */
export class IncomingSocket {
  readonly socket: Socket;
  readonly #held: Uint8Array[] = [];
  #heldBytes = 0;
  #isClosed = false;
  #waiting: { resolve(message: Uint8Array): void; reject(error: ChannelError): void } | undefined;
  #onMessage: ((message: Uint8Array) => void) | undefined;
  #onClose: (() => void) | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.onMessage = (message) => this.#take(message);
    socket.onClose = () => {
      this.#isClosed = true;
      this.#waiting?.reject(new ChannelError('session-truncated'));
      this.#onClose?.();
    };
  }

  /** The next message of the handshake. Rejects with `session-truncated` when the line ends first. */
  next(): Promise<Uint8Array> {
    const held = this.#held.shift();
    if (held !== undefined) {
      this.#heldBytes -= held.length;
      return Promise.resolve(held);
    }
    if (this.#isClosed) return Promise.reject(new ChannelError('session-truncated'));
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  /** From now on every message goes to the session, what was held first. */
  attach(onMessage: (message: Uint8Array) => void, onClose: () => void): void {
    this.#onMessage = onMessage;
    this.#onClose = onClose;
    for (const message of this.#held.splice(0)) onMessage(message);
    if (this.#isClosed) onClose();
  }

  #take(message: Uint8Array): void {
    if (this.#onMessage !== undefined) {
      this.#onMessage(message);
      return;
    }
    if (this.#waiting !== undefined) {
      const { resolve } = this.#waiting;
      this.#waiting = undefined;
      resolve(message);
      return;
    }
    this.#heldBytes += message.length;
    // CH-52: before the handshake is over nobody has earned any of our memory.
    if (this.#heldBytes > HELD_LIMIT_BYTES) {
      this.#held.length = 0;
      this.socket.close(4000, 'backlog');
      return;
    }
    this.#held.push(message);
  }
}
