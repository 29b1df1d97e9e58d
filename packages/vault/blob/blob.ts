/**
 * A blob: a file of any length, sealed in chunks (spec/vault.md, "Blobs"). Whoever stores it is hostile: it may cut, extend, reorder,
 * swap and replay parts at will. Sealed and opened one chunk at a time, so that a file of any size takes the memory of one. Final.
 *
 *     struct Prefix {                 85 bytes, before the first chunk
 *       struct Header {
 *         magic          "SVB"     3
 *         version        u8 = 1    1
 *         chunk          u8        1   chunks of 2^chunk bytes, 12 to 20; 18 is written
 *         blobId                  16   random
 *       }
 *       salt                      32   random, new at every sealing
 *       commitment                32   C
 *     }
 *     chunk i = AES-256-GCM(K, nonce = 0^7 ‖ i u32 ‖ (1 for the last, else 0), AAD = Prefix, bytes of the inside) and its tag of 16
 *     struct Inside { length u64; content[length]; zeros }    padded by Padmé, at least 4,096 bytes
 *     part 0 = Prefix ‖ chunk 0, part i = chunk i
 *
 *     K ‖ C = HKDF-SHA-256(blob key, salt, info = "sotto/vault/blob/v1" ‖ header, 64)
 */
import { ByteReader, ByteWriter, concatBytes, encodeUtf8, equalBytes } from '@sotto/bytes';
import { type Aead, CryptoError, createAead } from '@sotto/crypto/aead';
import { hkdfSha256 } from '@sotto/crypto/kdf';
import type { Random } from '@sotto/ports';
import { VaultError } from '../error.ts';
import { BlobKey, unsafeRevealSecret } from '../keys.ts';
import { LEAST_INSIDE_BYTES, padme } from './padding.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const MAGIC = encodeUtf8('SVB');
const VERSION = 1;
const LABEL = encodeUtf8('sotto/vault/blob/v1');
const HEADER_BYTES = 21;
const SALT_BYTES = 32;
const PREFIX_BYTES = HEADER_BYTES + SALT_BYTES + 32;
const TAG_BYTES = 16;
const LENGTH_BYTES = 8;
const LEAST_CHUNK = 12;
const GREATEST_CHUNK = 20;
/** Measured (spec/decisions/2026-11-21-files.md): below it calls cost more than bytes, above it nothing is won. */
const CHUNK = 18;

/** Longest content of a blob. */
export const BLOB_LIMIT_BYTES = 256 * 1024 * 1024;
/** Longest part of a blob that this version writes. */
export const BLOB_PART_LIMIT_BYTES = PREFIX_BYTES + 2 ** CHUNK + TAG_BYTES;

export interface SealBlobInput {
  readonly key: BlobKey;
  /** 16 random bytes. */
  readonly blobId: Uint8Array;
  /** Bytes that `content` will give; at most `BLOB_LIMIT_BYTES`. */
  readonly length: number;
  /** In pieces of any size. */
  readonly content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  readonly random: Random;
  /** 12 to 20; what is written where it is not given is 18. */
  readonly chunk?: number;
}

export interface ExpectedBlob {
  readonly key: BlobKey;
  /** 16 bytes. */
  readonly expectedBlobId: Uint8Array;
  /** As the record says that names the blob; at most `BLOB_LIMIT_BYTES`. */
  readonly expectedLength: number;
}

/** A new random key, for one blob. */
export function createBlobKey(random: Random): BlobKey {
  return new BlobKey(random.bytes(32));
}

/** The parts of the blob that holds `length` bytes, and their bytes together, as this version writes it: what a store sees. */
export function sizeOfBlob(length: number): { readonly parts: number; readonly bytes: number } {
  const { inside, chunks } = layoutOf(length, CHUNK);
  return { parts: chunks, bytes: PREFIX_BYTES + inside + chunks * TAG_BYTES };
}

/**
 * Seals a file, part by part, in order.
 *
 * @throws VaultError `blob-too-large` before anything is sealed; `blob-length-mismatch` where `content` gives more or less
 */
export async function* sealBlob(input: SealBlobInput): AsyncGenerator<Bytes, void, undefined> {
  const { length, chunk = CHUNK } = input;
  // VA-197: a length that does not fit, or an id of another size, would make a blob that cannot be opened
  if (length > BLOB_LIMIT_BYTES || input.blobId.length !== 16) throw new VaultError('blob-too-large', 'VA-197');
  const header = new ByteWriter().raw(MAGIC).u8(VERSION).u8(chunk).raw(input.blobId).finish();
  const salt = input.random.bytes(SALT_BYTES);
  const { key, commitment } = deriveBlobKeys(input.key, salt, header);
  const prefix = concatBytes(header, salt, commitment);
  const aead = await createAead(key);
  const layout = layoutOf(length, chunk);
  let index = 0;
  for await (const bytes of insideOf(input.content, length, layout)) {
    const sealed = await aead.seal(nonceOf(index, layout.chunks), bytes, prefix);
    yield index === 0 ? concatBytes(prefix, sealed) : sealed;
    index++;
  }
}

/**
 * Begins to open a blob, with its first part.
 *
 * @throws VaultError `blob-malformed`, `blob-version-unsupported`, `blob-id-mismatch`, `blob-commitment-mismatch`, judged in that order
 */
