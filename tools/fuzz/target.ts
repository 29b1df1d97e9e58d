/** What a fuzz target is: one or more genuine inputs, and something that must refuse anything else in its own words. */

type Bytes = Uint8Array<ArrayBuffer>;

/** One input: the byte strings that it consists of (one message, or the records of a session, or path, headers and body). */
export type Input = readonly Bytes[];

// biome-ignore lint/suspicious/noExplicitAny: constructors of every shape
export type ErrorClass = abstract new (...args: any[]) => Error;

export interface Target {
  /** `area/what`. */
  readonly name: string;
  /** Genuine inputs, from the vectors or made here, and the vectors' refused ones: where mutation begins. */
  corpus(): readonly Input[] | Promise<readonly Input[]>;
  /**
   * Takes one input.
   *
   * @returns undefined when it was accepted, a code when it was refused without an error
   * @throws what `errors` lists when it was refused; anything else is a crash
   */
  run(input: Input): Outcome | Promise<Outcome>;
  /** The typed errors that count as a refusal. */
  readonly errors: readonly ErrorClass[];
  /** Lets go of what `corpus` began (folders, sessions). */
  close?(): Promise<void>;
  /** Inputs that a run by count makes; the default is the run's own. For what takes milliseconds each. */
  readonly share?: number;
}

// biome-ignore lint/suspicious/noConfusingVoidType: a target that accepts says nothing
export type Outcome = string | undefined | void;

/** A promise that was broken rather than a parser that fell over: a forged thing was taken for genuine. */
export class SecurityFault extends Error {
  override readonly name = 'SecurityFault';
}

/** @throws SecurityFault */
export function insist(condition: boolean, whatItMeans: string): asserts condition {
  if (!condition) throw new SecurityFault(whatItMeans);
}
