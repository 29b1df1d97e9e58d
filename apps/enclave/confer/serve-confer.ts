/**
 * One confer connection served from our own API (spec/confer.md, routes). Off unless somebody starts it. Clients are strangers
 * with a token; errors are plain text, as their protocol has them, and hold nothing of what was asked.
 */
import { encodeUtf8 } from '@sotto/bytes';
import {
  acceptConfer,
  type ConferClaims,
  type ConferIncomingRequest,
  type ConferResponder,
  isPaymentRequired,
} from '@sotto/channel/confer';
import type { Clock, Random, Socket } from '@sotto/ports';
import {
  type ChatCompletionRequest,
  parseChatChunk,
  parseChatCompletion,
  parseErrorAnswer,
  parseJson,
  parseSse,
  SSE_DONE,
  WireError,
} from '@sotto/wire';
import { type ConferChatRequest, encodeConferEvent, parseConferChatRequest } from '@sotto/wire/confer';
import { type ApiContext, handleApi } from '../api.ts';
import type { Engine } from '../engine.ts';

const ANSWER_LIMIT_BYTES = 4 * 1024 * 1024;

export interface ServeConferOptions {
  readonly socket: Socket;
  readonly clock: Clock;
  readonly random: Random;
  /** X25519, 32 bytes; this suite's own. */
  readonly staticPrivateKey: Uint8Array;
  /** JSON that vouches for it. */
  readonly evidence: Uint8Array;
  /** What the connection's token said. */
  readonly claims: ConferClaims;
  readonly engine: Engine | null;
  readonly context: ApiContext;
}

/** Serves one socket. Call in the turn in which the socket was handed over. */
export function serveConfer(options: ServeConferOptions): ConferResponder {
  const { socket, clock, random, staticPrivateKey, evidence } = options;
  const onRequest = (request: ConferIncomingRequest): Promise<void> => answer(request, options);
  return acceptConfer({ socket, clock, random, staticPrivateKey, evidence, onRequest });
}

async function answer(request: ConferIncomingRequest, options: ServeConferOptions): Promise<void> {
  const say = (status: number, text: string): Promise<void> => request.respond(status, encodeUtf8(text));
  const mustPay = isPaymentRequired(options.claims, options.clock.nowMs());
  // CO-43: a token's end must end something, or connections would be opened once and kept.
  if (mustPay) return say(402, 'Payment required');
  const route = `${request.verb} ${request.path}`;
  if (route === 'GET /ping') return say(200, 'PONG');
  if (route !== 'POST /v1/vllm/chat/completions') return say(404, 'Route not found');
  const chat = parseChat(request.body);
  if (chat === undefined) return say(400, 'Invalid request body');
  const response = await handleApi(toApiRequest(chat, request.signal), options.engine, options.context);
  if (response.status !== 200) return say(response.status, await errorText(response));
  if (!chat.stream) return say(200, await wholeText(response));
  return sendEvents(response, request, options.engine?.model.contextTokens ?? 0);
}

function parseChat(body: Uint8Array): ConferChatRequest | undefined {
  try {
    return parseConferChatRequest(body);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

/** The model is ours to choose, as it is the public proxy's. */
function toApiRequest({ messages, stream, temperature, maxTokens }: ConferChatRequest, signal: AbortSignal): Request {
  const body: ChatCompletionRequest = {
    model: 'default',
    messages: messages.map(({ role, content }) => ({ role: role === 'developer' ? 'system' : role, content })),
    stream,
    ...(typeof temperature === 'number' ? { temperature } : {}),
    ...(typeof maxTokens === 'number' ? { max_tokens: maxTokens } : {}),
  };
  return new Request('http://enclave/v1/chat/completions', { method: 'POST', body: JSON.stringify(body), signal });
}

const bodyOf = async (response: Response): Promise<Uint8Array> => new Uint8Array(await response.arrayBuffer());

async function errorText(response: Response): Promise<string> {
  return parseErrorAnswer(parseJson(await bodyOf(response), ANSWER_LIMIT_BYTES)).error.message;
}

async function wholeText(response: Response): Promise<string> {
  const answered = parseChatCompletion(parseJson(await bodyOf(response), ANSWER_LIMIT_BYTES));
  return answered.choices[0]?.message.content ?? '';
}

/** One event a response; `completion` only after the engine's own end. */
async function sendEvents(response: Response, request: ConferIncomingRequest, maxContextTokens: number): Promise<void> {
  let contextTokens = 0;
  for await (const data of parseSse(response.body ?? new ReadableStream())) {
    if (data === SSE_DONE) {
      const event = { kind: 'completion', contextTokens, maxContextTokens, isPending: false } as const;
      await request.respond(200, encodeConferEvent(event));
      return;
    }
    const chunk = parseChatChunk(data);
    if (chunk.deltaText !== undefined && chunk.deltaText !== '') {
      await request.respond(200, encodeConferEvent({ kind: 'token', content: chunk.deltaText }));
    }
    contextTokens = chunk.usage?.total_tokens ?? contextTokens;
    if (chunk.error !== undefined) break;
  }
  // What broke off is said to have broken off, never completed (CO-72).
  await request.respond(500, encodeUtf8('Streaming error'));
}
