/** Chains: each way of not being issued by a pinned root. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  authorityKeyId,
  basicConstraints,
  createTestKey,
  derExtension,
  issueCertificate,
  keyUsage,
  type TestCertificate,
} from '@sotto/testkit/certificates';
import { type Certificate, parseCertificate } from './certificate.ts';
import { assertValidAt, verifyChain } from './chain.ts';
import { refused } from './refused-for-testing.ts';

const keys = { root: createTestKey('root'), ca: createTestKey('ca', 'P-384'), leaf: createTestKey('leaf') };
const other = createTestKey('other');

type Name = keyof typeof keys;
const ISSUER: Record<Name, Name> = { root: 'root', ca: 'root', leaf: 'ca' };
function issue(name: Name, change: Partial<TestCertificate> = {}): Certificate {
  const issuer = ISSUER[name];
  return parseCertificate(
    issueCertificate({
      subject: name,
      issuer,
      key: keys[name],
      signer: keys[issuer],
      isCa: name !== 'leaf',
      ...change,
    }),
  );
}
const root = issue('root');
const ca = issue('ca');
const leaf = issue('leaf');

const refuses = (rule: string, chain: Certificate[], roots = [root]) =>
  assert.rejects(verifyChain({ chain, roots }), refused('certificate-chain-invalid', rule));

test('EV-370 a chain that does not end in a pinned root is refused, a root with the same name and key included', async () => {
  assert.deepEqual(await verifyChain({ chain: [leaf, ca, root], roots: [root] }), [leaf, ca, root]);
  assert.deepEqual(await verifyChain({ chain: [leaf, ca], roots: [issue('root', { key: other }), root] }), [
    leaf,
    ca,
    root,
  ]);
  assert.deepEqual(await verifyChain({ chain: [root], roots: [root] }), [root]);
  const twin = issue('root', { serial: 2 });
  for (const [chain, roots] of [
    [[leaf, ca, twin], [root]],
    [[leaf, ca], []],
    [[leaf, ca], [issue('root', { subject: 'Root' })]],
    [[leaf], [root]],
    [[leaf, ca], [issue('root', { key: other })]],
  ] as const) {
    await assert.rejects(verifyChain({ chain, roots }), refused('certificate-root-unknown', 'EV-370'));
  }
});

test('EV-371 an issuer with another name is refused', async () => {
  await refuses('EV-371', [issue('leaf', { issuer: 'CA' }), ca]);
  await refuses('EV-371', [leaf, root]);
});

test('EV-372 an issuer with another key identifier is refused', async () => {
  const extensions = [basicConstraints(false), keyUsage(0x80), authorityKeyId(other)];
  await refuses('EV-372', [issue('leaf', { extensions }), ca]);
});

test('EV-373 an issuer that is no CA, or not critically so, is refused', async () => {
  await refuses('EV-373', [leaf, issue('ca', { extensions: [basicConstraints(false), keyUsage(0x04)] })]);
  await refuses('EV-373', [leaf, issue('ca', { extensions: [basicConstraints(true, 0, false), keyUsage(0x04)] })]);
  await refuses('EV-373', [leaf, issue('ca', { extensions: [keyUsage(0x04)] })]);
});

test('EV-374 an issuer whose key may not sign certificates is refused', async () => {
  await refuses('EV-374', [leaf, issue('ca', { extensions: [basicConstraints(true), keyUsage(0x02)] })]);
  await refuses('EV-374', [leaf, issue('ca', { extensions: [basicConstraints(true)] })]);
});

test('EV-375 a chain longer than an issuer allows is refused', async () => {
  await refuses('EV-375', [leaf, ca], [issue('root', { pathLength: 0 })]);
  const shallow = issue('root', { pathLength: 1 });
  assert.equal((await verifyChain({ chain: [leaf, ca], roots: [shallow] })).length, 3);
});

test('EV-376 a critical extension that nobody reads is refused', async () => {
  const marked = issue('leaf', { more: [derExtension('1.2.3', true, Uint8Array.of(5, 0))] });
  await refuses('EV-376', [marked, ca]);
  assert.equal((await verifyChain({ chain: [marked, ca], roots: [root], knownCritical: ['1.2.3'] })).length, 3);
  const unmarked = issue('leaf', { more: [derExtension('1.2.3', false, Uint8Array.of(5, 0))] });
  assert.equal((await verifyChain({ chain: [unmarked, ca], roots: [root] })).length, 3);
});

test('EV-377 a certificate that its issuer did not sign is refused', async () => {
  const extensions = [basicConstraints(false), keyUsage(0x80)];
  await refuses('EV-377', [issue('leaf', { signer: other, extensions }), ca]);
  const caExtensions = [basicConstraints(true), keyUsage(0x04)];
  await refuses('EV-377', [leaf, issue('ca', { signer: other, extensions: caExtensions })]);
});

test('EV-378 a leaf that is a CA is refused, and a leaf where a CA is wanted', async () => {
  await refuses('EV-378', [issue('leaf', { isCa: true }), ca]);
  assert.equal((await verifyChain({ chain: [ca], roots: [root], ofCa: true })).length, 2);
  await assert.rejects(
    verifyChain({ chain: [leaf, ca], roots: [root], ofCa: true }),
    refused('certificate-chain-invalid', 'EV-378'),
  );
});

test('EV-379 a chain of none, or of nine, is refused', async () => {
  await refuses('EV-379', []);
  await refuses('EV-379', [leaf, ...Array.from({ length: 8 }, () => ca)]);
});

test('EV-380 a certificate out of its time is refused, both ends included', () => {
  const { notBefore, notAfter } = leaf;
  assertValidAt([leaf, ca], notBefore);
  assertValidAt([leaf, ca], notAfter);
  assert.throws(() => assertValidAt([leaf], notBefore - 1), refused('certificate-not-yet-valid', 'EV-380'));
  assert.throws(() => assertValidAt([leaf], notAfter + 1), refused('certificate-expired', 'EV-380'));
  const early = issue('ca', { notAfter: notAfter - 5 });
  assert.throws(() => assertValidAt([leaf, early], notAfter), refused('certificate-expired', 'EV-380'));
});
