/**
 * GPUs, switches, reference manifests and OCSP answers under keys that anybody can make: everything in which the verifier could
 * be wrong can be changed, before or after it is signed. Shares no code with the verifier.
 */
import { ByteWriter, concatBytes, encodeBase64, encodeHex, encodeUtf8, parseHex } from '@sotto/bytes';
import { sha256, sha384 } from '@sotto/crypto/hash';
import type { SeededEcdsaKey } from '@sotto/crypto/seeded-ecdsa';
import {
  createTestKey,
  derExtension,
  derName,
  derOid,
  ecdsaScheme,
  issueCertificate,
  type TestCertificate,
} from './certificates.ts';
import { der, derEcdsaSignature, derInteger } from './der.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** The key of a test's device, CA or signer. */
export const nvidiaTestKey = (label: string): SeededEcdsaKey => createTestKey(`nvidia ${label}`, 'P-384');

/** SHA-384 of a word: a measurement, or a firmware id. */
export const testDigest = (word: string): Bytes => sha384(encodeUtf8(word));

// Devices

export interface DeviceFake {
  readonly label: string;
  readonly product?: string;
  /** 16 hex digits. */
  readonly serial?: string;
  readonly fwid?: Uint8Array;
  /** Takes the place of `NVIDIA:product:serial`. */
  readonly deviceInfo?: string;
  /** Takes the place of the hash algorithm of the firmware id. */
  readonly fwidHash?: string;
  /** Changes the certificate of the device's key. */
  readonly leaf?: Partial<TestCertificate>;
  /** Takes the place of both extensions that say whose the key is. */
  readonly extensions?: Uint8Array[];
}

/** @returns the root, which the verifier has to be given */
export function deviceRootFake(label = 'device root'): Bytes {
  const key = nvidiaTestKey(label);
  return issueCertificate({ subject: label, issuer: label, key, signer: key, isCa: true });
}

/** DER, leaf first, root last: the device's key, its boot ROM's, one CA, the root. */
export function deviceChainFake(device: DeviceFake, root = 'device root'): Bytes[] {
  const [rootKey, caKey] = [nvidiaTestKey(root), nvidiaTestKey('device ca')];
  const [romKey, leafKey] = [nvidiaTestKey(`${device.label} rom`), nvidiaTestKey(device.label)];
  const ca = { subject: 'device ca', issuer: root, key: caKey, signer: rootKey, isCa: true, serial: 2 };
  const rom = {
    subject: `${device.label} rom`,
    issuer: 'device ca',
    key: romKey,
    signer: caKey,
    isCa: true,
    serial: 3,
  };
  const more = device.extensions ?? [deviceInfoExtension(device), compositeIdExtension(device, romKey)];
  const leaf = { subject: device.label, issuer: rom.subject, key: leafKey, signer: romKey, serial: 4, more };
  return [...[{ ...leaf, ...device.leaf }, rom, ca].map(issueCertificate), deviceRootFake(root)];
}

function deviceInfoExtension({ product = 'GH100', serial = '48B0000000000001', deviceInfo }: DeviceFake): Bytes {
  const text = der(0x0c, encodeUtf8(deviceInfo ?? `NVIDIA:${product}:${serial}`));
  const name = der(0xa0, derOid('1.3.6.1.4.1.412.274.1'), der(0xa0, text));
  return derExtension('2.5.29.17', false, der(0x30, name));
}

function compositeIdExtension({ fwid, fwidHash = '2.16.840.1.101.3.4.2.2' }: DeviceFake, rom: SeededEcdsaKey): Bytes {
  const id = der(0x30, derOid(fwidHash), der(0x04, fwid ?? testDigest('firmware')));
  const version = derInteger(Uint8Array.of(1));
  return derExtension('2.23.133.5.4.1', false, der(0x30, version, new Uint8Array(rom.publicKey.spki), id));
}

// Reports

