/**
 * The envelope of one record (spec/vault.md, "Envelope"): bytes in, bytes out. Whoever stores it is hostile: it may
 * swap, replay, cut or change envelopes at will. The format is final.
 *
 *     struct Envelope {               256 · 2^k bytes, k = 0 … 8
 *       struct Header {               64 bytes: what is bound
 *         magic          "SVR"     3
 *         version        u8 = 1    1
 *         accountId               16
 *         recordId                16
 *         epoch          u32       4   1 or more
 *         deviceId                16 ┐ stored XOR HKDF(epoch key, salt, "sotto/vault/device-mask/v1", 24),
 *         deviceCounter  u64       8 ┘ so that a store cannot tell devices apart
 *       }
 *       salt                      32   random, new at every write
 *       commitment                32   C
 *       sealed                     n   AES-256-GCM(K, nonce 0, AAD = header ‖ salt ‖ C, inside) with its tag
 *     }
 *     struct Inside { encoding u8 = 1 (canonical JSON); length u32; content[length]; zeros }
 *
 *     K ‖ C = HKDF-SHA-256(epoch key, salt, info = header, 64)
 */
import { ByteReader, ByteWriter, concatBytes, encodeUtf8, equalBytes } from '@sotto/bytes';
import { openAes256Gcm, sealAes256Gcm } from '@sotto/crypto/aead';
import { type Extracted, hkdfSha256Extract } from '@sotto/crypto/kdf';
import type { Random } from '@sotto/ports';
import { VaultError } from './error.ts';
import { type EpochKey, unsafeRevealSecret } from './keys.ts';
import {
  CONTENT_LIMIT_BYTES,
  INSIDE_HEADER_BYTES,
  LARGEST_BUCKET_BYTES,
  OVERHEAD_BYTES,
  PREFIX_BYTES,
  SMALLEST_BUCKET_BYTES,
  TAG_BYTES,
} from './limits.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const MAGIC = encodeUtf8('SVR');
const VERSION = 1;
const ENCODING_CANONICAL_JSON = 1;
const VISIBLE_BYTES = 40;
const HEADER_BYTES = 64;
const SALT_BYTES = 32;
const MASK_LABEL = encodeUtf8('sotto/vault/device-mask/v1');
const NONCE = new Uint8Array(12);

/** What an envelope is bound to. */
export interface RecordHeader {
  /** 16 bytes. */
  readonly accountId: Uint8Array;
  /** 16 random bytes. */
  readonly recordId: Uint8Array;
  /** 1 to 2^32−1. */
  readonly epoch: number;
  /** 16 bytes (see device.ts). */
  readonly deviceId: Uint8Array;
  /** Grows with every write of that device; 1 to 2^53−1. */
  readonly deviceCounter: number;
}

export interface SealEnvelopeInput extends RecordHeader {
  readonly epochKey: EpochKey;
  /** At most `CONTENT_LIMIT_BYTES`. */
  readonly content: Uint8Array;
  readonly random: Random;
}

export interface OpenEnvelopeInput {
  readonly epochKey: EpochKey;
  readonly envelope: Uint8Array;
  readonly expectedAccountId: Uint8Array;
  readonly expectedRecordId: Uint8Array;
  /** The epoch that `epochKey` belongs to. */
  readonly expectedEpoch: number;
}

/** What can be read without any key: what the store sees. */
export interface VisibleHeader {
  readonly accountId: Uint8Array;
  readonly recordId: Uint8Array;
  readonly epoch: number;
}

/** The size of the envelope that holds `contentBytes` bytes. */
export function bucketFor(contentBytes: number): number {
  let bucket = SMALLEST_BUCKET_BYTES;
  while (bucket < contentBytes + OVERHEAD_BYTES) bucket *= 2;
  return bucket;
}

/**
 * Seals one record.
 *
 * @returns an envelope of `bucketFor(content.length)` bytes
 * @throws VaultError `record-too-large`; BytesError `bytes-out-of-range` for an epoch or counter that does not fit
 */
