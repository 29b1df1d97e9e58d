/**
 * A session with one verified node: find, connect, check, then talk. The order is the promise (spec/client.md CL-01):
 * the only object that can carry a person's words is made from a `VerifiedNode`, and only `verify` makes that.
 */
import { encodeHex, equalBytes, parseHex } from '@sotto/bytes';
import type { ChannelStream, VerifiedChannel } from '@sotto/channel';
import { connectChannel } from '@sotto/channel/initiator';
import { RECOVERY_KEY_BYTES } from '@sotto/channel/recovery';
import type { Profile } from '@sotto/channel/shaping';
import { sha256 } from '@sotto/crypto/hash';
import type { Clock, ConnectSocket, DistrustSource, Fetch, Random } from '@sotto/ports';
import { type Policy, type VerificationReport, type VerifiedNode, VerifyError } from '@sotto/verify';
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
import { type ChatEvent, type ChatSender, collect, readChat, refusal, streamChat } from './chat.ts';
import { ClientError } from './errors.ts';
import { explain, explained } from './explained.ts';
import { assertTrusted, type Judge, judgeClaim } from './judge-claim.ts';
import { askLive } from './live-proof.ts';
import { type KnownNode, NodeCache } from './node-cache.ts';
import { chooseOne } from './random-choice.ts';
import { type AnswerTicket, eventsAfter, type LineState, type RecoverableAnswer, recoverAnswer } from './recovery.ts';
import type { NodeResponse } from './response.ts';
import { ServerApi } from './server-api.ts';

const SUITE = 'sotto-1';
/** A bundle with GPUs is 85–200 kB; twice that is refused unread. */
const BUNDLE_LIMIT_BYTES = 400_000;
const MODELS_LIMIT_BYTES = 65_536;
/** How far two honest clocks may be apart. */
const CLOCK_TOLERANCE_MS = 5 * 60_000;

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
  /** 32 hex digits: this node and no other, for an answer that it keeps. */
  readonly nodeId?: string;
  readonly cache?: NodeCache;
  /** How what passes is shaped against who watches the line (spec/shaping.md); `balanced` when it is not said. */
  readonly profile?: Profile;
  readonly onPhase?: (phase: SessionPhase) => void;
  readonly signal?: AbortSignal;
}

export interface NodeRequestOptions {
  readonly body?: Uint8Array<ArrayBuffer>;
  readonly headers?: readonly Header[];
  readonly signal?: AbortSignal;
}

export interface ChatOptions {
  readonly signal?: AbortSignal;
  /** Told before the question leaves: what recovers the answer after this program has ended. Stored sealed or not at all. */
  readonly onTicket?: (ticket: AnswerTicket) => void;
  /** The answer's line was lost and is being sought, or is there again. */
  readonly onLine?: (line: LineState) => void;
}

export interface ResumeOptions extends Omit<ChatOptions, 'onTicket'> {
  /** The part of the answer that is here already: it is not told again. */
  readonly haveText: string;
}

export interface NodeSession {
  readonly node: VerifiedNode;
  readonly report: VerificationReport;
  /** The evidence bundle as the node sent it. */
  readonly bundle: Uint8Array;
  request(method: Method, path: string, options?: NodeRequestOptions): Promise<NodeResponse>;
  /** One answer; when its line is lost, the rest of it is fetched from the same node. */
  chat(request: Omit<ChatCompletionRequest, 'stream'>, options?: ChatOptions): AsyncIterable<ChatEvent>;
  /** The rest of an answer whose program ended, from the node of the ticket. */
  resume(ticket: AnswerTicket, options: ResumeOptions): AsyncIterable<ChatEvent>;
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
  /** Whether it takes a new request: a session whose node is leaving finishes what runs and takes none. */
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
  const listing = chooseNode(listings, ports.random, options.nodeId);
  const prefetched = cache.holds(listing.nodeId, listing.evidenceDigest)
    ? undefined
    : api.evidence(listing.nodeId, listing.evidenceDigest, BUNDLE_LIMIT_BYTES, options.signal).catch(() => undefined);

  options.onPhase?.('connecting');
  const relay = `${options.baseUrl.replace(/^http/, 'ws')}/relay/${listing.nodeId}`;
  const socket = await ports.connect(relay, options.signal);
  const { policy } = options;
  const nodeId = parseHex(listing.nodeId, 16);
  const judge: Judge = { ports, policy, cache, nodeIdHex: listing.nodeId, nodeId, suite: SUITE };
  const channel = await connectChannel({
    socket,
    random: ports.random,
    clock: ports.clock,
    nodeId: judge.nodeId,
    suites: listing.suites,
    profile: options.profile ?? 'balanced',
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });

