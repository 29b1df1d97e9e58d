/**
 * The algorithms a Noise protocol name may ask for (revision 34, 12; ML-KEM-768 for `hfs`), put together from whichever
 * library computes them. Suite `sotto-1` does not come this way (see primitives.ts): this is for the judge of published
 * vectors, for `confer-1`, and for tests, and never part of the browser's bundle.
 */
import type { Bytes } from './error.ts';
import type { AeadKey, Awaitable, KeyAgreement, Primitives } from './primitives.ts';

const GROUP_BYTES = { '25519': 32, '448': 56 } as const;
const HASH_BYTES = { SHA256: 32, SHA512: 64, BLAKE2s: 32, BLAKE2b: 64 } as const;
const CIPHERS = ['AESGCM', 'ChaChaPoly'] as const;

export type NoiseGroup = keyof typeof GROUP_BYTES;
export type NoiseHash = keyof typeof HASH_BYTES;
export type NoiseCipher = (typeof CIPHERS)[number];

/** What one library offers. An algorithm that it lacks is answered with undefined. */
export interface NoiseLibrary {
  readonly answers: Primitives['answers'];
  readonly kem: Pick<Primitives, 'kemPublicKey' | 'encapsulate' | 'decapsulate'>;
  group(name: NoiseGroup): KeyAgreement | undefined;
  cipher(name: NoiseCipher): (key: Uint8Array) => Awaitable<AeadKey>;
  hash(name: NoiseHash): (...parts: readonly Uint8Array[]) => Bytes;
  hmac(name: NoiseHash): (key: Uint8Array, ...parts: readonly Uint8Array[]) => Bytes;
}

/** Everything a Noise handshake needs but for its pattern and its keys. */
export interface NoiseSuite {
  readonly primitives: Primitives;
  readonly algorithms: {
    readonly name: string;
    readonly dhBytes: number;
    /** The second group's public key or the encapsulation key; 0 where there is none. */
    readonly hybridBytes: number;
    readonly kemCiphertextBytes: number;
    readonly hashBytes: number;
    hash(...parts: readonly Uint8Array[]): Bytes;
    hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Bytes;
    /** The 12-byte nonce of a counter: big-endian for AESGCM, little-endian for ChaChaPoly. */
    nonce(counter: number): Bytes;
  };
}

/**
 * @param name what follows the pattern in a protocol name, such as `25519+448_ChaChaPoly_BLAKE2b`
 * @returns undefined when a part of the name is unknown, or is not in this library
 */
export function assembleNoiseSuite(name: string, library: NoiseLibrary): NoiseSuite | undefined {
  const [groups = '', cipher, hash, ...rest] = name.split('_');
  const [first, second, ...more] = groups.split('+');
  if (!isOneOf(CIPHERS, cipher) || !isKeyOf(HASH_BYTES, hash) || !isKeyOf(GROUP_BYTES, first)) return undefined;
  if (rest.length > 0 || more.length > 0) return undefined;
  const isKem = second === 'MLKEM768';
  if (second !== undefined && !isKem && !isKeyOf(GROUP_BYTES, second)) return undefined;
  const group = library.group(first);
  const hybrid = second === undefined || isKem ? undefined : library.group(second);
  if (group === undefined || (hybrid === undefined && second !== undefined && !isKem)) return undefined;
  return {
    primitives: {
      answers: library.answers,
      ...group,
      ...library.kem,
      ...(hybrid === undefined ? {} : { hybrid }),
      importAead: library.cipher(cipher),
    },
    algorithms: {
      name,
      dhBytes: GROUP_BYTES[first],
      hybridBytes: second === undefined ? 0 : isKem ? 1184 : GROUP_BYTES[second],
      kemCiphertextBytes: isKem ? 1088 : 0,
      hashBytes: HASH_BYTES[hash],
      hash: library.hash(hash),
      hmac: library.hmac(hash),
      nonce(counter) {
        const nonce = new Uint8Array(12);
        new DataView(nonce.buffer).setBigUint64(4, BigInt(counter), cipher === 'ChaChaPoly');
        return nonce;
      },
    },
  };
}

function isKeyOf<Table extends object>(table: Table, name: string | undefined): name is keyof Table & string {
  return name !== undefined && Object.hasOwn(table, name);
}

function isOneOf<Word extends string>(words: readonly Word[], name: string | undefined): name is Word {
  return (words as readonly (string | undefined)[]).includes(name);
}
