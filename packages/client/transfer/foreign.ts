/** Chats of a file, once parsed and before they have ids here. Every text is the file's; ids of it are only compared. */
import type { JsonObject, JsonValue, MessageRole, MessageStatus } from '@sotto/vault';

export interface ForeignMessage {
  readonly sourceId: string;
  /** Source ids; the first counts. */
  readonly parents: readonly string[];
  readonly role: MessageRole;
  readonly text: string;
  readonly status: MessageStatus;
  readonly model?: string;
  readonly createdAtMs: number;
  /** Of the last write; absent in files that know none. */
  readonly clock?: number;
  /** What a later version wrote, kept as it is. */
  readonly fields?: JsonObject;
}

export interface ForeignChat {
  readonly source: 'sotto' | 'chatgpt';
  readonly sourceId: string;
  readonly createdAtMs: number;
  /** `title`, and what later versions keep with a chat. */
  readonly registers: Readonly<Record<string, { readonly value: JsonValue; readonly clock: number }>>;
  readonly messages: readonly ForeignMessage[];
  /** The message that was shown last, where the file says so. */
  readonly shownId?: string;
}

/** What was met and not taken, by kind; `hidden` are the other program's own instructions. */
export const LEFT_OUT_KINDS = ['images', 'files', 'tools', 'reasoning', 'hidden', 'unreadable'] as const;
export type LeftOutKind = (typeof LEFT_OUT_KINDS)[number];

/** Takes note of what is left out; returns what stands in its place. */
export type LeaveOut = (kind: LeftOutKind, count?: number) => undefined;

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export const stringOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** Whole milliseconds since 1970, or undefined. */
export function timeOf(value: unknown, unitMs: 1 | 1000): number | undefined {
  if (typeof value !== 'number' || !(value > 0)) return undefined;
  const ms = Math.floor(value * unitMs);
  return Number.isSafeInteger(ms) ? ms : undefined;
}
