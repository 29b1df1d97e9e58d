/**
 * Writes quotes.json: one failure each (spec/evidence-tpm.md §quote), under keys of the test. Deterministic.
 *
 *   node vectors/evidence-tpm/generate-quotes.ts
 */
import { writeFileSync } from 'node:fs';
import { encodeBase64, encodeHex, encodeUtf8 } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import { basicConstraints, createTestKey, issueCertificate, testPem } from '@sotto/testkit/certificates';
import {
  encodeTcgLog,
  encodeTpmQuote,
  encodeTpmSignature,
  TPM_HASHES,
  TPM_TEST_KEY,
  type TpmQuoteFake,
  type TpmSignatureFake,
} from '@sotto/testkit/evidence-tpm';

const data = encodeUtf8('an event');
const digest = sha256(data);
const pcr0 = sha256(new Uint8Array(32), digest);
const pcr7 = sha256(sha256(new Uint8Array(32), digest), digest);
const values = [pcr0, pcr7];
const pcrs = { 0: encodeHex(pcr0), 7: encodeHex(pcr7) };
const entry = (index: number) => ({ index, eventType: 4, digests: { sha256: digest }, data });
const log = (indexes: readonly number[]) => encodeTcgLog({ banks: ['sha256'], entries: indexes.map(entry) });
const nonce = new Uint8Array(32).fill(0x0c);

const p384 = createTestKey('tpm attestation key', 'P-384');
const other = createTestKey('tpm other');
const maker = createTestKey('tpm maker');
const publicPem = (key: typeof p384) => testPem('PUBLIC KEY', [new Uint8Array(key.publicKey.spki)]);
const root = issueCertificate({ subject: 'maker', issuer: 'maker', key: maker, signer: maker, isCa: true });
const leaf = (change: object = {}) =>
  issueCertificate({ subject: 'ak', issuer: 'maker', key: TPM_TEST_KEY, signer: maker, ...change });
const chainPem = (...certificates: Uint8Array[]) => testPem('CERTIFICATE', certificates);

interface Wanted {
  readonly quote?: TpmQuoteFake;
  readonly signature?: TpmSignatureFake;
  readonly bytes?: Uint8Array;
  readonly change?: object;
}
function inputOf({ quote, signature, bytes, change }: Wanted): object {
  const hash = signature?.key?.curve === 'P-384' ? 'sha384' : 'sha256';
  const statement = bytes ?? encodeTpmQuote({ values, ...quote }, hash);
  const input = {
    quote: encodeBase64(statement),
    signature: encodeBase64(encodeTpmSignature(statement, signature)),
    ak_public_pem: publicPem(TPM_TEST_KEY),
    nonce_hex: encodeHex(nonce),
    event_log: encodeBase64(log([0, 7, 7, 3])),
    pcrs,
    policy: { kind: 'signature-only' },
    ...change,
  };
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
}

const bad = { class: 'format', code: 'quote-malformed' };
const badSignature = { class: 'format', code: 'signature-malformed' };
const notSigned = { class: 'signature', code: 'quote-signature-invalid' };
const notSignedAs = (rule: string) => ({ ...notSigned, rule });
const set = { class: 'binding', code: 'register-set-mismatch' };
const digestMismatch = { class: 'binding', code: 'register-digest-mismatch' };
const good = encodeTpmQuote({ values });
const withChain = (...certificates: Uint8Array[]): Wanted => ({
  change: { ak_public_pem: undefined, ak_cert_chain_pem: chainPem(...certificates) },
});
const quoted = (quote: TpmQuoteFake): Wanted => ({ quote });
const signed = (signature: TpmSignatureFake): Wanted => ({ signature });
/** A nonce under which the signature's r begins with a zero, which a TPM may leave out. */
const short = shortSignature();

