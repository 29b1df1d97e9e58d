/** The mutators: from genuine inputs to what a hostile peer might send instead. No coverage is measured. */
import { mutateJson } from './mutate-json.ts';
import type { Prng } from './prng.ts';
import type { Input } from './target.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** No part of an input grows beyond this; a few megabytes find no other faults and take a hundred times as long. */
export const PART_LIMIT_BYTES = 72 * 1024;
const PARTS_LIMIT = 64;

/** The input of this index: first the corpus as it is, then mutations of it. */
export function inputAt(random: Prng, corpus: readonly Input[], index: number): Input {
  if (index < corpus.length) return corpus[index] as Input;
  let parts = [...random.pick(corpus)];
  for (let turns = random.pick([1, 1, 1, 2, 3, 6]); turns > 0; turns--) {
    if (parts.length > 1 && random.oneIn(3)) parts = mutateList(random, parts, corpus);
    else if (parts.length > 0) {
      const at = random.below(parts.length);
      parts[at] = mutatePart(random, parts[at] as Bytes, corpus);
    }
  }
  return parts;
}

function mutateList(random: Prng, parts: readonly Bytes[], corpus: readonly Input[]): Bytes[] {
  const [a, b] = [random.below(parts.length), random.below(parts.length)];
  const foreign = random.pick(corpus);
  switch (random.below(5)) {
    case 0:
      return parts.toSpliced(a, 1);
    case 1:
      return parts.toSpliced(b, 0, parts[a] as Bytes).slice(0, PARTS_LIMIT);
    case 2:
      return parts.with(a, parts[b] as Bytes).with(b, parts[a] as Bytes);
    case 3:
      return parts.with(a, foreign[random.below(foreign.length)] ?? new Uint8Array(0));
    default:
      return [...parts.slice(0, a), ...foreign.slice(random.below(foreign.length))].slice(0, PARTS_LIMIT);
  }
}

/** JSON is mostly changed as JSON; everything else, and JSON now and then, as bytes. */
function mutatePart(random: Prng, part: Bytes, corpus: readonly Input[]): Bytes {
  const looksLikeJson = part[0] === 0x7b || part[0] === 0x5b;
  const changed = looksLikeJson && !random.oneIn(4) ? mutateJson(random, part) : undefined;
  return (changed ?? mutateBytes(random, part, corpus)).slice(0, PART_LIMIT_BYTES);
}

function mutateBytes(random: Prng, part: Bytes, corpus: readonly Input[]): Bytes {
  const at = random.below(part.length);
  const length = random.length(part.length - at);
  switch (random.below(12)) {
    case 0:
      return changed(part, at, (byte) => byte ^ (1 << random.below(8)));
    case 1:
      return changed(part, at, () => random.pick([0, 1, 0x7f, 0x80, 0xff, 0x0a, 0x22, 0x2e]));
    case 2:
      return spliced(part, at, 0, random.bytes(random.length(64)));
    case 3:
      return spliced(part, at, length, new Uint8Array(0));
    case 4:
      return spliced(part, random.below(part.length), 0, part.slice(at, at + length));
    case 5: {
      const other = random.pick(random.pick(corpus)) ?? part;
      return spliced(part, at, part.length - at, other.slice(random.below(other.length)));
    }
    case 6:
    case 7:
      return boundary(random, part, at);
    case 8:
      return part.slice(0, at);
    case 9:
      return spliced(part, part.length, 0, random.oneIn(2) ? new Uint8Array(random.length(512)) : random.bytes(length));
    case 10: {
      // The same few bytes a great many times: nesting, quadratic readers, counters that run over.
      const piece = part.slice(at, at + 1 + random.below(8));
      const times = Math.min(
        random.pick([3, 40, 40, 400, 4000, 20_000]),
        Math.floor(PART_LIMIT_BYTES / piece.length) || 0,
      );
      return spliced(part, at, 0, repeated(piece, times));
    }
    default: {
      // A variable-length integer that does not end, ends late, or is the largest.
      const most = new Uint8Array(random.pick([4, 8, 9, 10, 19])).fill(0xff);
      return spliced(
        part,
        at,
        random.below(2),
        spliced(most, most.length, 0, Uint8Array.of(random.pick([0, 1, 0x7f]))),
      );
    }
  }
}

/** Writes an integer of some width that is at an edge: of its type, of the input's length, or of what stood there. */
function boundary(random: Prng, part: Bytes, at: number): Bytes {
  const width = random.pick([1, 2, 4, 8]);
  if (part.length < width) return Uint8Array.of(0xff, ...part);
  const start = Math.min(at, part.length - width);
  const result = part.slice();
  const view = new DataView(result.buffer);
  const mask = (1n << BigInt(8 * width)) - 1n;
  const current = BigInt(view.getUint8(start + width - 1));
  const left = BigInt(part.length - start - width);
  const value = random.pick([0n, 1n, 0x7fn, 0x80n, 0xffn, 0x100n, mask, mask >> 1n, (mask >> 1n) + 1n, mask - 1n]);
  const near = random.pick([value, value, current + 1n, current - 1n, left, left + 1n, left - 1n, 1n << 53n]) & mask;
  const isLittle = random.oneIn(6);
  for (let i = 0; i < width; i++) {
    const shift = BigInt(8 * (isLittle ? i : width - 1 - i));
    view.setUint8(start + i, Number((near >> shift) & 0xffn));
  }
  return result;
}

function changed(part: Bytes, at: number, change: (byte: number) => number): Bytes {
  const result = part.slice();
  if (at < result.length) result[at] = change(result[at] as number);
  return result;
}

function spliced(part: Bytes, at: number, remove: number, insert: Uint8Array): Bytes {
  const end = Math.min(part.length, at + remove);
  const result = new Uint8Array(at + insert.length + part.length - end);
  result.set(part.subarray(0, at));
  result.set(insert, at);
  result.set(part.subarray(end), at + insert.length);
  return result;
}

function repeated(piece: Uint8Array, times: number): Bytes {
  const result = new Uint8Array(piece.length * times);
  for (let i = 0; i < times; i++) result.set(piece, i * piece.length);
  return result;
}
