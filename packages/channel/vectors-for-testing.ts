/** Loads our own vectors (vectors/channel) in the short hex they are written in. */
import { readFileSync } from 'node:fs';
import { parseHex } from '@sotto/bytes';

export interface Case {
  readonly id: string;
  readonly rule: string;
  readonly note: string;
  readonly expect: string | { readonly code?: string; readonly kinds?: readonly string[] };
}

/** @param name a file of vectors/channel */
export function loadVectors<File>(name: string): File {
  return JSON.parse(readFileSync(new URL(`../../vectors/channel/${name}`, import.meta.url), 'utf8')) as File;
}

/** Hex in which `(01x5)` stands for five bytes 01. */
export function parseShortHex(text: string): Uint8Array<ArrayBuffer> {
  return parseHex(text.replace(/\((..)x(\d+)\)/g, (_, byte: string, count: string) => byte.repeat(Number(count))));
}