const rows: [id: string, rule: string, wanted: Wanted, expect: object | string][] = [
  ['p256', 'EV-336', {}, 'accept'],
  ['p384', 'EV-336', { signature: { key: p384 }, change: { ak_public_pem: publicPem(p384) } }, 'accept'],
  ['without-log', 'EV-336', { change: { event_log: undefined } }, 'accept'],
  ['chain', 'EV-336', withChain(leaf(), root), 'accept'],
  ['too-long', 'EV-320', { bytes: new Uint8Array(1025) }, bad],
  ['magic', 'EV-321', quoted({ magic: 0xff544348 }), bad],
  ['certify', 'EV-322', quoted({ type: 0x8017 }), bad],
  ['short', 'EV-323', { bytes: good.slice(0, -1) }, bad],
  ['longer', 'EV-323', quoted({ trailing: Uint8Array.of(0) }), bad],
  ['empty', 'EV-323', { bytes: new Uint8Array() }, bad],
  ['name-of-67', 'EV-323', quoted({ name: new Uint8Array(67) }), bad],
  ['nonce-of-65', 'EV-323', quoted({ nonce: new Uint8Array(65) }), bad],
  ['safe-2', 'EV-324', quoted({ safe: 2 }), bad],
  ['no-bank', 'EV-330', quoted({ banks: [] }), bad],
  ['two-banks', 'EV-330', quoted({ banks: [TPM_HASHES.sha256, TPM_HASHES.sha384] }), bad],
  ['sha1', 'EV-330', quoted({ banks: [TPM_HASHES.sha1] }), bad],
  ['map-of-4', 'EV-331', quoted({ map: Uint8Array.of(0x81, 0, 0, 0) }), bad],
  ['map-of-0', 'EV-331', quoted({ map: new Uint8Array() }), bad],
  ['no-register', 'EV-331', { quote: { map: new Uint8Array(3), values: [] }, change: { pcrs: {} } }, bad],
  ['unknown-algorithm', 'EV-332', signed({ algorithm: 0x1a }), badSignature],
  ['unknown-hash', 'EV-332', signed({ hash: TPM_HASHES.sha1 }), badSignature],
  ['signature-longer', 'EV-333', signed({ trailing: Uint8Array.of(0) }), badSignature],
  ['signature-of-one-number', 'EV-333', signed({ numbers: [new Uint8Array(32)] }), badSignature],
  ['r-of-49', 'EV-333', signed({ numbers: [new Uint8Array(49), new Uint8Array(32)] }), badSignature],
  [
    'r-shorter',
    'EV-334',
    {
      quote: { nonce: short.nonce },
      signature: { numbers: [short.r.slice(1), short.s] },
      change: { nonce_hex: encodeHex(short.nonce) },
    },
    'accept',
  ],
  [
    'r-with-its-zero',
    'EV-334',
    { quote: { nonce: short.nonce }, change: { nonce_hex: encodeHex(short.nonce) } },
    'accept',
  ],
  [
    'r-shorter-with-a-zero',
    'EV-334',
    {
      quote: { nonce: short.two.nonce },
      signature: { numbers: [short.two.r.slice(1), short.two.s] },
      change: { nonce_hex: encodeHex(short.two.nonce) },
    },
    notSignedAs('EV-336'),
  ],
  ['r-longer', 'EV-334', signed({ numbers: [Uint8Array.of(0, ...short.r), short.s] }), notSignedAs('EV-336')],
  ['r-of-nothing', 'EV-334', signed({ numbers: [new Uint8Array(), short.s] }), notSignedAs('EV-336')],
  ['rsa-under-ec-key', 'EV-336', signed({ algorithm: 0x14, numbers: [new Uint8Array(64)] }), notSigned],
  ['another-hash', 'EV-336', signed({ hash: TPM_HASHES.sha384 }), notSigned],
  ['another-key', 'EV-336', signed({ key: other }), notSigned],
  ['another-key-in-certificate', 'EV-336', withChain(leaf({ key: other }), root), notSigned],
  ['nonce', 'EV-340', quoted({ nonce: new Uint8Array(32) }), { class: 'binding', code: 'nonce-mismatch' }],
  ['nonce-shorter', 'EV-340', quoted({ nonce: nonce.slice(1) }), { class: 'binding', code: 'nonce-mismatch' }],
  ['nonce-empty', 'EV-340', quoted({ nonce: new Uint8Array() }), { class: 'binding', code: 'nonce-mismatch' }],
  ['register-missing', 'EV-341', { change: { pcrs: { 0: pcrs[0] } } }, set],
  ['register-more', 'EV-341', { change: { pcrs: { ...pcrs, 8: pcrs[0] } } }, set],
  ['register-of-48', 'EV-341', { change: { pcrs: { ...pcrs, 7: '00'.repeat(48) } } }, set],
  ['registers-swapped', 'EV-342', { change: { pcrs: { 0: pcrs[7], 7: pcrs[0] } } }, digestMismatch],
  ['register-other', 'EV-342', { change: { pcrs: { ...pcrs, 0: '00'.repeat(32) } } }, digestMismatch],
  [
    'log-of-another-boot',
    'EV-343',
    { change: { event_log: encodeBase64(log([0, 7])) } },
    { class: 'binding', code: 'register-mismatch', rule: 'EV-314' },
  ],
  [
    'log-malformed',
    'EV-343',
    { change: { event_log: encodeBase64(log([0]).slice(1)) } },
    { class: 'format', code: 'event-log-malformed', rule: 'EV-303' },
  ],
  [
    'chain-with-other-root',
    'EV-336',
    withChain(leaf({ signer: other }), root),
    { class: 'chain', code: 'certificate-chain-invalid', rule: 'EV-372' },
  ],
  [
    'chain-under-leaf',
    'EV-336',
    withChain(leaf(), issueCertificate({ subject: 'maker', issuer: 'maker', key: maker, signer: maker, more: [] })),
    { class: 'chain', code: 'certificate-chain-invalid', rule: 'EV-373' },
  ],
  [
    'ak-is-a-ca',
    'EV-336',
    withChain(leaf({ isCa: true, extensions: [basicConstraints(true)] }), root),
    { class: 'chain', code: 'certificate-chain-invalid', rule: 'EV-378' },
  ],
  [
    'key-not-a-key',
    'EV-336',
    { change: { ak_public_pem: testPem('PUBLIC KEY', [Uint8Array.of(0x30, 0)]) } },
    { class: 'format', code: 'der-malformed', rule: 'EV-352' },
  ],
];

const vectors = rows.map(([id, rule, wanted, expect]) => ({ id, rule, input: inputOf(wanted), expect }));
const file = new URL('quotes.json', import.meta.url);
const note = 'spec/evidence-tpm.md, quote; input as stage tpm reads it; expect.rule where another rule refuses';
writeFileSync(file, `${JSON.stringify({ note, vectors }, null, 2)}\n`);

interface Short {
  readonly nonce: Uint8Array;
  readonly r: Uint8Array;
  readonly s: Uint8Array;
}
/** Nonces, found by trying, for which r begins with one zero and another byte, and with two zeros. */
function shortSignature(): Short & { two: Short } {
  return { ...under(149, 1), two: under(42493, 2) };
}

function under(count: number, zeros: number): Short {
  const nonce = new Uint8Array(4);
  new DataView(nonce.buffer).setUint32(0, count);
  const signature = TPM_TEST_KEY.sign(encodeTpmQuote({ values, nonce }));
  const r = signature.slice(0, 32);
  if (r.findIndex((byte) => byte !== 0) !== zeros) throw new Error('the quote has changed: look for another nonce');
  return { nonce, r, s: signature.slice(32) };
}
