/** `Socket` over the `ws` client. The peer is hostile: binary messages only, bounded, no compression, no redirects. */
import type { ConnectSocket, Socket } from '@sotto/ports';
import { WebSocket } from 'ws';
import type { CookieJar } from './cookie-jar.ts';
import { NetworkError } from './network-error.ts';

/** One Noise message is at most 65,535 bytes (spec/channel.md). */
const MESSAGE_LIMIT_BYTES = 65_535;
const CONNECT_TIMEOUT_MS = 15_000;

export interface NodeSocketOptions {
  readonly cookieJar?: CookieJar;
  readonly messageLimitBytes?: number;
  readonly connectTimeoutMs?: number;
}

/** @returns a `ConnectSocket` that rejects with `NetworkError` (`network-unreachable`) or the signal's reason */
export function createNodeConnectSocket(options: NodeSocketOptions = {}): ConnectSocket {
  return (url, signal) =>
    new Promise<Socket>((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const cookie = options.cookieJar?.header(url);
      const webSocket = new WebSocket(url, {
        perMessageDeflate: false,
        followRedirects: false,
        maxPayload: options.messageLimitBytes ?? MESSAGE_LIMIT_BYTES,
        handshakeTimeout: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
        headers: cookie === undefined ? {} : { cookie },
      });
      const onAbort = () => {
        reject(signal?.reason);
        webSocket.terminate();
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      webSocket.once('open', () => {
        signal?.removeEventListener('abort', onAbort);
        resolve(new NodeSocket(webSocket));
      });
      webSocket.on('error', (error) => {
        signal?.removeEventListener('abort', onAbort);
        reject(new NetworkError('network-unreachable', 'the connection could not be opened', error));
      });
    });
}

/** The `Socket` of a connection that a server of ours accepted; call it in the turn in which the connection opened. */
export function socketOfWebSocket(webSocket: WebSocket): Socket {
  webSocket.on('error', () => webSocket.terminate());
  return new NodeSocket(webSocket);
}

class NodeSocket implements Socket {
  readonly #webSocket: WebSocket;
  #onMessage: ((message: Uint8Array) => void) | undefined;
  #closeInfo: { code: number; reason: string } | undefined;
  #onClose: ((code: number, reason: string) => void) | undefined;

  constructor(webSocket: WebSocket) {
    this.#webSocket = webSocket;
    // Nothing is read until someone listens: a promise's continuation runs later than the first data event could.
    webSocket.pause();
    webSocket.on('message', (data: Buffer, isBinary: boolean) => {
      // A view: the buffer is this message's alone, or a part of what was read with it, and never written again.
      if (isBinary) this.#onMessage?.(new Uint8Array(data.buffer, data.byteOffset, data.length));
      else webSocket.close(1003, 'binary-only');
    });
    webSocket.on('close', (code, reason) => {
      this.#closeInfo = { code, reason: reason.toString() };
      this.#onClose?.(code, reason.toString());
    });
  }

  get onMessage(): ((message: Uint8Array) => void) | undefined {
    return this.#onMessage;
  }

  set onMessage(handler: ((message: Uint8Array) => void) | undefined) {
    this.#onMessage = handler;
    if (handler !== undefined && this.#webSocket.isPaused) this.#webSocket.resume();
  }

  get onClose(): ((code: number, reason: string) => void) | undefined {
    return this.#onClose;
  }

  set onClose(handler: ((code: number, reason: string) => void) | undefined) {
    this.#onClose = handler;
    if (handler !== undefined && this.#closeInfo !== undefined) handler(this.#closeInfo.code, this.#closeInfo.reason);
  }

  get bufferedBytes(): number {
    return this.#webSocket.bufferedAmount;
  }

  send(message: Uint8Array): void {
    if (this.#webSocket.readyState === WebSocket.OPEN) this.#webSocket.send(message, { binary: true, compress: false });
  }

  close(code?: number, reason?: string): void {
    if (this.#webSocket.isPaused) this.#webSocket.resume();
    this.#webSocket.close(code ?? 1000, reason);
  }
}
