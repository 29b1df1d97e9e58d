/**
 * What development evidence says that the enclave runs: a digest over its own sources (spec/enclave.md §development). The
 * enclave computes it about itself, so it proves nothing; measured images replace it.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { encodeHex, encodeUtf8 } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PARTS = [
  'adapters/node',
  'adapters/tee',
  'apps/enclave',
  'packages/bytes',
  'packages/channel',
  'packages/crypto',
  'packages/evidence',
  'packages/ports',
  'packages/wire',
];

/** SHA-256 over the lines `path space sha256`, sorted by path, of every source file that the enclave can load. */
export async function measureSources(): Promise<Uint8Array<ArrayBuffer>> {
  const files = (
    await Promise.all(PARTS.map((part) => readdir(join(ROOT, part), { recursive: true, withFileTypes: true })))
  )
    .flat()
    .filter((entry) => entry.isFile() && /\.(ts|json)$/.test(entry.name) && !entry.name.endsWith('.test.ts'))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .filter((path) => !path.includes('node_modules'))
    .sort();
  const lines: string[] = [];
  for (const path of files) lines.push(`${path} ${encodeHex(sha256(await readFile(join(ROOT, path))))}\n`);
  return sha256(encodeUtf8(lines.join('')));
}
