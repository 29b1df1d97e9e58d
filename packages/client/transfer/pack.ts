/**
 * A history as one ZIP file: the open form, which can be imported again, and each chat as Markdown to read (spec/client.md "Taking chats
 * along"). It is readable by whoever has it: what was sealed leaves its seal here, because its owner asked for it.
 */
import { encodeUtf8 } from '@sotto/bytes';
import { buildConversations, type Conversation, SETTING_TYPE, thread } from '@sotto/vault';
import { buildFolders, FOLDER_TYPE, memoriesOf } from '@sotto/vault/order';
import { type Attachment, parseAttachments } from '../attachments/attachment.ts';
import type { History, WholeConversation } from '../history.ts';
import { EXPORT_FORMAT, exportConversation, exportFolder } from './own-format.ts';
import { ZipWriter } from './zip-writer.ts';

export const EXPORT_FILE = 'sotto-export.json';

export interface PackedHistory {
  readonly zip: Blob;
  readonly conversations: number;
  readonly messages: number;
  readonly files: number;
  /** Files that could not be fetched, or that a ZIP file has no room for. */
  readonly filesLeftOut: number;
}

/** What is in a file that goes with a message (`Attachments.open`). */
export type OpenFile = (attachment: Attachment, conversationId: string) => AsyncIterable<Uint8Array<ArrayBuffer>>;

const NAMES = { system: 'System', user: 'You', assistant: 'Assistant' } as const;

/**
 * @param chats `History.eachConversation()`: one at a time is in memory, beside the text that grows
 * @param openFile without it files are left out, and counted
 * @param places the same history, whose folders and memories go along
 */
export async function packHistory(
  chats: AsyncIterable<WholeConversation>,
  nowMs: number,
  openFile?: OpenFile,
  places?: Pick<History, 'recordsOfType'>,
): Promise<PackedHistory> {
  const zip = new ZipWriter();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const counts = { conversations: 0, messages: 0, files: 0, filesLeftOut: 0 };
  for await (const { summary, records } of chats) {
    const conversation = buildConversations(records).get(summary.conversationId);
    if (conversation === undefined || conversation.deleted) continue;
    // What is being deleted is not taken along.
    if (typeof conversation.registers.removing?.value === 'number') continue;
    const entries = await packFiles(zip, conversation, openFile);
    const taken = [...entries.values()].filter((entry) => entry !== undefined).length;
    counts.files += taken;
    counts.filesLeftOut += entries.size - taken;
    const entryOf = ({ blobId }: Attachment) => entries.get(blobId);
    const spelled = JSON.stringify(exportConversation(conversation, entryOf), undefined, 1).replaceAll('\n', '\n  ');
    parts.push(encodeUtf8(`${counts.conversations === 0 ? '' : ','}\n  ${spelled}`));
    counts.conversations++;
    counts.messages += conversation.messages.size;
    const name = `chats/${String(counts.conversations).padStart(5, '0')} ${fileNameOf(conversation.title)}.md`;
    await zip.add(name, [encodeUtf8(toMarkdown(conversation, entryOf))]);
  }
  const start = encodeUtf8(`{\n "format": "${EXPORT_FORMAT}",\n "exportedAtMs": ${nowMs},\n "conversations": [`);
  await zip.add(EXPORT_FILE, [
    start,
    ...parts,
    encodeUtf8(`${counts.conversations === 0 ? '' : '\n '}]${exportedPlaces(places)}\n}\n`),
  ]);
  return { zip: zip.finish(), ...counts };
}

/** Folders, and what other programs remembered, as further fields. */
function exportedPlaces(places: Pick<History, 'recordsOfType'> | undefined): string {
  if (places === undefined) return '';
  const folders = [...buildFolders(places.recordsOfType(FOLDER_TYPE)).values()].map(exportFolder);
  const memories = memoriesOf(places.recordsOfType(SETTING_TYPE)).map(({ source, text }) => ({ source, text }));
  const field = (name: string, list: readonly object[]) =>
    `,\n "${name}": ${JSON.stringify(list, undefined, 1).replaceAll('\n', '\n ')}`;
  return field('folders', folders) + field('memories', memories);
}

/** The entry of every file that the chat's messages name; undefined for one that could not be taken. */
async function packFiles(zip: ZipWriter, conversation: Conversation, openFile: OpenFile | undefined) {
  const entries = new Map<string, string | undefined>();
  for (const { content } of conversation.messages.values()) {
    for (const attachment of parseAttachments(content.unknownFields?.attachments)) {
      const { blobId, name } = attachment;
      if (entries.has(blobId)) continue;
      const [, base = name, ending = ''] = /^(.*?)(\.[A-Za-z0-9]{1,8})?$/.exec(name) ?? [];
      const entry = `files/${blobId}/${fileNameOf(base)}${ending}`;
      const pieces = openFile?.(attachment, conversation.conversationId);
      // One that is not to be had must not cost a person the others.
      const isTaken = pieces !== undefined && (await zip.add(entry, pieces).catch(() => false));
      entries.set(blobId, isTaken ? entry : undefined);
    }
  }
  return entries;
}

/** The branch that is shown, oldest first; other branches stand in the open form. */
export function toMarkdown(
  conversation: Conversation,
  entryOf: (attachment: Attachment) => string | undefined = () => undefined,
): string {
  const messages = thread(conversation).map(({ node: { recordId, content }, siblingIds }) => {
    const at = new Date(Math.min(content.createdAtMs, 8.64e15)).toISOString().slice(0, 16).replace('T', ' ');
    const version =
      siblingIds.length > 1 ? `, version ${siblingIds.indexOf(recordId) + 1} of ${siblingIds.length}` : '';
    const model = content.model === undefined ? '' : `, ${content.model}`;
    const status = content.status === 'complete' ? '' : ', not complete';
    const files = parseAttachments(content.unknownFields?.attachments).map(
      (attachment) => `- ${attachment.name} (${entryOf(attachment) ?? 'not in this export'})\n`,
    );
    const list = files.length === 0 ? '' : `\n${files.join('')}`;
    return `## ${NAMES[content.role]}\n\n_${at} UTC${model}${version}${status}_\n\n${content.text}\n${list}`;
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
