/** Sizes that are part of the record format (spec/vault.md, "Envelope"); final. */

/** Smallest and largest envelope; every size is one of 256, 512, … 65,536 bytes. */
export const SMALLEST_BUCKET_BYTES = 256;
export const LARGEST_BUCKET_BYTES = 65_536;

/** Header (64), salt (32), commitment (32). */
export const PREFIX_BYTES = 128;
/** The authentication tag of AES-256-GCM. */
export const TAG_BYTES = 16;
/** Encoding byte and true length, before the content. */
export const INSIDE_HEADER_BYTES = 5;

/** What an envelope adds to its content, without padding. */
export const OVERHEAD_BYTES = PREFIX_BYTES + TAG_BYTES + INSIDE_HEADER_BYTES;

/** Longest content of one record: 65,387 bytes of canonical JSON in UTF-8. */
export const CONTENT_LIMIT_BYTES = LARGEST_BUCKET_BYTES - OVERHEAD_BYTES;
