/**
 * Packs (spec/client.md "On this device"): opened records of one chat, at most 256 together, as they lie sealed on this device. Only
 * this device writes them; whatever is odd in one is damage.
 */
import { encodeUtf8, parseUtf8 } from '@sotto/bytes';
import type { OpenedRecord, RecordContent } from '@sotto/vault';

/** Records that belong to no chat, and heads, are packs of their own. */
export const OTHERS = 'others';
export const HEADS = 'heads';
/** Those with which epochs begin: no log lists them. */
export const KEYS = 'keys';

/** A head is as large as fifty messages, and the newest is written again and again. */
export function packLimit(groupId: string): number {
  return groupId === HEADS ? 16 : 256;
}

interface PackForm {
  readonly version: number;
  readonly records: readonly (readonly [
    recordId: string,
    deviceId: string,
    deviceCounter: number,
    epoch: number,
    content: RecordContent,
  ])[];
}

/** @param version what the list says of the pack: an older one that somebody put back is told by it */
export function encodePack(version: number, records: Iterable<OpenedRecord>): Uint8Array<ArrayBuffer> {
  const form: PackForm = {
    version,
    records: Array.from(records, ({ recordId, deviceId, deviceCounter, epoch, content }) => [
      ...([recordId, deviceId, deviceCounter, epoch, content] as const),
    ]),
  };
  return encodeUtf8(JSON.stringify(form));
}

/** @returns undefined for another version than the expected one */
export function parsePack(bytes: Uint8Array, expectedVersion: number): OpenedRecord[] | undefined {
  const { version, records } = JSON.parse(parseUtf8(bytes)) as PackForm;
  // CL-233: an older pack would bring back what was written since, and what was removed
  if (version !== expectedVersion) return undefined;
  return records.map(([recordId, deviceId, deviceCounter, epoch, content]) => ({
    ...{ recordId, deviceId, deviceCounter, epoch, content },
  }));
}