export interface ReportFake {
  readonly label: string;
  readonly nonce: Uint8Array;
  readonly measurements: readonly Uint8Array[];
  readonly opaque: readonly (readonly [type: number, value: Uint8Array])[];
  /** Changes the parts before they are signed: request, head, record, nonce, opaque. */
  readonly alter?: (parts: ReportParts) => ReportParts;
  /** Changes the whole after it was signed. */
  readonly alterSigned?: (bytes: Bytes) => Uint8Array;
}
export interface ReportParts {
  readonly request: Uint8Array;
  readonly head: Uint8Array;
  readonly count: number;
  readonly record: Uint8Array;
  readonly nonce: Uint8Array;
  readonly opaque: Uint8Array;
}

/** Request and response of SPDM 1.1, signed by the key of that label. */
export function encodeReportFake(report: ReportFake): Bytes {
  const usual: ReportParts = {
    request: concatBytes(parseHex('11e001ff'), report.nonce, Uint8Array.of(0)),
    head: parseHex('11600000'),
    count: report.measurements.length,
    record: concatBytes(...report.measurements.map((digest, i) => reportBlock(i + 1, digest))),
    nonce: sha256(report.nonce),
    opaque: concatBytes(...report.opaque.map(([type, value]) => opaqueField(type, value))),
  };
  const parts = report.alter?.(usual) ?? usual;
  const { request, head, count, record, nonce, opaque } = parts;
  const lengths = [little(record.length, 3), little(opaque.length, 2)] as const;
  const signed = concatBytes(request, head, Uint8Array.of(count), lengths[0], record, nonce, lengths[1], opaque);
  const bytes = concatBytes(signed, nvidiaTestKey(report.label).sign(signed));
  return new Uint8Array(report.alterSigned?.(bytes) ?? bytes);
}

export function reportBlock(index: number, digest: Uint8Array, kind = 1): Bytes {
  const value = concatBytes(Uint8Array.of(kind), little(digest.length, 2), digest);
  return concatBytes(Uint8Array.of(index, 1), little(value.length, 2), value);
}

export function opaqueField(type: number, value: Uint8Array): Bytes {
  return concatBytes(little(type, 2), little(value.length, 2), value);
}

function little(value: number, lengthBytes: number): Bytes {
  return new ByteWriter().u64(value).finish().reverse().slice(0, lengthBytes);
}

/** The fields that every GPU shows. */
export function gpuFields(driver = '570.10.01', fwid: Uint8Array = testDigest('firmware')): [number, Uint8Array][] {
  const vbios = parseHex('0011009602000000');
  return [
    [6, vbios],
    [3, encodeUtf8(`${driver}\0`)],
    [11, Uint8Array.of(0x55)],
    [20, fwid],
  ];
}

// Manifests

const NAMESPACES =
  'xmlns="http://standards.iso.org/iso/19770/-2/2015/schema.xsd" ' +
  'xmlns:ns0="http://standards.iso.org/iso/19770/-2/2015/schema.xsd" xmlns:ns2="http://www.w3.org/2001/04/xmlenc#sha384"';
const DSIG = 'http://www.w3.org/2000/09/xmldsig#';
const C14N = 'http://www.w3.org/2006/12/xml-c14n11';

export interface RimFake {
  readonly product?: string;
  readonly version: string;
  /** Index from 0 to digests; written as active. */
  readonly values: Readonly<Record<number, readonly Uint8Array[]>>;
  readonly inactive?: Readonly<Record<number, readonly Uint8Array[]>>;
  readonly root?: string;
  readonly signer?: Partial<TestCertificate>;
  /** Changes the document, which is in canonical form, before it is signed. */
  readonly alterDocument?: (text: string) => string;
  /** Changes what is signed. */
  readonly alterSignedInfo?: (text: string) => string;
  /** Changes the whole text after it was signed. */
  readonly alterText?: (text: string) => string;
}

export function rimRootFake(label = 'rim root'): Bytes {
  const key = nvidiaTestKey(label);
  return issueCertificate({ subject: label, issuer: label, key, signer: key, isCa: true });
}

