/**
 * A session that is open: requests, chats and their recovery, renewal, the live question, and the end at once when the node is
 * no longer to be trusted. Made by `openNodeSession` alone, from a channel that a `VerifiedNode` promoted (spec/client.md).
 */
import { encodeHex } from '@sotto/bytes';
import type { ChannelStream, VerifiedChannel } from '@sotto/channel';
import { RECOVERY_KEY_BYTES } from '@sotto/channel/recovery';
import { type VerificationReport, type VerifiedNode, VerifyError } from '@sotto/verify';
import {
  type ChatCompletionRequest,
  encodeRequestHead,
  type Method,
  type ModelListing,
  parseJson,
  parseModelsAnswer,
  parseResponseHead,
  WIRE_VERSION,
} from '@sotto/wire';
import { type ChatEvent, type ChatSender, collect, readChat, refusal, streamChat } from './chat.ts';
import { ClientError } from './errors.ts';
import { explain, explained } from './explained.ts';
import { assertTrusted, BUNDLE_LIMIT_BYTES, type Judge, judgeClaim } from './judge-claim.ts';
import { askLive } from './live-proof.ts';
import type { KnownNode } from './node-cache.ts';
import { type AnswerTicket, eventsAfter, type RecoverableAnswer, recoverAnswer } from './recovery.ts';
import type { NodeResponse } from './response.ts';
import type { ChatOptions, ClientPorts, NodeRequestOptions, NodeSession, ResumeOptions } from './session-types.ts';

const MODELS_LIMIT_BYTES = 65_536;
/** How far two honest clocks may be apart. */
const CLOCK_TOLERANCE_MS = 5 * 60_000;

/** Opens another session, to this node. */
export type Reopen = (nodeId: string, signal: AbortSignal | undefined) => Promise<NodeSession>;

/** Owner of one channel. */
export class OpenSession implements NodeSession {
  onRenewed: (() => void) | undefined;
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
      this.onRenewed?.();
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
        suite: this.#judge.suite,
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