  options.onPhase?.('checking');
  try {
    const known = await judgeClaim(judge, channel, async () => {
      // The server's copy saves a round trip; the handshake's digest decides whether it is the node's bundle.
      const bundle = await prefetched;
      const isNamed = bundle !== undefined && equalBytes(sha256(bundle), channel.evidenceDigest);
      // CL-03: another bundle than the one the handshake named is not this node's, and is asked for from the node itself.
      if (!isNamed) return channel.fetchEvidence(BUNDLE_LIMIT_BYTES);
      return bundle;
    });
    assertTrusted(known.node, ports.distrust);
    const verifiedChannel = channel.promote(known.node);
    options.onPhase?.('verified');
    const { onPhase: _, signal: __, ...same } = options;
    const reopen: Reopen = (nodeId, signal) =>
      openNodeSession(ports, { ...same, cache, nodeId, ...(signal === undefined ? {} : { signal }) });
    return new OpenSession(verifiedChannel, known, ports, judge, reopen);
  } catch (error) {
    channel.close();
    throw explain(error);
  }
}

type Reopen = (nodeId: string, signal: AbortSignal | undefined) => Promise<NodeSession>;

/** CL-02: a node at random among those that speak our suite. CL-41: for an answer, the one that keeps it. */
function chooseNode(listings: readonly NodeListing[], random: Random, wanted: string | undefined): NodeListing {
  const usable = listings.filter(({ suites }) => suites.includes(SUITE));
  const chosen = wanted === undefined ? chooseOne(usable, random) : usable.find(({ nodeId }) => nodeId === wanted);
  if (chosen === undefined) throw new ClientError('no-node');
  return chosen;
}

class OpenSession implements NodeSession {
  readonly closed: Promise<Error | undefined>;
  readonly #channel: VerifiedChannel;
  readonly #reopen: Reopen;
  readonly #ports: ClientPorts;
  readonly #judge: Judge;
  /** Of the latest handshake. */
  #known: KnownNode;
  #open = true;
  #isLeft = false;
  #isRenewing = false;
  /** Why this device ended the session, when the node was the reason. */
  #refusal: Error | undefined;

