/** Many cases in one process: a line in, a line out as soon as it is judged. A bad line spoils no other. */
import { parseJson } from './input.ts';
import { type Json, Malformed, type Outcome, outcomeOf } from './outcome.ts';
import { judge } from './stages.ts';

/** The longest line there may be: several times the longest case (a node's evidence with all its collateral). */
export const LINE_LIMIT_BYTES = 64 * 1024 * 1024;

const NEWLINE = 0x0a;

/** The lines of a stream of bytes, without their ends; undefined stands for one that is too long, which is not kept. */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
  limitBytes = LINE_LIMIT_BYTES,
): AsyncGenerator<Uint8Array | undefined> {
  let parts: Uint8Array[] = [];
  let length = 0;
  let isTooLong = false;
  const take = (): Uint8Array | undefined => {
    const line = isTooLong ? undefined : Buffer.concat(parts);
    [parts, length, isTooLong] = [[], 0, false];
    return line;
  };
  const keep = (part: Uint8Array): void => {
    length += part.length;
    // CF-08: without a limit one line without an end would take all the memory there is.
    if (length > limitBytes) [parts, isTooLong] = [[], true];
    else parts.push(part);
  };
  for await (const chunk of chunks) {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      keep(chunk.subarray(from, at));
      from = at + 1;
      yield take();
    }
    if (from < chunk.length) keep(chunk.subarray(from));
  }
  if (length > 0) yield take();
}

/** Judges the lines one after the other; each answer is a line, without its end. */
export async function* judgeLines(lines: AsyncIterable<Uint8Array | undefined>): AsyncGenerator<string> {
  for await (const line of lines) {
    const { id, outcome } = await judgeLine(line);
    yield JSON.stringify({ id, exit: outcome.exit, output: outcome.output });
  }
}

async function judgeLine(line: Uint8Array | undefined): Promise<{ id: Json; outcome: Outcome }> {
  let id: Json = null;
  try {
    const value = line === undefined ? undefined : parseJson(line);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    const fields = isObject ? (value as Record<string, unknown>) : {};
    if (typeof fields.id === 'string' || Number.isFinite(fields.id)) id = fields.id as string | number;
    const { stage, input, ...rest } = fields;
    const isLine = id !== null && typeof stage === 'string' && input !== undefined && Object.keys(rest).length === 1;
    // CF-06: a line that is guessed at would be judged as a case that nobody asked for.
    if (!isLine) throw new Malformed('input-unreadable', 'CF-06', 'the line is not {"id", "stage", "input"}');
    return { id, outcome: await judge(stage as string, () => input) };
  } catch (error) {
    return { id, outcome: outcomeOf(error) };
  }
}