export async function sealEnvelope(input: SealEnvelopeInput): Promise<Bytes> {
  // VA-14: cutting what does not fit would lose the end of someone's text
  if (input.content.length > CONTENT_LIMIT_BYTES) throw new VaultError('record-too-large', 'VA-14');
  const header = encodeHeader(input);
  const salt = input.random.bytes(SALT_BYTES);
  const extracted = extractOf(input.epochKey, salt);
  const { key, commitment } = deriveRecordKeys(extracted, header);
  const mask = deriveMask(extracted);
  extracted.erase();
  const inside = new ByteWriter(bucketFor(input.content.length) - PREFIX_BYTES - TAG_BYTES)
    .u8(ENCODING_CANONICAL_JSON)
    .u32(input.content.length)
    .raw(input.content)
    .zeros(bucketFor(input.content.length) - OVERHEAD_BYTES - input.content.length)
    .finish();
  const sealed = await sealAes256Gcm(key, NONCE, inside, concatBytes(header, salt, commitment));
  return concatBytes(maskDevice(header, mask), salt, commitment, sealed);
}

/**
 * Opens one envelope, given everything it is expected to be.
 *
 * @returns the header, with the device that wrote it, and the content without padding
 * @throws VaultError `record-malformed`, `record-version-unsupported`, `record-account-mismatch`, `record-id-mismatch`,
 *   `record-epoch-mismatch`, `record-commitment-mismatch`, `record-open-failed`, `record-encoding-unsupported`,
 *   `record-content-malformed`, judged in that order
 */
export async function openEnvelope(input: OpenEnvelopeInput): Promise<{ header: RecordHeader; content: Bytes }> {
  const visible = parseVisibleHeader(input.envelope);
  // VA-06: another account's record, served to this one, must not pass even where one person holds both keys
  if (!equalBytes(visible.accountId, input.expectedAccountId)) throw new VaultError('record-account-mismatch', 'VA-06');
  // VA-07: a store could answer a question with another record: an old one, or one of another chat
  if (!equalBytes(visible.recordId, input.expectedRecordId)) throw new VaultError('record-id-mismatch', 'VA-07');
  // VA-08: after a rotation an old epoch's key is in the hands of a removed device
  if (visible.epoch !== input.expectedEpoch) throw new VaultError('record-epoch-mismatch', 'VA-08');

  const prefix = input.envelope.subarray(0, PREFIX_BYTES);
  const salt = prefix.slice(HEADER_BYTES, HEADER_BYTES + SALT_BYTES);
  const extracted = extractOf(input.epochKey, salt);
  const header = maskDevice(prefix.subarray(0, HEADER_BYTES), deriveMask(extracted));
  const { key, commitment } = deriveRecordKeys(extracted, header);
  extracted.erase();
  const storedCommitment = prefix.subarray(HEADER_BYTES + SALT_BYTES);
  // VA-09: AES-GCM alone lets one ciphertext open under two keys to two texts
  if (!equalBytes(commitment, storedCommitment)) throw new VaultError('record-commitment-mismatch', 'VA-09');

  let inside: Bytes;
  try {
    const sealed = input.envelope.subarray(PREFIX_BYTES);
    inside = await openAes256Gcm(key, NONCE, sealed, concatBytes(header, salt, commitment));
  } catch (cause) {
    throw new VaultError('record-open-failed', 'VA-10', { cause });
  }
  return { header: { ...visible, ...parseDevice(header) }, content: parseInside(inside) };
}

/**
 * Reads what a store sees of an envelope. Nothing of it is authenticated.
 *
 * @throws VaultError `record-malformed`, `record-version-unsupported`
 */
