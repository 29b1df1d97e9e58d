/** Which records lie together, and what is told of one without opening it (spec/client.md "On this device"). */
import { encodeHex } from '@sotto/bytes';
import { conversationOf, type OpenedRecord, type RecordContent } from '@sotto/vault';
import { HEAD_TYPE, type ShownRecord, writeDigest } from '@sotto/vault/heads';
import { EPOCH_TYPE, NEXT_KEY_TYPE } from '@sotto/vault/rotation';
import { HEADS, KEYS, OTHERS } from './pack.ts';

/** Groups that are in memory as long as the account is open. */
export const ALWAYS: readonly string[] = [OTHERS, KEYS];

/** Whoever has only a key that is out of use must not replace what was sealed since. */
export function isUnderOlderKey({ epoch }: OpenedRecord, held: ShownRecord | undefined): boolean {
  return held?.epoch !== undefined && epoch < held.epoch;
}

/** Where records lie together: a chat, the heads, everything else. */
export function groupOf(content: RecordContent): string {
  const conversationId = conversationOf({ content });
  if (conversationId !== undefined) return conversationId;
  const type = typeOf(content);
  if (type === EPOCH_TYPE || type === NEXT_KEY_TYPE) return KEYS;
  return type === HEAD_TYPE ? HEADS : OTHERS;
}

export function typeOf(content: RecordContent): string {
  return content.type === 'unknown' ? content.recordType : content.type;
}

export function shownOf(record: OpenedRecord, digest = encodeHex(writeDigest(record))): ShownRecord {
  const { recordId, deviceId, deviceCounter, epoch } = record;
  return { recordId, deviceId, deviceCounter, epoch, digest };
}
