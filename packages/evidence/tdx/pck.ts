/**
 * The certificate of a platform's provisioning key (PCK): which machine it is and at which security versions it was certified
 * (Intel SGX PCK certificate specification). It comes in the quote or beside it; its extension is read before its chain is judged.
 */
import {
  type Der,
  DerFields,
  expectTag,
  parseDer,
  readBoolean,
  readEnumerated,
  readObjectIdentifier,
  readOctetString,
  readSmallInteger,
  SEQUENCE,
} from '@sotto/crypto/der';
import { type Certificate, CertificateError } from '@sotto/crypto/x509';
import { refusal } from './error.ts';

const SGX_EXTENSION = '1.2.840.113741.1.13.1';
const TCB = `${SGX_EXTENSION}.2`;

/** What a PCK certificate says about its platform. */
export interface Platform {
  /** Family, model, stepping and custom SKU: 6 bytes. */
  readonly fmspc: Uint8Array;
  readonly pceId: Uint8Array;
  /** The platform's own id: 16 bytes. */
  readonly ppid: Uint8Array;
  /** 16 security versions of the processor's parts. */
  readonly cpuComponents: Uint8Array;
  readonly pceSvn: number;
  /** 0 standard, 1 scalable, 2 scalable with integrity. */
  readonly sgxType: number;
  /** Only of platforms of several sockets. */
  readonly platformInstanceId?: Uint8Array;
  readonly isDynamic?: boolean;
  readonly hasCachedKeys?: boolean;
  readonly hasSmt?: boolean;
}

const malformed = (rule: string, message: string, cause?: unknown) =>
  refusal('tdx-pck-malformed', rule, message, cause);

/** @throws JudgementError `tdx-pck-malformed` */
export function readPlatform(certificate: Certificate): Platform {
  const extension = certificate.extensions.get(SGX_EXTENSION);
  // EV-109: a certificate that names no platform certifies none.
  if (extension === undefined) throw malformed('EV-109', 'the PCK certificate has no SGX extension');
  try {
    return readExtension(parseDer(extension.value));
  } catch (error) {
    // EV-109: an extension that is not DER says nothing.
    if (error instanceof CertificateError) throw malformed('EV-109', 'the SGX extension is malformed', error);
    throw error;
  }
}

function readExtension(element: Der): Platform {
  const values = readPairs(element, SGX_EXTENSION, 7);
  const tcb = readPairs(required(values, 2), TCB, 18);
  const cpuComponents = new Uint8Array(16);
  for (let index = 0; index < 16; index++) cpuComponents[index] = readSmallInteger(required(tcb, index + 1), 255);
  octets(required(tcb, 18), 16);
  const instance = values.get(6);
  const configuration = values.get(7);
  return {
    fmspc: octets(required(values, 4), 6),
    pceId: octets(required(values, 3), 2),
    ppid: octets(required(values, 1), 16),
    cpuComponents,
    pceSvn: readSmallInteger(required(tcb, 17), 65_535),
    sgxType: readEnumerated(required(values, 5)),
    ...(instance === undefined ? {} : { platformInstanceId: octets(instance, 16) }),
    ...(configuration === undefined ? {} : readConfiguration(configuration)),
  };
}

function readConfiguration(element: Der): Partial<Platform> {
  const flags = readPairs(element, `${SGX_EXTENSION}.7`, 3);
  const flag = (index: number) => {
    const value = flags.get(index);
    return value !== undefined && readBoolean(value);
  };
  return { isDynamic: flag(1), hasCachedKeys: flag(2), hasSmt: flag(3) };
}

/** A SEQUENCE of pairs of an object identifier below `prefix` and a value, by the last arc, 1 to `last`. */
function readPairs(element: Der, prefix: string, last: number): Map<number, Der> {
  const values = new Map<number, Der>();
  for (const pair of expectTag(element, SEQUENCE).children) {
    const fields = new DerFields(pair);
    const name = readObjectIdentifier(fields.next());
    const value = fields.next();
    fields.end();
    const arc = Number(name.slice(prefix.length + 1));
    const isKnown = name === `${prefix}.${arc}` && arc >= 1 && arc <= last;
    // EV-109: a field that nobody reads may have been meant.
    if (!isKnown) throw malformed('EV-109', 'the SGX extension has an unknown field');
    // EV-109: of two fields with one name, two readers may take different ones.
    if (values.has(arc)) throw malformed('EV-109', 'the SGX extension has a field twice');
    values.set(arc, value);
  }
  return values;
}

function required(values: ReadonlyMap<number, Der>, arc: number): Der {
  const value = values.get(arc);
  // EV-109: a security version that is not there has no value that could be assumed.
  if (value === undefined) throw malformed('EV-109', 'the SGX extension lacks a field');
  return value;
}

function octets(element: Der, length: number): Uint8Array {
  const content = readOctetString(element);
  // EV-109: an id of another length is another id.
  if (content.length !== length) throw malformed('EV-109', 'a field of the SGX extension has another length');
  return content;
}
