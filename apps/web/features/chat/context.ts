/** Which messages a model is asked to read: as many of the newest as fit, the question always; and what a chat is called. */
import type { ChatTurn, ConversationSummary, History, ThreadMessage } from '../../shell/services.ts';

/** Tokens of a context kept free for the answer. */
const ANSWER_TOKENS = 512;
/** A rough figure for European languages; the machine counts exactly and refuses with `prompt-too-long`. */
const CHARACTERS_PER_TOKEN = 3.5;
/** What one sealed record holds (spec/vault.md), less its own fields. */
export const MESSAGE_LIMIT_BYTES = 60_000;
/** Nothing is longer than this many characters per token: past it a question cannot fit. */
const MOST_CHARACTERS_PER_TOKEN = 8;

export interface FittedTurns {
  readonly turns: readonly ChatTurn[];
  /** How many older messages were left out. */
  readonly leftOut: number;
}

/** @param instructions of a project: they come before everything, and are never left out */
export function fitTurns(
  messages: readonly Pick<ThreadMessage, 'role' | 'text'>[],
  contextTokens: number,
  instructions?: string,
): FittedTurns {
  const costOf = (text: string) => text.length / CHARACTERS_PER_TOKEN + 8;
  let free = contextTokens - Math.min(ANSWER_TOKENS, contextTokens / 3);
  if (instructions !== undefined) free -= costOf(instructions);
  const kept: ChatTurn[] = [];
  for (const message of messages.toReversed()) {
    free -= costOf(message.text);
    if (free < 0 && kept.length > 0) break;
    if (message.text !== '') kept.unshift({ role: message.role, content: message.text });
  }
  // An answer without its question reads as nonsense to a model.
  while (kept.length > 1 && kept[0]?.role === 'assistant') kept.shift();
  const leftOut = messages.filter((message) => message.text !== '').length - kept.length;
  if (instructions !== undefined) kept.unshift({ role: 'system', content: instructions });
  return { turns: kept, leftOut };
}

export type LengthVerdict =
  | { readonly kind: 'fits' }
  | { readonly kind: 'too-long'; readonly limitWords: number; readonly words: number };

/** Whether one message can be sent at all; generous, because the machine judges exactly. */
export function judgeLength(text: string, contextTokens: number | undefined): LengthVerdict {
  const limit = Math.min(MESSAGE_LIMIT_BYTES, (contextTokens ?? Number.MAX_SAFE_INTEGER) * MOST_CHARACTERS_PER_TOKEN);
  // Encoding is only paid near the limit: three bytes a UTF-16 unit is the most there can be.
  if (text.length * 3 <= limit) return { kind: 'fits' };
  if (text.length <= limit && new TextEncoder().encode(text).length <= limit) return { kind: 'fits' };
  const tokens = contextTokens ?? MESSAGE_LIMIT_BYTES / 5;
  return {
    kind: 'too-long',
    limitWords: wordsOf(tokens * 0.7),
    words: wordsOf(Math.max(text.split(/\s+/).length, text.length / 12)),
  };
}

/** A figure people can hold on to: two digits, then zeros. */
function wordsOf(count: number): number {
  const step = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, count))) - 1);
  return Math.max(1, Math.round(count / step) * step);
}

/** The title of a chat: its first words. */
export function titleOf(text: string): string {
  const line = text.slice(0, 400).trim().replace(/\s+/g, ' ');
  if (line.length <= 48) return line === '' ? 'New chat' : line;
  const cut = line.slice(0, 48);
  return `${cut.slice(0, cut.lastIndexOf(' ') > 20 ? cut.lastIndexOf(' ') : 48).replace(/[.,;:!?]+$/, '')}…`;
}

/** @returns undefined for a chat that is gone, or being deleted: CL-308, it is shown nowhere */
export function findChat(kept: History, conversationId: string): ConversationSummary | undefined {
  const found = kept.conversations().find((one) => one.conversationId === conversationId);
  return typeof found?.registers.removing?.value === 'number' ? undefined : found;
}
