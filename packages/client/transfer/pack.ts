/**
 * A history as one ZIP file: the open form, which can be imported again, and each chat as Markdown to read (spec/client.md "Taking chats
 * along"). It is readable by whoever has it: what was sealed leaves its seal here, because its owner asked for it.
 */
import { concatBytes, encodeUtf8 } from '@sotto/bytes';
import { buildConversations, type Conversation, thread } from '@sotto/vault';
import type { WholeConversation } from '../history.ts';
import { EXPORT_FORMAT, exportConversation } from './own-format.ts';
import { writeZip } from './zip-writer.ts';

export const EXPORT_FILE = 'sotto-export.json';

export interface PackedHistory {
  readonly zip: Uint8Array<ArrayBuffer>;
  readonly conversations: number;
  readonly messages: number;
}

const NAMES = { system: 'System', user: 'You', assistant: 'Assistant' } as const;

/** @param chats `History.eachConversation()`: one at a time is in memory, beside the file that grows */
export async function packHistory(chats: AsyncIterable<WholeConversation>, nowMs: number): Promise<PackedHistory> {
  const texts: { name: string; bytes: Uint8Array<ArrayBuffer> }[] = [];
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let messages = 0;
  for await (const { summary, records } of chats) {
    const conversation = buildConversations(records).get(summary.conversationId);
    if (conversation === undefined || conversation.deleted) continue;
    const name = `chats/${String(texts.length + 1).padStart(5, '0')} ${fileNameOf(conversation.title)}.md`;
    const spelled = JSON.stringify(exportConversation(conversation), undefined, 1).replaceAll('\n', '\n  ');
    parts.push(encodeUtf8(`${texts.length === 0 ? '' : ','}\n  ${spelled}`));
    texts.push({ name, bytes: encodeUtf8(toMarkdown(conversation)) });
    messages += conversation.messages.size;
  }
  const start = encodeUtf8(`{\n "format": "${EXPORT_FORMAT}",\n "exportedAtMs": ${nowMs},\n "conversations": [`);
  const json = concatBytes(start, ...parts, encodeUtf8(`${texts.length === 0 ? '' : '\n '}]\n}\n`));
  return { zip: writeZip([{ name: EXPORT_FILE, bytes: json }, ...texts]), conversations: texts.length, messages };
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
