/**
 * What an engine says while its reader waits for the next record is gathered, so that it goes into one (spec/shaping.md,
 * gathering). The engine runs ahead of the reader, never further than the limit. Its text is untrusted, and never looked at.
 */
import type { EngineEvent } from './engine.ts';

/** UTF-16 units of text that may wait; then the engine waits too. */
const GATHERED_LIMIT = 16_384;

/** Reads `source` ahead. One reader. */
export class Gatherer {
  readonly #source: { next(): Promise<EngineEvent> };
  #text = '';
  #last: { readonly event: EngineEvent } | { readonly error: unknown } | undefined;
  #isRunning = false;
  #wake: (() => void) | undefined;

  constructor(source: { next(): Promise<EngineEvent> }) {
    this.#source = source;
  }

  /** All the text that is there, as one event, or the next event. Rejects with what the source rejected with, after all text. */
  async next(): Promise<EngineEvent> {
    while (this.#text === '' && this.#last === undefined) {
      this.#run();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#text !== '') {
      const text = this.#text;
      this.#text = '';
      this.#run();
      return { text };
    }
    const last = this.#last;
    if (last === undefined) return this.next();
    if ('error' in last) throw last.error;
    return last.event;
  }

  #run(): void {
    if (this.#isRunning || this.#last !== undefined) return;
    this.#isRunning = true;
    void this.#read();
  }

  async #read(): Promise<void> {
    try {
      // SH-41: an engine is faster than a slow phone, and what waits for the phone is our memory.
      while (this.#text.length < GATHERED_LIMIT) {
        const event = await this.#source.next();
        if ('text' in event) this.#text += event.text;
        else this.#last = { event };
        this.#wake?.();
        if (this.#last !== undefined) return;
      }
    } catch (error) {
      this.#last = { error };
      this.#wake?.();
    } finally {
      this.#isRunning = false;
    }
  }
}
