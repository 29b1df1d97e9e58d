/** The little of ASN.1 DER that test fakes need to write. */
import { concatBytes } from '@sotto/bytes';

/** Tag, length and content; lengths up to 65,535. */
export function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const body = concatBytes(...parts);
  const { length } = body;
  const head =
    length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return concatBytes(Uint8Array.from(head), body);
}

/** An unsigned integer, big-endian, in its shortest form. */
export function derInteger(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const first = bytes.findIndex((byte) => byte !== 0);
  const digits = bytes.slice(first < 0 ? bytes.length - 1 : first);
  return der(0x02, (digits[0] ?? 0) >= 0x80 ? Uint8Array.of(0) : new Uint8Array(), digits);
}

/** WebCrypto's r ‖ s as the sequence of two integers that certificates and authenticators hold. */
export function derEcdsaSignature(signature: Uint8Array): Uint8Array<ArrayBuffer> {
  const half = signature.length / 2;
  return der(0x30, derInteger(signature.slice(0, half)), derInteger(signature.slice(half)));
}