/** DER, signer first, root last. */
export function rimChainFake(signer: Partial<TestCertificate> = {}, root = 'rim root'): Bytes[] {
  const [rootKey, caKey, key] = [root, 'rim ca', 'rim signer'].map(nvidiaTestKey) as [
    SeededEcdsaKey,
    SeededEcdsaKey,
    SeededEcdsaKey,
  ];
  const ca = { subject: 'rim ca', issuer: root, key: caKey, signer: rootKey, isCa: true, serial: 12 };
  const leaf = { subject: 'rim signer', issuer: 'rim ca', key, signer: caKey, serial: 13, ...signer };
  return [issueCertificate(leaf), issueCertificate(ca), rimRootFake(root)];
}

/** A manifest in canonical form, with its signature as the last part. */
export function writeRimFake(rim: RimFake): string {
  const { product = 'GH100', version } = rim;
  const resources = [
    ...Object.entries(rim.values).map(([index, digests]) => rimValue(index, 'True', digests)),
    ...Object.entries(rim.inactive ?? {}).map(([index, digests]) => rimValue(index, 'False', digests)),
  ];
  const usual = [
    `<SoftwareIdentity ${NAMESPACES} name="${product}">`,
    `<ns0:Meta colloquialVersion="${version}" product="${product}"></ns0:Meta>`,
    `<ns0:Payload>\n${resources.join('\n')}\n</ns0:Payload>`,
    '</SoftwareIdentity>',
  ].join('');
  const document = rim.alterDocument?.(usual) ?? usual;
  const chain = rimChainFake(rim.signer, rim.root);
  const end = document.lastIndexOf('</');
  const signature = rimSignature(document, chain, rim.alterSignedInfo);
  const text = document.slice(0, end) + signature + document.slice(end);
  return rim.alterText?.(text) ?? text;
}

export function rimValue(index: string, active: string, digests: readonly Uint8Array[]): string {
  const hashes = digests.map((digest, i) => ` ns2:Hash${i}="${encodeHex(digest)}"`).join('');
  const head = `active="${active}" alternatives="${digests.length}" index="${index}"`;
  return `<ns0:Resource ${head} name="Measurement_${index}" size="48" type="Measurement"${hashes}></ns0:Resource>`;
}

function rimSignature(document: string, chain: readonly Uint8Array[], alter?: (text: string) => string): string {
  const algorithm = (name: string, uri: string) => `<ds:${name} Algorithm="${uri}"></ds:${name}>`;
  const transforms = algorithm('Transform', `${DSIG}enveloped-signature`) + algorithm('Transform', C14N);
  const usual = [
    '<ds:SignedInfo>',
    algorithm('CanonicalizationMethod', C14N),
    algorithm('SignatureMethod', 'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384'),
    `<ds:Reference URI=""><ds:Transforms>${transforms}</ds:Transforms>`,
    algorithm('DigestMethod', 'http://www.w3.org/2001/04/xmldsig-more#sha384'),
    `<ds:DigestValue>${encodeBase64(sha384(encodeUtf8(document)))}</ds:DigestValue></ds:Reference></ds:SignedInfo>`,
  ].join('');
  const signedInfo = alter?.(usual) ?? usual;
  const [first, ...others] = NAMESPACES.split(' ');
  const scope = [first, `xmlns:ds="${DSIG}"`, ...others].join(' ');
  const canonical = signedInfo.replace('<ds:SignedInfo>', `<ds:SignedInfo ${scope}>`);
  const value = encodeBase64(nvidiaTestKey('rim signer').sign(encodeUtf8(canonical)));
  const certificates = chain.map((one) => `<ds:X509Certificate>${encodeBase64(one)}</ds:X509Certificate>`).join('');
  return [
    `<ds:Signature xmlns:ds="${DSIG}">${signedInfo}<ds:SignatureValue>${value}</ds:SignatureValue>`,
    `<ds:KeyInfo><ds:X509Data>${certificates}</ds:X509Data></ds:KeyInfo></ds:Signature>`,
  ].join('');
}

// OCSP

