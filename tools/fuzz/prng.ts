/**
 * The randomness of a fuzz run: fast, and the same for ever from the same seed, so that an input is known by the seed, the
 * target and its index alone. Never for anything else.
 */

/** sfc32 (Chris Doty-Humphrey), seeded with a hash of a text. */
export class Prng {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: string) {
    let [a, b, c] = [0x9e3779b9, 0x243f6a88, 0xb7e15162];
    for (let at = 0; at < seed.length; at++) {
      const code = seed.charCodeAt(at);
      a = Math.imul(a ^ code, 0x85ebca6b) ^ (c >>> 13);
      b = Math.imul(b ^ code, 0xc2b2ae35) ^ (a >>> 16);
      c = Math.imul(c ^ code, 0x27d4eb2f) ^ (b >>> 15);
    }
    [this.#a, this.#b, this.#c] = [a | 0, b | 0, c | 0];
    for (let turn = 0; turn < 12; turn++) this.u32();
  }

  u32(): number {
    const sum = (this.#a + this.#b + this.#counter++) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** 0 to `limit` - 1; 0 when there is nothing to choose from. */
  below(limit: number): number {
    return limit <= 1 ? 0 : this.u32() % limit;
  }

  /** True once in `times`. */
  oneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  bytes(length: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length }, () => this.u32() & 0xff);
  }

  /** Mostly small, now and then up to `limit`. */
  length(limit: number): number {
    const most = this.pick([2, 4, 16, 64, 256, limit]);
    return 1 + this.below(Math.max(1, Math.min(most, limit)));
  }
}
