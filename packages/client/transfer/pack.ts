/**
 * A history as one ZIP file: the open form, which can be imported again, and each chat as Markdown to read (spec/client.md "Taking chats
 * along"). It is readable by whoever has it: what was sealed leaves its seal here, because its owner asked for it.
 */
import { encodeUtf8 } from '@sotto/bytes';
import { type Conversation, type OpenedRecord, thread } from '@sotto/vault';
import { conversationsOf, toExport } from './own-format.ts';
import { writeZip } from './zip-writer.ts';

export const EXPORT_FILE = 'sotto-export.json';

export interface PackedHistory {
  readonly zip: Uint8Array<ArrayBuffer>;
  readonly conversations: number;
  readonly messages: number;
}

const NAMES = { system: 'System', user: 'You', assistant: 'Assistant' } as const;

export function packHistory(records: Iterable<OpenedRecord>, nowMs: number): PackedHistory {
  const conversations = conversationsOf(records);
  const json = encodeUtf8(`${JSON.stringify(toExport(conversations, nowMs), undefined, 1)}\n`);
  const chats = conversations.map((conversation, i) => ({
    name: `chats/${String(i + 1).padStart(5, '0')} ${fileNameOf(conversation.title)}.md`,
    bytes: encodeUtf8(toMarkdown(conversation)),
  }));
  return {
    zip: writeZip([{ name: EXPORT_FILE, bytes: json }, ...chats]),
    conversations: conversations.length,
    messages: conversations.reduce((sum, { messages }) => sum + messages.size, 0),
  };
}

/** The branch that is shown, oldest first; other branches stand in the open form. */
export function toMarkdown(conversation: Conversation): string {
  const messages = thread(conversation).map(({ node: { recordId, content }, siblingIds }) => {
    const at = new Date(Math.min(content.createdAtMs, 8.64e15)).toISOString().slice(0, 16).replace('T', ' ');
    const version =
      siblingIds.length > 1 ? `, version ${siblingIds.indexOf(recordId) + 1} of ${siblingIds.length}` : '';
    const model = content.model === undefined ? '' : `, ${content.model}`;
    const status = content.status === 'complete' ? '' : ', not complete';
    return `## ${NAMES[content.role]}\n\n_${at} UTC${model}${version}${status}_\n\n${content.text}\n`;
  });
  return [`# ${conversation.title || 'Chat'}\n`, ...messages].join('\n').toWellFormed();
}

/** What every file system takes as a name, of a title that may be anything. */
function fileNameOf(title: string): string {
  const clean = title
    .toWellFormed()
    .replace(/[^\p{L}\p{N} _-]/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return [...clean].slice(0, 60).join('').trim() || 'Chat';
}
