/** X25519 private keys that serve many handshakes, imported once. Their owner erases them with `eraseX25519Key`. */
import type { KeyObject } from 'node:crypto';
import { importX25519PrivateKey } from './sync.node.ts';

const imported = new WeakMap<Uint8Array, KeyObject>();

/** The same object while nobody has erased the bytes; they are never changed otherwise. */
export function importLastingX25519Key(privateKey: Uint8Array): KeyObject {
  const found = imported.get(privateKey) ?? importX25519PrivateKey(privateKey);
  imported.set(privateKey, found);
  return found;
}

/** Overwrites the bytes of a private key and drops what was imported from them. */
export function eraseX25519Key(privateKey: Uint8Array): void {
  privateKey.fill(0);
  imported.delete(privateKey);
}
