/** Which program wrote a JSON text, by its form (spec/client.md "Taking chats along"). */
import { parseChatGpt } from './chatgpt.ts';
import { parseClaudeChats, parseClaudeMemories, parseClaudeProjects } from './claude.ts';
import { TransferError } from './error.ts';
import { type FindFile, type ForeignItems, isObject, type LeaveOut } from './foreign.ts';
import type { TransferLimits } from './limits.ts';
import { EXPORT_FORMAT, parseExport } from './own-format.ts';

/** Names of the entries of a ZIP that are read. */
export const WANTED =
  /(?:^|\/)(?:conversations(?:-\d{1,4})?|sotto-export|projects(?:\/[\w-]{1,80})?|memories(?:\/[\w-]{1,80})?)\.json$/;

const NOTHING: ForeignItems = { chats: [], folders: [], memories: [] };

/** @throws TransferError `import-unknown`, `import-too-large` */
export function parseItems(
  value: unknown,
  leaveOut: LeaveOut,
  limits: TransferLimits,
  findFile: FindFile = () => undefined,
): ForeignItems {
  if (isObject(value) && value.format === EXPORT_FORMAT) return parseExport(value, leaveOut, limits, findFile);
  // Newer exports of Claude's hold one project, or one memory, a file.
  const list = Array.isArray(value) ? (value as readonly unknown[]) : isObject(value) ? [value] : [];
  // CL-282: each becomes several objects here
  if (list.length > limits.chats) throw new TransferError('import-too-large', 'CL-282');
  const chats = parseClaudeChats(list, leaveOut, limits);
  if (chats !== undefined) return { ...NOTHING, chats };
  const folders = parseClaudeProjects(list, leaveOut);
  if (folders !== undefined) return { ...NOTHING, folders };
  const memories = parseClaudeMemories(list, leaveOut);
  if (memories !== undefined) return { ...NOTHING, memories };
  const items = Array.isArray(value) ? parseChatGpt(list, leaveOut, limits, findFile) : undefined;
  // CL-285: another version's form, or another program's
  if (items === undefined) throw new TransferError('import-unknown', 'CL-285');
  return items;
}
