/**
 * An engine whose answers follow from the prompt alone: for tests, end-to-end runs and benchmarks, never for people. Its
 * shape is `Engine` of apps/enclave, which a test there holds it to.
 */
import { SottoError } from '@sotto/bytes';

export interface ScriptedEngineOptions {
  /** Words a second for each answer; undefined means as fast as they are read. */
  readonly tokensPerSecond?: number;
  /** Answers with this many words instead of what the prompt asks for. */
  readonly tokens?: number;
  /** Breaks after this many words, whatever the prompt says. */
  readonly crashAfterTokens?: number;
  /** Longest prompt, in words. */
  readonly contextTokens?: number;
  readonly concurrency?: number;
}

interface ScriptedRequest {
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly maxTokens: number | undefined;
  readonly signal: AbortSignal;
}

type ScriptedEvent =
  | { readonly text: string }
  | { readonly finish: 'stop' | 'length'; readonly promptTokens: number; readonly completionTokens: number };

export interface ScriptedEngine {
  readonly model: { id: string; label: string; parameters: number; contextTokens: number; starter: boolean };
  readonly concurrency: number;
  /** How many generations began, and how many of them were stopped from outside. */
  readonly counts: { started: number; stopped: number; tokens: number };
  generate(request: ScriptedRequest): AsyncIterable<ScriptedEvent>;
  close(): Promise<void>;
}

const LOREM = 'lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore'.split(
  ' ',
);

/** Every Markdown form that the app draws, so that a test can look at each. */
export const MARKDOWN_SAMPLE = [
  '# A heading\n\nA paragraph with *emphasis*, **strong** text, `code` and [a link](https://example.com).\n\n',
  '- one\n- two\n  - two and a half\n\n1. first\n2. second\n\n> A quotation.\n\n',
  '```ts\nconst answer: number = 42;\nconsole.log(answer);\n```\n\n',
  '| name | value |\n| --- | --- |\n| a | 1 |\n| b | 2 |\n\n---\n\nThe end.\n',
].join('');

/**
 * An engine that obeys the last user message: `/lorem N` answers with N words, `/markdown` with `MARKDOWN_SAMPLE`,
 * `/crash N` breaks after N words, `/slow N R` answers N words at R a second (10), `/wait N` is silent for N
 * milliseconds first; anything else is echoed as `Echo: …`.
 */
export function scriptedEngine(options: ScriptedEngineOptions = {}): ScriptedEngine {
  const contextTokens = options.contextTokens ?? 4096;
  const counts = { started: 0, stopped: 0, tokens: 0 };
  return {
    model: { id: 'scripted', label: 'Scripted (tests only)', parameters: 0, contextTokens, starter: false },
    concurrency: options.concurrency ?? 64,
    counts,
    async *generate({ messages, maxTokens, signal }) {
      const promptTokens = messages.reduce((sum, message) => sum + countWords(message.content), 0);
      if (promptTokens > contextTokens) throw new PromptTooLong(contextTokens, promptTokens);
      const script = readScript(messages.at(-1)?.content ?? '', options);
      const words = script.words.slice(0, maxTokens);
      const startMs = Date.now();
      counts.started++;
      let finished = false;
      try {
        if (script.silentMs !== undefined) await sleep(script.silentMs, signal);
        for (const [index, text] of words.entries()) {
          if (index === script.crashAfterTokens)
            throw new Error(`scripted crash while answering: ${messages.at(-1)?.content}`);
          await pause(index, startMs, script.tokensPerSecond, signal);
          if (signal.aborted) return;
          counts.tokens++;
          yield { text };
        }
        finished = true;
        const cut = words.length < script.words.length;
        yield { finish: cut ? 'length' : 'stop', promptTokens, completionTokens: words.length };
      } finally {
        if (!finished && signal.aborted) counts.stopped++;
      }
    },
    async close() {},
  };
}

/** The code by which the enclave knows it; its message quotes nothing. */
class PromptTooLong extends SottoError<'prompt-too-long'> {
  readonly limitTokens: number;
  readonly usedTokens: number;

  constructor(limitTokens: number, usedTokens: number) {
    super('prompt-too-long', 'prompt too long', { action: 'fix-input' });
    this.limitTokens = limitTokens;
    this.usedTokens = usedTokens;
  }
}

interface Script {
  readonly words: readonly string[];
  readonly crashAfterTokens: number | undefined;
  readonly tokensPerSecond: number | undefined;
  /** Before the first word. */
  readonly silentMs?: number;
}

const SCRIPT = /^\/(lorem|crash|slow|wait|markdown)(?: (\d{1,6}))?(?: (\d{1,4}))?\s*$/;

function readScript(prompt: string, options: ScriptedEngineOptions): Script {
  const { crashAfterTokens, tokensPerSecond } = options;
  const [, command = '', count = '', pace = '10'] = SCRIPT.exec(prompt) ?? [];
  const number = count === '' ? 20 : Number(count);
  if (options.tokens !== undefined) return { words: lorem(options.tokens), crashAfterTokens, tokensPerSecond };
  if (command === 'crash') return { words: lorem(number + 1), crashAfterTokens: number, tokensPerSecond };
  if (command === 'slow') return { words: lorem(number), crashAfterTokens, tokensPerSecond: Number(pace) };
  if (command === 'wait') return { words: lorem(20), crashAfterTokens, tokensPerSecond, silentMs: number };
  if (command === 'lorem') return { words: lorem(number), crashAfterTokens, tokensPerSecond };
  const text = command === 'markdown' ? MARKDOWN_SAMPLE : `Echo: ${prompt}`;
  return { words: text.match(/\s*\S+|\s+$/g) ?? [], crashAfterTokens, tokensPerSecond };
}

function lorem(count: number): string[] {
  return Array.from({ length: count }, (_, index) => (index === 0 ? '' : ' ') + LOREM[index % LOREM.length]);
}

function countWords(text: string): number {
  return text.match(/\S+/g)?.length ?? 0;
}

/** Waits until it is this word's time; unpaced, lets other work run every few words. */
async function pause(
  index: number,
  startMs: number,
  tokensPerSecond: number | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (tokensPerSecond === undefined && index % 64 !== 63) return;
  const dueMs = tokensPerSecond === undefined ? 0 : startMs + (index * 1000) / tokensPerSecond - Date.now();
  if (tokensPerSecond !== undefined && dueMs <= 0) return;
  await sleep(dueMs, signal);
}

async function sleep(delayMs: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, delayMs);
    signal.addEventListener('abort', done, { once: true });
  });
}
