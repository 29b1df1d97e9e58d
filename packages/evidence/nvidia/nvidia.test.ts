/** vectors/evidence-nvidia through `verifyNvidia`, one failure each, by rule; and what is too large to be a vector. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { encodeHex, encodeUtf8, parseBase64, parseHex } from '@sotto/bytes';
import { verifySignature } from '@sotto/crypto/verify';
import { type Certificate, CertificateError, parseCertificate, parsePem, verifyChain } from '@sotto/crypto/x509';
import { JudgementError } from '../judgement-error.ts';
import { refusal } from './error.ts';
import {
  encodeNvidiaDevice,
  type NvidiaInput,
  parseNvidiaDevice,
  parseReport,
  productionRoots,
  verifyNvidia,
} from './index.ts';
import { parseOcsp, verifyOcsp } from './ocsp.ts';
import { parseRim } from './rim.ts';
import { verifySignedXml } from './rim-signature.ts';
import { parseXml } from './xml.ts';

interface Vector {
  readonly id: string;
  readonly rule: string;
  readonly devices: readonly { readonly report: string; readonly cert_chain_pem: string }[];
  readonly nonce_hex: string;
  readonly rims_xml: readonly string[];
  readonly ocsp: readonly string[];
  readonly ocsp_nonce_hex?: string;
  readonly time: number;
  readonly expect: 'accept' | { readonly code: string; readonly class: string };
}
interface VectorFile {
  readonly device_root_pem: string;
  readonly rim_root_pem: string;
  readonly vectors: readonly Vector[];
  readonly parts: Readonly<Record<string, string>>;
}

const file = new URL('../../../vectors/evidence-nvidia/nvidia.json', import.meta.url);
const { vectors, parts, device_root_pem, rim_root_pem } = JSON.parse(readFileSync(file, 'utf8')) as VectorFile;
const certificates = (pem: string) => parsePem(pem, 'CERTIFICATE').map(parseCertificate);
const roots = { device: certificates(device_root_pem), rim: certificates(rim_root_pem) };
const isOurs = (error: unknown): boolean => error instanceof JudgementError || error instanceof CertificateError;
const part = (text: string): string => (text.startsWith('@') ? (parts[text.slice(1)] as string) : text);

function inputOf(vector: Vector): NvidiaInput {
  return {
    devices: vector.devices.map(({ report, cert_chain_pem }) => ({
      report: parseBase64(part(report)),
      certificates: parsePem(part(cert_chain_pem), 'CERTIFICATE'),
    })),
    expectedNonce: parseHex(vector.nonce_hex),
    rims: vector.rims_xml.map(part),
    ocsp: vector.ocsp.map((answer) => parseBase64(part(answer))),
    ...(vector.ocsp_nonce_hex && { expectedOcspNonce: parseHex(vector.ocsp_nonce_hex) }),
    roots,
    timeSeconds: vector.time,
  };
}

/** Certificates are judged by rules of their own (spec/evidence-certificates.md). */
const JUDGED_ELSEWHERE = ['EV-268', 'EV-269', 'EV-284'];

async function judge(rule: string): Promise<void> {
  const ofRule = vectors.filter((vector) => vector.rule === rule);
  assert.notEqual(ofRule.length, 0, `no vector for ${rule}`);
  for (const vector of ofRule) {
    if (vector.expect === 'accept') {
      const { devices } = await verifyNvidia(inputOf(vector));
      assert.ok(
        devices.every(({ boundToCvm }) => !boundToCvm),
        vector.id,
      );
      continue;
    }
    const { code, class: failureClass } = vector.expect;
    const isOther = JUDGED_ELSEWHERE.includes(rule) || code.startsWith('certificate-');
    const expected = { code, failureClass, ...(!isOther && { rule }) };
    await assert.rejects(verifyNvidia(inputOf(vector)), expected, `${vector.id}: expected ${rule} to refuse`);
  }
}

