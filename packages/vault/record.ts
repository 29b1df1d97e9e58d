/** Sealing and opening whole records: an envelope (envelope.ts) around content (content.ts). */
import { encodeHex } from '@sotto/bytes';
import type { Random } from '@sotto/ports';
import { encodeRecordContent, parseRecordContent, type RecordContent } from './content.ts';
import { openEnvelope, type RecordHeader, sealEnvelope } from './envelope.ts';
import { VaultError } from './error.ts';
import type { EpochKey } from './keys.ts';

export interface SealRecordInput extends RecordHeader {
  readonly epochKey: EpochKey;
  readonly content: RecordContent;
  readonly random: Random;
}

export interface OpenRecordInput {
  readonly epochKey: EpochKey;
  readonly envelope: Uint8Array;
  readonly expectedAccountId: Uint8Array;
  readonly expectedRecordId: Uint8Array;
  /** The epoch that `epochKey` belongs to. */
  readonly expectedEpoch: number;
  /** When given, a record of another type is refused. */
  readonly expectedType?: string;
}

/** A record that opened: authentic, whole, and what it was expected to be. */
export interface OpenedRecord {
  /** 16 bytes as hex, as everywhere outside an envelope. */
  readonly recordId: string;
  /** The device that wrote it; 16 bytes as hex. */
  readonly deviceId: string;
  readonly deviceCounter: number;
  readonly epoch: number;
  readonly content: RecordContent;
}

/**
 * Seals one record.
 *
 * @throws VaultError `record-too-large` (nothing is cut; the caller keeps the text), `record-content-malformed`
 */
export async function sealRecord(input: SealRecordInput): Promise<Uint8Array<ArrayBuffer>> {
  return sealEnvelope({ ...input, content: encodeRecordContent(input.content) });
}

/** @throws VaultError every refusal of `openEnvelope`, then `record-content-malformed`, `record-type-mismatch` */
export async function openRecord(input: OpenRecordInput): Promise<OpenedRecord> {
  return (await openRecordWithBytes(input)).record;
}

/** The same, with the bytes that the content was read from. */
export async function openRecordWithBytes(
  input: OpenRecordInput,
): Promise<{ readonly record: OpenedRecord; readonly bytes: Uint8Array<ArrayBuffer> }> {
  const { header, content: bytes } = await openEnvelope(input);
  const content = parseRecordContent(bytes);
  const type = content.type === 'unknown' ? content.recordType : content.type;
  // VA-23: a caller that asked for one kind of record must not act on another
  if (input.expectedType !== undefined && type !== input.expectedType) {
    throw new VaultError('record-type-mismatch', 'VA-23');
  }
  const record = {
    recordId: encodeHex(header.recordId),
    deviceId: encodeHex(header.deviceId),
    deviceCounter: header.deviceCounter,
    epoch: header.epoch,
    content,
  };
  return { record, bytes };
}
