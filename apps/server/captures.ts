/**
 * What the relay saw, kept in memory for the operator's view: when, which way, how many bytes, and the first 48 of them.
 * Nothing is written to disk; a restart forgets it.
 */
import { encodeHex } from '@sotto/bytes';

export type Direction = 'to-node' | 'from-node';

export interface CapturedFrame {
  readonly timeMs: number;
  readonly direction: Direction;
  readonly sizeBytes: number;
  readonly firstBytesHex: string;
}

const FIRST_BYTES = 48;

export class Captures {
  readonly #framesLimit: number;
  readonly #subjectsLimit: number;
  readonly #bySubject = new Map<
    string,
    { timeMs: number; direction: Direction; sizeBytes: number; first: Uint8Array }[]
  >();

  constructor(limits: { capturedFrames: number; capturedSubjects: number }) {
    this.#framesLimit = limits.capturedFrames;
    this.#subjectsLimit = limits.capturedSubjects;
  }

  add(subjectId: string, timeMs: number, direction: Direction, frame: Uint8Array): void {
    const frames = this.#bySubject.get(subjectId) ?? [];
    // Copied: a view would keep the whole frame, and the socket's buffer around it, alive.
    frames.push({ timeMs, direction, sizeBytes: frame.length, first: Uint8Array.from(frame.subarray(0, FIRST_BYTES)) });
    if (frames.length > this.#framesLimit) frames.shift();
    if (this.#bySubject.has(subjectId)) return;
    this.#bySubject.set(subjectId, frames);
    const oldest = this.#bySubject.keys().next().value;
    if (this.#bySubject.size > this.#subjectsLimit && oldest !== undefined) this.#bySubject.delete(oldest);
  }

  forget(subjectId: string): void {
    this.#bySubject.delete(subjectId);
  }

  /** Oldest first. */
  framesOf(subjectId: string): CapturedFrame[] {
    return (this.#bySubject.get(subjectId) ?? []).map(({ first, ...frame }) => ({
      ...frame,
      firstBytesHex: encodeHex(first),
    }));
  }
}
