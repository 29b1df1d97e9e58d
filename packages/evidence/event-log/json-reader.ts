/** Reads the JSON of hostile logs: one value, capped, and each field of the type it must have. spec/evidence-tpm.md §event logs. */
import { BytesError, parseHex, parseUtf8 } from '@sotto/bytes';
import { EVENTS_LIMIT_COUNT, LOG_LIMIT_BYTES, malformedLog, tooLargeLog } from './event-log.ts';

export type JsonFields = Readonly<Record<string, unknown>>;

/** The entries of a list. @throws JudgementError `event-log-too-large`, `event-log-malformed` */
export function readJsonEntries(bytes: Uint8Array, rule: string, pick: (text: string) => unknown): JsonFields[] {
  // EV-300: the cap comes before the text is parsed.
  if (bytes.length > LOG_LIMIT_BYTES) throw tooLargeLog('the event log is longer than its limit');
  let value: unknown;
  try {
    value = pick(parseUtf8(bytes));
  } catch (error) {
    if (error instanceof BytesError || error instanceof SyntaxError) {
      throw malformedLog(rule, 'the event log is not JSON in UTF-8', error);
    }
    throw error;
  }
  // EV-310, EV-312: another value has no entries, and an empty log would be made of it.
  if (!isListOfObjects(value)) throw malformedLog(rule, 'the event log is not a list of entries');
  // EV-300: a short entry of text can still be a large one in memory.
  if (value.length > EVENTS_LIMIT_COUNT) throw tooLargeLog('the event log has too many entries');
  return value;
}

function isListOfObjects(value: unknown): value is JsonFields[] {
  return Array.isArray(value) && value.every(isObject);
}

export function isObject(value: unknown): value is JsonFields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A whole number from 0 to `limit`, or undefined. */
export function asInteger(value: unknown, limit: number): number | undefined {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= limit
    ? (value as number)
    : undefined;
}

/** Bytes behind hex in either case, or undefined. */
export function asHex(value: unknown, lengthBytes?: number): Uint8Array | undefined {
  if (typeof value !== 'string') return undefined;
  try {
    return parseHex(value.toLowerCase(), lengthBytes);
  } catch (error) {
    if (error instanceof BytesError) return undefined;
    throw error;
  }
}