test('EV-241 a report has exactly the length of its fields', () => judge('EV-241'));
test('EV-242 the request is for all measurements, signed, by the key of slot 0', () => judge('EV-242'));
test('EV-243 the response is that of SPDM 1.1', () => judge('EV-243'));
test('EV-244 measurements are numbered from 1 without a gap', () => judge('EV-244'));
test('EV-245 a measurement is a SHA-384 digest', () => judge('EV-245'));
test('EV-246 no field stands twice', () => judge('EV-246'));
test('EV-247 a field has its length', () => judge('EV-247'));
test('EV-248 the status of the video decoder is on or off', () => judge('EV-248'));
test('EV-249 versions are versions', () => judge('EV-249'));
test('EV-251 control characters are refused', () => judge('EV-251'));
test('EV-252 the XML is well-formed', () => judge('EV-252'));
test('EV-253 only elements and text stand in the XML', () => judge('EV-253'));
test('EV-255 only the five named entities may be used', () => judge('EV-255'));
test('EV-256 every prefix is bound to a namespace with a name', () => judge('EV-256'));
test('EV-257 no attribute stands twice', () => judge('EV-257'));
test('EV-258 the certificate names a known device of the vendor', () => judge('EV-258'));
test('EV-259 the certificate names the firmware of the key under SHA-384', () => judge('EV-259'));
test('EV-260 the document is a software identity', () => judge('EV-260'));
test('EV-261 each part of a manifest stands once', () => judge('EV-261'));
test('EV-262 a manifest names product and version', () => judge('EV-262'));
test('EV-263 the payload holds measurements alone', () => judge('EV-263'));
test('EV-264 no measurement has two values', () => judge('EV-264'));
test('EV-265 a manifest judges something', () => judge('EV-265'));
test('EV-266 a value has its digests', () => judge('EV-266'));
test('EV-267 numbers have one spelling and a limit', () => judge('EV-267'));
test("EV-268 a device's chain ends in the root of devices", () => judge('EV-268'));
test("EV-269 a manifest's chain ends in the root of manifests", () => judge('EV-269'));
test('EV-270 there is one signature, the last part of the document', () => judge('EV-270'));
test('EV-271 the signature has one shape and one set of algorithms', () => judge('EV-271'));
test('EV-272 bytes in the signature are base64 of their length', () => judge('EV-272'));
test('EV-273 the digest is that of the document', () => judge('EV-273'));
test('EV-274 the signer signed the digest', () => judge('EV-274'));
test('EV-275 the device answered to this nonce', () => judge('EV-275'));
test('EV-276 report and key are of one firmware', () => judge('EV-276'));
test('EV-277 no device stands twice', () => judge('EV-277'));
test('EV-278 the switches shown are those that the GPUs are wired to', () => judge('EV-278'));
test('EV-279 a manifest is of the version and chip of a device', () => judge('EV-279'));
test('EV-280 the device signed the report', () => judge('EV-280'));
test('EV-281 a set has 1 to 16 devices', () => judge('EV-281'));
test('EV-282 no two manifests judge one measurement', () => judge('EV-282'));
test('EV-283 every active value is shown by the device', () => judge('EV-283'));
test('EV-284 every certificate is within its dates', () => judge('EV-284'));
test('EV-285 a key that was certified for another use signs nothing here', () => judge('EV-285'));
test('EV-286 an answer is a successful one of the basic kind', () => judge('EV-286'));
test("EV-287 an answer holds its signer's certificate and such of the chains", () => judge('EV-287'));
test('EV-288 an answer is about one certificate', () => judge('EV-288'));
test('EV-289 an answer names the certificate by a strong hash', () => judge('EV-289'));
test('EV-292 an answer has no critical extension that is not known', () => judge('EV-292'));
test('EV-293 an answer is about a certificate of these chains', () => judge('EV-293'));
test('EV-294 the signer of an answer is the issuer, or was appointed by it', () => judge('EV-294'));
test('EV-295 the responder signed the answer', () => judge('EV-295'));
test('EV-296 an answer carries the nonce of the question', () => judge('EV-296'));
test('EV-297 a certificate that is revoked or unknown is refused', () => judge('EV-297'));
test('EV-298 an answer is current', () => judge('EV-298'));

