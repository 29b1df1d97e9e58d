/**
 * A session with one verified node: find, connect, check, then talk. The order is the promise (spec/client.md CL-01):
 * the only object that can carry a person's words is made from a `VerifiedNode`, and only `verify` makes that.
 */
import { equalBytes, parseHex } from '@sotto/bytes';
import type { ChannelStream, VerifiedChannel } from '@sotto/channel';
import { connectChannel } from '@sotto/channel/initiator';
import { sha256 } from '@sotto/crypto/hash';
import type { Clock, ConnectSocket, DistrustSource, Fetch, Random } from '@sotto/ports';
import {
  isVerifiedNode,
  type Policy,
  type VerificationReport,
  type VerifiedNode,
  VerifyError,
  verifyNode,
} from '@sotto/verify';
import {
  type ChatCompletionRequest,
  encodeRequestHead,
  type Header,
  type Method,
  type ModelListing,
  type NodeListing,
  parseJson,
  parseModelsAnswer,
  parseResponseHead,
  WIRE_VERSION,
} from '@sotto/wire';
import { type ChatEvent, collect, refusal, streamChat } from './chat.ts';
import { ClientError } from './errors.ts';
import { explain, explained } from './explained.ts';
import { askLive } from './live-proof.ts';
import { type KnownNode, NodeCache } from './node-cache.ts';
import { chooseOne } from './random-choice.ts';
import type { NodeResponse } from './response.ts';
import { ServerApi } from './server-api.ts';

const SUITE = 'sotto-1';
/** A bundle with GPUs is 85–200 kB; twice that is refused unread. */
const BUNDLE_LIMIT_BYTES = 400_000;
const MODELS_LIMIT_BYTES = 65_536;

export interface ClientPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly connect: ConnectSocket;
  readonly fetch: Fetch;
  readonly distrust: DistrustSource;
}

/** What is happening, in the order in which it happens. */
export type SessionPhase = 'finding' | 'connecting' | 'checking' | 'verified';

export interface NodeSessionOptions {
  /** Origin of the server, such as `http://localhost:7070`, without a path. */
  readonly baseUrl: string;
  /** From the person or their terminal, never from the server (spec/evidence.md). */
  readonly policy: Policy;
  readonly cache?: NodeCache;
  readonly onPhase?: (phase: SessionPhase) => void;
  readonly signal?: AbortSignal;
}

export interface NodeRequestOptions {
  readonly body?: Uint8Array<ArrayBuffer>;
  readonly headers?: readonly Header[];
  readonly signal?: AbortSignal;
}

export interface NodeSession {
  readonly node: VerifiedNode;
  readonly report: VerificationReport;
  /** The evidence bundle as the node sent it. */
  readonly bundle: Uint8Array;
  request(method: Method, path: string, options?: NodeRequestOptions): Promise<NodeResponse>;
  chat(
    request: Omit<ChatCompletionRequest, 'stream'>,
    options?: { readonly signal?: AbortSignal },
  ): AsyncIterable<ChatEvent>;
  models(): Promise<readonly ModelListing[]>;
  /**
   * Asks the machine to prove itself again, now, for this connection (spec/evidence.md §live).
   *
   * @throws VerifyError when it does not: the session has ended then, and nothing more is sent
   * @throws ClientError `node-unavailable`, `busy`: no answer, and nothing is known
   */
  proveLive(): Promise<VerificationReport>;
  /** Resolves when the session has ended, with the error that ended it, or undefined after `close`. */
  readonly closed: Promise<Error | undefined>;
  readonly isOpen: boolean;
  close(): void;
}

/**
 * Opens a session with a node that passed every check of the policy.
 *
 * @throws VerifyError (action `stop`) when the node did not prove what the policy asks for; nothing was sent
 * @throws ClientError `network-unreachable`, `no-node`, `node-id-mismatch`, `server-…`
 * @throws ChannelError when the handshake fails
 */
export async function openNodeSession(ports: ClientPorts, options: NodeSessionOptions): Promise<NodeSession> {
  const cache = options.cache ?? new NodeCache();
  options.onPhase?.('finding');
  const api = new ServerApi(ports.fetch, options.baseUrl);
  const [listings] = await Promise.all([api.nodes(options.signal), api.ensureSession(options.signal)]);
  const listing = chooseNode(listings, ports.random);
  const prefetched = api
    .evidence(listing.nodeId, listing.evidenceDigest, BUNDLE_LIMIT_BYTES, options.signal)
    .catch(() => undefined);

  options.onPhase?.('connecting');
  const relay = `${options.baseUrl.replace(/^http/, 'ws')}/relay/${listing.nodeId}`;
  const socket = await ports.connect(relay, options.signal);
  const channel = await connectChannel({
    socket,
    random: ports.random,
    clock: ports.clock,
    nodeId: parseHex(listing.nodeId, 16),
    suites: listing.suites,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });

  options.onPhase?.('checking');
  try {
    const nowMs = ports.clock.nowMs();
    let known = cache.find(listing.nodeId, channel, nowMs, ports.distrust);
    if (known === undefined) {
      // The server's copy saves a round trip; the handshake's digest decides whether it is the node's bundle.
      let bundle = await prefetched;
      // CL-03: another bundle than the one the handshake named is not this node's, and is asked for from the node itself.
      if (bundle === undefined || !equalBytes(sha256(bundle), channel.evidenceDigest)) {
        bundle = await channel.fetchEvidence(BUNDLE_LIMIT_BYTES);
      }
      const verified = await verifyNode({
        bundle,
        policy: options.policy,
        nowMs,
        expectedEvidenceDigest: channel.evidenceDigest,
        expectedNodeId: channel.nodeId,
        expectedStaticKey: channel.staticKey,
        expectedEpochId: channel.epochId,
        expectedSuite: SUITE,
        distrust: ports.distrust,
      });
      known = { ...verified, bundle };
      cache.remember(listing.nodeId, known);
    }
    // CL-01: types can be talked out of things at run time; what `verify` did not make opens nothing.
    if (!isVerifiedNode(known.node)) throw new ClientError('node-unverified', { rule: 'CL-01' });
    const verifiedChannel = channel.promote(known.node);
    options.onPhase?.('verified');
    return new OpenSession(verifiedChannel, known, ports, options.policy);
  } catch (error) {
    channel.close();
    throw explain(error);
  }
}

