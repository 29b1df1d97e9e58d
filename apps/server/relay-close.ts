/** Why a relay ended, as WebSocket close codes and words that the client can act on (spec/server.md §relay). */
import type { WebSocket } from 'ws';

export const RELAY_CLOSE = {
  ended: 1000,
  'shutting-down': 1001,
  'binary-only': 1003,
  'signed-out': 4401,
  'node-unknown': 4404,
  idle: 4408,
  'rate-limited': 4429,
  'too-many-relays': 4430,
  'node-unavailable': 4503,
} as const;

export type RelayCloseReason = keyof typeof RELAY_CLOSE;

const CLOSE_GRACE_MS = 2000;

/** Closes with code and reason, and cuts the line when the other end does not answer. */
export function closeRelaySocket(socket: WebSocket, reason: RelayCloseReason): void {
  if (socket.readyState === socket.CLOSED) return;
  if (socket.isPaused) socket.resume();
  socket.close(RELAY_CLOSE[reason], reason);
  const timer = setTimeout(() => socket.terminate(), CLOSE_GRACE_MS);
  timer.unref();
  socket.once('close', () => clearTimeout(timer));
}
