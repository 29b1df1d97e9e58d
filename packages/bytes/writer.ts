/** Writes the big-endian structures that `ByteReader` reads. */
import { BytesError } from './error.ts';

/** Grows as needed; `finish` returns a copy of exactly the bytes written. */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  constructor(capacityBytes = 256) {
    this.#bytes = new Uint8Array(capacityBytes);
  }

  u8(value: number): this {
    return this.#integer(value, 1);
  }

  u16(value: number): this {
    return this.#integer(value, 2);
  }

  u32(value: number): this {
    return this.#integer(value, 4);
  }

  u64(value: bigint | number): this {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) {
      return this.u32(Math.floor(value / 2 ** 32)).u32(value % 2 ** 32);
    }
    const wide = BigInt(value);
    if (wide < 0n || wide > 0xffffffffffffffffn)
      throw new BytesError('bytes-out-of-range', 'integer does not fit 64 bits');
    return this.u32(Number(wide >> 32n)).u32(Number(wide & 0xffffffffn));
  }

  raw(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  /** `length zero bytes`. */
  zeros(length: number): this {
    this.#reserve(length);
    this.#length += length;
    return this;
  }

  vector16(bytes: Uint8Array): this {
    return this.u16(bytes.length).raw(bytes);
  }

  vector32(bytes: Uint8Array): this {
    return this.u32(bytes.length).raw(bytes);
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  #integer(value: number, width: 1 | 2 | 4): this {
    if (!Number.isInteger(value) || value < 0 || value >= 2 ** (8 * width)) {
      throw new BytesError('bytes-out-of-range', 'integer does not fit its field');
    }
    this.#reserve(width);
    for (let shift = width - 1; shift >= 0; shift--)
      this.#bytes[this.#length++] = Math.floor(value / 2 ** (8 * shift)) & 0xff;
    return this;
  }

  #reserve(extra: number): void {
    const needed = this.#length + extra;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
