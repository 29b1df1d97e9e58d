/**
 * What AMD writes into the certificate of a machine's key: the product, the TCB that the key belongs to, and either the chip
 * (VCEK) or the cloud that the key was lent to (VLEK). AMD publication 57230. spec/evidence-sev-snp.md §endorsement.
 */
import { CertificateError, OCTET_STRING, parseDer, readOctetString, readSmallInteger } from '@sotto/crypto/der';
import { type Certificate, parseCertificate } from '@sotto/crypto/x509';
import { malformedEndorsement } from './error.ts';
import type { SnpTcb } from './tcb.ts';

export interface Endorsement {
  readonly kind: 'vcek' | 'vlek';
  readonly certificate: Certificate;
  /** Such as `Milan` or `Milan-B0`. */
  readonly productName: string;
  readonly tcb: SnpTcb;
  /** 64 bytes, on Turin 8; undefined in a VLEK. */
  readonly hardwareId: Uint8Array | undefined;
}

const AMD = '1.3.6.1.4.1.3704.1';
const PRODUCT_NAME = `${AMD}.2`;
const FMC = `${AMD}.3.9`;
const SPARE = [`${AMD}.3.4`, `${AMD}.3.5`, `${AMD}.3.6`, `${AMD}.3.7`];
const HARDWARE_ID = `${AMD}.4`;
const PROVIDER = `${AMD}.5`;
const TCB = { bootLoader: `${AMD}.3.1`, tee: `${AMD}.3.2`, snp: `${AMD}.3.3`, microcode: `${AMD}.3.8` } as const;
const IA5_STRING = 0x16;
const SPARE_LIMIT = 0;
const PART_LIMIT = 255;

/** @throws JudgementError `endorsement-malformed`; CertificateError of class `format` */
export function parseEndorsement(bytes: Uint8Array, kind: 'vcek' | 'vlek'): Endorsement {
  const certificate = parseCertificate(bytes);
  const { publicKey } = certificate;
  const isP384 = publicKey.kind === 'ec' && publicKey.curve === 'P-384';
  // EV-191: the report's signature is of no other kind.
  if (!isP384) throw malformedEndorsement('EV-191', 'the key of the certificate is not one of P-384');
  return {
    kind,
    certificate,
    productName: readText(certificate, PRODUCT_NAME),
    tcb: readEndorsedTcb(certificate),
    hardwareId: readHardwareId(certificate, kind),
  };
}

function readEndorsedTcb(certificate: Certificate): SnpTcb {
  for (const name of SPARE) {
    if (certificate.extensions.has(name)) readPart(certificate, name, SPARE_LIMIT);
  }
  const parts = Object.entries(TCB).map(([part, name]) => [part, readPart(certificate, name, PART_LIMIT)]);
  const fmc = certificate.extensions.has(FMC) ? { fmc: readPart(certificate, FMC, PART_LIMIT) } : {};
  return { ...(Object.fromEntries(parts) as unknown as SnpTcb), ...fmc };
}

function readPart(certificate: Certificate, name: string, limit: number): number {
  return inside('a version in the certificate is not a number in its range', () =>
    readSmallInteger(parseDer(extensionOf(certificate, name)), limit),
  );
}

function readText(certificate: Certificate, name: string): string {
  return inside('a name in the certificate is not text', () => {
    const { tag, content } = parseDer(extensionOf(certificate, name));
    // EV-190: another type would be read as other letters.
    if (tag !== IA5_STRING) throw malformedEndorsement('EV-190', 'a name in the certificate is not text');
    return lettersOf(content);
  });
}

function extensionOf(certificate: Certificate, name: string): Uint8Array {
  const value = certificate.extensions.get(name)?.value;
  // EV-190: what is not said would be taken for the lowest version, or for any chip.
  if (value === undefined) throw malformedEndorsement('EV-190', 'the certificate lacks an extension of AMD’s');
  return value;
}

function readHardwareId(certificate: Certificate, kind: 'vcek' | 'vlek'): Uint8Array | undefined {
  if (kind === 'vlek') {
    readText(certificate, PROVIDER);
    // EV-192: a key that many machines share belongs to no chip.
    if (certificate.extensions.has(HARDWARE_ID)) throw malformedEndorsement('EV-192', 'a shared key names a chip');
    return undefined;
  }
  const value = extensionOf(certificate, HARDWARE_ID);
  // AMD writes the bare bytes; some certificates hold them as an OCTET STRING.
  const isWrapped = value[0] === OCTET_STRING && (value.length === 66 || value.length === 10);
  const id = isWrapped ? inside('the chip id is not bytes', () => readOctetString(parseDer(value))) : value;
  // EV-192: a part of an id is shared by many chips.
  if (id.length !== 64 && id.length !== 8) throw malformedEndorsement('EV-192', 'the chip id has another length');
  return id;
}

function inside<Value>(message: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    // EV-190: what the reader of DER refuses inside an extension is a verdict on the certificate.
    if (error instanceof CertificateError) throw malformedEndorsement('EV-190', message, error);
    throw error;
  }
}

/** For comparing with names that we know: one letter a byte, and no more of them than those have. */
function lettersOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes.subarray(0, 64));
}
