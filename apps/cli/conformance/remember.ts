/**
 * Published vectors share a handful of keys, and a Diffie-Hellman over 448 takes longer than all the rest of a case: what
 * was computed once is kept. Every key here is part of a public input.
 */
import { encodeHex } from '@sotto/bytes';
import type { KeyAgreement } from '@sotto/crypto/primitives';

const KEPT = 4096;

/** The same group, with its last results kept. */
export function remembering(group: KeyAgreement): KeyAgreement {
  const kept = new Map<string, Uint8Array<ArrayBuffer>>();
  const remember = (key: string, bytes: ReturnType<KeyAgreement['dh']>) => {
    // What answers later is not kept: nothing in Node does.
    if (bytes instanceof Promise) return bytes;
    if (kept.size >= KEPT) kept.clear();
    kept.set(key, bytes);
    return bytes.slice();
  };
  return {
    dhPublicKey(privateKey) {
      const key = encodeHex(privateKey);
      return kept.get(key)?.slice() ?? remember(key, group.dhPublicKey(privateKey));
    },
    dh(privateKey, publicKey) {
      const key = `${encodeHex(privateKey)} ${encodeHex(publicKey)}`;
      return kept.get(key)?.slice() ?? remember(key, group.dh(privateKey, publicKey));
    },
  };
}
