/**
 * Evidence inside a channel (spec/enclave.md §evidence): the bundle of an epoch, for a session that is renewed, and a fresh one
 * for a client's nonce and its session's handshake. Who asks is a stranger, and quoting costs the machine's chip time.
 */
import type { SessionIdentity } from '@sotto/channel';
import { EnclaveError } from './enclave-error.ts';
import type { Epochs } from './epochs.ts';
import { FairQueue } from './fair-queue.ts';

const PREFIX = '/v1/evidence/';
const NONCE_BYTES = 32;
/** Chips quote one thing at a time, and slowly; who asks twice waits for the first answer. */
const QUOTES = { running: 1, waiting: 32, perSession: 1 } as const;

export class EvidenceApi {
  readonly #epochs: Epochs;
  readonly #queue = new FairQueue(QUOTES);

  constructor(epochs: Epochs) {
    this.#epochs = epochs;
  }

  /** Whether a path is answered here. */
  static owns(pathname: string): boolean {
    return pathname.startsWith(PREFIX);
  }

  /**
   * @param channel from the session that asks, not from its request
   * @throws EnclaveError `bad-request`, `method-not-allowed`, `not-found`, `busy`
   */
  async answer(request: Request, channel: SessionIdentity, session: object): Promise<Response> {
    const name = new URL(request.url).pathname.slice(PREFIX.length);
    if (name === 'live') return bundleResponse(await this.#live(request, channel, session));
    if (request.method !== 'GET') throw new EnclaveError('method-not-allowed');
    const bundle = /^[0-9a-f]{64}$/.test(name) ? this.#epochs.evidence(name) : undefined;
    if (bundle === undefined) throw new EnclaveError('not-found');
    return bundleResponse(bundle);
  }

  async #live(request: Request, channel: SessionIdentity, session: object): Promise<Uint8Array> {
    if (request.method !== 'POST') throw new EnclaveError('method-not-allowed');
    const clientNonce = new Uint8Array(await request.arrayBuffer());
    // EN-27: no nonce, or a part of one, would make an answer that serves somebody else too.
    if (clientNonce.length !== NONCE_BYTES) throw new EnclaveError('bad-request', {}, 'EN-27');
    const release = await this.#queue.acquire(session, request.signal);
    try {
      return await this.#epochs.live({ ...channel, clientNonce });
    } finally {
      release();
    }
  }
}

function bundleResponse(bundle: Uint8Array): Response {
  return new Response(new Uint8Array(bundle), { headers: { 'content-type': 'application/octet-stream' } });
}
