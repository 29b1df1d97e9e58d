/**
 * Chat over a confer connection: text as it comes, until the event `completion` says that it is whole. The machine's answers
 * are untrusted (spec/confer.md, chat).
 */
import { parseUtf8 } from '@sotto/bytes';
import { ConferError, type ConferExchange, type ConferResponse } from '@sotto/channel/confer';
import type { Clock } from '@sotto/ports';
import { type ConferEvent, parseConferEvent } from '@sotto/wire/confer';

export type ConferChatEvent =
  | { readonly kind: 'text-delta'; readonly text: string }
  | { readonly kind: 'finish'; readonly contextTokens: number; readonly maxContextTokens: number };

/**
 * The events of one streamed answer; ends after `finish`, else throws.
 * @throws ConferError `confer-refused`, `confer-silent`, `confer-answer-…`, `confer-tools-unsupported`
 */
export async function* readChat(
  exchange: ConferExchange,
  clock: Clock,
  silenceTimeoutMs: number,
): AsyncGenerator<ConferChatEvent, void, undefined> {
  for (;;) {
    const event = parseOrThrow(parseConferEvent, (await nextAnswer(exchange, clock, silenceTimeoutMs)).body);
    if (event.kind === 'token') yield { kind: 'text-delta', text: event.content };
    if (event.kind === 'completion') {
      yield finishOf(event);
      return;
    }
  }
}

function finishOf(event: Extract<ConferEvent, { kind: 'completion' }>): ConferChatEvent {
  // CO-62: an answer that waits for a tool is not a whole one, and we offered none.
  if (event.isPending) throw new ConferError('confer-tools-unsupported', { rule: 'CO-62' });
  return { kind: 'finish', contextTokens: event.contextTokens, maxContextTokens: event.maxContextTokens };
}

/** The text of an answer that comes in one piece. */
export async function readWhole(exchange: ConferExchange, clock: Clock, silenceTimeoutMs: number): Promise<string> {
  return parseOrThrow(parseUtf8, (await nextAnswer(exchange, clock, silenceTimeoutMs)).body);
}

/** The next answer with status 200. */
async function nextAnswer(exchange: ConferExchange, clock: Clock, silenceTimeoutMs: number): Promise<ConferResponse> {
  const stop = new AbortController();
  const silence = clock.sleep(silenceTimeoutMs, stop.signal).then(() => {
    // CO-63: a chat that fails behind the machine's proxy is never answered, not even with an error.
    throw new ConferError('confer-silent', { rule: 'CO-63' });
  });
  try {
    const response = await Promise.race([exchange.next(), silence]);
    const { status } = response;
    // CO-61: an error's text must never be read as words of the answer.
    if (status !== 200) throw new ConferError('confer-refused', { rule: 'CO-61', status });
    return response;
  } catch (error) {
    const isLost = error instanceof ConferError && (error.code === 'confer-lost' || error.code === 'confer-closed');
    // CO-60: there is no end but `completion`; what stops before it is half an answer.
    if (isLost) throw new ConferError('confer-answer-cut', { rule: 'CO-60', cause: error });
    throw error;
  } finally {
    stop.abort(new ConferError('confer-closed'));
    silence.catch(() => undefined);
  }
}

/** What parsing refuses becomes one error of ours: which byte was wrong is of no use to anybody. */
function parseOrThrow<Value>(parse: (bytes: Uint8Array) => Value, body: Uint8Array): Value {
  try {
    return parse(body);
  } catch (cause) {
    throw new ConferError('confer-answer-malformed', { rule: 'CO-64', cause });
  }
}
