/**
 * The relay: WebSocket frames between a browser and a node, byte for byte, neither opened nor changed. Both ends are
 * hostile to the relay; what it owns is bounded memory and two sockets that close together. spec/server.md §relay.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import type { Direction } from './captures.ts';
import { ServerError } from './errors.ts';
import { RateLimit } from './rate-limit.ts';
import { closeRelaySocket, type RelayCloseReason } from './relay-close.ts';
import type { Services } from './services.ts';
import type { Session } from './sessions.ts';
import type { Site } from './site.ts';
import { refuseUpgrade, siteOfUpgrade } from './upgrade.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const IDLE_CHECK_MS = 15_000;

interface OpenRelay {
  readonly session: Session;
  lastFrameMs: number;
  end(reason: RelayCloseReason): void;
}

export class Relay {
  readonly #services: Services;
  readonly #webSockets: WebSocketServer;
  readonly #open = new Set<OpenRelay>();
  /** Upgraded and not yet joined to a node, with the session once it is known. */
  readonly #arriving = new Map<WebSocket, string | undefined>();
  readonly #idleTimer: NodeJS.Timeout;

  constructor(services: Services) {
    this.#services = services;
    this.#webSockets = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      // A longer frame closes the connection before it is held in memory (SV-31).
      maxPayload: services.limits.relayFrameBytes,
    });
    this.#idleTimer = setInterval(() => this.endIdle(), IDLE_CHECK_MS);
    this.#idleTimer.unref();
  }

  /** Listener of the HTTP server's `upgrade` event. */
  readonly onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on('error', () => socket.destroy());
    try {
      const { site, nodeId } = this.#check(request);
      const session = this.#services.sessions.find(request.headers.cookie, site).catch(() => undefined);
      this.#webSockets.handleUpgrade(request, socket, head, (browser) => {
        browser.pause();
        browser.on('error', () => browser.terminate());
        this.#arriving.set(browser, undefined);
        session
          .then((found) => this.#admit(browser, found, nodeId))
          .catch(() => closeRelaySocket(browser, 'node-unavailable'))
          .finally(() => this.#arriving.delete(browser));
      });
    } catch (error) {
      refuseUpgrade(socket, error);
    }
  };

  /** Ends the relays of a session that signed out or was replaced. */
  endSession(tokenHash: string): void {
    for (const relay of this.#open) if (relay.session.tokenHash === tokenHash) relay.end('signed-out');
    for (const [browser, owner] of this.#arriving) if (owner === tokenHash) closeRelaySocket(browser, 'signed-out');
  }

  /** Ends what has been silent for too long. */
  endIdle(): void {
    const oldestMs = this.#services.clock.nowMs() - this.#services.limits.relayIdleMs;
    for (const relay of this.#open) {
      // SV-33: sockets that nobody uses hold two descriptors for ever.
      if (relay.lastFrameMs < oldestMs) relay.end('idle');
    }
  }

  close(): void {
    clearInterval(this.#idleTimer);
    for (const relay of this.#open) relay.end('shutting-down');
    for (const browser of this.#arriving.keys()) closeRelaySocket(browser, 'shutting-down');
    this.#webSockets.close();
  }

  #check(request: IncomingMessage): { site: Site; nodeId: string } {
    const nodeId = /^\/relay\/([0-9a-f]{32})$/.exec(request.url ?? '')?.[1];
    if (nodeId === undefined) throw new ServerError('not-found');
    return { site: siteOfUpgrade(this.#services, request), nodeId };
  }

  async #admit(browser: WebSocket, session: Session | undefined, nodeId: string): Promise<void> {
    const { limits, rates, nodes } = this.#services;
    // SV-29: without a session the relay would be an open door to the node for anybody on the network.
    if (session === undefined) return closeRelaySocket(browser, 'signed-out');
    // SV-32: opening is the costly part, for the node too.
    if (!rates.relayOpens.take(session.subject.id)) return closeRelaySocket(browser, 'rate-limited');
    this.#arriving.set(browser, session.tokenHash);
    try {
      const url = await nodes.channelUrl(nodeId);
      // SV-19: while the node was asked for, the browser may have left, or its session ended.
      if (browser.readyState !== browser.OPEN) return;
      const mine = [...this.#open].filter((relay) => relay.session.tokenHash === session.tokenHash).length;
      const crowded = mine >= limits.relaysPerSession || this.#open.size >= limits.relays;
      // SV-32: open sockets are memory and descriptors that others need; counted in the turn that adds one.
      if (crowded) return closeRelaySocket(browser, 'too-many-relays');
      this.#connect(browser, session, url);
    } catch (error) {
      const unknown = error instanceof ServerError && error.code === 'node-unknown';
      closeRelaySocket(browser, unknown ? 'node-unknown' : 'node-unavailable');
    }
  }

  #connect(browser: WebSocket, session: Session, url: string): void {
    const { clock, limits, captures, log } = this.#services;
    const node = new WebSocket(url, {
      perMessageDeflate: false,
      followRedirects: false,
      maxPayload: limits.relayFrameBytes,
      handshakeTimeout: CONNECT_TIMEOUT_MS,
    });
    const frameRate = new RateLimit(limits.relayFrames, clock);
    const byteRate = new RateLimit(limits.relayBytes, clock);
    let frames = 0;
    let bytes = 0;
    let ended = false;
    const relay: OpenRelay = {
      session,
      lastFrameMs: clock.nowMs(),
      end: (reason) => {
        if (ended) return;
        ended = true;
        this.#open.delete(relay);
        // One end that stays open would go on talking to nobody (SV-34).
        closeRelaySocket(browser, reason);
        closeRelaySocket(node, reason === 'node-unavailable' ? 'ended' : reason);
        log.write({ event: 'relay-closed', subject: session.subject.id, frames, bytes, code: reason });
      },
    };
    this.#open.add(relay);

    const forward = (from: WebSocket, to: WebSocket, direction: Direction) => (data: RawData, isBinary: boolean) => {
      const frame = data as Buffer;
      if (ended) return;
      // SV-34: the protocol inside is binary; text is somebody else's protocol.
      if (!isBinary) return relay.end('binary-only');
      const tooFast = direction === 'to-node' && !(frameRate.take('') && byteRate.take('', frame.length));
      // SV-32: one browser must not take the node's time from all others.
      if (tooFast) return relay.end('rate-limited');
      relay.lastFrameMs = clock.nowMs();
      frames++;
      bytes += frame.length;
      captures.add(session.subject.id, relay.lastFrameMs, direction, frame);
      to.send(frame, { binary: true, compress: false }, () => {
        if (from.isPaused && to.bufferedAmount <= limits.relayBufferBytes / 4) from.resume();
      });
      // SV-34: without this a fast sender fills this server's memory with what the slow end has not read.
      if (to.bufferedAmount > limits.relayBufferBytes) from.pause();
    };

    browser.on('message', forward(browser, node, 'to-node'));
    node.on('message', forward(node, browser, 'from-node'));
    browser.on('close', () => relay.end('ended'));
    node.on('error', () => relay.end('node-unavailable'));
    node.on('close', (code) => relay.end(code === 1006 ? 'node-unavailable' : 'ended'));
    node.on('open', () => browser.resume());
    log.write({ event: 'relay-opened', subject: session.subject.id });
  }
}
