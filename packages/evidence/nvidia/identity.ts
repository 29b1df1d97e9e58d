/**
 * What the certificate of a device's attestation key says of the device: chip, serial number and the firmware that made the
 * key (spec/evidence-nvidia.md §identity). Read from a certificate whose chain the caller verifies.
 */
import { DerFields, explicit, parseDer, readObjectIdentifier, readOctetString } from '@sotto/crypto/der';
import type { Certificate } from '@sotto/crypto/x509';
import { refusal } from './error.ts';

const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17';
/** `manufacturer:product:serial` (DMTF DSP0274). */
const DEVICE_INFO = '1.3.6.1.4.1.412.274.1';
/** CompositeDeviceID of the TCG: version, key of the device, and FWID. */
const COMPOSITE_DEVICE_ID = '2.23.133.5.4.1';
const SHA384 = '2.16.840.1.101.3.4.2.2';
const UTF8_STRING = 0x0c;

export type NvidiaArch = 'HOPPER' | 'BLACKWELL' | 'LS10';

export interface DeviceIdentity {
  readonly arch: NvidiaArch;
  /** Such as `GH100`. */
  readonly product: string;
  /** 16 hex digits, as the vendor prints them. */
  readonly serial: string;
  /** SHA-384 of the firmware that holds the attestation key, 48 bytes. */
  readonly fwid: Uint8Array;
}

/** @throws JudgementError `device-unknown`, CertificateError `der-malformed` */
export function identityOf(leaf: Certificate): DeviceIdentity {
  const [manufacturer, product = '', serial = '', ...more] = deviceInfoOf(leaf).split(':');
  const isNamed = manufacturer === 'NVIDIA' && /^[0-9A-F]{16}$/.test(serial) && more.length === 0;
  const arch = archOf(product);
  // EV-258: what the reference values of one chip say means nothing for another.
  if (!isNamed || arch === undefined) throw unknown('EV-258', 'the certificate names no device that is known');
  return { arch, product, serial, fwid: fwidOf(leaf) };
}

/** @param product as certificates or manifests name the chip */
export function archOf(product: string): NvidiaArch | undefined {
  if (/^GH\d{3}$/.test(product)) return 'HOPPER';
  if (/^GB\d{3}$/.test(product)) return 'BLACKWELL';
  return /^LS_?10$/.test(product) ? 'LS10' : undefined;
}

function deviceInfoOf(leaf: Certificate): string {
  for (const name of extensionOf(leaf, SUBJECT_ALTERNATIVE_NAME).children) {
    if (name.tag !== 0xa0) continue;
    const fields = new DerFields(name, 0xa0);
    if (readObjectIdentifier(fields.next()) !== DEVICE_INFO) continue;
    const text = explicit(fields.next(), 0xa0);
    fields.end();
    return text.tag === UTF8_STRING ? new TextDecoder().decode(text.content) : '';
  }
  return '';
}

function fwidOf(leaf: Certificate): Uint8Array {
  const fields = new DerFields(extensionOf(leaf, COMPOSITE_DEVICE_ID));
  fields.next();
  fields.next();
  const fwid = new DerFields(fields.next());
  fields.end();
  const algorithm = readObjectIdentifier(fwid.next());
  const digest = readOctetString(fwid.next());
  fwid.end();
  // EV-259: under a weak hash, two firmwares can have one id.
  if (algorithm !== SHA384 || digest.length !== 48) throw unknown('EV-259', 'the firmware id is not SHA-384');
  return digest;
}

function extensionOf(leaf: Certificate, name: string) {
  const extension = leaf.extensions.get(name);
  // EV-259: a certificate that does not say which firmware it is for vouches for any.
  if (extension === undefined) throw unknown('EV-259', 'the certificate does not say whose it is');
  return parseDer(extension.value);
}

function unknown(rule: string, message: string): Error {
  return refusal('device-unknown', rule, message);
}