export interface OcspFake {
  /** Labels of keys, which are the subjects' names too. */
  readonly issuer: string;
  readonly serial: number;
  readonly status?: 'good' | 'revoked' | 'unknown';
  readonly thisUpdate: number;
  readonly nextUpdate?: number;
  readonly nonce?: Uint8Array;
  readonly hash?: string;
  /** An appointed responder; without it the issuer signs. */
  readonly responder?: Partial<TestCertificate>;
  /** Which key signs, where it should be another than the responder's. */
  readonly signer?: string;
  /** The certificates that stand in the answer. */
  readonly certificates?: Uint8Array[];
  readonly status0?: number;
  readonly kind?: string;
  readonly alterResponses?: (responses: Bytes[]) => Uint8Array[];
  readonly extensions?: Uint8Array[];
}

export const OCSP_SIGNING = derExtension('2.5.29.37', true, der(0x30, derOid('1.3.6.1.5.5.7.3.9')));

/** An OCSP answer in DER. */
export function encodeOcspFake(ocsp: OcspFake): Bytes {
  const issuerKey = nvidiaTestKey(ocsp.issuer);
  const responderKey = nvidiaTestKey(`${ocsp.issuer} responder`);
  const responder =
    ocsp.responder &&
    issueCertificate({
      ...{ subject: 'responder', issuer: ocsp.issuer, key: responderKey, signer: issuerKey, serial: 99 },
      ...{ more: [OCSP_SIGNING], ...ocsp.responder },
    });
  const signer = ocsp.signer ? nvidiaTestKey(ocsp.signer) : responder ? responderKey : issuerKey;
  const certificates = ocsp.certificates ?? (responder ? [responder] : []);
  const responses = [singleResponse(ocsp, issuerKey)];
  const nonce = ocsp.nonce && derExtension('1.3.6.1.5.5.7.48.1.2', false, der(0x04, ocsp.nonce));
  const extensions = ocsp.extensions ?? (nonce ? [nonce] : []);
  const data = der(
    0x30,
    der(0xa1, derName('responder')),
    generalizedTime(ocsp.thisUpdate),
    der(0x30, ...(ocsp.alterResponses?.(responses) ?? responses)),
    extensions.length > 0 ? der(0xa1, der(0x30, ...extensions)) : new Uint8Array(),
  );
  const signature = der(0x03, concatBytes(Uint8Array.of(0), derEcdsaSignature(signer.sign(data))));
  const attached = certificates.length > 0 ? der(0xa0, der(0x30, ...certificates)) : new Uint8Array();
  const basic = der(0x30, data, ecdsaScheme('P-384'), signature, attached);
  const kind = derOid(ocsp.kind ?? '1.3.6.1.5.5.7.48.1.1');
  return der(0x30, der(0x0a, Uint8Array.of(ocsp.status0 ?? 0)), der(0xa0, der(0x30, kind, der(0x04, basic))));
}

function singleResponse(ocsp: OcspFake, issuerKey: SeededEcdsaKey): Bytes {
  const { publicKey } = issuerKey;
  const point = publicKey.kind === 'ec' ? publicKey.point : new Uint8Array();
  const id = der(
    0x30,
    der(0x30, derOid(ocsp.hash ?? '2.16.840.1.101.3.4.2.2')),
    der(0x04, sha384(derName(ocsp.issuer))),
    der(0x04, sha384(point)),
    derInteger(parseHex(ocsp.serial.toString(16).padStart(8, '0'))),
  );
  const revoked = der(0xa1, generalizedTime(ocsp.thisUpdate));
  const statuses = { good: der(0x80), revoked, unknown: der(0x82) };
  const next = ocsp.nextUpdate === undefined ? new Uint8Array() : der(0xa0, generalizedTime(ocsp.nextUpdate));
  return der(0x30, id, statuses[ocsp.status ?? 'good'], generalizedTime(ocsp.thisUpdate), next);
}

function generalizedTime(seconds: number): Bytes {
  const digits = new Date(seconds * 1000).toISOString().replace(/[-:T]|\.\d+/g, '');
  return der(0x18, encodeUtf8(digits));
}
