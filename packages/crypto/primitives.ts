/** What the Noise core asks for: the same list in Node (answers at once) and in browsers (answers later). */
import type { Bytes } from './error.ts';

export type Awaitable<Value> = Value | Promise<Value>;

/** One imported key. Nonces are 12 bytes. */
export interface AeadKey {
  seal(nonce: Uint8Array, plaintext: Uint8Array, aad: Uint8Array): Awaitable<Bytes>;
  /** Throws or rejects with CryptoError `aead-open-failed`. */
  open(nonce: Uint8Array, ciphertext: Uint8Array, aad: Uint8Array): Awaitable<Bytes>;
}

/** A Diffie-Hellman over one group. */
export interface KeyAgreement {
  dhPublicKey(privateKey: Uint8Array): Awaitable<Bytes>;
  dh(privateKey: Uint8Array, publicKey: Uint8Array): Awaitable<Bytes>;
}

/** A key agreement, a key encapsulation and an AEAD. Failures are thrown or rejected as CryptoError. */
export interface Primitives extends KeyAgreement {
  /** Whether every method answers at once, or some later. */
  readonly answers: 'at-once' | 'later';
  /** A second group, for `hfs` patterns with two Diffie-Hellmans; no suite of ours has it. */
  readonly hybrid?: KeyAgreement;
  kemPublicKey(seed: Uint8Array): Awaitable<Bytes>;
  encapsulate(publicKey: Uint8Array): Awaitable<{ ciphertext: Bytes; sharedSecret: Bytes }>;
  decapsulate(seed: Uint8Array, ciphertext: Uint8Array): Awaitable<Bytes>;
  importAead(key: Uint8Array): Awaitable<AeadKey>;
  /**
   * These primitives for one handshake: a key that it uses several times is imported once.
   *
   * @param lasting a private key that outlives the handshake: it stays imported until its bytes are overwritten by
   * `eraseX25519Key`, or nothing refers to them any more
   */
  forOneHandshake?(lasting?: Uint8Array): Primitives;
}
