/**
 * A small reader of JSON for collateral, which anybody may hand over and Intel has signed. Stricter than JSON.parse: printable
 * ASCII, whole numbers, no name twice, bounded size and depth. It also says where each member of the outermost object stands,
 * because signatures cover text and not values.
 */
import { refusal } from './error.ts';

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
export type JsonObject = { readonly [name: string]: JsonValue };

export interface JsonDocument {
  readonly value: JsonObject;
  /** The exact text of each member of the outermost object. */
  readonly texts: ReadonlyMap<string, string>;
}

export const JSON_LIMIT_CHARS = 262_144;
const DEPTH_LIMIT = 12;

const malformed = (message: string) => refusal('tdx-collateral-malformed', 'EV-111', message);

/**
 * @param text one JSON object, at most 256 Ki characters
 * @throws JudgementError `tdx-collateral-malformed`
 */
export function parseJsonObject(text: string): JsonDocument {
  // EV-111: without a limit the input decides how much is read.
  if (text.length > JSON_LIMIT_CHARS) throw malformed('the text is longer than its limit');
  const reader = new JsonReader(text);
  const texts = new Map<string, string>();
  const value = reader.object(0, texts);
  reader.end();
  return { value, texts };
}

class JsonReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  object(depth: number, texts?: Map<string, string>): JsonObject {
    const members: [string, JsonValue][] = [];
    const names = new Set<string>();
    this.#expect('{');
    if (!this.#skip('}')) {
      do {
        const name = this.#string();
        // EV-111: of two members with one name, two readers may take different ones.
        if (names.has(name)) throw malformed('a name stands twice in one object');
        names.add(name);
        this.#expect(':');
        this.#space();
        const start = this.#at;
        members.push([name, this.#value(depth + 1)]);
        texts?.set(name, this.#text.slice(start, this.#at));
      } while (this.#skip(','));
      this.#expect('}');
    }
    return Object.fromEntries(members);
  }

  end(): void {
    this.#space();
    // EV-111: text after the end could carry a second meaning.
    if (this.#at !== this.#text.length) throw malformed('there is text after the end of the object');
  }

  #value(depth: number): JsonValue {
    // EV-111: thousands of levels would end the stack.
    if (depth > DEPTH_LIMIT) throw malformed('the values are nested too deeply');
    this.#space();
    const first = this.#text[this.#at];
    if (first === '{') return this.object(depth);
    if (first === '[') return this.#list(depth);
    if (first === '"') return this.#string();
    const word = /^(?:true|false|null|0|[1-9][0-9]{0,14})(?![\w.+-])/.exec(
      this.#text.slice(this.#at, this.#at + 17),
    )?.[0];
    // EV-111: fractions, exponents and signs spell a number twice; other words are none.
    if (word === undefined) throw malformed('a value is no text, whole number, word, list or object');
    this.#at += word.length;
    return JSON.parse(word) as JsonValue;
  }

  #list(depth: number): JsonValue[] {
    const values: JsonValue[] = [];
    this.#expect('[');
    if (this.#skip(']')) return values;
    do values.push(this.#value(depth + 1));
    while (this.#skip(','));
    this.#expect(']');
    return values;
  }

  #string(): string {
    this.#expect('"');
    const end = this.#text.indexOf('"', this.#at);
    const content = this.#text.slice(this.#at, end);
    const isPlain = end >= 0 && /^[ !#-[\]-~]*$/.test(content);
    // EV-111: escapes spell one text in many ways, and Intel writes none.
    if (!isPlain) throw malformed('a text is not printable ASCII without escapes');
    this.#at = end + 1;
    return content;
  }

  #space(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at++;
    }
  }

  #skip(character: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #expect(character: string): void {
    const isThere = this.#skip(character);
    // EV-111: what is not JSON has no meaning that could be signed.
    if (!isThere) throw malformed('the text is not JSON');
  }
}
