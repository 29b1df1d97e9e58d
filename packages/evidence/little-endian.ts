/**
 * Reads the little-endian structures of hardware makers: AMD's reports, Intel's quotes, boot logs. Hostile input: every
 * length is checked against what is left and against the caller's cap before a byte is copied.
 */
import { BytesError } from '@sotto/bytes';

/** Every method throws `BytesError` (`bytes-truncated`, `bytes-too-long`, `bytes-trailing`) and never over-reads. */
export class LittleEndianReader {
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

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#advance(8), true);
  }

  /** A copy of the next `length` bytes. */
  take(length: number): Uint8Array {
    return this.#bytes.slice(this.#advance(length), this.#offset);
  }

  /** A copy of the bytes behind a 32-bit length, at most `limitBytes`. */
  vector32(limitBytes: number): Uint8Array {
    const length = this.u32();
    if (length > limitBytes) throw new BytesError('bytes-too-long', 'a field is longer than its limit');
    return this.take(length);
  }

  /** What is left, not copied. */
  rest(): Uint8Array {
    return this.#bytes.subarray(this.#offset);
  }

  /** Throws `bytes-trailing` when a byte is left. */
  end(): void {
    if (this.remaining !== 0) throw new BytesError('bytes-trailing', 'bytes after the end of the structure');
  }

  #advance(length: number): number {
    if (length > this.remaining) throw new BytesError('bytes-truncated', 'the structure ends too early');
    const start = this.#offset;
    this.#offset += length;
    return start;
  }
}