  constructor(channel: VerifiedChannel, known: KnownNode, ports: ClientPorts, judge: Judge, reopen: Reopen) {
    const { distrust } = ports;
    this.#channel = channel;
    this.#reopen = reopen;
    this.#ports = ports;
    this.#judge = judge;
    this.#known = known;
    channel.onNotice = (notice) => {
      if (notice === 'renewal-due') void this.#renew();
    };
    const stop = distrust.subscribe(() => {
      // CL-06: a node that was withdrawn while a session is open must not receive another word.
      if (distrust.isDistrusted(this.#known.node)) this.#refuse(new ClientError('node-distrusted', { rule: 'CL-06' }));
    });
    this.closed = channel.closed.then((info) => {
      this.#open = false;
      stop();
      if (this.#refusal !== undefined) return this.#refusal;
      return this.#isLeft && info.kind === 'closed' ? undefined : new ClientError('node-lost');
    });
  }

  get node(): VerifiedNode {
    return this.#known.node;
  }

  get report(): VerificationReport {
    return this.#known.report;
  }

  get bundle(): Uint8Array {
    return this.#known.bundle;
  }

  get isOpen(): boolean {
    return this.#open && this.#refusal === undefined && !this.#channel.isLeaving;
  }

  /** The node must not receive another word, not even one that waits. */
  #refuse(reason: Error): void {
    this.#refusal ??= reason;
    this.#channel.abandon();
  }

  /** New keys, and the evidence of the node's present epoch, for the session that runs (spec/channel.md §renewal). */
  async #renew(): Promise<void> {
    if (this.#isRenewing) return;
    this.#isRenewing = true;
    try {
      const renewal = await this.#channel.renew();
      const known = await judgeClaim(this.#judge, renewal, () => this.#fetchEvidence(renewal.evidenceDigest));
      const isOlder = known.node.notAfterMs < this.#known.node.notAfterMs - CLOCK_TOLERANCE_MS;
      // CH-74: keys of an earlier epoch are keys that somebody may have stolen since.
      if (isOlder) throw new ClientError('node-unverified', { rule: 'CH-74' });
      assertTrusted(known.node, this.#ports.distrust);
      this.#known = known;
      await renewal.accept(known.node);
    } catch (error) {
      // Whatever is wrong with the new epoch, the session does not go on under the old one as if nothing were (CH-77).
      if (isRefusal(error)) this.#refuse(error);
      else this.#channel.abandon();
    } finally {
      this.#isRenewing = false;
    }
  }

  async #fetchEvidence(digest: Uint8Array): Promise<Uint8Array> {
    const response = await this.request('GET', `/v1/evidence/${encodeHex(digest)}`);
    if (response.status !== 200) throw await refusal(response);
    return collect(response.body, BUNDLE_LIMIT_BYTES);
  }

  #assertOpen(): void {
    if (this.#refusal !== undefined) throw this.#refusal;
    if (!this.#open) throw new ClientError('node-lost');
  }

  async request(method: Method, path: string, options: NodeRequestOptions = {}): Promise<NodeResponse> {
    this.#assertOpen();
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

  async *chat(
    request: Omit<ChatCompletionRequest, 'stream'>,
    options: ChatOptions = {},
  ): AsyncGenerator<ChatEvent, void, undefined> {
    this.#assertOpen();
    // CL-40: a key that was used before would open two answers.
    const recoveryKey = this.#ports.random.bytes(RECOVERY_KEY_BYTES);
    const ticket: AnswerTicket = { nodeId: encodeHex(this.node.nodeId), recoveryKey, claims: 0 };
    options.onTicket?.(ticket);
    const send: ChatSender = (path, body, signal) =>
      recoverAnswer({ ...this.#recovery(ticket, options), ask: () => this.#ask(path, body, recoveryKey, signal) });
    try {
      yield* streamChat(send, request, options.signal);
    } finally {
      recoveryKey.fill(0);
    }
  }

  resume(ticket: AnswerTicket, options: ResumeOptions): AsyncIterable<ChatEvent> {
    return eventsAfter(
      readChat(() => recoverAnswer(this.#recovery(ticket, options))),
      options.haveText,
    );
  }

  #recovery(ticket: AnswerTicket, { signal, onLine }: ChatOptions): RecoverableAnswer {
    const { clock } = this.#ports;
    return { ticket, clock, signal, onLine, reopen: (stop) => this.#reopen(ticket.nodeId, stop) };
  }

  /** Asks a question whose answer the node keeps for a while. */
  async #ask(path: string, body: Uint8Array<ArrayBuffer>, recoveryKey: Uint8Array, signal: AbortSignal | undefined) {
    const headers = [['content-type', 'application/json']] as const;
    const head = encodeRequestHead({ version: WIRE_VERSION, method: 'POST', path, headers, recoveryKey });
    const stream = this.#channel.request(head, signal === undefined ? {} : { signal });
    try {
      await sendBody(stream, body);
      return { head: await stream.head, body: this.#told(stream.body) };
    } catch (error) {
      throw this.#whyEnded(error);
    }
  }

  async *#told(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* body;
    } catch (error) {
      throw this.#whyEnded(error);
    }
  }

  /** A session that we ended ourselves has no line that could come back. */
  #whyEnded(error: unknown): unknown {
    if (this.#refusal !== undefined) return this.#refusal;
    return this.#isLeft ? new ClientError('answer-incomplete', { cause: error }) : explain(error);
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
        policy: this.#judge.policy,
        suite: SUITE,
        node,
        handshakeHash,
        request: (method, path, options) => this.request(method, path, options),
      });
    } catch (error) {
      // CH-86: a machine that could not prove itself must not receive another word.
      if (error instanceof VerifyError) this.#refuse(error);
      throw error;
    }
  }

  close(): void {
    this.#isLeft = true;
    this.#channel.close();
  }
}

/** The node was judged and is not to be trusted; anything else is a line or a machine that does not work. */
function isRefusal(error: unknown): error is Error {
  return error instanceof VerifyError || (error instanceof ClientError && error.action === 'stop');
}

async function sendBody(stream: ChannelStream, body: Uint8Array<ArrayBuffer> | undefined): Promise<void> {
  // In one turn: a shaped request leaves when it is whole.
  await Promise.all([body === undefined ? undefined : stream.write(body), stream.end()]);
}
