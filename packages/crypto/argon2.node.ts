/** Argon2id (RFC 9106) in Node. */
import { argon2 } from 'node:crypto';
import type { StretchRequest } from '@sotto/ports';
import { assertLength, type Bytes } from './error.ts';

export { type Bytes, CryptoError, type CryptoErrorCode } from './error.ts';

/** 32 bytes. Off the main thread; the caller bounds what it asks for. */
export function argon2id({ message, salt, memoryKiB, passes, lanes }: StretchRequest): Promise<Bytes> {
  assertLength(salt, 16);
  const parameters = { message, nonce: salt, parallelism: lanes, tagLength: 32, memory: memoryKiB, passes };
  return new Promise((resolve, reject) => {
    argon2('argon2id', parameters, (error, tag) => (error === null ? resolve(new Uint8Array(tag)) : reject(error)));
  });
}
