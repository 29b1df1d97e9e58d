/** What the server shows, as the watch compares it with the logs: from the marks, without opening a chat. */
import type { ShownRecord } from '@sotto/vault/heads';
import { DEVICE_TYPE } from '@sotto/vault/heads';
import { EPOCH_TYPE } from '@sotto/vault/rotation';
import type { ShownHistory, ShownLogs } from '../watch/watch.ts';
import type { Archive } from './archive.ts';
import { typeOf } from './groups.ts';
import { HEADS, KEYS, OTHERS } from './pack.ts';

/** The groups of heads, of what belongs to no chat, and of keys are loaded. */
export function shownHistory(archive: Archive): ShownHistory {
  const records = new Map<string, ShownRecord>();
  for (const { recordId, groupId, shown } of archive.marks()) {
    if (shown !== undefined && groupId !== HEADS && groupId !== KEYS) records.set(recordId, shown);
  }
  return { records, ...shownLogs(archive) };
}

/** Of that, what speaks of the rest. The same groups are loaded. */
export function shownLogs(archive: Archive): ShownLogs {
  const shownOfGroup = (groupId: string) =>
    archive.marksOf(groupId).flatMap((mark) => {
      if (mark.shown === undefined) return [];
      const isHeld = mark.shown === mark.held;
      return (isHeld ? archive.get(groupId, mark.recordId) : archive.shownInstead(mark.recordId)) ?? [];
    });
  return {
    heads: shownOfGroup(HEADS),
    announcements: shownOfGroup(OTHERS).filter(({ content }) => typeOf(content) === DEVICE_TYPE),
    epochs: shownOfGroup(KEYS).filter(({ content }) => typeOf(content) === EPOCH_TYPE),
  };
}
