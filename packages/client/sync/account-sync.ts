/** The background sync of an open account, and what a person is told of it (spec/client.md "Sync"). */
import type { Clock, ConnectSocket, OnlineHints, Random } from '@sotto/ports';
import { startBackgroundSync } from './background.ts';
import type { Engine } from './engine.ts';
import type { SyncState } from './sync-types.ts';

export interface AccountSyncPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly api: { readonly origin: string };
  /** Opens the live line; without it everything new is asked for every five minutes. */
  readonly connect?: ConnectSocket;
  readonly hints?: OnlineHints;
}

/** What the app shows, and may ask for. */
export interface AccountSync {
  readonly state: SyncState;
  subscribe(listener: () => void): () => void;
  /** Tries now. */
  wake(): void;
}

export function startAccountSync(engine: Engine, ports: AccountSyncPorts): AccountSync & { stop(): void } {
  const { clock, random, hints, connect, api } = ports;
  const liveUrl = `${api.origin.replace(/^http/, 'ws')}/api/records/live`;
  const background = startBackgroundSync({
    ...{ engine, clock, random },
    ...(hints && { hints }),
    ...(connect && { connectLive: (signal: AbortSignal) => connect(liveUrl, signal) }),
  });
  return {
    get state() {
      return engine.state;
    },
    subscribe: (listener) => engine.subscribe(listener),
    wake: () => background.wake(),
    stop: () => background.stop(),
  };
}
