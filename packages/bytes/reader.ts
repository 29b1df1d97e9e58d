/**
 * Total, bounded reading of binary formats. Input is hostile: every length is checked against what is left and against a
 * cap given by the caller before a byte is copied.
 */
import { BytesError } from './error.ts';

/** Reads big-endian fields in order. Every method throws `BytesError` (`bytes-truncated`, `bytes-too-long`) and never over-reads. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  /** A copy of the next `length` bytes. */
  take(length: number): Uint8Array {
    return this.#bytes.slice(this.#advance(length), this.#offset);
  }

  /** The next `length` bytes where they stand: they live and change with what is read. */
  view(length: number): Uint8Array {
    return this.#bytes.subarray(this.#advance(length), this.#offset);
  }

  /** A copy of everything that is left. */
  rest(): Uint8Array {
    return this.take(this.remaining);
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2));
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4));
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#advance(8));
  }

  /** An unsigned 64-bit integer that must fit a safe JavaScript number (`bytes-out-of-range`). */
  u64Number(): number {
    const value = this.u32() * 2 ** 32 + this.u32();
    if (value > Number.MAX_SAFE_INTEGER) throw new BytesError('bytes-out-of-range', 'integer above 2^53-1');
    return value;
  }

  /** Bytes behind a 16-bit length, at most `limitBytes`. */
  vector16(limitBytes: number): Uint8Array {
    return this.take(this.#capped(this.u16(), limitBytes));
  }

  /** Bytes behind a 32-bit length, at most `limitBytes`. */
  vector32(limitBytes: number): Uint8Array {
    return this.take(this.#capped(this.u32(), limitBytes));
  }

  /** The same where they stand: they live and change with what is read. */
  view32(limitBytes: number): Uint8Array {
    return this.view(this.#capped(this.u32(), limitBytes));
  }

  /** Throws `bytes-trailing` when a byte is left. */
  end(): void {
    if (this.remaining !== 0) throw new BytesError('bytes-trailing', 'bytes after the end of the structure');
  }

  #capped(length: number, limitBytes: number): number {
    if (length > limitBytes) throw new BytesError('bytes-too-long', 'a field is longer than its limit');
    return length;
  }

  #advance(length: number): number {
    if (!Number.isSafeInteger(length) || length < 0 || length > this.remaining) {
      throw new BytesError('bytes-truncated', 'the structure ends too early');
    }
    const start = this.#offset;
    this.#offset += length;
    return start;
  }
}