/** CL-02: a node at random among those that speak our suite. */
function chooseNode(listings: readonly NodeListing[], random: Random): NodeListing {
  const usable = listings.filter((listing) => listing.suites.includes(SUITE));
  const chosen = chooseOne(usable, random);
  if (chosen === undefined) throw new ClientError('no-node');
  return chosen;
}

class OpenSession implements NodeSession {
  readonly node: VerifiedNode;
  readonly report: VerificationReport;
  readonly bundle: Uint8Array;
  readonly closed: Promise<Error | undefined>;
  readonly #channel: VerifiedChannel;
  #open = true;
  #distrusted = false;
  readonly #ports: ClientPorts;
  readonly #policy: Policy;
  /** What a live question found, when that ended the session. */
  #refusal: VerifyError | undefined;

  constructor(channel: VerifiedChannel, known: KnownNode, ports: ClientPorts, policy: Policy) {
    const { distrust } = ports;
    this.#channel = channel;
    this.#ports = ports;
    this.#policy = policy;
    this.node = known.node;
    this.report = known.report;
    this.bundle = known.bundle;
    const stop = distrust.subscribe(() => {
      // CL-06: a node that was withdrawn while a session is open must not receive another word.
      if (distrust.isDistrusted(known.node)) {
        this.#distrusted = true;
        channel.close();
      }
    });
    this.closed = channel.closed.then((info) => {
      this.#open = false;
      stop();
      if (this.#distrusted) return new ClientError('node-distrusted', { rule: 'CL-06' });
      if (this.#refusal !== undefined) return this.#refusal;
      return info.kind === 'closed' && info.by === 'us' ? undefined : new ClientError('node-lost');
    });
  }

  get isOpen(): boolean {
    return this.#open;
  }

  async request(method: Method, path: string, options: NodeRequestOptions = {}): Promise<NodeResponse> {
    if (this.#refusal !== undefined) throw this.#refusal;
    if (!this.#open || this.#distrusted) throw new ClientError(this.#distrusted ? 'node-distrusted' : 'node-lost');
    const head = encodeRequestHead({ version: WIRE_VERSION, method, path, headers: options.headers ?? [] });
    const stream = this.#channel.request(head, options.signal === undefined ? {} : { signal: options.signal });
    try {
      await sendBody(stream, options.body);
      const { status, headers } = parseResponseHead(await stream.head);
      return { status, headers, body: explained(stream.body) };
    } catch (error) {
      throw explain(error);
    }
  }

  chat(
    request: Omit<ChatCompletionRequest, 'stream'>,
    options: { readonly signal?: AbortSignal } = {},
  ): AsyncIterable<ChatEvent> {
    return streamChat((path, body, signal) => this.#post(path, body, signal), request, options.signal);
  }

  async models(): Promise<readonly ModelListing[]> {
    const response = await this.request('GET', '/v1/models');
    if (response.status !== 200) throw await refusal(response);
    return parseModelsAnswer(parseJson(await collect(response.body, MODELS_LIMIT_BYTES), MODELS_LIMIT_BYTES)).data;
  }

  async proveLive(): Promise<VerificationReport> {
    const { node } = this;
    const { handshakeHash } = this.#channel;
    try {
      return await askLive({
        ports: this.#ports,
        policy: this.#policy,
        suite: SUITE,
        node,
        handshakeHash,
        request: (method, path, options) => this.request(method, path, options),
      });
    } catch (error) {
      // CH-86: a machine that could not prove itself must not receive another word.
      if (error instanceof VerifyError) {
        this.#refusal = error;
        this.#channel.close();
      }
      throw error;
    }
  }

  close(): void {
    this.#channel.close();
  }

  #post(path: string, body: Uint8Array<ArrayBuffer>, signal: AbortSignal | undefined): Promise<NodeResponse> {
    return this.request('POST', path, {
      body,
      headers: [['content-type', 'application/json']],
      ...(signal === undefined ? {} : { signal }),
    });
  }
}

async function sendBody(stream: ChannelStream, body: Uint8Array<ArrayBuffer> | undefined): Promise<void> {
  if (body !== undefined && body.length > 0) await stream.write(body);
  await stream.end();
}
