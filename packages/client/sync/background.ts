/**
 * Syncing by itself (spec/client.md "Sync"): at once after a write and when another device has written, again and again with
 * growing random pauses while it fails, at once when the device says that there is a network again. What the server says over the
 * live line is believed no further than that it is worth asking.
 */
import type { Clock, OnlineHints, Random, Socket } from '@sotto/ports';
import { parseLiveMessage } from '@sotto/wire';
import type { SyncEngine, SyncProblem } from './sync-types.ts';

/** Without a live line, and after what only the person can mend. */
const POLL_MS = 5 * 60 * 1000;
const FIRST_RETRY_MS = 1000;
const RATE_LIMITED_MS = 10_000;
const RECONCILE_MS = 24 * 60 * 60 * 1000;
/** What only the person, or time, can mend. */
const PATIENT: ReadonlySet<SyncProblem | undefined> = new Set([
  'signed-out',
  'account-deleted',
  'account-full',
  'device-full',
]);

export interface BackgroundOptions {
  readonly engine: Pick<SyncEngine, 'sync' | 'reconcile' | 'state' | 'subscribe'> & { readonly cursor: number };
  readonly clock: Clock;
  readonly random: Random;
  readonly hints?: OnlineHints;
  /** Opens the line on which the server says its newest sequence. */
  readonly connectLive?: (signal: AbortSignal) => Promise<Socket>;
}

/** @returns the way to stop; what waits stays on the device */
export function startBackgroundSync(options: BackgroundOptions): { wake(): void; stop(): void } {
  const background = new Background(options);
  background.start();
  return { wake: () => background.wake(), stop: () => background.stop() };
}

class Background {
  readonly #options: BackgroundOptions;
  readonly #stopping = new AbortController();
  readonly #endings: (() => void)[] = [];
  #failures = 0;
  #isWanted = true;
  #wakeUp: () => void = () => undefined;
  #pending = 0;
  #reconciledAtMs: number | undefined;

  constructor(options: BackgroundOptions) {
    this.#options = options;
  }

  start(): void {
    const { engine, hints, connectLive } = this.#options;
    this.#pending = engine.state.pendingCount;
    this.#endings.push(
      engine.subscribe(() => {
        const { pendingCount, problem } = engine.state;
        // While it fails, a write waits like the others: each try would only fail too.
        if (pendingCount > this.#pending && problem === undefined) this.wake();
        this.#pending = pendingCount;
      }),
    );
    if (hints !== undefined) this.#endings.push(hints.subscribe((isOnline) => isOnline && this.wake()));
    void this.#run();
    if (connectLive !== undefined) void this.#listen(connectLive);
  }

  /** Tries now, whatever the pause. */
  wake(): void {
    this.#failures = 0;
    this.#isWanted = true;
    this.#wakeUp();
  }

  stop(): void {
    this.#stopping.abort();
    for (const end of this.#endings) end();
  }

  async #run(): Promise<void> {
    const { engine, clock } = this.#options;
    while (!this.#stopping.signal.aborted) {
      this.#isWanted = false;
      try {
        await engine.sync();
        this.#failures = 0;
        const isDue = clock.nowMs() - (this.#reconciledAtMs ?? Number.NEGATIVE_INFINITY) >= RECONCILE_MS;
        if (isDue) {
          await engine.reconcile();
          this.#reconciledAtMs = clock.nowMs();
        }
      } catch {
        // The engine's state says what it was; everything that waits, waits.
        this.#failures++;
      }
      await this.#pause(this.#failures === 0 ? POLL_MS : this.#backoffMs());
    }
  }

  /** CL-221: growing, so that a server in trouble is left alone, and random, so that not all devices come back at once. */
  #backoffMs(): number {
    const { engine, random } = this.#options;
    const { problem } = engine.state;
    if (PATIENT.has(problem)) return POLL_MS;
    const least = problem === 'rate-limited' ? RATE_LIMITED_MS : FIRST_RETRY_MS;
    const most = Math.min(POLL_MS, least * 2 ** Math.min(this.#failures - 1, 20));
    const [high = 0, low = 0] = random.bytes(2);
    return (most / 2) * (1 + (high * 256 + low) / 65_536);
  }

  async #pause(delayMs: number): Promise<void> {
    if (this.#isWanted || this.#stopping.signal.aborted) return;
    const woken = new AbortController();
    this.#wakeUp = () => woken.abort();
    const stop = () => woken.abort();
    this.#stopping.signal.addEventListener('abort', stop, { once: true });
    await this.#options.clock.sleep(delayMs, woken.signal).catch(() => undefined);
    this.#stopping.signal.removeEventListener('abort', stop);
    this.#wakeUp = () => undefined;
  }

  async #listen(connectLive: (signal: AbortSignal) => Promise<Socket>): Promise<void> {
    const { clock, random } = this.#options;
    const { signal } = this.#stopping;
    for (let failures = 0; !signal.aborted; ) {
      const openedAtMs = clock.nowMs();
      try {
        await this.#hear(await connectLive(signal));
      } catch {
        // No line: the pauses below and the polling do.
      }
      failures = clock.nowMs() - openedAtMs > POLL_MS ? 0 : failures + 1;
      const most = Math.min(POLL_MS, FIRST_RETRY_MS * 2 ** Math.min(failures, 20));
      const [share = 0] = random.bytes(1);
      await clock.sleep((most / 2) * (1 + share / 256), signal).catch(() => undefined);
    }
  }

  #hear(socket: Socket): Promise<void> {
    return new Promise((resolve) => {
      const end = () => socket.close();
      this.#stopping.signal.addEventListener('abort', end, { once: true });
      socket.onClose = () => {
        this.#stopping.signal.removeEventListener('abort', end);
        resolve();
      };
      socket.onMessage = (message) => {
        try {
          const isNewer = parseLiveMessage(message) > this.#options.engine.cursor;
          // A server that fails every sync does not end its pauses by what it says here (CL-221).
          if (isNewer && this.#failures === 0) this.wake();
        } catch {
          // CL-226: what it says otherwise is not for us.
          socket.close();
        }
      };
    });
  }
}
