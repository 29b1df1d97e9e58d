/**
 * A file as its message names it (spec/vault.md "Blobs"): the message alone holds what opens the file. Written by one of the person's own
 * devices, or a removed one: an entry of another form is left out of what is shown, and stays in the record.
 */
import { encodeBase64, encodeHex, parseBase64, parseHex } from '@sotto/bytes';
import { type JsonObject, type JsonValue, unsafeRevealSecret } from '@sotto/vault';
import { BLOB_LIMIT_BYTES, BlobKey } from '@sotto/vault/blob';

export interface Attachment {
  /** 16 bytes as hex. */
  readonly blobId: string;
  readonly key: BlobKey;
  /** As the person's own system called it; at most 255 characters. */
  readonly name: string;
  /** What the device took it for; never believed when it is shown. */
  readonly mediaType: string;
  /** True length. */
  readonly bytes: number;
  readonly thumbnail?: Thumbnail;
}

/** A small picture, made on the device. */
export interface Thumbnail {
  readonly mediaType: string;
  readonly data: Uint8Array<ArrayBuffer>;
}

/** Files of one message. */
export const ATTACHMENT_LIMIT = 10;
/** Of one thumbnail, and of those of one message: a record holds its text beside them. */
export const THUMBNAIL_LIMIT_BYTES = 6000;
const THUMBNAILS_LIMIT_BYTES = 24_000;
/** Beside a longer text there is no room for them. */
const SHORT_TEXT_BYTES = 20_000;
const NAME_LIMIT = 255;
const TYPE_LIMIT = 127;

/**
 * The value of a message's field `attachments`. Thumbnails go where the record has no room for them.
 *
 * @param textBytes of the message
 */
export function encodeAttachments(attachments: readonly Attachment[], textBytes: number): JsonValue[] {
  let room = textBytes > SHORT_TEXT_BYTES ? 0 : THUMBNAILS_LIMIT_BYTES;
  return attachments.slice(0, ATTACHMENT_LIMIT).map(({ blobId, key, name, mediaType, bytes, thumbnail }) => {
    const size = thumbnail?.data.length ?? 0;
    const fits = thumbnail !== undefined && size <= THUMBNAIL_LIMIT_BYTES && size <= room;
    if (fits) room -= size;
    return {
      blobId,
      key: encodeHex(unsafeRevealSecret(key)),
      name: name.slice(0, NAME_LIMIT).toWellFormed(),
      mediaType: mediaType.slice(0, TYPE_LIMIT).toWellFormed(),
      bytes,
      ...(fits ? { thumbnail: { mediaType: thumbnail.mediaType, data: encodeBase64(thumbnail.data) } } : {}),
    };
  });
}

/** What can be shown of it; never throws. */
export function parseAttachments(value: JsonValue | undefined): Attachment[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, ATTACHMENT_LIMIT).flatMap((one) => parseAttachment(one) ?? []);
}

function parseAttachment(value: JsonValue): Attachment | undefined {
  if (!isObject(value)) return undefined;
  const { blobId, key, name, mediaType, bytes } = value;
  const isNamed = typeof blobId === 'string' && /^[0-9a-f]{32}$/.test(blobId) && typeof key === 'string';
  const isDescribed = typeof name === 'string' && typeof mediaType === 'string' && name.length <= NAME_LIMIT;
  // CL-270: a length is memory and requests that a record could ask for
  if (!isLength(bytes)) return undefined;
  if (!isNamed || !isDescribed || mediaType.length > TYPE_LIMIT) return undefined;
  try {
    const thumbnail = parseThumbnail(value.thumbnail);
    return { blobId, key: new BlobKey(parseHex(key, 32)), name, mediaType, bytes, ...thumbnail };
  } catch {
    // CL-270: one odd entry must not hide the message, nor the other files
    return undefined;
  }
}

function parseThumbnail(value: JsonValue | undefined): { thumbnail?: Thumbnail } {
  if (!isObject(value) || typeof value.mediaType !== 'string' || typeof value.data !== 'string') return {};
  if (value.data.length > 8000) return {};
  return { thumbnail: { mediaType: value.mediaType, data: parseBase64(value.data) as Uint8Array<ArrayBuffer> } };
}

function isLength(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= BLOB_LIMIT_BYTES;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
