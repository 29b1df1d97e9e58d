/** ECDSA signatures as certificates write them (two integers in DER), turned into the r ‖ s of WebCrypto. Hostile input. */
import { parseDer } from './x509/der.ts';
import { DerFields, readUnsigned } from './x509/der-values.ts';

/**
 * @param lengthBytes of r and of s each
 * @returns undefined for anything but the one spelling of two numbers that fit
 */
export function rawEcdsaSignature(der: Uint8Array, lengthBytes: number): Uint8Array<ArrayBuffer> | undefined {
  try {
    const fields = new DerFields(parseDer(der, 160));
    const parts = [readUnsigned(fields.next()), readUnsigned(fields.next())];
    fields.end();
    const raw = new Uint8Array(2 * lengthBytes);
    for (const [index, digits] of parts.entries()) raw.set(digits, (index + 1) * lengthBytes - digits.length);
    return parts.every((digits) => digits.length <= lengthBytes) ? raw : undefined;
  } catch {
    return undefined;
  }
}
