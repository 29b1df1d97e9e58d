/** CipherState and SymmetricState of Noise (revision 34, 5.1 and 5.2), over injected algorithms. */
import { concatBytes, encodeUtf8 } from '@sotto/bytes';
import { ask, type Steps } from './steps.ts';

/** What the name of a protocol stands for, but for the parts that `Primitives` computes. */
export interface NoiseAlgorithms {
  /** Such as `25519+MLKEM768_AESGCM_SHA256`. */
  readonly name: string;
  readonly dhBytes: number;
  /** Lengths of the hybrid key and of the KEM ciphertext; 0 where there is none. */
  readonly hybridBytes: number;
  readonly kemCiphertextBytes: number;
  readonly hashBytes: number;
  hash(...parts: readonly Uint8Array[]): Uint8Array;
  hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array;
  /** The 12-byte AEAD nonce of a counter. */
  nonce(counter: number): Uint8Array;
}

const KEY_BYTES = 32;

/** Owned by one handshake; the hash is public, the chaining key and the cipher key are not. */
export class SymmetricState {
  readonly #algorithms: NoiseAlgorithms;
  #hash: Uint8Array;
  #chainingKey: Uint8Array;
  #key: Uint8Array | undefined;
  #counter = 0;

  constructor(algorithms: NoiseAlgorithms, protocolName: string) {
    this.#algorithms = algorithms;
    const name = encodeUtf8(protocolName);
    const padding = new Uint8Array(Math.max(0, algorithms.hashBytes - name.length));
    this.#hash = name.length <= algorithms.hashBytes ? concatBytes(name, padding) : algorithms.hash(name);
    this.#chainingKey = this.#hash.slice();
  }

  get handshakeHash(): Uint8Array {
    return this.#hash.slice();
  }

  mixHash(data: Uint8Array): void {
    this.#hash = this.#algorithms.hash(this.#hash, data);
  }

  mixKey(secret: Uint8Array): void {
    const [chainingKey, key] = this.#derive(secret);
    this.#erase();
    this.#chainingKey = chainingKey;
    this.#key = key.slice(0, KEY_BYTES);
    this.#counter = 0;
  }

  /** For a pre-shared key. */
  mixKeyAndHash(secret: Uint8Array): void {
    const [chainingKey, hash, key] = this.#derive(secret, 3);
    this.#erase();
    this.#chainingKey = chainingKey;
    this.mixHash(hash);
    this.#key = key.slice(0, KEY_BYTES);
    this.#counter = 0;
  }

  *encryptAndHash(plaintext: Uint8Array): Steps<Uint8Array> {
    let sealed = plaintext;
    const key = this.#key;
    if (key !== undefined) {
      const nonce = this.#algorithms.nonce(this.#counter++);
      const aead = yield* ask((primitives) => primitives.importAead(key));
      sealed = yield* ask(() => aead.seal(nonce, plaintext, this.#hash));
    }
    this.mixHash(sealed);
    return sealed;
  }

  /** The ciphertext is the peer's and hostile; a wrong one surfaces as CryptoError `aead-open-failed`. */
  *decryptAndHash(sealed: Uint8Array): Steps<Uint8Array> {
    let plaintext = sealed;
    const key = this.#key;
    if (key !== undefined) {
      const nonce = this.#algorithms.nonce(this.#counter++);
      const aead = yield* ask((primitives) => primitives.importAead(key));
      plaintext = yield* ask(() => aead.open(nonce, sealed, this.#hash));
    }
    this.mixHash(sealed);
    return plaintext;
  }

  /** 16 once a key is mixed: what EncryptAndHash adds. */
  get tagBytes(): number {
    return this.#key === undefined ? 0 : 16;
  }

  /** The keys initiator → responder and responder → initiator; the state is erased. */
  split(): { readonly fromInitiator: Uint8Array; readonly fromResponder: Uint8Array } {
    const [first, second] = this.#derive(new Uint8Array(0));
    this.#erase();
    return { fromInitiator: first.slice(0, KEY_BYTES), fromResponder: second.slice(0, KEY_BYTES) };
  }

  /** HKDF: two outputs, or three where a pre-shared key is mixed. */
  #derive(secret: Uint8Array, count: 2 | 3 = 2): [Uint8Array, Uint8Array, Uint8Array] {
    const { hmac } = this.#algorithms;
    const extracted = hmac(this.#chainingKey, secret);
    const first = hmac(extracted, Uint8Array.of(1));
    const second = hmac(extracted, first, Uint8Array.of(2));
    return [first, second, count === 3 ? hmac(extracted, second, Uint8Array.of(3)) : new Uint8Array(0)];
  }

  #erase(): void {
    this.#chainingKey.fill(0);
    this.#key?.fill(0);
  }
}
