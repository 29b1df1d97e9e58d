/** Randomness for tests: the same seed gives the same bytes, for ever. Never for anything real. */
import { concatBytes, encodeUtf8 } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import type { Random } from '@sotto/ports';

/** @param seed any text; different seeds give unrelated bytes */
export function createSeededRandom(seed: string): Random {
  const key = encodeUtf8(seed);
  let held = new Uint8Array(0);
  let counter = 0;
  return {
    bytes(length) {
      while (held.length < length) held = concatBytes(held, sha256(key, encodeUtf8(`/${counter++}`)));
      const taken = held.slice(0, length);
      held = held.slice(length);
      return taken;
    },
  };
}