const accepted = vectors.find(({ expect, rims_xml, ocsp }) => expect === 'accept' && rims_xml.length + ocsp.length > 2);
const good = inputOf(accepted as Vector);

test('EV-240 a report above 16 KiB is refused before it is read', () => {
  assert.throws(() => parseReport(new Uint8Array(16 * 1024 + 1)), { code: 'report-malformed', rule: 'EV-240' });
});

test('EV-250 XML above 256 KiB is refused before it is read', () => {
  assert.throws(() => parseXml(' '.repeat(256 * 1024 + 1)), { code: 'rim-malformed', rule: 'EV-250' });
});

test('EV-254 nesting, elements and attributes are limited, and bombs cost what their size costs', () => {
  const refused = (xml: string) => assert.throws(() => parseXml(xml), { code: 'rim-malformed', rule: 'EV-254' });
  const started = performance.now();
  refused('<a>'.repeat(10_000) + '</a>'.repeat(10_000));
  refused(`<a>${'<b/>'.repeat(3000)}</a>`);
  refused(`<a${Array.from({ length: 100 }, (_, i) => ` b${i}=""`).join('')}/>`);
  const bombs = [
    '<'.repeat(200_000),
    `<a ${'b '.repeat(100_000)}`,
    `<a>${'&amp;'.repeat(40_000)}`,
    `<a${' '.repeat(2e5)}x`,
  ];
  for (const bomb of bombs) assert.throws(() => parseXml(bomb), { code: 'rim-malformed' });
  assert.ok(performance.now() - started < 1000);
});

test('EV-240 a mebibyte of noise in any place is refused at once', async () => {
  const noise = new Uint8Array(1024 * 1024);
  for (let at = 0; at < noise.length; at++) noise[at] = (Math.imul(at + 1, 2_654_435_761) >>> 13) & 0xff;
  const [one] = good.devices as [NvidiaInput['devices'][number]];
  const text = Array.from(noise.slice(0, 200_000), (byte) => String.fromCharCode(32 + (byte % 95))).join('');
  const inputs: NvidiaInput[] = [
    { ...good, devices: [{ ...one, report: noise }] },
    { ...good, devices: [{ ...one, certificates: [noise] }] },
    { ...good, ocsp: [noise] },
    { ...good, rims: [text] },
    { ...good, rims: [`<a>${text.replaceAll('<', ' ')}`] },
  ];
  const started = performance.now();
  for (const input of inputs) {
    await assert.rejects(
      verifyNvidia(input),
      (error) => isOurs(error) && (error as JudgementError).failureClass === 'format',
    );
  }
  assert.ok(performance.now() - started < 2000);
});

test('EV-254 the vector of deep nesting', () => judge('EV-254'));

test('EV-299 the claims name device, versions, manifests and answers, and never say that a device is bound', async () => {
  const [claims] = (await verifyNvidia(good)).devices;
  assert.equal(claims?.arch, 'HOPPER');
  assert.deepEqual([claims.product, claims.serial], ['GH100', '48B0000000000001']);
  assert.deepEqual([claims.driverVersion, claims.vbiosVersion], ['570.10.01', '96.00.11.00.02']);
  assert.deepEqual([claims.rim, claims.ocsp, claims.boundToCvm], ['match', 'good', false]);
  assert.equal(encodeHex(claims.measurements[0]?.digest ?? new Uint8Array()).length, 96);
  const [bare] = (await verifyNvidia({ ...good, rims: good.rims.slice(1), ocsp: good.ocsp.slice(1) })).devices;
  assert.deepEqual([bare?.matchedRims, bare?.rim, bare?.ocsp], [['vbios'], 'absent', 'absent']);
});

test('EV-291 a device reads back as it was written, and not a byte shorter or longer', () => {
  const { report, certificates } = good.devices[0] as NvidiaInput['devices'][number];
  const bytes = encodeNvidiaDevice({ report, certificates });
  assert.deepEqual(parseNvidiaDevice(bytes), { report, certificates });
  for (const length of [0, 1, 2, 100, bytes.length - 1]) {
    assert.throws(() => parseNvidiaDevice(bytes.slice(0, length)), { code: 'device-set-malformed', rule: 'EV-291' });
  }
  assert.throws(() => parseNvidiaDevice(Uint8Array.of(...bytes, 0)), { rule: 'EV-291' });
  assert.throws(() => encodeNvidiaDevice({ report, certificates: [] }), { rule: 'EV-291' });
  const nine = Array.from({ length: 9 }, () => new Uint8Array(1));
  assert.throws(() => encodeNvidiaDevice({ report, certificates: nine }), { rule: 'EV-291' });
});

