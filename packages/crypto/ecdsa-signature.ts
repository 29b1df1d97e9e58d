/** ECDSA signatures as certificates write them (two integers in DER), turned into the r ‖ s of WebCrypto. Hostile input. */
import { concatBytes } from '@sotto/bytes';
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

/** The other way: r ‖ s as two integers in DER. @param raw of an even length below 128 */
export function derEcdsaSignature(raw: Uint8Array): Uint8Array<ArrayBuffer> {
  const half = raw.length / 2;
  const [r, s] = [integer(raw.subarray(0, half)), integer(raw.subarray(half))];
  return concatBytes(Uint8Array.of(0x30, r.length + s.length), r, s);
}

function integer(digits: Uint8Array): Uint8Array<ArrayBuffer> {
  const first = digits.findIndex((digit) => digit !== 0);
  const shortest = digits.subarray(first < 0 ? digits.length - 1 : first);
  const sign = (shortest[0] as number) >= 0x80 ? [0] : [];
  return concatBytes(Uint8Array.of(0x02, sign.length + shortest.length, ...sign), shortest);
}
