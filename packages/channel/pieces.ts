/**
 * What has arrived of a body and waits for its reader (spec/channel.md, hostile peers). The peer chooses the sizes of the
 * pieces: kept one by one, a window in pieces of one byte would take some hundred times its own size.
 */

/** A piece of this size is kept as it came. */
const WHOLE_BYTES = 1024;
const FIRST_BYTES = 256;
const LAST_BYTES = 8192;

/** Bytes in order. Owned by one reader. */
export class Pieces {
  readonly #ready: Uint8Array[] = [];
  /** Small pieces put together; its first `#joined` bytes are in use. */
  #joint = new Uint8Array(0);
  #joined = 0;

  push(bytes: Uint8Array): void {
    const isFirst = this.#ready.length === 0 && this.#joined === 0;
    // CH-112: a piece costs what an object costs, and the peer decides how many there are.
    if (bytes.length < WHOLE_BYTES && !isFirst) {
      this.#join(bytes);
      return;
    }
    this.#seal();
    this.#ready.push(bytes);
  }

  /** The next bytes; boundaries mean nothing. */
  shift(): Uint8Array | undefined {
    if (this.#ready.length === 0) this.#seal();
    return this.#ready.shift();
  }

  clear(): void {
    this.#ready.length = 0;
    this.#joint = new Uint8Array(0);
    this.#joined = 0;
  }

  #join(bytes: Uint8Array): void {
    if (this.#joined + bytes.length > LAST_BYTES) this.#seal();
    const needed = this.#joined + bytes.length;
    if (needed > this.#joint.length) {
      const larger = new Uint8Array(Math.max(FIRST_BYTES, needed, Math.min(LAST_BYTES, 2 * this.#joint.length)));
      larger.set(this.#joint.subarray(0, this.#joined));
      this.#joint = larger;
    }
    this.#joint.set(bytes, this.#joined);
    this.#joined = needed;
  }

  #seal(): void {
    if (this.#joined === 0) return;
    this.#ready.push(this.#joint.subarray(0, this.#joined));
    this.#joint = new Uint8Array(0);
    this.#joined = 0;
  }
}
