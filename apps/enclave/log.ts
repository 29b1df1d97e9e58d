/**
 * The enclave's only log: one JSON object a line, of listed events and listed fields (spec/enclave.md §silence). A field is
 * a number or a code of a closed set, so that nobody's words can stand in it, by mistake or by attack.
 */
import { isEnclaveErrorCode } from './enclave-error.ts';

const EVENTS = [
  'start',
  'leave',
  'stop',
  'epoch',
  'session-open',
  'session-close',
  'request',
  'engine-restart',
  'crash',
] as const;
const NUMBERS = ['sessions', 'status', 'durationMs', 'restarts', 'port'] as const;

export type LogEvent = (typeof EVENTS)[number];
export type LogFields = { readonly [K in (typeof NUMBERS)[number]]?: number } & { readonly code?: string };
export type Log = (event: LogEvent, fields?: LogFields) => void;

/** @param write takes one line without its line break */
export function createLog(write: (line: string) => void, nowMs: () => number): Log {
  return (event, fields = {}) => write(encodeLogLine(event, fields, nowMs()));
}

/** A line of listed fields only; everything else is left out. */
export function encodeLogLine(event: LogEvent, fields: LogFields, nowMs: number): string {
  const line: Record<string, number | string> = { time: new Date(nowMs).toISOString() };
  line['event'] = EVENTS.includes(event) ? event : 'unlisted';
  for (const name of NUMBERS) {
    const value = fields[name];
    if (typeof value === 'number') line[name] = value;
  }
  const { code } = fields;
  // EN-13: a text field that takes anything is where a prompt would one day be printed.
  const listed = typeof code === 'string' && isEnclaveErrorCode(code);
  if (listed) line['code'] = code;
  return JSON.stringify(line);
}
