/** Revocation lists: each way of being another issuer's, old, narrowed or unsigned. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHex } from '@sotto/bytes';
import {
  authorityKeyId,
  basicConstraints,
  createTestKey,
  derExtension,
  ecdsaScheme,
  issueCertificate,
  issueCrl,
  keyUsage,
  type TestCertificate,
  type TestCrl,
} from '@sotto/testkit/certificates';
import { parseCertificate } from './certificate.ts';
import { assertCrlValidAt, assertNotRevoked, parseCrl, verifyCrl } from './crl.ts';
import { CertificateError } from './error.ts';
import { refused } from './refused-for-testing.ts';

const signer = createTestKey('ca');
const other = createTestKey('other');
const ca = (change: Partial<TestCertificate> = {}) =>
  parseCertificate(
    issueCertificate({ subject: 'ca', issuer: 'root', key: signer, signer: other, isCa: true, ...change }),
  );
const leaf = (serial: number, issuer = 'ca') =>
  parseCertificate(issueCertificate({ subject: 'leaf', issuer, key: other, signer, serial }));
const issue = (change: Partial<TestCrl> = {}) => parseCrl(issueCrl({ issuer: 'ca', signer, ...change }));
const number = (hex: string) => derExtension('2.5.29.20', false, parseHex(hex));

test('EV-381 a list of another version, without number or end, or narrowed by a critical extension, is refused', () => {
  const put = (index: number, ...parts: Uint8Array<ArrayBuffer>[]) => ({
    alter: (fields: Uint8Array<ArrayBuffer>[]) => fields.toSpliced(index, 1, ...parts),
  });
  const narrow = derExtension('2.5.29.28', true, Uint8Array.of(0x30, 0));
  for (const change of [
    put(0, parseHex('020100')),
    put(4),
    { extensions: [authorityKeyId(signer)] },
    { extensions: [number('020101'), narrow] },
    { extensions: [number(`021501${'00'.repeat(20)}`)] },
    { revoked: [5], alter: (fields: Uint8Array<ArrayBuffer>[]) => fields.with(5, entryWith(true)) },
  ]) {
    assert.throws(() => issue(change), refused('crl-malformed', 'EV-381'));
  }
  assert.equal(issue({ number: 7 }).number, 7n);
  assert.equal(issue({ revoked: [5], alter: (fields) => fields.with(5, entryWith(false)) }).revoked.size, 1);
  assert.deepEqual([...issue({ revoked: [5, 300] }).revoked.keys()], ['05', '012c']);
});

/** A list of one entry for serial number 5 whose extension is critical or not. */
function entryWith(isCritical: boolean): Uint8Array<ArrayBuffer> {
  const reason = isCritical ? '300d0603551d150101ff04030a0101'.replace('300d', '300d') : '300a0603551d1504030a0101';
  const extensions = `30${(reason.length / 2).toString(16).padStart(2, '0')}${reason}`;
  const entry = `020105170d3236303130313030303030305a${extensions}`;
  const whole = `30${(entry.length / 2).toString(16).padStart(2, '0')}${entry}`;
  return parseHex(`30${(whole.length / 2).toString(16).padStart(2, '0')}${whole}`);
}

test('EV-363 a list that names another algorithm outside than inside is refused', () => {
  assert.throws(
    () => issue({ alterOuter: ([list, , signature]) => [list, ecdsaScheme('P-384'), signature] as Uint8Array[] }),
    refused('crl-malformed', 'EV-363'),
  );
});

test('EV-382 a list of another issuer, or of another of its keys, is refused', async () => {
  await verifyCrl(issue(), ca());
  await assert.rejects(verifyCrl(issue({ issuer: 'CA' }), ca()), refused('crl-invalid', 'EV-382'));
  const extensions = [number('020101'), authorityKeyId(other)];
  await assert.rejects(verifyCrl(issue({ extensions }), ca()), refused('crl-invalid', 'EV-382'));
});

test('EV-383 a list whose issuer may not sign lists is refused', async () => {
  for (const extensions of [
    [basicConstraints(true), keyUsage(0x04)],
    [basicConstraints(false), keyUsage(0x02)],
    [basicConstraints(true)],
  ]) {
    await assert.rejects(verifyCrl(issue(), ca({ extensions })), refused('crl-invalid', 'EV-383'));
  }
});

test('EV-384 a list that its issuer did not sign is refused', async () => {
  const extensions = [number('020101')];
  await assert.rejects(verifyCrl(issue({ signer: other, extensions }), ca()), refused('crl-invalid', 'EV-384'));
});

test('EV-385 a list that is not yet valid, or after the moment of the next, is refused, both ends included', () => {
  const crl = issue();
  assertCrlValidAt(crl, crl.notBefore);
  assertCrlValidAt(crl, crl.notAfter);
  assert.throws(() => assertCrlValidAt(crl, crl.notBefore - 1), refused('crl-not-yet-valid', 'EV-385'));
  assert.throws(() => assertCrlValidAt(crl, crl.notAfter + 1), refused('crl-expired', 'EV-385'));
});

test('EV-386 a certificate whose serial number stands in the list of its issuer is refused', () => {
  const crl = issue({ revoked: [5, 300] });
  assert.throws(() => assertNotRevoked(crl, leaf(300)), refused('certificate-revoked', 'EV-386'));
  assertNotRevoked(crl, leaf(6));
  assertNotRevoked(crl, leaf(5, 'another'));
});

test('EV-387 a list with a lower number than one that was seen is refused', async () => {
  const crl = issue({ number: 7 });
  await verifyCrl(crl, ca(), 7n);
  await assert.rejects(verifyCrl(crl, ca(), 8n), refused('crl-older-than-seen', 'EV-387'));
});

test('EV-384 every byte of a list flipped: refused with class format or revocation', async () => {
  const whole = issueCrl({ issuer: 'ca', signer, revoked: [5, 300] });
  const issuer = ca();
  for (let at = 0; at < whole.length; at++) {
    const altered = whole.slice();
    altered[at] = (altered[at] as number) ^ 0x01;
    await assert.rejects(
      async () => verifyCrl(parseCrl(altered), issuer),
      (error) => error instanceof CertificateError && ['format', 'revocation'].includes(error.failureClass),
      `byte ${at}`,
    );
  }
});
