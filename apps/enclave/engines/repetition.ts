/** Notices that a small model has begun to say the same thing for ever (spec/enclave.md §engines). */

const TAIL_LENGTH = 480;
const REPEATS = 4;
const LEAST_LENGTH = 48;

/** Watches an answer as it grows. */
export class RepetitionWatch {
  #tail = '';

  /** @returns true when the answer so far ends in one piece of text repeated four times or more, over 48 characters or more */
  add(text: string): boolean {
    this.#tail = (this.#tail + text).slice(-TAIL_LENGTH);
    for (let period = 1; period * REPEATS <= this.#tail.length; period++) {
      const length = Math.max(period * REPEATS, LEAST_LENGTH);
      if (length <= this.#tail.length && this.#repeats(period, length)) return true;
    }
    return false;
  }

  #repeats(period: number, length: number): boolean {
    const start = this.#tail.length - length;
    for (let at = this.#tail.length - 1; at >= start + period; at--) {
      if (this.#tail[at] !== this.#tail[at - period]) return false;
    }
    return true;
  }
}
