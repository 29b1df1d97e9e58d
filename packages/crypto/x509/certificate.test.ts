/** Certificates: one field wrong at a time, refused by its rule. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, parseHex } from '@sotto/bytes';
import {
  basicConstraints,
  createTestKey,
  derExtension,
  derOid,
  derTime,
  issueCertificate,
  keyUsage,
  type TestCertificate,
} from '@sotto/testkit/certificates';
import { parseCertificate } from './certificate.ts';
import { parseDer } from './der.ts';
import { CertificateError } from './error.ts';
import { commonName } from './name.ts';
import { ecPublicKey, readSignatureScheme } from './public-key.ts';
import { refused } from './refused-for-testing.ts';

const key = createTestKey('leaf');
const signer = createTestKey('ca');
const NONE = new Uint8Array();
const hex = (text: string) => parseHex(text.replaceAll(' ', ''));
/** Writes an element; the lengths here are below 65,536. */
function der(tag: number, ...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const body = concatBytes(...parts);
  const { length } = body;
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return concatBytes(Uint8Array.of(tag, ...head), body);
}
const issue = (change: Partial<TestCertificate>) =>
  parseCertificate(issueCertificate({ subject: 'leaf', issuer: 'ca', key, signer, ...change }));
const put = (index: number, ...parts: Uint8Array[]): Partial<TestCertificate> => ({
  alter: (fields) => fields.toSpliced(index, 1, ...(parts as Uint8Array<ArrayBuffer>[])),
});

function refuses(
  rule: string,
  code: 'certificate-malformed' | 'der-malformed',
  changes: Partial<TestCertificate>[],
): void {
  for (const [index, change] of changes.entries()) {
    assert.throws(() => issue(change), refused(code, rule), `case ${index}`);
  }
}

test('a common name is text, and there is one', () => {
  const name = (...values: string[]) =>
    der(0x30, ...values.map((value) => der(0x31, der(0x30, derOid('2.5.4.3'), hex(value)))));
  assert.equal(commonName(name('0c0141')), 'A');
  assert.equal(commonName(name()), undefined);
  assert.equal(commonName(name('0c0141', '0c0142')), undefined);
  assert.equal(commonName(name('0c01ff')), undefined);
});

test('EV-361 a certificate of another version, without extensions or with unique identifiers is refused', () => {
  const certificate = issue({});
  assert.equal(certificate.serial, '01');
  assert.equal(certificate.isCa, false);
  refuses('EV-361', 'certificate-malformed', [put(0), put(0, hex('a003 020101')), put(7, hex('a302 3000'))]);
  assert.throws(() => issue(put(7)), refused('der-malformed', 'EV-352'));
  assert.throws(() => issue(put(7, hex('8102 0001'))), refused('der-malformed', 'EV-351'));
});

test('EV-362 a serial number that is negative or longer than twenty octets is refused', () => {
  refuses('EV-362', 'certificate-malformed', [put(1, hex('0201 ff')), put(1, hex(`0216 01${'00'.repeat(21)}`))]);
  assert.equal(issue(put(1, hex('0201 00'))).serial, '00');
  assert.equal(issue(put(1, hex(`0215 00${'ff'.repeat(20)}`))).serial, 'ff'.repeat(20));
});

test('EV-363 another signature algorithm outside than inside is refused', () => {
  const other = der(0x30, derOid('1.2.840.10045.4.3.3'));
  refuses('EV-363', 'certificate-malformed', [
    { alterOuter: ([statement, , signature]) => [statement, other, signature] as Uint8Array[] },
  ]);
});

const PSS = '1.2.840.113549.1.1.10';
const SHA384 = der(0x30, derOid('2.16.840.1.101.3.4.2.2'), hex('0500'));
const SHA256 = der(0x30, derOid('2.16.840.1.101.3.4.2.1'), hex('0500'));
const mgf = (hash: Uint8Array, name = '1.2.840.113549.1.1.8') => der(0xa1, der(0x30, derOid(name), hash));
const pss = (...parts: Uint8Array[]) => der(0x30, derOid(PSS), der(0x30, ...parts));

test('EV-364 a signature algorithm that is not in the list, or has other parameters, is refused', () => {
  const read = (scheme: Uint8Array) => readSignatureScheme(parseDer(scheme));
  const salt = hex('a203 020130');
  assert.equal(read(pss(der(0xa0, SHA384), mgf(SHA384), salt)), 'rsa-pss-sha384');
  assert.equal(read(pss(der(0xa0, SHA384), mgf(SHA384), salt, hex('a303 020101'))), 'rsa-pss-sha384');
  assert.equal(read(pss(der(0xa0, SHA256), mgf(SHA256), hex('a203 020120'))), 'rsa-pss-sha256');
  const rsa = (last: string, parameters = hex('0500')) => der(0x30, derOid(`1.2.840.113549.1.1.${last}`), parameters);
  assert.equal(read(rsa('12')), 'rsa-pkcs1-sha384');
  assert.equal(read(rsa('11')), 'rsa-pkcs1-sha256');
  const sha512 = der(0x30, derOid('2.16.840.1.101.3.4.2.3'), hex('0500'));
  const sha1 = der(0x30, derOid('1.3.14.3.2.26'), hex('0500'));
  for (const wrong of [
    rsa('5'),
    der(0x30, derOid('1.2.840.10045.4.1')),
    pss(der(0xa0, sha1), mgf(sha1), hex('a203 020114')),
    pss(der(0xa0, SHA384), mgf(SHA256), salt),
    pss(der(0xa0, SHA384), mgf(SHA384, '1.2.840.113549.1.1.9'), salt),
    pss(der(0xa0, SHA384), mgf(SHA384), hex('a203 020120')),
    pss(der(0xa0, sha512), mgf(sha512), salt),
    pss(der(0xa0, SHA384), mgf(SHA384), salt, hex('a303 020102')),
  ]) {
    assert.throws(() => read(wrong), refused('certificate-malformed', 'EV-364'));
  }
  for (const wrong of [
    rsa('11', NONE),
    rsa('11', hex('0500 0500')),
    der(0x30, derOid('1.2.840.10045.4.3.2'), hex('0500')),
    der(0x30, derOid(PSS)),
  ]) {
    assert.throws(() => read(wrong), refused('der-malformed', 'EV-352'));
  }
  const scheme = rsa('5');
  const issued = issueCertificate({
    ...{ subject: 'leaf', issuer: 'ca', key, signer },
    alter: (fields) => fields.with(2, scheme),
    alterOuter: (parts) => parts.with(1, scheme),
  });
  assert.throws(() => parseCertificate(issued), refused('certificate-malformed', 'EV-364'));
});

