/**
 * The oldest attack on token streams: read the length of each token off its record (Weiss and others, 2024), then let a
 * language model guess the words. Here the first half is measured: how many token lengths an eavesdropper gets right.
 */
import type { Conversation } from './corpus.ts';
import type { Seen } from './world.ts';

/** What one token's record adds to the token, as one who uses the service once has learned it. */
function learnOverhead(conversation: Conversation, seen: readonly Seen[]): number {
  const sizes = seen.filter(({ isUp }) => !isUp).map(({ bytes }) => bytes);
  const counts = new Map<number, number>();
  for (const [index, { text }] of conversation.pieces.entries()) {
    const overhead = (sizes[index] ?? 0) - text.length;
    counts.set(overhead, (counts.get(overhead) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 0;
}

/** The length that most tokens have: what one guesses who sees nothing. */
function commonLength(conversations: readonly Conversation[]): number {
  const counts = new Map<number, number>();
  for (const { pieces } of conversations)
    for (const { text } of pieces) counts.set(text.length, (counts.get(text.length) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 0;
}

export interface Reconstruction {
  /** Of all token lengths, read off the records. */
  readonly right: number;
  /** Of all token lengths, guessed without looking. */
  readonly blind: number;
}

/** @returns shares between 0 and 1 */
export function reconstruct(
  conversations: readonly Conversation[],
  observed: readonly (readonly Seen[])[],
): Reconstruction {
  const [first, firstSeen] = [conversations[0], observed[0]];
  if (first === undefined || firstSeen === undefined) return { right: Number.NaN, blind: Number.NaN };
  const overhead = learnOverhead(first, firstSeen);
  const common = commonLength(conversations);
  let [right, blind, all] = [0, 0, 0];
  for (const [index, { pieces }] of conversations.entries()) {
    const sizes = (observed[index] ?? []).filter(({ isUp }) => !isUp).map(({ bytes }) => bytes);
    for (const [token, { text }] of pieces.entries()) {
      all += 1;
      if ((sizes[token] ?? 0) - overhead === text.length) right += 1;
      if (text.length === common) blind += 1;
    }
  }
  return { right: right / all, blind: blind / all };
}
