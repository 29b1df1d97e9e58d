/**
 * A vendor's whole PKI for tests: certificates and revocation lists in DER in which every field can be changed. It writes what
 * it is told, wrong fields too, and shares no code with the reader. Keys come from their labels: anybody can make them.
 */
import { concatBytes, encodeBase64, encodeUtf8, parseHex } from '@sotto/bytes';
import { sha512 } from '@sotto/crypto/hash';
import { type SeededEcdsaKey, seededEcdsaKey } from '@sotto/crypto/seeded-ecdsa';
import { der, derEcdsaSignature, derInteger } from './der.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** A key whose owner everybody can be. @param label makes the key */
export function createTestKey(label: string, curve: 'P-256' | 'P-384' = 'P-256'): SeededEcdsaKey {
  return seededEcdsaKey(curve, sha512(encodeUtf8(`sotto/test-key/${label}`)));
}

/** An OBJECT IDENTIFIER. @param dotted such as `2.5.29.15` */
export function derOid(dotted: string): Bytes {
  const [top = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const octets = [40 * top + second, ...rest].flatMap((arc) => {
    const groups = [arc % 128];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) groups.unshift((left % 128) + 128);
    return groups;
  });
  return der(0x06, Uint8Array.from(octets));
}

/** A name with a common name alone. */
export function derName(commonName: string): Bytes {
  return der(0x30, der(0x31, der(0x30, derOid('2.5.4.3'), der(0x0c, encodeUtf8(commonName)))));
}

/** UTCTime up to 2049, GeneralizedTime from then on. */
export function derTime(seconds: number): Bytes {
  const digits = new Date(seconds * 1000).toISOString().replace(/[-:T]|\.\d+/g, '');
  const isLate = Number(digits.slice(0, 4)) >= 2050;
  return der(isLate ? 0x18 : 0x17, encodeUtf8(isLate ? digits : digits.slice(2)));
}

export function derExtension(oid: string, critical: boolean, value: Uint8Array): Bytes {
  return der(0x30, derOid(oid), critical ? der(0x01, Uint8Array.of(0xff)) : new Uint8Array(), der(0x04, value));
}

export const basicConstraints = (isCa: boolean, pathLength?: number, critical = true): Bytes =>
  derExtension(
    '2.5.29.19',
    critical,
    der(
      0x30,
      isCa ? der(0x01, Uint8Array.of(0xff)) : new Uint8Array(),
      pathLength === undefined ? new Uint8Array() : derInteger(Uint8Array.of(pathLength)),
    ),
  );

/** @param bits the first octet of the bit string: 0x04 keyCertSign, 0x02 cRLSign, 0x80 digitalSignature */
export function keyUsage(bits: number): Bytes {
  let spare = 0;
  while (spare < 7 && ((bits >> spare) & 1) === 0) spare++;
  return derExtension('2.5.29.15', true, der(0x03, Uint8Array.of(spare, bits)));
}

const keyId = (key: SeededEcdsaKey): Bytes => sha512(key.publicKey.spki).slice(0, 20);
export const subjectKeyId = (key: SeededEcdsaKey): Bytes => derExtension('2.5.29.14', false, der(0x04, keyId(key)));
export const authorityKeyId = (key: SeededEcdsaKey): Bytes =>
  derExtension('2.5.29.35', false, der(0x30, der(0x80, keyId(key))));

/** AlgorithmIdentifier of the scheme that a curve goes with. */
export const ecdsaScheme = (curve: 'P-256' | 'P-384'): Bytes =>
  der(0x30, derOid(curve === 'P-256' ? '1.2.840.10045.4.3.2' : '1.2.840.10045.4.3.3'));

