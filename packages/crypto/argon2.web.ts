/**
 * Argon2id (RFC 9106) in WebAssembly. Blocks its thread for half a second, and runs only where the
 * policy allows WebAssembly: a worker of its own.
 */

import type { StretchRequest } from '@sotto/ports';
import { argon2id as wasmArgon2id } from 'hash-wasm';
import { assertLength, type Bytes } from './error.ts';

export { type Bytes, CryptoError, type CryptoErrorCode } from './error.ts';

/** 32 bytes. The caller bounds what it asks for. */
export async function argon2id({ message, salt, memoryKiB, passes, lanes }: StretchRequest): Promise<Bytes> {
  assertLength(salt, 16);
  const tag = await wasmArgon2id({
    password: message,
    salt,
    memorySize: memoryKiB,
    iterations: passes,
    parallelism: lanes,
    hashLength: 32,
    outputType: 'binary',
  });
  return new Uint8Array(tag);
}