test('EV-290 the pinned roots are those of the specification', () => {
  const spec = readFileSync(new URL('../../../spec/evidence-nvidia.md', import.meta.url), 'utf8');
  const { device, rim } = productionRoots();
  for (const { raw } of [...device, ...rim]) {
    assert.ok(spec.includes(createHash('sha256').update(raw).digest('hex')));
  }
});

const [device] = good.devices as [NvidiaInput['devices'][number]];
const chain = device.certificates.map(parseCertificate);

/** Each change is refused with an error of ours, or is counted as malleable. */
async function changeEvery(bytes: Uint8Array, tryWith: (changed: Uint8Array) => Promise<unknown>) {
  const counts: Record<string, number> = {};
  for (const changed of changesOf(bytes)) {
    const outcome = await tryWith(changed).then(
      () => 'malleable',
      (error) => {
        assert.ok(isOurs(error), String(error));
        return (error as JudgementError).failureClass;
      },
    );
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return counts;
}

/** Every byte changed, and one byte less and more. */
function* changesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at++) yield bytes.with(at, (bytes[at] as number) ^ (1 << (at % 8)));
  yield bytes.slice(0, -1);
  yield Uint8Array.of(...bytes, 0x20);
}

test('EV-280 every byte and length of a report changed is refused', async (t) => {
  const [key] = chain as [Certificate];
  const counts = await changeEvery(device.report, async (changed) => {
    const { signed, signature } = parseReport(changed);
    const isSigned = await verifySignature('ecdsa-sha384', key.publicKey, signed, signature, 'raw');
    if (!isSigned) throw refusal('report-signature-invalid', 'EV-280', '');
  });
  t.diagnostic(JSON.stringify(counts));
  assert.deepEqual(Object.keys(counts).sort(), ['format', 'signature']);
});

test('EV-268 every byte and length of a device certificate changed is refused', async (t) => {
  const bare = { ...good, ocsp: [], rims: [] };
  const counts = await changeEvery(device.certificates[0] as Uint8Array, (changed) =>
    verifyNvidia({ ...bare, devices: [{ ...device, certificates: device.certificates.with(0, changed) }] }),
  );
  t.diagnostic(JSON.stringify(counts));
  assert.deepEqual(Object.keys(counts).sort(), ['chain', 'format']);
});

test('EV-295 every byte and length of an OCSP answer changed is refused', async (t) => {
  const counts = await changeEvery(good.ocsp[1] as Uint8Array, async (changed) =>
    verifyOcsp(parseOcsp(changed), [chain]),
  );
  t.diagnostic(JSON.stringify(counts));
  assert.deepEqual(Object.keys(counts).sort(), ['format', 'revocation']);
});

test('EV-274 every byte and length of a manifest changed is refused, but for blanks behind its end', async (t) => {
  const xml = good.rims[0] as string;
  const before = parseRim(xml);
  const names = before.signature.certificates.map(({ raw }) => encodeHex(raw)).join();
  const counts = await changeEvery(encodeUtf8(xml), async (changed) => {
    const rim = parseRim(new TextDecoder().decode(changed));
    const { certificates } = rim.signature;
    const isSame = certificates.map(({ raw }) => encodeHex(raw)).join() === names;
    if (!isSame) await verifyChain({ chain: certificates, roots: roots.rim });
    await verifySignedXml(rim.signature);
    assert.deepEqual(rim, before);
  });
  t.diagnostic(JSON.stringify(counts));
  assert.deepEqual(
    { ...counts, format: 0, chain: 0, signature: 0 },
    { format: 0, chain: 0, signature: 0, malleable: 1 },
  );
});
