/**
 * Reads a policy's JSON, level by level, and refuses what it does not know: a misspelled field would silently drop the demand
 * that it names. spec/evidence.md §hardware-policy. Written by the person or their administrator; mistyped at times.
 */
import { PolicyError } from './error.ts';

const LIST_LIMIT_COUNT = 256;

export function malformedPolicy(message: string, rule: string): PolicyError {
  return new PolicyError('policy-malformed', message, rule);
}

/** One object of the policy. Every read names its field; `close` refuses the ones that were never named. */
export class ClosedObject {
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #known = new Set<string>();

  constructor(value: unknown) {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    // EV-400: a list or a text has no fields, so every demand in it would be absent.
    if (!isObject) throw malformedPolicy('A part of the policy is not a JSON object.', 'EV-400');
    this.#fields = value as Readonly<Record<string, unknown>>;
  }

  /** The field's value; undefined when it is absent. */
  value(name: string): unknown {
    this.#known.add(name);
    return Object.hasOwn(this.#fields, name) ? this.#fields[name] : undefined;
  }

  has(name: string): boolean {
    return this.value(name) !== undefined;
  }

  object(name: string): ClosedObject {
    return new ClosedObject(this.value(name));
  }

  /**
   * 1 to 256 entries, each read by `read`; two equal ones are a slip.
   *
   * @param options `mayRepeat` where entries are told apart by their place, `mayBeEmpty` where none is the strictest demand
   */
  list<T>(
    name: string,
    read: (value: unknown) => T,
    options: { readonly mayRepeat?: boolean; readonly mayBeEmpty?: boolean } = {},
  ): readonly T[] {
    const value = this.value(name);
    const fewest = options.mayBeEmpty === true ? 0 : 1;
    const isList = Array.isArray(value) && value.length >= fewest && value.length <= LIST_LIMIT_COUNT;
    // EV-401: an empty list allows nothing or, misread, everything; a missing one is no demand at all.
    if (!isList) throw malformedPolicy('A list of the policy is missing, empty or too long.', 'EV-401');
    const isSet = options.mayRepeat !== true;
    const isRepeated = isSet && new Set(value.map((entry) => JSON.stringify(entry))).size !== value.length;
    // EV-402: an entry that stands twice is most likely one that was meant to be another.
    if (isRepeated) throw malformedPolicy('A list of the policy names something twice.', 'EV-402');
    return value.map(read);
  }

  integer(name: string, max: number): number {
    const value = this.value(name);
    const isInRange = typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max;
    // EV-403: NaN, fractions and a floor that is absent are below every number.
    if (!isInRange) throw malformedPolicy('A number of the policy is missing or out of range.', 'EV-403');
    return value;
  }

  hex(name: string, lengthBytes: number): string {
    return readHex(this.value(name), lengthBytes);
  }

  word<T extends string>(name: string, words: readonly T[]): T {
    return readWord(this.value(name), words);
  }

  /** Refuses fields that nobody asked for. Call last. */
  close(): void {
    const unknownField = Object.keys(this.#fields).some((name) => !this.#known.has(name));
    // EV-400: see the file's header.
    if (unknownField) throw malformedPolicy('The policy holds an unknown field.', 'EV-400');
  }
}

/** Lower-case hex of exactly `lengthBytes` bytes. */
export function readHex(value: unknown, lengthBytes: number): string {
  const isHex = typeof value === 'string' && value.length === lengthBytes * 2 && /^[0-9a-f]*$/.test(value);
  // EV-404: a digest that was cut can be matched by something made for it.
  if (!isHex) throw malformedPolicy('A digest of the policy is not lower-case hex of its length.', 'EV-404');
  return value;
}

export function readWord<T extends string>(value: unknown, words: readonly T[]): T {
  const known = words.find((word) => word === value);
  // EV-405: a word that this code does not know means something that it does not do.
  if (known === undefined) throw malformedPolicy('A word of the policy is not a known one.', 'EV-405');
  return known;
}
