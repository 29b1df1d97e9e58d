/** A WebSocket as the `Socket` port: binary messages only; text from the peer closes it. */
import type { ConnectSocket, Socket } from '@sotto/ports';
import { BrowserError } from './error.ts';

/** Opens `url` (absolute, or a path of this origin). */
export const connectBrowserSocket: ConnectSocket = (url, signal) =>
  new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const ws = new WebSocket(new URL(url, location.href.replace(/^http/, 'ws')));
    ws.binaryType = 'arraybuffer';
    let opened = false;
    const giveUp = () => {
      ws.close();
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', giveUp, { once: true });

    const socket: Socket = {
      onMessage: undefined,
      onClose: undefined,
      get bufferedBytes() {
        return ws.bufferedAmount;
      },
      send: (message) => {
        if (ws.readyState === WebSocket.OPEN) ws.send(message as Uint8Array<ArrayBuffer>);
      },
      close: (code = 1000, reason = '') => ws.close(code, reason),
    };
    ws.onopen = () => {
      opened = true;
      signal?.removeEventListener('abort', giveUp);
      resolve(socket);
    };
    ws.onmessage = (event) => {
      if (!(event.data instanceof ArrayBuffer)) return ws.close(3003, 'text message');
      socket.onMessage?.(new Uint8Array(event.data));
    };
    ws.onclose = (event) => {
      if (!opened) {
        signal?.removeEventListener('abort', giveUp);
        reject(new BrowserError('network-unreachable'));
      } else socket.onClose?.(event.code, event.reason);
    };
  });
