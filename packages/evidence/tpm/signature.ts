/**
 * A TPM's signature (TPMT_SIGNATURE): u16 algorithm ‖ u16 hash ‖ v16 signature, or v16 r ‖ v16 s. spec/evidence-tpm.md §quote. Hostile.
 */
import { ByteReader, BytesError, concatBytes } from '@sotto/bytes';
import type { PublicKey, SignatureScheme } from '@sotto/crypto/x509';
import { malformedSignature } from './error.ts';

const RSA_LIMIT_BYTES = 512;
const SCALAR_LIMIT_BYTES = 48;
const ECDSA = 0x0018;
const ALGORITHMS: ReadonlyMap<number, 'rsa-pkcs1' | 'rsa-pss' | 'ecdsa'> = new Map([
  [0x0014, 'rsa-pkcs1'],
  [0x0016, 'rsa-pss'],
  [ECDSA, 'ecdsa'],
]);
const HASHES: ReadonlyMap<number, 'sha256' | 'sha384'> = new Map([
  [0x000b, 'sha256'],
  [0x000c, 'sha384'],
]);

export interface TpmSignature {
  readonly scheme: SignatureScheme;
  readonly hash: 'sha256' | 'sha384';
  /** RSA: one number. ECDSA: r and s. Each as long as the TPM wrote it. */
  readonly numbers: readonly Uint8Array[];
}

/** @throws JudgementError `signature-malformed` */
export function parseTpmSignature(bytes: Uint8Array): TpmSignature {
  const reader = new ByteReader(bytes);
  try {
    const algorithm = ALGORITHMS.get(reader.u16());
    const hash = HASHES.get(reader.u16());
    // EV-332: an algorithm that is not known, or a hash that is broken, proves nothing.
    if (algorithm === undefined || hash === undefined) {
      throw malformedSignature('EV-332', 'the signature is of an unknown algorithm');
    }
    const limitBytes = algorithm === 'ecdsa' ? SCALAR_LIMIT_BYTES : RSA_LIMIT_BYTES;
    const numbers = Array.from({ length: algorithm === 'ecdsa' ? 2 : 1 }, () => reader.vector16(limitBytes));
    reader.end();
    return { scheme: `${algorithm}-${hash}`, hash, numbers };
  } catch (error) {
    // EV-333: a number that is cut off, or followed by more, is another number.
    if (error instanceof BytesError) throw malformedSignature('EV-333', 'the signature has another length', error);
    throw error;
  }
}

/** r ‖ s at the curve's length, or the RSA signature; undefined where the numbers do not fit the key. */
export function signatureBytesFor(key: PublicKey, { numbers }: TpmSignature): Uint8Array | undefined {
  if (key.kind === 'rsa') return numbers.length === 1 ? numbers[0] : undefined;
  const lengthBytes = key.curve === 'P-256' ? 32 : 48;
  if (numbers.length !== 2) return undefined;
  const isSpelled = (number: Uint8Array) =>
    number.length === lengthBytes || (number.length < lengthBytes && number.length > 0 && number[0] !== 0);
  // EV-334: some TPMs leave leading zeros out; any other length is a further spelling of the same signature.
  if (!numbers.every(isSpelled)) return undefined;
  return concatBytes(...numbers.flatMap((number) => [new Uint8Array(lengthBytes - number.length), number]));
}
