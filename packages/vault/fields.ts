/**
 * Reading the named fields of one record's content. The writer holds the account's key (one of the person's own
 * devices, or one that was removed), so values are checked like any other input. What is not asked for is kept.
 */
import { isJsonObject, type JsonObject, type JsonValue } from './canonical-json.ts';
import { VaultError } from './error.ts';

const ID = /^[0-9a-f]{32}$/;
const HASH = /^[0-9a-f]{64}$/;
const TOKEN = /^[a-z][a-z0-9-]{0,31}$/;

/** True for 16 bytes as lower-case hex. */
export function isId(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && ID.test(value);
}

/** True for 32 bytes as lower-case hex. */
export function isHash(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && HASH.test(value);
}

/** Takes fields one by one; every method throws VaultError `record-content-malformed` (VA-22). */
export class Fields {
  readonly #left: Map<string, JsonValue>;

  constructor(object: JsonObject) {
    this.#left = new Map(Object.entries(object));
  }

  id(name: string): string {
    const value = this.#take(name);
    // VA-22: an id of another form would never be found again, or be found as something else
    if (!isId(value)) throw malformed();
    return value;
  }

  ids(name: string, limit: number): readonly string[] {
    const value = this.#take(name);
    // VA-22: a list of any other form would cut a message from its conversation
    if (!Array.isArray(value) || value.length > limit || !value.every(isId)) throw malformed();
    return value;
  }

  /** A whole number, 0 or more. */
  integer(name: string): number {
    const value = this.#take(name);
    // VA-22: times and clocks are compared; anything but a number compares as false for ever
    if (typeof value !== 'number' || value < 0) throw malformed();
    return value;
  }

  text(name: string): string {
    const value = this.#take(name);
    // VA-22: what is shown to a person must be text
    if (typeof value !== 'string') throw malformed();
    return value;
  }

  /** A short lower-case word, such as a type or a role. */
  token(name: string): string {
    const value = this.text(name);
    // VA-22: words are compared exactly; one with stray characters would be a second spelling
    if (!TOKEN.test(value)) throw malformed();
    return value;
  }

  object(name: string, limit: number): JsonObject {
    const value = this.#take(name);
    // VA-22: names are looked up in it
    if (!isJsonObject(value) || Object.keys(value).length > limit) throw malformed();
    return value;
  }

  /** A field that may be absent, and is `true` when it is there. */
  flag(name: string): boolean {
    const value = this.#take(name);
    // VA-22: `false` and absent would be two spellings of one thing
    if (value !== undefined && value !== true) throw malformed();
    return value === true;
  }

  /** Reads a field by another method only where it is present. */
  optional<T>(name: string, read: (name: string) => T): T | undefined {
    return this.#left.has(name) ? read(name) : undefined;
  }

  /** Any value, or undefined where it is absent. */
  value(name: string): JsonValue | undefined {
    return this.#take(name);
  }

  /** What nothing above has taken. */
  rest(): JsonObject {
    return Object.fromEntries(this.#left);
  }

  #take(name: string): JsonValue | undefined {
    const value = this.#left.get(name);
    this.#left.delete(name);
    return value;
  }
}

function malformed(): VaultError {
  return new VaultError('record-content-malformed', 'VA-22');
}