export async function openBlob(expected: ExpectedBlob, firstPart: Uint8Array): Promise<BlobOpener> {
  const prefix = new Uint8Array(firstPart.subarray(0, PREFIX_BYTES));
  // VA-191: another kind of sealed thing must never be read as a blob
  if (prefix.length < PREFIX_BYTES || !equalBytes(prefix.subarray(0, 3), MAGIC))
    throw new VaultError('blob-malformed', 'VA-191');
  const reader = new ByteReader(prefix.subarray(MAGIC.length));
  // VA-192: guessing at a format that is not known would misread it
  if (reader.u8() !== VERSION) throw new VaultError('blob-version-unsupported', 'VA-192');
  const chunk = reader.u8();
  // VA-191: the size of a chunk is memory that a store could choose
  if (chunk < LEAST_CHUNK || chunk > GREATEST_CHUNK) throw new VaultError('blob-malformed', 'VA-191');
  // VA-193: a store could answer a question with another file
  if (!equalBytes(reader.take(16), expected.expectedBlobId)) throw new VaultError('blob-id-mismatch', 'VA-193');
  const salt = reader.take(SALT_BYTES);
  const { key, commitment } = deriveBlobKeys(expected.key, salt, prefix.slice(0, HEADER_BYTES));
  // VA-194: AES-GCM alone lets one ciphertext open under two keys to two files
  if (!equalBytes(commitment, reader.take(32))) throw new VaultError('blob-commitment-mismatch', 'VA-194');
  return new BlobOpener(await createAead(key), prefix, expected.expectedLength, chunk);
}

/** Use `openBlob`. Opens parts in any order; a file is whole when every one of `parts` was opened. */
export class BlobOpener {
  readonly #aead: Aead;
  readonly #prefix: Bytes;
  readonly #length: number;
  readonly #layout: Layout;

  constructor(aead: Aead, prefix: Bytes, length: number, chunk: number) {
    this.#aead = aead;
    this.#prefix = prefix;
    this.#length = length;
    this.#layout = layoutOf(length, chunk);
  }

  /** How many parts the blob has. */
  get parts(): number {
    return this.#layout.chunks;
  }

  /**
   * What part `index` holds of the content; nothing, where it is padding alone.
   *
   * @throws VaultError `blob-malformed`, `blob-open-failed`, `blob-length-mismatch`
   */
  async open(index: number, part: Uint8Array): Promise<Bytes> {
    const { inside, chunks, chunkBytes } = this.#layout;
    const sealed = part.subarray(index === 0 ? PREFIX_BYTES : 0);
    const start = index * chunkBytes;
    const isThere = index < chunks && sealed.length === Math.min(chunkBytes, inside - start) + TAG_BYTES;
    // VA-195: a part that is cut or extended, or stands behind the end
    if (!isThere) throw new VaultError('blob-malformed', 'VA-195');
    let bytes: Bytes;
    try {
      bytes = await this.#aead.open(nonceOf(index, chunks), sealed, this.#prefix);
    } catch (cause) {
      if (!(cause instanceof CryptoError)) throw cause;
      throw new VaultError('blob-open-failed', 'VA-196', { cause });
    }
    return this.#contentOf(bytes, start);
  }

  /** @param start where in the inside `bytes` begin */
  #contentOf(bytes: Bytes, start: number): Bytes {
    const from = start === 0 ? LENGTH_BYTES : 0;
    const to = Math.min(bytes.length, Math.max(from, LENGTH_BYTES + this.#length - start));
    // VA-197: a file that is shorter or longer than its message says is not that file
    if (start === 0 && new ByteReader(bytes).u64() !== BigInt(this.#length))
      throw new VaultError('blob-length-mismatch', 'VA-197');
    // VA-198: padding that is not zero is a place to hide bytes
    if (bytes.subarray(to).some((byte) => byte !== 0)) throw new VaultError('blob-malformed', 'VA-198');
    return bytes.subarray(from, to);
  }
}

interface Layout {
  readonly inside: number;
  readonly chunks: number;
  readonly chunkBytes: number;
}

function layoutOf(length: number, chunk: number): Layout {
  const inside = Math.max(LEAST_INSIDE_BYTES, padme(LENGTH_BYTES + length));
  const chunkBytes = 2 ** chunk;
  return { inside, chunkBytes, chunks: Math.ceil(inside / chunkBytes) };
}

/** The inside, in chunks: the true length, what `content` gives, zeros. The chunk that is given is used again for the next. */
async function* insideOf(content: SealBlobInput['content'], length: number, { inside, chunkBytes }: Layout) {
  const buffer = new Uint8Array(Math.min(chunkBytes, inside));
  new DataView(buffer.buffer).setBigUint64(0, BigInt(length));
  let used = LENGTH_BYTES;
  let left = length;
  let done = 0;
  const full = () => {
    done += buffer.length;
    used = 0;
    return buffer;
  };
  for await (const piece of content) {
    // VA-197: what comes beyond the length would be cut off in silence
    if (piece.length > left) throw new VaultError('blob-length-mismatch', 'VA-197');
    left -= piece.length;
    for (let at = 0; at < piece.length; ) {
      const count = Math.min(piece.length - at, buffer.length - used);
      buffer.set(piece.subarray(at, at + count), used);
      used += count;
      at += count;
      if (used === buffer.length) yield full();
    }
  }
  // VA-197: a file that ended early (removed while it was read) would be kept as whole
  if (left > 0) throw new VaultError('blob-length-mismatch', 'VA-197');
  for (; done < inside; done += buffer.length, used = 0) {
    buffer.fill(0, used);
    yield buffer.subarray(0, Math.min(buffer.length, inside - done));
  }
}

function nonceOf(index: number, chunks: number): Bytes {
  const last = index === chunks - 1 ? 1 : 0;
  return new ByteWriter(12).zeros(7).u32(index).u8(last).finish();
}

function deriveBlobKeys(blobKey: BlobKey, salt: Uint8Array, header: Uint8Array) {
  const both = hkdfSha256(unsafeRevealSecret(blobKey), salt, concatBytes(LABEL, header), 64);
  return { key: both.slice(0, 32), commitment: both.slice(32) };
}