export function parseVisibleHeader(envelope: Uint8Array): VisibleHeader {
  // VA-03: a size outside the buckets says more than it should about the text, or is not ours
  if (!isBucket(envelope.length)) throw new VaultError('record-malformed', 'VA-03');
  const reader = new ByteReader(envelope.subarray(0, VISIBLE_BYTES));
  // VA-04: another kind of sealed thing (a lock, say) must never be read as a record
  if (!equalBytes(reader.view(MAGIC.length), MAGIC)) throw new VaultError('record-malformed', 'VA-04');
  // VA-05: guessing at a format that is not known would misread it
  if (reader.u8() !== VERSION) throw new VaultError('record-version-unsupported', 'VA-05');
  return { accountId: reader.take(16), recordId: reader.take(16), epoch: reader.u32() };
}

function isBucket(length: number): boolean {
  return length >= SMALLEST_BUCKET_BYTES && length <= LARGEST_BUCKET_BYTES && Number.isInteger(Math.log2(length));
}

function encodeHeader(header: RecordHeader): Bytes {
  const ids = [header.accountId, header.recordId, header.deviceId];
  // VA-15: an id of another length would shift every field after it
  if (ids.some((id) => id.length !== 16) || header.epoch < 1 || header.deviceCounter < 1) {
    throw new VaultError('record-malformed', 'VA-15');
  }
  return new ByteWriter(HEADER_BYTES)
    .raw(MAGIC)
    .u8(VERSION)
    .raw(header.accountId)
    .raw(header.recordId)
    .u32(header.epoch)
    .raw(header.deviceId)
    .u64(header.deviceCounter)
    .finish();
}

function parseDevice(header: Uint8Array): { deviceId: Uint8Array; deviceCounter: number } {
  const reader = new ByteReader(header.subarray(VISIBLE_BYTES));
  const deviceId = reader.take(16);
  const deviceCounter = reader.u64();
  // VA-16: a counter that cannot be counted on would break every order that is built on it
  if (deviceCounter < 1n || deviceCounter > BigInt(Number.MAX_SAFE_INTEGER))
    throw new VaultError('record-malformed', 'VA-16');
  return { deviceId, deviceCounter: Number(deviceCounter) };
}

/** What both the mask and the keys of one write are derived from. */
function extractOf(epochKey: EpochKey, salt: Uint8Array): Extracted {
  return hkdfSha256Extract(unsafeRevealSecret(epochKey), salt);
}

function deriveMask(extracted: Extracted): Bytes {
  return extracted.expand(MASK_LABEL, HEADER_BYTES - VISIBLE_BYTES);
}

function maskDevice(header: Uint8Array, mask: Uint8Array): Bytes {
  const masked = new Uint8Array(header);
  for (let i = 0; i < mask.length; i++)
    masked[VISIBLE_BYTES + i] = (header[VISIBLE_BYTES + i] as number) ^ (mask[i] as number);
  return masked;
}

function deriveRecordKeys(extracted: Extracted, header: Uint8Array) {
  const both = extracted.expand(header, 64);
  return { key: both.slice(0, 32), commitment: both.slice(32) };
}

function parseInside(inside: Bytes): Bytes {
  const reader = new ByteReader(inside);
  // VA-11: bytes of another encoding must not be read as if they were ours
  if (reader.u8() !== ENCODING_CANONICAL_JSON) throw new VaultError('record-encoding-unsupported', 'VA-11');
  const length = reader.u32();
  // VA-12: a length beyond the end would read what is not there
  if (length > reader.remaining) throw new VaultError('record-content-malformed', 'VA-12');
  const content = inside.subarray(INSIDE_HEADER_BYTES, INSIDE_HEADER_BYTES + length);
  const padding = inside.subarray(INSIDE_HEADER_BYTES + length);
  // VA-13: padding that is not zero is a place to hide or leak bytes
  if (!isZero(padding)) throw new VaultError('record-content-malformed', 'VA-13');
  return content;
}

function isZero(bytes: Uint8Array): boolean {
  let sum = 0;
  for (let at = 0; at < bytes.length; at++) sum |= bytes[at] as number;
  return sum === 0;
}
