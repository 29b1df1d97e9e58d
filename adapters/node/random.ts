/** The operating system's secure source, through Web Cryptography's `getRandomValues` (65,536 bytes a call at most). */
import type { Random } from '@sotto/ports';

const CALL_LIMIT_BYTES = 65_536;

export function createNodeRandom(): Random {
  return {
    bytes(length) {
      const bytes = new Uint8Array(length);
      for (let at = 0; at < length; at += CALL_LIMIT_BYTES) {
        globalThis.crypto.getRandomValues(bytes.subarray(at, at + CALL_LIMIT_BYTES));
      }
      return bytes;
    },
  };
}
