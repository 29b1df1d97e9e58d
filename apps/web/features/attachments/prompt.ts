/** What the model gets of files: the text of text files, inside the channel with the question, as much as fits; of others, that they are there. */
import { type Attachment, parseAttachments } from '@sotto/client/attachments';
import type { ThreadMessage } from '../../shell/services.ts';
import type { Files } from './files.ts';
import { kindOf } from './kinds.ts';
import { reasonOf, w } from './words.ts';

/** Of what the model reads at once, for files and the words around them; the rest is the answer's. */
const SHARE = 0.8;
const CHARACTERS_PER_TOKEN = 3.5;
/** UTF-8 takes at most this many bytes for one UTF-16 unit. */
const BYTES_PER_CHARACTER = 3;

export interface ReadMessages {
  readonly messages: readonly ThreadMessage[];
  /** What was cut or could not be read, in words. */
  readonly notes: readonly string[];
}

/** The same messages, with the texts of their files before their words; newest first have the room. */
export async function readFiles(
  files: () => Promise<Files>,
  conversationId: string,
  messages: readonly ThreadMessage[],
  contextTokens: number,
): Promise<ReadMessages> {
  let room = contextTokens * CHARACTERS_PER_TOKEN * SHARE - (messages.at(-1)?.text.length ?? 0);
  const notes: string[] = [];
  const read: ThreadMessage[] = [];
  for (const message of messages.toReversed()) {
    const texts: string[] = [];
    for (const attachment of parseAttachments(message.attachments)) {
      const { text, note } = await textOf(await files(), conversationId, attachment, Math.max(0, room));
      room -= text.length;
      texts.push(text);
      if (note !== undefined) notes.push(note);
    }
    read.unshift(texts.length === 0 ? message : { ...message, text: [...texts, message.text].join('\n\n').trim() });
  }
  return { messages: read, notes };
}

async function textOf(
  { attachments }: Files,
  conversationId: string,
  attachment: Attachment,
  room: number,
): Promise<{ text: string; note?: string }> {
  const name = attachment.name.replace(/[\p{Cc}"`]/gu, ' ');
  const kind = kindOf(attachment);
  if (kind !== 'text') return { text: `[${kind === 'picture' ? 'Picture' : 'File'} "${name}": not shown to you]` };
  const limit = Math.floor(room) - 2 * name.length - 60;
  if (limit < 200) return { text: `[File "${name}": left out]`, note: w('cut.all', { name }) };
  let bytes: Uint8Array;
  try {
    bytes = await attachments.read(attachment, conversationId, limit * BYTES_PER_CHARACTER);
  } catch (cause) {
    return { text: `[File "${name}": could not be read]`, note: w('cut.absent', { name, reason: reasonOf(cause) }) };
  }
  const isWhole = bytes.length === attachment.bytes;
  const all = decode(bytes, isWhole);
  if (all === undefined) return { text: `[File "${name}": not text]`, note: w('cut.unreadable', { name }) };
  const shown = all.slice(0, limit).toWellFormed();
  const fence = '`'.repeat(Math.max(3, ...(shown.match(/`+/g) ?? []).map((run) => run.length + 1)));
  const text = `File "${name}"${shown.length < all.length || !isWhole ? ' (its beginning)' : ''}:\n${fence}\n${shown}\n${fence}`;
  if (shown.length === all.length && isWhole) return { text };
  const whole = isWhole ? all.length : Math.round((attachment.bytes / bytes.length) * all.length);
  return {
    text,
    note: w('cut.some', { name, shown: shown.length.toLocaleString('en'), all: whole.toLocaleString('en') }),
  };
}

/** @returns undefined for what is no UTF-8 text; a last character that was cut off is left out */
function decode(bytes: Uint8Array, isWhole: boolean): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: !isWhole });
    return text.includes('\u0000') ? undefined : text;
  } catch {
    return undefined;
  }
}
