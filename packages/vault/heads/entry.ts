/**
 * One line of a device's log: what it wrote (spec/vault.md, "Heads"). Lines are chained by hashes, so that whoever knows
 * the hash of a line knows all lines before it. The writer holds the account's key; the store that serves it is hostile.
 */
import { ByteWriter, encodeUtf8, parseHex } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import { encodeRecordContent } from '../content.ts';
import type { OpenedRecord } from '../record.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const WRITE_LABEL = encodeUtf8('sotto/vault/write/v1');
const ENTRY_LABEL = encodeUtf8('sotto/vault/head-entry/v1');
const HASH_BYTES = 32;

/** One write of one record by the device whose log it stands in. */
export interface LogEntry {
  /** 16 bytes as hex. */
  readonly recordId: string;
  /** `writeDigest` of what was written; `null` where the record was removed. */
  readonly digest: string | null;
  /** Digests of the versions that the writer saw and replaced; at most 8. Empty for a new record. */
  readonly replaces: readonly string[];
}

/** The hash before the first line: zeros. */
export const FIRST_HASH = '00'.repeat(HASH_BYTES);

/**
 * What a log says of a write: SHA-256 over record, writer, counter and content. It does not depend on the seal, so a record
 * that is sealed anew for another epoch is still the same write. 32 bytes.
 */
export function writeDigest(write: Omit<OpenedRecord, 'epoch'>): Bytes {
  return digestOfBytes(write, encodeRecordContent(write.content));
}

/** The same, of a write whose content is at hand as the bytes that were sealed. */
export function digestOfBytes(write: Omit<OpenedRecord, 'epoch' | 'content'>, content: Uint8Array): Bytes {
  const before = new ByteWriter(128)
    .vector16(WRITE_LABEL)
    .raw(parseHex(write.recordId, 16))
    .raw(parseHex(write.deviceId, 16))
    .u64(write.deviceCounter)
    .u32(content.length);
  return sha256(before.finish(), content);
}

/** The chain's hash after `entry`. @param before 32 bytes, the hash before it */
export function chain(before: Uint8Array, entry: LogEntry): Bytes {
  const writer = new ByteWriter().vector16(ENTRY_LABEL).raw(before).raw(parseHex(entry.recordId, 16));
  writer.u8(entry.digest === null ? 0 : 1);
  if (entry.digest !== null) writer.raw(parseHex(entry.digest, HASH_BYTES));
  writer.u8(entry.replaces.length);
  for (const digest of entry.replaces) writer.raw(parseHex(digest, HASH_BYTES));
  return sha256(writer.finish());
}
