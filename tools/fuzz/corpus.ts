/** Reads the project's own vectors as the beginnings of fuzz inputs. */
import { readFileSync } from 'node:fs';
import { encodeUtf8, parseHex } from '@sotto/bytes';

type Bytes = Uint8Array<ArrayBuffer>;

/** @param path below vectors/ */
export function loadVectors<File>(path: string): File {
  return JSON.parse(readFileSync(new URL(`../../vectors/${path}`, import.meta.url), 'utf8')) as File;
}

/** Hex in which `(01x5)` stands for five bytes 01. */
export function parseShortHex(text: string): Bytes {
  return parseHex(text.replace(/\((..)x(\d+)\)/g, (_, byte: string, count: string) => byte.repeat(Number(count))));
}

export function jsonBytes(value: unknown): Bytes {
  return encodeUtf8(JSON.stringify(value));
}

/** Text of a part; wrong UTF-8 becomes replacement characters, as every other way in would have it. */
export function lossyText(part: Uint8Array | undefined): string {
  return new TextDecoder().decode(part);
}

export const fill = (length: number, value: number): Bytes => new Uint8Array(length).fill(value);

/** Lets what is due happen: a few deliveries of a socket pair, and all that follows from them. */
export async function turns(count = 3): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}
