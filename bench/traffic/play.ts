/**
 * One conversation through the real thing: client's channel, line, node's channel, the enclave's API and its streams, with
 * an engine that says its part on time. What leaves on the line is what an eavesdropper has.
 */
import { createHash } from 'node:crypto';
import { encodeUtf8 } from '@sotto/bytes';
import { connectChannel, type UnverifiedChannel } from '@sotto/channel/initiator';
import { acceptChannel } from '@sotto/channel/responder';
import type { Profile } from '@sotto/channel/shaping';
import type { Clock, Socket } from '@sotto/ports';
import { createSeededRandom } from '@sotto/testkit';
import { encodeRequestHead, encodeSseEvent, parseChatChunk, parseSse, SSE_DONE, WIRE_VERSION } from '@sotto/wire';
import { createApiContext, handleApi } from '../../apps/enclave/api.ts';
import { BodyBudget, DEFAULT_BODY_LIMITS, serveStream } from '../../apps/enclave/channel-http.ts';
import type { Engine, EngineEvent } from '../../apps/enclave/engine.ts';
import type { Conversation } from './corpus.ts';
import { createLine, createVirtualClock, type Seen } from './world.ts';

export interface Observation {
  /** In order; times from the moment the person asked. */
  readonly seen: readonly Seen[];
  /** When the first word was shown. */
  readonly firstMs: number;
  /** When it would have been shown over the same line without a channel. */
  readonly saidMs: number;
}

/** A line between two cities. */
export const DELAY_MS = 20;
const NODE_ID = new Uint8Array(16).fill(7);
const EVIDENCE = encodeUtf8('evidence');
const EPOCH = {
  epochId: new Uint8Array(16).fill(3),
  staticPrivateKey: new Uint8Array(32).fill(4),
  evidence: EVIDENCE,
  evidenceDigest: new Uint8Array(createHash('sha256').update(EVIDENCE).digest()),
};
const MODEL = { id: 'scripted', label: 'Scripted', parameters: 0, contextTokens: 8192, starter: false };

/** Says the pieces of `conversation` at their times after it was asked. */
export function scriptedTalker(conversation: Conversation, clock: Clock): Engine {
  return {
    model: MODEL,
    async *generate({ signal }): AsyncGenerator<EngineEvent> {
      const askedMs = clock.nowMs();
      for (const { atMs, text } of conversation.pieces) {
        const waitMs = askedMs + atMs - clock.nowMs();
        if (waitMs > 0) await clock.sleep(waitMs, signal);
        yield { text };
      }
      yield { finish: 'stop', promptTokens: 20, completionTokens: conversation.pieces.length };
    },
    async close() {},
  };
}

/** Answers on `socket` as a node does. */
export function serve(socket: Socket, clock: Clock, engine: Engine): void {
  const session = {};
  const context = { ...createApiContext(engine), session };
  const budget = new BodyBudget(DEFAULT_BODY_LIMITS);
  acceptChannel({
    socket,
    clock,
    random: createSeededRandom('node'),
    nodeId: NODE_ID,
    currentEpoch: () => EPOCH,
    onRequest: (incoming) => {
      void serveStream(incoming, (request) => handleApi(request, engine, context), { budget, session });
    },
  });
}

export function connect(socket: Socket, clock: Clock, profile: Profile): Promise<UnverifiedChannel> {
  return connectChannel({ socket, clock, random: createSeededRandom('client'), nodeId: NODE_ID, profile });
}

export function chatBody(question: string): Uint8Array<ArrayBuffer> {
  const messages = [{ role: 'user', content: question }];
  return encodeUtf8(JSON.stringify({ model: '', messages, max_tokens: 2048, stream: true }));
}

/** Asks, and reads the answer to its end. @returns what was read, and when the first word came */
export async function ask(
  unverified: UnverifiedChannel,
  clock: Clock,
  question: string,
): Promise<{ text: string; firstMs: number }> {
  const channel = unverified.promote(unverified);
  await clock.sleep(1000);
  const headers: [string, string][] = [['content-type', 'application/json']];
  const head = { version: WIRE_VERSION, method: 'POST', path: '/v1/chat/completions', headers } as const;
  const stream = channel.request(encodeRequestHead(head));
  await Promise.all([stream.write(chatBody(question)), stream.end()]);
  await stream.head;
  let text = '';
  let firstMs = Number.NaN;
  for await (const data of parseSse(stream.body)) {
    if (data === SSE_DONE) continue;
    const { deltaText } = parseChatChunk(data);
    if (deltaText === undefined || deltaText === '') continue;
    if (text === '') firstMs = clock.nowMs();
    text += deltaText;
  }
  return { text, firstMs };
}

/** How long a person stays: every line is watched for as long, so that leaving tells nothing. */
export const WATCHED_MS = 70_000;

/** Plays a conversation in virtual time. @throws when the answer that arrived is not the one that was said */
export async function play(conversation: Conversation, profile: Profile): Promise<Observation> {
  const clock = createVirtualClock();
  const all: Seen[] = [];
  const line = createLine(clock, all, DELAY_MS);
  serve(line.node, clock, scriptedTalker(conversation, clock));
  const startMs = clock.nowMs();
  let askedMs = Number.NaN;
  let told: { text: string; firstMs: number } | undefined;
  const work = (async () => {
    const unverified = await connect(line.client, clock, profile);
    askedMs = clock.nowMs() + 1000;
    told = await ask(unverified, clock, conversation.question);
  })();
  await clock.runUntil(startMs + WATCHED_MS);
  if (told === undefined) throw new Error(`${conversation.id} was not answered in time`);
  await work;
  if (told.text !== conversation.pieces.map(({ text }) => text).join('')) throw new Error(`${conversation.id} changed`);
  const seen = all
    .filter(({ atMs }) => atMs >= askedMs - 900)
    .map(({ atMs, isUp, bytes }) => ({ atMs: atMs - askedMs, isUp, bytes }));
  const saidMs = (conversation.pieces[0]?.atMs ?? 0) + 2 * DELAY_MS;
  return { seen, firstMs: told.firstMs - askedMs, saidMs };
}

const CHUNK_ID = `chatcmpl-${'0'.repeat(24)}`;
/** A frame's head and a record's tag. */
const UNSHAPED_OVERHEAD_BYTES = 7 + 16;

/** The same conversation as others send it: one record a token, of the token's size, when it is there. */
export function playUnshaped(conversation: Conversation): Observation {
  const chunk = (delta: object, finish: string | null): number => {
    const choices = [{ index: 0, delta, finish_reason: finish }];
    const head = { id: CHUNK_ID, model: MODEL.id, created: 1_800_000_000 };
    return encodeUtf8(encodeSseEvent(JSON.stringify({ object: 'chat.completion.chunk', ...head, choices }))).length;
  };
  const up = chatBody(conversation.question).length + 100 + UNSHAPED_OVERHEAD_BYTES;
  const seen: Seen[] = [{ atMs: 0, isUp: true, bytes: up }];
  for (const { atMs, text } of conversation.pieces) {
    seen.push({ atMs: atMs + DELAY_MS, isUp: false, bytes: chunk({ content: text }, null) + UNSHAPED_OVERHEAD_BYTES });
  }
  const last = conversation.pieces.at(-1)?.atMs ?? 0;
  seen.push({ atMs: last + DELAY_MS, isUp: false, bytes: chunk({}, 'stop') + 80 + UNSHAPED_OVERHEAD_BYTES });
  const firstMs = (conversation.pieces[0]?.atMs ?? 0) + 2 * DELAY_MS;
  return { seen, firstMs, saidMs: firstMs };
}
