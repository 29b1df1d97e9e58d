/**
 * Live updates: a WebSocket that says the newest sequence of an account, when it opens and when it changes, and nothing else.
 * Browsers listen; what they send closes it. Both a flood of sockets and dead ones are bounded. spec/server.md §records.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { encodeLiveMessage } from '@sotto/wire';
import { type WebSocket, WebSocketServer } from 'ws';
import { closeRelaySocket, type RelayCloseReason } from './relay-close.ts';
import type { Services } from './services.ts';
import type { Session } from './sessions.ts';
import { refuseUpgrade, siteOfUpgrade } from './upgrade.ts';

export const LIVE_PATH = '/api/records/live';

const PING_MS = 30_000;
/** Writes of an import come by the hundred: their readers hear of the newest. */
const GATHER_MS = 100;

interface Listener {
  readonly socket: WebSocket;
  readonly session: Session;
  readonly openedAtMs: number;
  isAnswering: boolean;
}

export class LiveUpdates {
  readonly #services: Services;
  readonly #webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: 1 });
  /** By account. */
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #arriving = new Map<WebSocket, string | undefined>();
  readonly #waiting = new Map<string, number>();
  readonly #pinging: NodeJS.Timeout;
  #count = 0;

  constructor(services: Services) {
    this.#services = services;
    this.#pinging = setInterval(() => this.sweep(), PING_MS);
    this.#pinging.unref();
  }

  /** Listener of the HTTP server's `upgrade` event, for `LIVE_PATH`. */
  readonly onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on('error', () => socket.destroy());
    try {
      const site = siteOfUpgrade(this.#services, request);
      const session = this.#services.sessions.find(request.headers.cookie, site);
      session.catch(() => undefined);
      this.#webSockets.handleUpgrade(request, socket, head, (browser) => {
        browser.on('error', () => browser.terminate());
        // SV-66: nothing is expected of a listener, so nothing of it is held.
        browser.on('message', () => closeRelaySocket(browser, 'binary-only'));
        this.#arriving.set(browser, undefined);
        session
          .then((found) => this.#admit(browser, found))
          .catch(() => closeRelaySocket(browser, 'shutting-down'))
          .finally(() => this.#arriving.delete(browser));
      });
    } catch (error) {
      refuseUpgrade(socket, error);
    }
  };

  /** Tells the account's listeners, soon. */
  tell(accountId: string, newest: number): void {
    if (!this.#listeners.has(accountId)) return;
    const isTold = this.#waiting.has(accountId);
    this.#waiting.set(accountId, Math.max(newest, this.#waiting.get(accountId) ?? 0));
    if (isTold) return;
    setTimeout(() => {
      const message = encodeLiveMessage(this.#waiting.get(accountId) ?? newest);
      this.#waiting.delete(accountId);
      for (const { socket } of this.#listeners.get(accountId) ?? []) socket.send(message, { binary: true });
    }, GATHER_MS).unref();
  }

  endSession(tokenHash: string): void {
    for (const listener of this.#all()) {
      // SV-67: who signed out is told nothing more.
      if (listener.session.tokenHash === tokenHash) this.#end(listener, 'signed-out');
    }
    for (const [browser, owner] of this.#arriving) if (owner === tokenHash) closeRelaySocket(browser, 'signed-out');
  }

  /** Cuts what does not answer, and ends what has been open for long: it comes back, if its session still holds. */
  sweep(): void {
    const oldestMs = this.#services.clock.nowMs() - this.#services.limits.liveMs;
    for (const listener of this.#all()) {
      // SV-67: a session that ended without a word would be told for ever.
      if (listener.openedAtMs <= oldestMs) this.#end(listener, 'idle');
      // SV-66: a line that went dead is a descriptor that nobody uses.
      if (!listener.isAnswering) listener.socket.terminate();
      listener.isAnswering = false;
      if (listener.socket.readyState === listener.socket.OPEN) listener.socket.ping();
    }
  }

  close(): void {
    clearInterval(this.#pinging);
    for (const listener of this.#all()) this.#end(listener, 'shutting-down');
    for (const browser of this.#arriving.keys()) closeRelaySocket(browser, 'shutting-down');
    this.#webSockets.close();
  }

  async #admit(socket: WebSocket, session: Session | undefined): Promise<void> {
    const { limits, rates, clock, db } = this.#services;
    // SV-65: when an account writes is its own to know.
    if (session === undefined) return closeRelaySocket(socket, 'signed-out');
    const { kind, id } = session.subject;
    // SV-65: a guest has no records here.
    if (kind !== 'account') return closeRelaySocket(socket, 'signed-out');
    // SV-66: opening is the costly part.
    if (!rates.liveOpens.take(id)) return closeRelaySocket(socket, 'rate-limited');
    this.#arriving.set(socket, session.tokenHash);
    const account = await db
      .selectFrom('accounts')
      .select('last_sequence')
      .where('account_id', '=', id)
      .executeTakeFirst();
    if (socket.readyState !== socket.OPEN) return;
    const listeners = this.#listeners.get(id) ?? new Set<Listener>();
    const isCrowded = listeners.size >= limits.livePerAccount || this.#count >= limits.live;
    // SV-66: open sockets are memory and descriptors that others need.
    if (isCrowded) return closeRelaySocket(socket, 'too-many-relays');
    const listener: Listener = { socket, session, openedAtMs: clock.nowMs(), isAnswering: true };
    this.#listeners.set(id, listeners.add(listener));
    this.#count++;
    socket.on('pong', () => {
      listener.isAnswering = true;
    });
    socket.on('close', () => this.#forget(listener));
    socket.send(encodeLiveMessage(account?.last_sequence ?? 0), { binary: true });
  }

  #all(): Listener[] {
    return [...this.#listeners.values()].flatMap((listeners) => [...listeners]);
  }

  #end(listener: Listener, reason: RelayCloseReason): void {
    this.#forget(listener);
    closeRelaySocket(listener.socket, reason);
  }

  #forget(listener: Listener): void {
    const { id } = listener.session.subject;
    const listeners = this.#listeners.get(id);
    if (!listeners?.delete(listener)) return;
    this.#count--;
    if (listeners.size === 0) this.#listeners.delete(id);
  }
}
