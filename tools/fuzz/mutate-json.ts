/** Changes to JSON that leave it JSON: what a byte flip almost never reaches. */
import type { Prng } from './prng.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const NAMES = ['__proto__', 'constructor', 'toString', 'prf', 'length', '', 'type', 'then', 'error', 'a'];
const NUMBERS = [0, -0, 1, -1, 0.5, 127, 128, 255, 256, 2 ** 31 - 1, 2 ** 32, 2 ** 53 - 1, 2 ** 53, -(2 ** 53), 1e300];
const TEXTS = [
  '',
  '\u0000',
  '\ud800',
  'é'.normalize('NFD'),
  '\u202e',
  '/../',
  '__proto__',
  ' ',
  '\n',
  '=',
  'null',
  '0x10',
];
/** Put in as text, for what no JavaScript value is written as. */
const RAW = ['1e999', '-0', '1.0', '1E2', '123456789012345678901234567890', '"\\ud800"', '"\\u0000"', '{"a":1,"a":2}'];
const MARK = '@fuzz-raw@';

/** @returns undefined when the part is not JSON */
export function mutateJson(random: Prng, part: Bytes): Bytes | undefined {
  try {
    const holder: unknown[] = [JSON.parse(new TextDecoder().decode(part))];
    const raw = mutateSomewhere(random, holder);
    const text = JSON.stringify(holder[0], undefined, random.oneIn(8) ? 1 : undefined) ?? 'null';
    return new TextEncoder().encode(raw === undefined ? text : text.replace(`"${MARK}"`, () => raw)) as Bytes;
  } catch {
    return undefined;
  }
}

type Holder = Record<string | number, unknown>;

/** Changes one value, chosen among all. @returns text to put in where the mark stands */
function mutateSomewhere(random: Prng, root: unknown[]): string | undefined {
  const places: [Holder, string | number][] = [];
  const pending: unknown[] = [root];
  while (pending.length > 0 && places.length < 2000) {
    const value = pending.pop();
    if (typeof value !== 'object' || value === null) continue;
    for (const key of Object.keys(value)) {
      places.push([value as Holder, Array.isArray(value) ? Number(key) : key]);
      pending.push((value as Holder)[key]);
    }
  }
  const [holder, key] = random.pick(places);
  const value = holder[key];
  switch (random.below(10)) {
    case 0:
      if (Array.isArray(holder) && holder !== root) holder.splice(Number(key), 1);
      else delete holder[key];
      return undefined;
    case 1:
      define(holder, random.oneIn(3) ? `${key}x` : random.pick(NAMES), value);
      return undefined;
    case 2: {
      const [other, otherKey] = random.pick(places);
      define(holder, key, other[otherKey] === holder ? null : structuredClone(other[otherKey]));
      return undefined;
    }
    case 3:
      define(holder, key, MARK);
      return random.pick(RAW);
    case 4: {
      const depth = random.pick([2, 16, 33, 65, 500, 20_000]);
      define(holder, key, MARK);
      const [open, close] = random.pick([
        ['[', ']'],
        ['{"a":', '}'],
      ] as const);
      return `${open.repeat(depth)}1${close.repeat(depth)}`;
    }
    case 5:
      define(holder, key, random.pick([null, true, false, [], {}, [value], { value }]));
      return undefined;
    case 6:
      if (Array.isArray(value)) {
        const times = random.pick([2, 10, 100, 1100]);
        define(
          holder,
          key,
          Array.from({ length: times * Math.max(1, value.length) }, (_, i) => value[i % value.length]),
        );
        return undefined;
      }
      define(holder, key, random.pick(NUMBERS));
      return undefined;
    default:
      define(holder, key, typeof value === 'string' ? mutateText(random, value) : other(random, value));
      return undefined;
  }
}

function other(random: Prng, value: unknown): unknown {
  if (typeof value === 'number')
    return random.pick([...NUMBERS, value + 1, value - 1, -value, value + 0.5, `${value}`]);
  return random.pick([...TEXTS, ...NUMBERS]);
}

function mutateText(random: Prng, text: string): string {
  const at = random.below(text.length + 1);
  switch (random.below(7)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return text.slice(0, at) + random.pick(TEXTS) + text.slice(at);
    case 2:
      return text.repeat(random.pick([2, 3, 50, 2000])).slice(0, 150_000);
    case 3:
      return text.toUpperCase();
    case 4:
      return `${text.slice(0, at)}${String.fromCharCode(random.below(0x80))}${text.slice(at + 1)}`;
    case 5:
      return random.pick(TEXTS);
    default:
      return `${text}${text.slice(at)}`;
  }
}

/** `holder.__proto__ = x` would set the prototype instead of writing a field. */
function define(holder: Holder, key: string | number, value: unknown): void {
  Object.defineProperty(holder, key, { value, writable: true, enumerable: true, configurable: true });
}
