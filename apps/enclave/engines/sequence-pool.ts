/** Lends out the parts of the engine's context, one to an answer, each empty (spec/enclave.md §engines). */

/** What a sequence must be able to do: forget. */
export interface Clearable {
  clearHistory(): Promise<void>;
}

/** First come, first served. */
export class SequencePool<Sequence extends Clearable> {
  readonly #free: Sequence[];
  readonly #waiting: ((sequence: Sequence) => void)[] = [];

  constructor(sequences: readonly Sequence[]) {
    this.#free = [...sequences];
  }

  /** Runs `use` with a sequence of its own; waits while none is free. */
  async lend<Result>(use: (sequence: Sequence) => Promise<Result>): Promise<Result> {
    const sequence = this.#free.pop() ?? (await new Promise<Sequence>((resolve) => this.#waiting.push(resolve)));
    try {
      return await use(sequence);
    } finally {
      // What one request left must not be there for the next, which may be someone else's (EN-16).
      await sequence.clearHistory();
      const next = this.#waiting.shift();
      if (next === undefined) this.#free.push(sequence);
      else next(sequence);
    }
  }
}
