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
  /** What goes with it and is in the same files; at most `FILES_LIMIT`. */
  readonly files?: readonly ForeignFile[];
}

/** A picture or a file beside the chats. */
export interface ForeignFile {
  readonly kind: 'images' | 'files';
  readonly name: string;
  readonly mediaType: string;
  readonly bytes: number;
  /** @throws TransferError when it is not whole */
  pieces(): AsyncIterable<Uint8Array<ArrayBuffer>>;
}

/** Of one message. */
export const FILES_LIMIT = 10;

/** Finds what chats name, in the files that are imported: by the whole name of an entry, or by the id with which it begins. */
export type FindFile = (nameOrId: string) => FoundFile | undefined;

export interface FoundFile extends Pick<ForeignFile, 'bytes' | 'pieces'> {
  readonly entryName: string;
}

export type Source = 'sotto' | 'chatgpt' | 'claude';

export interface ForeignChat {
  readonly source: Source;
  readonly sourceId: string;
  readonly createdAtMs: number;
  /** The source id of the folder or project it stands in. */
  readonly folder?: string;
  /** `title`, and what later versions keep with a chat. */
  readonly registers: Readonly<Record<string, { readonly value: JsonValue; readonly clock: number }>>;
  readonly messages: readonly ForeignMessage[];
  /** The message that was shown last, where the file says so. */
  readonly shownId?: string;
}

/** A folder or a project. */
export interface ForeignFolder {
  readonly source: Source;
  readonly sourceId: string;
  /** Empty where the file does not say. */
  readonly name: string;
  readonly instructions: string;
  readonly createdAtMs: number;
  /** Of Sotto's own: order, and what later versions keep with a folder. */
  readonly registers?: ForeignChat['registers'];
}

/** What the other program remembered of the person, as one text. */
export interface ForeignMemory {
  readonly source: Source;
  readonly text: string;
  /** The source id of the project it is about. */
  readonly folder?: string;
}

/** What one JSON text holds. */
export interface ForeignItems {
  readonly chats: readonly ForeignChat[];
  readonly folders: readonly ForeignFolder[];
  readonly memories: readonly ForeignMemory[];
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

/** The nearest message that was taken, from one upwards; each is walked once, and a circle ends. */
export function nearestTaken(parentOf: (id: string) => string | undefined, taken: ReadonlyMap<string, unknown>) {
  const known = new Map<string, string | undefined>();
  return (start: string | undefined): string | undefined => {
    const path: string[] = [];
    let at = start;
    while (at !== undefined && !taken.has(at) && !known.has(at)) {
      path.push(at);
      known.set(at, undefined);
      at = parentOf(at);
    }
    const found = at !== undefined && taken.has(at) ? at : known.get(at ?? '');
    for (const id of path) known.set(id, found);
    return found;
  };
}