export interface TestCertificate {
  subject: string;
  issuer: string;
  key: SeededEcdsaKey;
  signer: SeededEcdsaKey;
  serial?: number;
  notBefore?: number;
  notAfter?: number;
  /** Each in DER; without them those of a CA or of a leaf. */
  extensions?: Uint8Array[];
  isCa?: boolean;
  pathLength?: number;
  /** Added to the usual extensions. */
  more?: Uint8Array[];
  /** Changes the fields of what is signed, each in DER, before signing. */
  alter?: (fields: Bytes[]) => Uint8Array[];
  /** Changes the three parts of the certificate, after signing. */
  alterOuter?: (parts: Bytes[]) => Uint8Array[];
}

export const TEST_NOT_BEFORE = Date.UTC(2026, 0, 1) / 1000;
export const TEST_NOT_AFTER = Date.UTC(2036, 0, 1) / 1000;

/** A certificate, signed. */
export function issueCertificate(wanted: TestCertificate): Bytes {
  const { key, signer, isCa = false } = wanted;
  const scheme = ecdsaScheme(signer.curve);
  const usual = [
    basicConstraints(isCa, wanted.pathLength),
    keyUsage(isCa ? 0x06 : 0xc0),
    subjectKeyId(key),
    authorityKeyId(signer),
  ];
  const extensions = wanted.extensions ?? [...usual, ...(wanted.more ?? [])];
  const fields = [
    der(0xa0, derInteger(Uint8Array.of(2))),
    derInteger(parseHex((wanted.serial ?? 1).toString(16).padStart(8, '0'))),
    scheme,
    derName(wanted.issuer),
    der(0x30, derTime(wanted.notBefore ?? TEST_NOT_BEFORE), derTime(wanted.notAfter ?? TEST_NOT_AFTER)),
    derName(wanted.subject),
    new Uint8Array(key.publicKey.spki),
    der(0xa3, der(0x30, ...extensions)),
  ];
  const statement = der(0x30, ...(wanted.alter?.(fields) ?? fields));
  return signed(statement, scheme, signer, wanted.alterOuter);
}

function signed(
  statement: Bytes,
  scheme: Bytes,
  signer: SeededEcdsaKey,
  alterOuter: ((parts: Bytes[]) => Uint8Array[]) | undefined,
): Bytes {
  const signature = derEcdsaSignature(signer.sign(statement));
  const parts = [statement, scheme, der(0x03, concatBytes(Uint8Array.of(0), signature))];
  return der(0x30, ...(alterOuter?.(parts) ?? parts));
}

export interface TestCrl {
  issuer: string;
  signer: SeededEcdsaKey;
  notBefore?: number;
  notAfter?: number;
  number?: number;
  revoked?: number[];
  extensions?: Uint8Array[];
  alter?: (fields: Bytes[]) => Uint8Array[];
  alterOuter?: (parts: Bytes[]) => Uint8Array[];
}

/** A revocation list, signed. */
export function issueCrl(wanted: TestCrl): Bytes {
  const { signer } = wanted;
  const scheme = ecdsaScheme(signer.curve);
  const notBefore = wanted.notBefore ?? TEST_NOT_BEFORE;
  const entries = (wanted.revoked ?? []).map((serial) =>
    der(0x30, derInteger(parseHex(serial.toString(16).padStart(8, '0'))), derTime(notBefore)),
  );
  const number = derInteger(parseHex((wanted.number ?? 1).toString(16).padStart(8, '0')));
  const extensions = wanted.extensions ?? [derExtension('2.5.29.20', false, number), authorityKeyId(signer)];
  const fields = [
    derInteger(Uint8Array.of(1)),
    scheme,
    derName(wanted.issuer),
    derTime(notBefore),
    derTime(wanted.notAfter ?? TEST_NOT_AFTER),
    ...(entries.length > 0 ? [der(0x30, ...entries)] : []),
    der(0xa0, der(0x30, ...extensions)),
  ];
  return signed(der(0x30, ...(wanted.alter?.(fields) ?? fields)), scheme, signer, wanted.alterOuter);
}

/** Blocks of 64 columns. */
export function testPem(label: string, blocks: readonly Uint8Array[]): string {
  return blocks
    .map((block) => {
      const lines = encodeBase64(block).match(/.{1,64}/g) ?? [];
      return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
    })
    .join('');
}
