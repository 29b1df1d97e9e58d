/**
 * Server-sent events (WHATWG HTML §9.2), the part that chat streams use: `data` lines, comments, blank lines. spec/wire.md §events.
 * The bytes come from a node or an engine, in pieces of any size, and are untrusted.
 */
import { WireError } from './error.ts';

const LINE_LIMIT_LENGTH = 1024 * 1024;
const EVENT_LIMIT_LENGTH = 2 * 1024 * 1024;

/**
 * The data of each event, in order. Lines end in LF or CRLF.
 *
 * @throws WireError `wire-too-large` (a line above 1 MiB, an event above 2 MiB), `wire-malformed` (not UTF-8),
 * `wire-truncated` (the stream ends inside an event)
 */
export async function* parseSse(stream: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let pending = '';
  let event: string | undefined;
  for await (const chunk of stream) {
    const [first, ...more] = decodeUtf8(decoder, chunk).split('\n');
    const lines = [pending + first, ...more];
    pending = lines.pop() as string;
    for (const line of [...lines, pending]) {
      // WI-22: a line without an end would be held without an end.
      if (line.length > LINE_LIMIT_LENGTH) throw new WireError('wire-too-large', 'a line is too long', 'WI-22');
    }
    for (const line of lines) {
      const text = line.endsWith('\r') ? line.slice(0, -1) : line;
      if (text === '') {
        if (event !== undefined) yield event;
        event = undefined;
        continue;
      }
      const data = dataOf(text);
      if (data === undefined) continue;
      event = event === undefined ? data : `${event}\n${data}`;
      // WI-23: many short lines are as heavy as one long line.
      if (event.length > EVENT_LIMIT_LENGTH) throw new WireError('wire-too-large', 'an event is too long', 'WI-23');
    }
  }
  const unfinished = pending !== '' || event !== undefined || decodeUtf8(decoder) !== '';
  // WI-24: half an event at the end means that the rest was cut off, and half an answer must not look whole.
  if (unfinished) throw new WireError('wire-truncated', 'the stream ends inside an event', 'WI-24');
}

/** One event as the node writes it; `data` holds no line break. */
export function encodeSseEvent(data: string): string {
  return `data: ${data}\n\n`;
}

function dataOf(line: string): string | undefined {
  if (!line.startsWith('data:')) return undefined;
  return line.slice(line.startsWith('data: ') ? 6 : 5);
}

function decodeUtf8(decoder: InstanceType<typeof TextDecoder>, chunk?: Uint8Array): string {
  try {
    return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
  } catch {
    throw new WireError('wire-malformed', 'the stream is not UTF-8', 'WI-07');
  }
}
