/**
 * Markdown of an answer as tokens, built while it streams. The model's text is untrusted: it becomes tokens for our own
 * renderer, never HTML. Blocks before the last one of the complete lines cannot change any more: they are kept and only
 * the rest is lexed again, so the cost of an update does not grow with the answer.
 */
import { Lexer, type Token, Tokenizer, type Tokens, type TokensList } from 'marked';

export interface MarkdownBlocks {
  /** Top-level tokens; a settled one keeps its identity from update to update. */
  readonly tokens: readonly Token[];
  /** How many of them are settled. */
  readonly settled: number;
}

export interface MarkdownStream {
  /** @param text the whole text so far; must continue the text of the call before, else everything is lexed anew */
  update(text: string): MarkdownBlocks;
}

/** Quotes in lists in quotes, emphasis in links in emphasis: no honest answer is deeper. */
const DEEPEST = 16;

/**
 * `marked` calls itself for each level, so a row of ten thousand `>` would end the page, and end it again whenever that chat
 * is opened. What is deeper than `DEEPEST` stays as it was written.
 */
class BoundedLexer extends Lexer {
  #depth = 0;

  override blockTokens(src: string, tokens: Token[] = [], lastParagraphClipped?: boolean): TokensList {
    const read = () => super.blockTokens(src, tokens, lastParagraphClipped);
    return this.#within(src, tokens, 'as-written', read) as TokensList;
  }

  override inlineTokens(src: string, tokens: Token[] = []): Token[] {
    return this.#within(src, tokens, 'escape', () => super.inlineTokens(src, tokens));
  }

  #within(src: string, tokens: Token[], kind: string, read: () => Token[]): Token[] {
    if (this.#depth >= DEEPEST) {
      tokens.push({ type: kind, raw: src, text: src });
      return tokens;
    }
    this.#depth++;
    try {
      return read();
    } finally {
      this.#depth--;
    }
  }
}

/** A heading in two lines is not longer. */
const HEADING_REACH = 1000;

/**
 * Inside a list `marked` looks for the underline of a heading in all of the rest at each line, so an item that goes on for
 * ten thousand lines, as a model in a loop writes it, would stop the page for seconds. Here it looks only so far.
 */
class BoundedTokenizer extends Tokenizer {
  override lheading(src: string): Tokens.Heading | undefined {
    if (src.length <= HEADING_REACH) return super.lheading(src);
    return super.lheading(src.slice(0, src.lastIndexOf('\n', HEADING_REACH) + 1));
  }
}

function lex(text: string): Token[] {
  return new BoundedLexer({ gfm: true, tokenizer: new BoundedTokenizer() }).lex(text);
}

/** The reading of a whole text at once: what a stream must end up with. */
export function lexMarkdown(text: string): Token[] {
  return lex(normalized(text));
}

export function createMarkdownStream(): MarkdownStream {
  let seen = '';
  let settled: Token[] = [];
  let settledLength = 0;

  const restart = () => {
    settled = [];
    settledLength = 0;
  };

  return {
    update: (given) => {
      const text = normalized(given);
      if (!text.startsWith(seen)) restart();
      seen = text;

      const lineEnd = text.lastIndexOf('\n') + 1;
      const complete = lex(text.slice(settledLength, lineEnd));
      // A link definition speaks about text anywhere: such a rare answer is lexed whole each time.
      if (hasDefinition(complete) || hasDefinition(settled)) {
        restart();
        return { tokens: lexMarkdown(text), settled: 0 };
      }
      for (const token of complete.slice(0, settledCount(complete))) {
        settled.push(token);
        settledLength += token.raw.length;
      }
      const tail = lexMarkdown(text.slice(settledLength));
      if (hasDefinition(tail)) return { tokens: lexMarkdown(text), settled: 0 };
      return { tokens: [...settled, ...tail], settled: settled.length };
    },
  };
}

/** Everything before the last block, if an empty line ends it: without one, marked may still join the two (setext headings). */
function settledCount(tokens: readonly Token[]): number {
  let count = tokens.findLastIndex((token) => token.type !== 'space');
  while (count > 0 && !/\n[ \t]*\n$/.test(tokens[count - 1]?.raw ?? '') && tokens[count - 1]?.type !== 'space') count--;
  return Math.max(count, 0);
}

function normalized(text: string): string {
  return text.replace(/\r\n?/g, '\n');
}

function hasDefinition(tokens: readonly Token[]): boolean {
  return tokens.some((token: Tokens.Generic) => {
    const inner = [...(token.tokens ?? []), ...((token.items as Token[] | undefined) ?? [])];
    return token.type === 'def' || hasDefinition(inner);
  });
}