const ec = (curve: Uint8Array, point: Uint8Array, name = '1.2.840.10045.2.1') =>
  put(6, der(0x30, der(0x30, derOid(name), curve), der(0x03, NONE, Uint8Array.of(0), point)));
const rsaKey = (modulus: Uint8Array, exponent: Uint8Array, parameters = hex('0500')) =>
  put(
    6,
    der(
      0x30,
      der(0x30, derOid('1.2.840.113549.1.1.1'), parameters),
      der(0x03, Uint8Array.of(0), der(0x30, modulus, exponent)),
    ),
  );

test('EV-365 a key of another kind, curve, form or size is refused', () => {
  const p256 = derOid('1.2.840.10045.3.1.7');
  const point = (first: number, length: number) => concatBytes(Uint8Array.of(first), new Uint8Array(length - 1));
  const modulus = (octets: number, first = 0x80) =>
    der(0x02, hex('00'), concatBytes(Uint8Array.of(first), new Uint8Array(octets - 1)));
  const exponent = hex('0203 010001');
  refuses('EV-365', 'certificate-malformed', [
    ec(derOid('1.3.132.0.35'), point(4, 133)),
    ec(derOid('1.3.132.0.10'), point(4, 65)),
    ec(p256, point(2, 33)),
    ec(p256, point(4, 64)),
    ec(p256, point(6, 65)),
    ec(p256, NONE),
    ec(p256, point(4, 65), '1.2.840.10045.2.2'),
    put(
      6,
      der(
        0x30,
        der(0x30, derOid('1.2.840.113549.1.1.10'), hex('0500')),
        der(0x03, hex('00'), der(0x30, modulus(256), exponent)),
      ),
    ),
    rsaKey(modulus(256), hex('0201 03')),
    rsaKey(modulus(256), hex('0203 010003')),
    rsaKey(modulus(255), exponent),
    rsaKey(modulus(513), exponent),
    rsaKey(der(0x02, concatBytes(Uint8Array.of(0x7f), new Uint8Array(255))), exponent),
    rsaKey(modulus(256), exponent, derOid('1.2.3')),
  ]);
  assert.equal(issue(rsaKey(modulus(512), exponent)).publicKey.kind, 'rsa');
  for (const length of [0, 63, 65, 96]) {
    assert.throws(() => ecPublicKey('P-256', new Uint8Array(length)), refused('certificate-malformed', 'EV-365'));
  }
  assert.equal(ecPublicKey('P-384', new Uint8Array(96)).kind, 'ec');
});

test('EV-366 an extension that stands twice is refused', () => {
  refuses('EV-366', 'certificate-malformed', [{ more: [keyUsage(0x80)] }]);
});

test('EV-367 a path length without a CA is refused', () => {
  refuses('EV-367', 'certificate-malformed', [{ extensions: [basicConstraints(false, 0)] }]);
});

test('EV-368 a default that is written out is refused', () => {
  const plain = der(0x30, derOid('1.2.3'), hex('0101 00'), hex('0400'));
  refuses('EV-368', 'certificate-malformed', [
    { more: [plain] },
    { extensions: [derExtension('2.5.29.19', true, hex('3003 010100'))] },
  ]);
});

test('EV-369 a certificate that ends before it begins is refused', () => {
  refuses('EV-369', 'certificate-malformed', [{ notBefore: 1_800_000_000, notAfter: 1_799_999_999 }]);
  assert.equal(issue({ notBefore: 1_800_000_000, notAfter: 1_800_000_000 }).notAfter, 1_800_000_000);
  assert.throws(() => issue(put(4, der(0x30, derTime(0)))), refused('der-malformed', 'EV-352'));
});

test('EV-352 every bit of a certificate: read as something, or refused by a CertificateError; every length less is refused', () => {
  const whole = issueCertificate({ subject: 'leaf', issuer: 'ca', key, signer });
  let refusals = 0;
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const altered = whole.slice();
    altered[bit >> 3] = (altered[bit >> 3] as number) ^ (1 << (bit & 7));
    try {
      parseCertificate(altered);
    } catch (error) {
      assert.ok(error instanceof CertificateError && error.failureClass === 'format', String(error));
      refusals++;
    }
  }
  assert.ok(refusals > whole.length);
  for (let length = 0; length < whole.length; length++) {
    assert.throws(() => parseCertificate(whole.slice(0, length)), refused('der-malformed', 'EV-352'));
  }
});
