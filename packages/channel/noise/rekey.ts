/** REKEY of Noise (revision 34, 4.2): a key is replaced by one that does not lead back to it. */
import { ask, type Steps } from './steps.ts';

/** 2^64 − 1, which both ciphers spell alike and which no message uses. */
export const LAST_NONCE = Uint8Array.from({ length: 12 }, (_, at) => (at < 4 ? 0 : 0xff));

/** @returns the key that follows; the caller erases the old one */
export function* rekey(key: Uint8Array): Steps<Uint8Array<ArrayBuffer>> {
  const aead = yield* ask((primitives) => primitives.importAead(key));
  const sealed = yield* ask(() => aead.seal(LAST_NONCE, new Uint8Array(32), new Uint8Array(0)));
  return sealed.slice(0, 32);
}
