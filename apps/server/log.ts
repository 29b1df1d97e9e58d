/**
 * The server's log: one JSON object a line, written from an allow-list of fields (decision 2026-11-21, fewer parts). It has no
 * field for content, addresses, tokens or whole ids, so nothing of the kind can be written by mistake.
 */
import type { Clock } from '@sotto/ports';

/** Everything a line may say besides its time. */
export interface LogFields {
  readonly event: string;
  readonly level?: 'info' | 'warn' | 'error';
  readonly method?: string;
  /** The pattern, such as `/api/records/:recordId`; never the path that was asked for. */
  readonly route?: string;
  readonly status?: number;
  readonly durationMs?: number;
  /** An error's code. */
  readonly code?: string;
  /** The class of a failure that has no code of ours; never its text. */
  readonly errorName?: string;
  /** An account or guest id; a line holds its first 8 hex digits. */
  readonly subject?: string;
  readonly frames?: number;
  readonly bytes?: number;
  readonly count?: number;
}

const NUMBERS = new Set(['status', 'durationMs', 'frames', 'bytes', 'count']);
const WORDS = new Set(['event', 'level', 'method', 'route', 'code', 'errorName', 'subject']);
/** Every field that a line can have. */
export const LOG_FIELDS: readonly string[] = ['time', ...WORDS, ...NUMBERS];
const WORD = /^[\w:/*.-]{1,64}$/;
const SUBJECT_CHARACTERS = 8;
const KEPT_LINES = 1000;

export interface Log {
  write(fields: LogFields): void;
  /** The newest kept lines that name this account or guest, oldest first. */
  linesOf(subjectId: string): readonly string[];
}

/** @param sink receives each line without its newline */
export function createLog(clock: Clock, sink: (line: string) => void): Log {
  const kept: { subject: string | undefined; line: string }[] = [];
  return {
    write(fields) {
      const entry: Record<string, unknown> = { time: new Date(clock.nowMs()).toISOString() };
      for (const [name, value] of Object.entries(fields)) {
        // SV-26: a field outside the list, or a value that is no short word or number, may be what somebody wrote.
        if (!isAllowed(name, value)) continue;
        entry[name] = name === 'subject' ? String(value).slice(0, SUBJECT_CHARACTERS) : value;
      }
      const line = JSON.stringify(entry);
      // Whole: account ids are chosen by clients, who may choose one that begins like another's.
      kept.push({ subject: fields.subject, line });
      if (kept.length > KEPT_LINES) kept.shift();
      sink(line);
    },
    linesOf: (subjectId) =>
      // SV-24: the first digits alone would show the lines of whoever shares them.
      kept.filter(({ subject }) => subject === subjectId).map(({ line }) => line),
  };
}

function isAllowed(name: string, value: unknown): boolean {
  if (NUMBERS.has(name)) return typeof value === 'number' && Number.isFinite(value);
  return WORDS.has(name) && typeof value === 'string' && WORD.test(value);
}
