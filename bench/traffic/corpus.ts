/**
 * The conversations that are attacked: fifty prompts of two topics, each asked many times. The topics differ in the length
 * of their answers and in the time to the first word, prompts differ in everything an eavesdropper could use, and two in
 * five use a tool. Lengths are those of real chat answers: 90 streams of GPT-4o have a median of 325 tokens and a longest
 * of 622 (shared/vectors/whisperleak); these have a median near 300 and a longest of 1,200, at 50 tokens a second.
 */
import { createDraw, type Draw } from './random.ts';

export interface Piece {
  /** After the request's acceptance. */
  readonly atMs: number;
  readonly text: string;
}

export interface Conversation {
  readonly id: string;
  readonly prompt: number;
  readonly topic: number;
  readonly usesTool: boolean;
  readonly question: string;
  readonly pieces: readonly Piece[];
}

export const PROMPTS = 50;
const MOST_TOKENS = 1200;
const TOKENS_PER_SECOND = 50;

const TOPICS = [
  { tokens: 400, firstMs: 550, letters: 4.6, question: 150 },
  { tokens: 200, firstMs: 250, letters: 4.0, question: 80 },
] as const;

interface Prompt {
  readonly topic: number;
  readonly usesTool: boolean;
  readonly question: string;
  readonly tokens: number;
  readonly firstMs: number;
  /** Token lengths of the answer that the model tends to. */
  readonly lengths: readonly number[];
  /** Where the tool is called, as a token's number. */
  readonly toolAt: number;
}

const LETTERS = 'etaoinshrdlucmfwypvbgkqjxz';

function textOf(length: number, draw: Draw): string {
  let text = ' ';
  while (text.length < length) text += LETTERS[Math.floor(26 * draw.next() * draw.next())];
  return text;
}

function drawLength(letters: number, draw: Draw): number {
  return Math.max(1, Math.min(16, Math.round(letters * draw.spread(0.5))));
}

function createPrompt(index: number, seed: number): Prompt {
  const draw = createDraw(seed * 1000 + index);
  const topic = index % 2;
  const { tokens, firstMs, letters, question } = TOPICS[topic] as (typeof TOPICS)[number];
  return {
    topic,
    usesTool: index % 10 < 4,
    question: textOf(Math.round(question * draw.spread(0.4)), draw).trim(),
    tokens: tokens * draw.spread(0.3),
    firstMs: firstMs * draw.spread(0.3),
    lengths: Array.from({ length: MOST_TOKENS }, () => drawLength(letters, draw)),
    toolAt: Math.floor(draw.next() * 12),
  };
}

/** One answer to `prompt`, as a model with some temperature and a machine with other work give it. */
function createConversation(prompt: Prompt, index: number, trial: number, seed: number): Conversation {
  const draw = createDraw(seed * 1_000_003 + index * 10_007 + trial);
  const count = Math.max(20, Math.min(MOST_TOKENS, Math.round(prompt.tokens * draw.spread(0.25))));
  const stepMs = (1000 / TOKENS_PER_SECOND) * draw.spread(0.1);
  const { letters } = TOPICS[prompt.topic] as (typeof TOPICS)[number];
  const pieces: Piece[] = [];
  let atMs = prompt.firstMs * draw.spread(0.2);
  for (let token = 0; token < count; token++) {
    if (prompt.usesTool && token === prompt.toolAt) atMs += 800 + 2400 * draw.next();
    const isOwn = draw.next() < 0.3;
    const length = isOwn ? drawLength(letters, draw) : (prompt.lengths[token] as number);
    pieces.push({ atMs: Math.round(atMs), text: textOf(length, draw) });
    atMs += stepMs * (0.6 + 0.8 * draw.next()) + (draw.next() < 0.01 ? 60 + 140 * draw.next() : 0);
  }
  const { topic, usesTool, question } = prompt;
  return { id: `${index}/${trial}`, prompt: index, topic, usesTool, question, pieces };
}

/** @param trials how often each of the fifty prompts is asked */
export function createCorpus(trials: number, seed = 1): Conversation[] {
  const prompts = Array.from({ length: PROMPTS }, (_, index) => createPrompt(index, seed));
  return prompts.flatMap((prompt, index) =>
    Array.from({ length: trials }, (_, trial) => createConversation(prompt, index, trial, seed)),
  );
}
