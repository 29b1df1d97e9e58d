/**
 * The OpenAI-compatible surface as one web-standard handler (spec/enclave.md §surface). It runs inside the channel, and,
 * for the benchmark's direct path alone, behind plain HTTP. Requests come from clients that we do not trust.
 */
import { encodeHex, encodeUtf8 } from '@sotto/bytes';
import {
  CHAT_REQUEST_LIMIT_BYTES,
  type ChatCompletionRequest,
  encodeSseEvent,
  parseChatCompletionRequest,
  parseJson,
  SSE_DONE,
} from '@sotto/wire';
import { EnclaveError, encodeErrorBody, toEnclaveError } from './enclave-error.ts';
import type { Engine, EngineEvent, EngineModel } from './engine.ts';
import { EvidenceApi } from './evidence-api.ts';
import { FairQueue, type Release } from './fair-queue.ts';
import { Gatherer } from './gather.ts';

/** What the handler shares over all requests of a node. */
export interface ApiContext {
  readonly queue: FairQueue;
  /** Longest wall time of one request, waiting included. */
  readonly requestTimeMs: number;
  /** Who asks, by identity, for the queue's fairness: the channel session. */
  readonly session: object;
  /** Answers what is asked below `/v1/evidence/`; absent where there is no channel. */
  readonly evidence?: (request: Request) => Promise<Response>;
}

/** Limits for a node whose configuration says nothing else. */
export const DEFAULT_QUEUE = { running: 2, waiting: 64, perSession: 8 } as const;
export const DEFAULT_REQUEST_TIME_MS = 10 * 60_000;

/** A context of its own, for a handler that stands alone (benchmarks, tests). */
export function createApiContext(engine: Engine | null): ApiContext {
  const running = engine?.concurrency ?? DEFAULT_QUEUE.running;
  return { queue: new FairQueue({ ...DEFAULT_QUEUE, running }), requestTimeMs: DEFAULT_REQUEST_TIME_MS, session: {} };
}

/**
 * Answers one request. Never rejects: every failure becomes an answer with an error of the closed set.
 * The request's own signal ends generation at once, as does cancelling the answer's body.
 */
export async function handleApi(
  request: Request,
  engine: Engine | null,
  context: ApiContext = createApiContext(engine),
): Promise<Response> {
  try {
    const { pathname } = new URL(request.url);
    if (pathname === '/v1/models') {
      if (request.method !== 'GET') throw new EnclaveError('method-not-allowed');
      return json(200, listModels(engine));
    }
    if (pathname === '/v1/chat/completions') {
      if (request.method !== 'POST') throw new EnclaveError('method-not-allowed');
      return await answerChat(request, engine, context);
    }
    if (EvidenceApi.owns(pathname) && context.evidence !== undefined) return await context.evidence(request);
    throw new EnclaveError('not-found');
  } catch (error) {
    return errorResponse(toEnclaveError(error, 'internal'));
  }
}

/** The answer that carries an error before any of the body was sent. */
export function errorResponse(error: EnclaveError): Response {
  return json(error.status, encodeErrorBody(error));
}

function json(status: number, body: string): Response {
  return new Response(body, { status, headers: { 'content-type': 'application/json' } });
}

function listModels(engine: Engine | null): string {
  const data = engine === null ? [] : [describeModel(engine.model)];
  return JSON.stringify({ object: 'list', data });
}

function describeModel({ id, label, parameters, contextTokens, starter }: EngineModel): object {
  return { id, object: 'model', owned_by: 'sotto', label, parameters, context_tokens: contextTokens, starter };
}

async function answerChat(request: Request, engine: Engine | null, context: ApiContext): Promise<Response> {
  const chat = parseBody(new Uint8Array(await request.arrayBuffer()));
  if (engine === null) throw new EnclaveError('engine-missing');
  if (chat.model !== '' && chat.model !== 'default' && chat.model !== engine.model.id) {
    throw new EnclaveError('model-not-found');
  }
  const generation = new Generation(engine, chat, context, request.signal);
  const head = {
    id: `chatcmpl-${encodeHex(randomId())}`,
    model: engine.model.id,
    created: Math.floor(Date.now() / 1000),
  };
  const first = await generation.next(); // so that an error before the first word is an answer with a status
  return chat.stream
    ? new Response(streamBody(generation, first, head), { headers: { 'content-type': 'text/event-stream' } })
    : json(200, await wholeBody(generation, first, head));
}

/** @throws EnclaveError `bad-request` for whatever is not exactly a chat request */
function parseBody(body: Uint8Array): ChatCompletionRequest {
  try {
    return parseChatCompletionRequest(parseJson(body, CHAT_REQUEST_LIMIT_BYTES));
  } catch {
    throw new EnclaveError('bad-request', {}, 'EN-05');
  }
}

function randomId(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(12));
}

