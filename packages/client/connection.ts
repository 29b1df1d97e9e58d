/**
 * Keeps at most one session open and opens the next when it is needed. Two callers at once share one attempt. A failed
 * verification is not retried here: the next call is a person's decision (spec/client.md CL-05).
 */
import { NodeCache } from './node-cache.ts';
import {
  type ClientPorts,
  type NodeSession,
  type NodeSessionOptions,
  openNodeSession,
  type SessionPhase,
} from './node-session.ts';

export class NodeConnection {
  readonly #ports: ClientPorts;
  readonly #options: Pick<NodeSessionOptions, 'baseUrl' | 'policy' | 'profile'>;
  readonly #cache = new NodeCache();
  readonly #listeners = new Set<(phase: SessionPhase) => void>();
  /** The newest may be used; those before it finish what runs. */
  readonly #sessions = new Set<NodeSession>();
  #session: NodeSession | undefined;
  #opening: Promise<NodeSession> | undefined;

  constructor(ports: ClientPorts, options: Pick<NodeSessionOptions, 'baseUrl' | 'policy' | 'profile'>) {
    this.#ports = ports;
    this.#options = options;
  }

  /** The open session, or a new one. */
  async session(onPhase?: (phase: SessionPhase) => void): Promise<NodeSession> {
    if (this.#session?.isOpen) return this.#session;
    if (onPhase !== undefined) this.#listeners.add(onPhase);
    this.#opening ??= openNodeSession(this.#ports, {
      ...this.#options,
      cache: this.#cache,
      onPhase: (phase) => {
        for (const listener of this.#listeners) listener(phase);
      },
    });
    try {
      const opened = await this.#opening;
      this.#session = opened;
      this.#sessions.add(opened);
      void opened.closed.then(() => this.#sessions.delete(opened));
      return opened;
    } finally {
      this.#opening = undefined;
      if (onPhase !== undefined) this.#listeners.delete(onPhase);
    }
  }

  close(): void {
    for (const session of this.#sessions) session.close();
    this.#session = undefined;
  }
}
