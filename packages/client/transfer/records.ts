/** From a chat of a file to records of this history (spec/client.md "Taking chats along"). */
import {
  CONTENT_LIMIT_BYTES,
  type ConversationContent,
  encodeRecordContent,
  type MessageContent,
  type RecordContent,
  VaultError,
} from '@sotto/vault';
import type { ForeignChat, ForeignFile, LeaveOut } from './foreign.ts';

export interface NewRecord {
  readonly recordId: string;
  readonly content: RecordContent;
  /** What goes with it, and is attached when it is written. */
  readonly files?: readonly ForeignFile[];
}

export interface RecordsOfChat {
  readonly description: NewRecord | undefined;
  readonly messages: readonly NewRecord[];
  /** Messages that were too long for one record, and became several. */
  readonly divided: number;
}

export interface RecordNames {
  readonly conversationId: string;
  /** Hex of the 16-byte id of the device that writes. */
  readonly deviceId: string;
  readonly descriptionId: string;
  /** @param part 0 for the first, or only, record of a message */
  idOf(sourceId: string, part: number): string;
}

const TITLE_LIMIT = 500;
/** Of one piece of a text, as it is spelled in a record; leaves room for every other field. */
const PIECE_BYTES = 60_000;

export function toRecords(chat: ForeignChat, names: RecordNames, nowMs: number, leaveOut: LeaveOut): RecordsOfChat {
  // CL-288: a clock that a file sets would stand above every later write of every device
  const past = (ms: number) => Math.max(1, Math.min(ms, nowMs - 1));
  const pieces = new Map(chat.messages.map(({ sourceId, text }) => [sourceId, divide(text.toWellFormed())]));
  const lastIdOf = (sourceId: string) => names.idOf(sourceId, (pieces.get(sourceId)?.length ?? 1) - 1);
  const greatest = chat.messages.reduce(
    (most, { clock, createdAtMs }) => Math.max(most, past(clock ?? createdAtMs)),
    1,
  );
  const messages: NewRecord[] = [];
  let divided = 0;
  for (const { sourceId, parents, clock, createdAtMs, fields, files, text: _, ...known } of chat.messages) {
    const texts = pieces.get(sourceId) ?? [];
    const contents = texts.map(
      (text, part): NewRecord => ({
        recordId: names.idOf(sourceId, part),
        ...(part > 0 || files === undefined ? {} : { files }),
        content: {
          type: 'message',
          ...known,
          ...(known.model === undefined ? {} : { model: known.model.toWellFormed() }),
          // CL-289: what was shown there is the newest here, and so is shown
          clock: sourceId === chat.shownId ? Math.min(greatest + 1, nowMs) : past(clock ?? createdAtMs),
          conversationId: names.conversationId,
          parents: part === 0 ? parents.map(lastIdOf) : [names.idOf(sourceId, part - 1)],
          text,
          createdAtMs: past(createdAtMs),
          ...(fields === undefined ? {} : { unknownFields: fields }),
        } satisfies MessageContent,
      }),
    );
    if (!contents.every(({ content }) => isStorable(content))) leaveOut('unreadable');
    else {
      messages.push(...contents);
      if (contents.length > 1) divided++;
    }
  }
  const registers = Object.entries(chat.registers).map(([name, { value, clock }]) => {
    const shown = name === 'title' && typeof value === 'string' ? value.slice(0, TITLE_LIMIT).toWellFormed() : value;
    return [name, { value: shown, clock: past(clock), deviceId: names.deviceId }];
  });
  const content: ConversationContent = {
    type: 'conversation',
    clock: Math.min(greatest, nowMs - 1),
    conversationId: names.conversationId,
    createdAtMs: past(chat.createdAtMs),
    registers: Object.fromEntries(registers),
  };
  const description = isStorable(content) ? { recordId: names.descriptionId, content } : leaveOut('unreadable');
  return { description, messages, divided };
}

/** The vault's own reader decides what a record may hold. */
function isStorable(content: RecordContent): boolean {
  try {
    return encodeRecordContent(content).length <= CONTENT_LIMIT_BYTES;
  } catch (error) {
    // CL-285: one odd message must not cost a person the others
    if (error instanceof VaultError) return false;
    throw error;
  }
}

/** Whole characters, at most PIECE_BYTES each as JSON spells them. */
function divide(text: string): string[] {
  if (text.length * 6 <= PIECE_BYTES) return [text];
  const texts: string[] = [];
  let from = 0;
  let at = 0;
  let bytes = 0;
  for (const character of text) {
    const more = costOf(character);
    // CL-291: a record holds no more, and nothing is cut
    if (bytes + more > PIECE_BYTES) {
      texts.push(text.slice(from, at));
      from = at;
      bytes = 0;
    }
    bytes += more;
    at += character.length;
  }
  return [...texts, text.slice(from)];
}

function costOf(character: string): number {
  const point = character.codePointAt(0) as number;
  if (point < 0x20) return 6;
  if (point < 0x80) return point === 0x22 || point === 0x5c ? 2 : 1;
  if (point < 0x800) return 2;
  return point < 0x10000 ? 3 : 4;
}