interface AnswerHead {
  readonly id: string;
  readonly model: string;
  readonly created: number;
}

/** One generation: its place in the queue, its time limit and the three ways in which it ends early. */
class Generation {
  readonly #controller = new AbortController();
  readonly #events: AsyncGenerator<EngineEvent>;
  readonly #timer: ReturnType<typeof setTimeout>;
  readonly #unlink: () => void;

  constructor(engine: Engine, chat: ChatCompletionRequest, context: ApiContext, outer: AbortSignal) {
    // Without an end, one request could hold a place for ever (EN-09).
    this.#timer = setTimeout(() => this.#abort(new EnclaveError('time-limit', {}, 'EN-09')), context.requestTimeMs);
    // A person who pressed stop, or left, must not keep the machine computing on their words (EN-10).
    const onAbort = (): void => this.#abort(new EnclaveError('cancelled', {}, 'EN-10'));
    outer.addEventListener('abort', onAbort, { once: true });
    this.#unlink = () => outer.removeEventListener('abort', onAbort);
    this.#events = this.#run(engine, chat, context);
    if (outer.aborted) onAbort();
  }

  /** The next event; rejects with an EnclaveError. */
  async next(): Promise<EngineEvent> {
    const { value, done } = await this.#events.next();
    if (done !== true) return value;
    throw toEnclaveError(this.#controller.signal.reason, 'engine-crashed');
  }

  /** Ends generation at once. */
  stop(): void {
    this.#abort(new EnclaveError('cancelled', {}, 'EN-10'));
  }

  #abort(reason: EnclaveError): void {
    if (this.#controller.signal.aborted) return;
    this.#controller.abort(reason);
    // A generator that waits at a yield for a reader who never comes is woken here, and gives its place back.
    this.#events.return(undefined).catch(() => undefined);
    this.#end();
  }

  async *#run(engine: Engine, chat: ChatCompletionRequest, context: ApiContext): AsyncGenerator<EngineEvent> {
    const { signal } = this.#controller;
    let release: Release | undefined;
    try {
      release = await context.queue.acquire(context.session, signal);
      const { messages, max_tokens: maxTokens, temperature } = chat;
      for await (const event of engine.generate({ messages, maxTokens, temperature, signal })) {
        signal.throwIfAborted();
        yield event;
        if ('finish' in event) return;
      }
      throw new EnclaveError('engine-crashed'); // it ended without saying how
    } catch (error) {
      throw toEnclaveError(signal.aborted ? signal.reason : error, 'engine-crashed');
    } finally {
      release?.();
      this.#end();
    }
  }

  #end(): void {
    clearTimeout(this.#timer);
    this.#unlink();
  }
}

function usageOf(event: Extract<EngineEvent, { finish: unknown }>): object {
  return {
    prompt_tokens: event.promptTokens,
    completion_tokens: event.completionTokens,
    total_tokens: event.promptTokens + event.completionTokens,
  };
}

function encodeChunk(head: AnswerHead, delta: object, finish: string | null, usage?: object): string {
  const choices = [{ index: 0, delta, finish_reason: finish }];
  return encodeSseEvent(JSON.stringify({ object: 'chat.completion.chunk', ...head, choices, usage }));
}

/** Server-sent events: a chunk for all the text that is there, the finish with usage, `[DONE]`; or, when the engine fails, one error and no `[DONE]`. */
function streamBody(generation: Generation, first: EngineEvent, head: AnswerHead): ReadableStream<Uint8Array> {
  let pending: EngineEvent | undefined = first;
  const gathered = new Gatherer(generation);
  let delta: object = { role: 'assistant' };
  const pull = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    try {
      const event = pending ?? (await gathered.next());
      pending = undefined;
      if ('text' in event) {
        controller.enqueue(encodeUtf8(encodeChunk(head, { ...delta, content: event.text }, null)));
        delta = {};
        return;
      }
      const last = encodeChunk(head, delta, event.finish, usageOf(event));
      controller.enqueue(encodeUtf8(last + encodeSseEvent(SSE_DONE)));
    } catch (error) {
      // The marker of a whole answer is never sent after a broken one (EN-11).
      const body = encodeErrorBody(toEnclaveError(error, 'engine-crashed'));
      controller.enqueue(encodeUtf8(encodeSseEvent(body)));
    }
    generation.stop();
    controller.close();
  };
  return new ReadableStream({ pull, cancel: () => generation.stop() }, { highWaterMark: 0 });
}

async function wholeBody(generation: Generation, first: EngineEvent, head: AnswerHead): Promise<string> {
  let content = '';
  let event = first;
  for (; 'text' in event; event = await generation.next()) content += event.text;
  generation.stop();
  const choices = [{ index: 0, message: { role: 'assistant', content }, finish_reason: event.finish }];
  return JSON.stringify({ object: 'chat.completion', ...head, choices, usage: usageOf(event) });
}
