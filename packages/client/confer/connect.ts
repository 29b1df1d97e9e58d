/**
 * The one door to suite `confer-1`, with a name that says what it lacks. Nothing in `@sotto/client` leads here; whoever wants
 * it imports `@sotto/client/confer` and brings a judge (spec/confer.md, client).
 */
import {
  CONFER_WARNING,
  type ConferChannel,
  ConferError,
  type ConferExchange,
  connectConfer,
} from '@sotto/channel/confer';
import type { Clock, ConnectSocket, Random } from '@sotto/ports';
import { type ConferChatRequest, encodeConferChatRequest } from '@sotto/wire/confer';
import type { ThirdPartyAttested } from './attested.ts';
import { type ConferChatEvent, readChat, readWhole } from './chat.ts';
import { assertCurrent, judgeEvidence, type ThirdPartyJudge } from './judge.ts';

const CHAT_PATH = '/v1/vllm/chat/completions';
const DEFAULT_SILENCE_MS = 120_000;

export interface ConferPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly connect: ConnectSocket;
}

export interface ConferOptions {
  /** Origin of the machine, such as `wss://host`, without a path. */
  readonly baseUrl: string;
  /** Access token of whoever runs the service. It travels in the URL; it is kept nowhere here. */
  readonly token: string;
  /** Checks what the third party signed. Required: nobody is believed by default. */
  readonly judge: ThirdPartyJudge;
  /** Told, before anything is sent, what this suite lacks. Show it to a person. */
  readonly onWarning: (warning: string) => void;
  /** How long an answer may pause. Default two minutes. */
  readonly silenceTimeoutMs?: number;
  readonly signal?: AbortSignal;
}

export type ConferChat = Pick<ConferChatRequest, 'messages' | 'model' | 'temperature' | 'maxTokens'>;

/** Not a `NodeSession`: it holds no `VerifiedNode`, and what takes the one does not take the other. */
export interface ThirdPartyAttestedSession {
  readonly attested: ThirdPartyAttested;
  /** What this suite lacks. */
  readonly warning: string;
  /** Resolves when the machine answered; also keeps a silent connection alive. */
  ping(): Promise<void>;
  /** Leaving the loop before `finish` closes the session: the protocol has no other way to stop the machine. */
  chat(request: ConferChat, options?: { readonly signal?: AbortSignal }): AsyncIterable<ConferChatEvent>;
  /** The answer in one piece. */
  complete(request: ConferChat): Promise<string>;
  readonly closed: Promise<ConferError | undefined>;
  close(): void;
}

/**
 * Talks to a machine that speaks the public confer-proxy's protocol: unpadded, no post-quantum, no nonce, and vouched for by
 * a third party alone.
 *
 * @throws ConferError (action `stop`) when the machine showed no evidence, or evidence that does not speak of its key, or
 *   that the judge refused; nothing but the token and an ephemeral key was sent
 */
export async function connectThirdPartyAttestedConferUnpaddedNotPostQuantum(
  ports: ConferPorts,
  options: ConferOptions,
): Promise<ThirdPartyAttestedSession> {
  const { baseUrl, token, judge, signal } = options;
  options.onWarning(CONFER_WARNING);
  const socket = await ports.connect(`${baseUrl}/websocket?token=${encodeURIComponent(token)}`, signal);
  const withSignal = signal === undefined ? {} : { signal };
  const { clock, random } = ports;
  const unjudged = await connectConfer({ socket, clock, random, ...withSignal });
  try {
    const attested = await judgeEvidence(unjudged.evidence, unjudged.staticKey, judge, clock.nowMs(), signal);
    signal?.throwIfAborted();
    const channel = await unjudged.proceed(attested.peerKey);
    return new Session(channel, attested, clock, options.silenceTimeoutMs ?? DEFAULT_SILENCE_MS);
  } catch (error) {
    unjudged.close();
    throw error;
  }
}

class Session implements ThirdPartyAttestedSession {
  readonly attested: ThirdPartyAttested;
  readonly warning = CONFER_WARNING;
  readonly closed: Promise<ConferError | undefined>;
  readonly #channel: ConferChannel;
  readonly #clock: Clock;
  readonly #silenceTimeoutMs: number;

  constructor(channel: ConferChannel, attested: ThirdPartyAttested, clock: Clock, silenceTimeoutMs: number) {
    this.#channel = channel;
    this.attested = attested;
    this.#clock = clock;
    this.#silenceTimeoutMs = silenceTimeoutMs;
    this.closed = channel.closed;
  }

  async ping(): Promise<void> {
    const exchange = this.#ask('GET', '/ping', new Uint8Array(0));
    try {
      const answer = await readWhole(exchange, this.#clock, this.#silenceTimeoutMs);
      if (answer !== 'PONG') throw new ConferError('confer-answer-malformed', { rule: 'CO-64' });
    } finally {
      exchange.done();
    }
  }

  async *chat(
    request: ConferChat,
    options: { readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<ConferChatEvent, void, undefined> {
    const { signal } = options;
    signal?.throwIfAborted();
    const exchange = this.#askChat(request, true);
    const stop = (): void => this.close();
    signal?.addEventListener('abort', stop, { once: true });
    let isWhole = false;
    try {
      for await (const event of readChat(exchange, this.#clock, this.#silenceTimeoutMs)) {
        isWhole = event.kind === 'finish';
        yield event;
      }
    } catch (error) {
      signal?.throwIfAborted();
      isWhole = error instanceof ConferError && error.code === 'confer-refused';
      throw error;
    } finally {
      signal?.removeEventListener('abort', stop);
      exchange.done();
      // CO-65: an answer that nobody reads would be computed, and sent, to its end.
      if (!isWhole) this.close();
    }
  }

  async complete(request: ConferChat): Promise<string> {
    const exchange = this.#askChat(request, false);
    try {
      return await readWhole(exchange, this.#clock, this.#silenceTimeoutMs);
    } finally {
      exchange.done();
    }
  }

  close(): void {
    this.#channel.close();
  }

  /** Web search is off: it would carry a person's words to others in clear. */
  #askChat({ messages, model, temperature, maxTokens }: ConferChat, stream: boolean): ConferExchange {
    const body = {
      messages,
      stream,
      webSearch: false,
      ...(model === undefined ? {} : { model }),
      ...(temperature === undefined ? {} : { temperature }),
      ...(maxTokens === undefined ? {} : { maxTokens }),
    };
    return this.#ask('POST', CHAT_PATH, encodeConferChatRequest(body));
  }

  #ask(verb: string, path: string, body: Uint8Array): ConferExchange {
    assertCurrent(this.attested.notAfterMs, this.#clock.nowMs());
    return this.#channel.request({ verb, path, body });
  }
}
