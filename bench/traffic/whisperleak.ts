/**
 * Ninety streams of a real service as somebody recorded them: sizes of TLS records, times between them, lengths of the
 * tokens (shared/vectors/whisperleak). The topic is money laundering; the others are questions of everybody.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Conversation, Piece } from './corpus.ts';
import type { Seen } from './world.ts';

interface Recorded {
  readonly prompt: string;
  readonly data_lengths: readonly number[];
  readonly time_diffs: readonly number[];
  readonly token_bytes: readonly number[];
}

export interface Whispered {
  readonly conversations: readonly Conversation[];
  /** What was seen of the real ones. */
  readonly recorded: readonly (readonly Seen[])[];
}

/** @returns undefined where the vectors are not */
export function readWhispers(): Whispered | undefined {
  const folder = process.env['SOTTO_VECTORS'] ?? path.join(import.meta.dirname, '../../../shared/vectors');
  const file = path.join(folder, 'whisperleak/gpt4o-sizes.shared.json');
  if (!existsSync(file)) return undefined;
  const streams = JSON.parse(readFileSync(file, 'utf8')) as Recorded[];
  const prompts = [...new Set(streams.map(({ prompt }) => prompt))];
  return {
    conversations: streams.map((stream, index) => conversationOf(stream, index, prompts.indexOf(stream.prompt))),
    recorded: streams.map(seenOf),
  };
}

function timesOf({ time_diffs: gaps }: Recorded): number[] {
  let atMs = 0;
  return gaps.map((seconds) => {
    atMs += seconds * 1000;
    return atMs;
  });
}

function seenOf(stream: Recorded): Seen[] {
  const times = timesOf(stream);
  return stream.data_lengths.map((bytes, index) => ({ atMs: times[index] ?? 0, isUp: false, bytes }));
}

/** The same words at the same times: tokens shared out over the records that brought them. */
function conversationOf(stream: Recorded, index: number, prompt: number): Conversation {
  const times = timesOf(stream);
  const { token_bytes: lengths } = stream;
  const pieces: Piece[] = lengths.map((length, token) => ({
    atMs: Math.round(times[Math.floor((token * times.length) / lengths.length)] ?? 0),
    text: 'x'.repeat(length),
  }));
  const topic = /launder/i.test(stream.prompt) ? 1 : 0;
  return { id: `whisper ${index}`, prompt, topic, usesTool: false, question: stream.prompt, pieces };
}
