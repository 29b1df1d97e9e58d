/**
 * Writes nvidia.json of this folder: devices, manifests and OCSP answers under test roots, one failure each
 * (spec/evidence-nvidia.md). Deterministic: the keys come from their labels. A text that begins with `@` names one of the parts.
 *
 *   node vectors/evidence-nvidia/generate.ts
 */
import { writeFileSync } from 'node:fs';
import { concatBytes, encodeBase64, encodeUtf8, parseHex } from '@sotto/bytes';
import { derExtension, testPem } from '@sotto/testkit/certificates';
import {
  type DeviceFake,
  deviceChainFake,
  deviceRootFake,
  encodeOcspFake,
  encodeReportFake,
  gpuFields,
  nvidiaTestKey,
  OCSP_SIGNING,
  type OcspFake,
  opaqueField,
  type ReportFake,
  type RimFake,
  reportBlock,
  rimRootFake,
  testDigest,
  writeRimFake,
} from '@sotto/testkit/evidence-nvidia';

const NOW = Date.UTC(2026, 10, 21, 12) / 1000;
const DAY = 24 * 3600;
const nonce = testDigest('nonce').slice(0, 32);
const digests = Array.from({ length: 40 }, (_, i) => testDigest(`measurement ${i}`));
const measurements = digests.slice(0, 6);
/** What driver and VBIOS should be. */
const DRIVER = '570.10.01';
const VBIOS = '96.00.11.00.02';

// Parts: every text that is used is written once, under a name.
const parts: Record<string, string> = {};
function part(name: string, text: string): string {
  const known = Object.keys(parts).find((one) => parts[one] === text);
  if (known !== undefined) return `@${known}`;
  let unique = name;
  for (let i = 2; unique in parts; i++) unique = `${name}-${i}`;
  parts[unique] = text;
  return `@${unique}`;
}

interface Device {
  report?: Partial<ReportFake>;
  chain?: Partial<DeviceFake>;
  root?: string;
  alterPem?: (pem: string) => string;
}
interface Case {
  devices?: Device[];
  rims?: (Partial<RimFake> | string)[];
  ocsp?: (OcspFake | Uint8Array)[];
  time?: number;
  ocspNonce?: Uint8Array;
  expect: 'accept' | { code: string; class: string };
}

function device({ report = {}, chain = {}, root, alterPem = (pem) => pem }: Device) {
  const label = report.label ?? chain.label ?? 'gpu 1';
  const fake = { label, nonce, measurements, opaque: gpuFields(), ...report };
  const pem = testPem('CERTIFICATE', deviceChainFake({ ...chain, label: chain.label ?? label }, root));
  return {
    report: part('report', encodeBase64(encodeReportFake(fake))),
    cert_chain_pem: part('chain', alterPem(pem)),
  };
}

const driverValues = { 1: [digests[1] as Uint8Array], 4: [testDigest('older'), digests[4] as Uint8Array] };
const vbiosValues = { 0: [digests[0] as Uint8Array], 5: [digests[5] as Uint8Array] };
const rim = (one: Partial<RimFake> | string): string =>
  part('rim', typeof one === 'string' ? one : writeRimFake({ version: DRIVER, values: driverValues, ...one }));
const goodDriver = writeRimFake({ version: DRIVER, values: driverValues, inactive: { 2: [testDigest('unused')] } });
const goodVbios: Partial<RimFake> = { version: VBIOS, values: vbiosValues };

const vectors: object[] = [];
function add(rule: string, note: string, one: Case): void {
  const count = vectors.filter((vector) => (vector as { rule: string }).rule === rule).length;
  vectors.push({
    id: `${rule.toLowerCase()}-${count + 1}`,
    rule,
    note,
    devices: (one.devices ?? [{}]).map(device),
    nonce_hex: Buffer.from(nonce).toString('hex'),
    rims_xml: (one.rims ?? []).map(rim),
    ocsp: (one.ocsp ?? []).map((answer) =>
      part('ocsp', encodeBase64(answer instanceof Uint8Array ? answer : encodeOcspFake(answer))),
    ),
    ...(one.ocspNonce && { ocsp_nonce_hex: Buffer.from(one.ocspNonce).toString('hex') }),
    time: one.time ?? NOW,
    expect: one.expect,
  });
}

const format = (code: string) => ({ code, class: 'format' });
const reportCase = (rule: string, note: string, report: Partial<ReportFake>) =>
  add(rule, note, { devices: [{ report }], expect: format('report-malformed') });
const rimCase = (rule: string, note: string, one: Partial<RimFake> | string) =>
  add(rule, note, { rims: [one], expect: format('rim-malformed') });
const fieldsWith = (...fields: [number, Uint8Array][]): [number, Uint8Array][] => {
  const types = fields.map(([type]) => type);
  return [...gpuFields().filter(([type]) => !types.includes(type)), ...fields];
};

// The report
reportCase('EV-241', 'one byte more', { alterSigned: (bytes) => concatBytes(bytes, Uint8Array.of(0)) });
reportCase('EV-241', 'one byte less', { alterSigned: (bytes) => bytes.slice(0, -1) });
reportCase('EV-241', 'a byte behind the last measurement', {
  alter: (p) => ({ ...p, record: concatBytes(p.record, Uint8Array.of(0)) }),
});
const request = (at: number, value: number) => (p: { request: Uint8Array }) => {
  const changed = p.request.slice();
  changed[at] = value;
  return changed;
};
reportCase('EV-242', 'without a signature', { alter: (p) => ({ ...p, request: request(2, 0)(p) }) });
reportCase('EV-242', 'one measurement only', { alter: (p) => ({ ...p, request: request(3, 1)(p) }) });
reportCase('EV-242', 'SPDM 1.2', { alter: (p) => ({ ...p, request: request(0, 0x12)(p) }) });
reportCase('EV-242', 'the key of another slot', { alter: (p) => ({ ...p, request: request(36, 1)(p) }) });
reportCase('EV-243', 'another response', { alter: (p) => ({ ...p, head: parseHex('117f0000') }) });
reportCase('EV-244', 'a measurement twice', {
  alter: (p) => {
    const [first, second] = [digests[0] as Uint8Array, digests[1] as Uint8Array];
    return { ...p, count: 2, record: concatBytes(reportBlock(1, first), reportBlock(1, second)) };
  },
});
reportCase('EV-244', 'a measurement missing', {
  alter: (p) => ({ ...p, count: 1, record: reportBlock(2, digests[1] as Uint8Array) }),
});
reportCase('EV-245', 'raw bytes where a digest should be', {
  alter: (p) => ({ ...p, count: 1, record: reportBlock(1, digests[0] as Uint8Array, 0x81) }),
});
reportCase('EV-245', 'another specification', {
  alter: (p) => {
    const record = reportBlock(1, digests[0] as Uint8Array);
    record[1] = 2;
    return { ...p, count: 1, record };
  },
});
reportCase('EV-246', 'the driver version twice', {
  alter: (p) => ({ ...p, opaque: concatBytes(p.opaque, opaqueField(3, encodeUtf8('580.20.02'))) }),
});
reportCase('EV-247', 'a firmware id of 47 bytes', { opaque: fieldsWith([20, testDigest('firmware').slice(1)]) });
reportCase('EV-247', 'half an id of a switch', { opaque: fieldsWith([22, new Uint8Array(12).fill(7)]) });
reportCase('EV-248', 'a third status of the video decoder', { opaque: fieldsWith([11, Uint8Array.of(0)]) });
reportCase('EV-249', 'a driver version of letters', { opaque: fieldsWith([3, encodeUtf8('five')]) });
reportCase('EV-249', 'a VBIOS version of letters', { opaque: fieldsWith([6, encodeUtf8('96.00.xx.00.01')]) });
reportCase('EV-249', 'no VBIOS version', { opaque: gpuFields().filter(([type]) => type !== 6) });

// XML
const inside = (text: string) => ({
  alterText: (xml: string) => xml.replace('</ns0:Payload>', `${text}</ns0:Payload>`),
});
const inRoot = (text: string) => ({ alterText: (xml: string) => xml.replace(' name=', ` ${text} name=`) });
rimCase('EV-251', 'a carriage return', inside('\r\n'));
rimCase('EV-251', 'a control character', inside('\u0001'));
rimCase('EV-252', 'an element behind the root', { alterText: (xml) => `${xml}<more></more>` });
rimCase('EV-252', 'a tag that is not well-formed', inRoot('name'));
rimCase('EV-252', 'cut off', { alterText: (xml) => xml.slice(0, -'</SoftwareIdentity>'.length) });
rimCase('EV-252', 'crossed tags', inside('<a><b></a></b>'));
rimCase('EV-252', 'the end of a CDATA section', inside(']]>'));
rimCase('EV-253', 'a comment', inside('<!-- active="False" -->'));
rimCase('EV-253', 'a CDATA section', inside('<![CDATA[x]]>'));
rimCase('EV-253', 'an instruction', inside('<?x y?>'));
rimCase('EV-253', 'a document type with an entity bomb', {
  alterText: (xml) => `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>${xml}`,
});
rimCase('EV-253', 'not XML at all', 'reference values');
rimCase('EV-254', 'nested 20 deep', inside('<a>'.repeat(20) + '</a>'.repeat(20)));
rimCase('EV-254', '100 attributes', inside(`<a${Array.from({ length: 100 }, (_, i) => ` b${i}=""`).join('')}/>`));
rimCase('EV-255', 'an entity of its own', inside('&a;'));
rimCase('EV-255', 'a numeric entity', inside('&#65;'));
rimCase('EV-255', 'a lone ampersand', inside('&'));
rimCase('EV-256', 'a prefix that nothing binds', inside('<x:a/>'));
rimCase('EV-256', 'an attribute of the prefix xml', inside('<a xml:space="preserve"/>'));
rimCase('EV-256', 'a namespace without a name', inside('<a xmlns:x=""/>'));
rimCase('EV-257', 'an attribute twice', inRoot('name="GB100"'));
rimCase(
  'EV-257',
  'an attribute twice under two prefixes',
  inside('<a xmlns:p="urn:x" xmlns:q="urn:x" p:b="" q:b=""/>'),
);

// The manifest
const document = (from: string | RegExp, to: string) => ({ alterDocument: (xml: string) => xml.replace(from, to) });
rimCase('EV-260', 'another document, signed', {
  alterDocument: (xml) => xml.replaceAll('SoftwareIdentity', 'SoftwareLicence'),
});
rimCase('EV-261', 'two payloads', document('</ns0:Payload>', '</ns0:Payload><ns0:Payload></ns0:Payload>'));
rimCase('EV-261', 'no meta data', document(/<ns0:Meta.*<\/ns0:Meta>/, ''));
rimCase('EV-262', 'no version', document(/ colloquialVersion="[^"]*"/, ''));
rimCase('EV-262', 'no product', document(/ product="[^"]*"><\/ns0:Meta>/, '></ns0:Meta>'));
rimCase('EV-263', 'neither active nor inactive', document('active="True"', 'active="true"'));
rimCase('EV-263', 'something else than a measurement', document('type="Measurement"', 'type="File"'));
rimCase('EV-264', 'two values for one measurement', {
  values: { 1: driverValues[1] },
  inactive: { 1: driverValues[1] },
});
rimCase('EV-265', 'no active value', { values: {}, inactive: driverValues });
rimCase('EV-266', 'fewer digests than it says', document('alternatives="2"', 'alternatives="3"'));
rimCase('EV-266', 'no digest', { values: { 1: [] } });
rimCase('EV-266', 'a digest of SHA-256', { values: { 1: [(digests[1] as Uint8Array).slice(0, 32)] } });
rimCase('EV-266', 'a digest under another name', document('ns2:Hash1', 'ns2:Hash7'));
rimCase('EV-267', 'an index with a sign', document('index="1"', 'index="+1"'));
rimCase('EV-267', 'an index of 300', document('index="1"', 'index="300"'));

// Its signature
rimCase('EV-270', 'no signature', { alterText: (xml) => xml.replace(/<ds:Signature .*<\/ds:Signature>/, '') });
rimCase('EV-270', 'the signature in the payload', {
  alterText: (xml) => {
    const [signature = ''] = /<ds:Signature .*<\/ds:Signature>/.exec(xml) ?? [];
    return xml.replace(signature, '').replace('</ns0:Payload>', `${signature}</ns0:Payload>`);
  },
});
rimCase('EV-270', 'a second signature, deeper inside', {
  alterText: (xml) => {
    const [signature = ''] = /<ds:Signature .*<\/ds:Signature>/.exec(xml) ?? [];
    return xml.replace('</ns0:Payload>', `${signature}</ns0:Payload>`);
  },
});
const signedInfo = (from: string, to: string) => ({ alterSignedInfo: (xml: string) => xml.replace(from, to) });
rimCase('EV-271', 'a reference to a part only', signedInfo('URI=""', 'URI="#payload"'));
rimCase('EV-271', 'another canonical form', signedInfo('2006/12/xml-c14n11', '2001/10/xml-exc-c14n#'));
rimCase('EV-271', 'ECDSA with SHA-1', signedInfo('#ecdsa-sha384', '#ecdsa-sha1'));
rimCase('EV-271', 'an XPath transform', signedInfo('xmldsig#enveloped-signature', 'xpath'));
rimCase('EV-271', 'a second reference', {
  alterSignedInfo: (xml) => xml.replace(/(<ds:Reference.*<\/ds:Reference>)/, '$1$1'),
});
rimCase('EV-271', 'text between the parts', { alterText: (xml) => xml.replace('<ds:KeyInfo>', 'x<ds:KeyInfo>') });
rimCase('EV-272', 'no certificate', {
  alterText: (xml) => xml.replace(/<ds:X509Data>.*<\/ds:X509Data>/, '<ds:X509Data></ds:X509Data>'),
});
rimCase('EV-272', 'an element behind the characters', {
  alterText: (xml) => xml.replace('</ds:SignatureValue>', '<a/></ds:SignatureValue>'),
});
rimCase('EV-272', 'a digest of SHA-256', {
  alterSignedInfo: (xml) => xml.replace(/DigestValue>[^<]*/, `DigestValue>${'A'.repeat(43)}=`),
});
rimCase('EV-272', 'characters that are not base64', {
  alterText: (xml) => xml.replace('<ds:SignatureValue>', '<ds:SignatureValue>*'),
});
const rejected = (code: string, failureClass: string) => ({ code, class: failureClass });
add('EV-273', 'a digest of the manifest changed after it was signed', {
  rims: [{ alterText: (xml) => xml.replace('name="Measurement_1"', 'name="Measurement_2"') }],
  expect: rejected('rim-digest-mismatch', 'signature'),
});
add('EV-274', 'the signature is of another text', {
  rims: [{ alterSignedInfo: (xml) => xml, alterText: (xml) => xml.replace('Transforms><', 'Transforms> <') }],
  expect: rejected('rim-signature-invalid', 'signature'),
});

// Whose device, whose manifest
const unknown = rejected('device-unknown', 'chain');
add('EV-258', 'another maker', {
  devices: [{ chain: { deviceInfo: 'ACME:GH100:48B0000000000001' } }],
  expect: unknown,
});
add('EV-258', 'a chip that is not known', { devices: [{ chain: { product: 'GX100' } }], expect: unknown });
add('EV-258', 'a serial number that is too short', { devices: [{ chain: { serial: '48B0' } }], expect: unknown });
add('EV-259', 'a firmware id under SHA-1', { devices: [{ chain: { fwidHash: '1.3.14.3.2.26' } }], expect: unknown });
add('EV-259', 'no word of whose key it is', { devices: [{ chain: { extensions: [] } }], expect: unknown });
const noRoot = rejected('certificate-root-unknown', 'chain');
add('EV-268', 'a device under another root', { devices: [{ root: 'another root' }], expect: noRoot });
add('EV-268', 'a device under the root of manifests', { devices: [{ root: 'rim root' }], expect: noRoot });
add('EV-269', 'a manifest under another root', { rims: [{ root: 'another root' }], expect: noRoot });
add('EV-269', 'a manifest under the root of devices', { rims: [{ root: 'device root' }], expect: noRoot });
const restricted = rejected('signer-restricted', 'chain');
add('EV-285', 'a manifest signed by a responder', {
  rims: [{ signer: { more: [OCSP_SIGNING] } }],
  expect: rejected('certificate-chain-invalid', 'chain'),
});
const plainUsage = derExtension('2.5.29.37', false, parseHex('300a06082b06010505070309'));
add('EV-285', 'a manifest signed by a responder whose mark is not critical', {
  rims: [{ signer: { more: [plainUsage] } }],
  expect: restricted,
});
add('EV-285', 'a report signed by a responder', {
  devices: [{ chain: { leaf: { more: [plainUsage] } } }],
  expect: restricted,
});

// Answers about revocation
const ca: OcspFake = { issuer: 'device root', serial: 2, thisUpdate: NOW - 600, nextUpdate: NOW + DAY };
const responder = {};
const answers: OcspFake[] = [
  ca,
  { ...ca, issuer: 'device ca', serial: 3, responder },
  { ...ca, issuer: 'rim root', serial: 12, responder },
  { ...ca, issuer: 'rim ca', serial: 13, responder },
];
const both = [goodDriver, goodVbios];
const malformed = format('ocsp-malformed');
const ocspCase = (rule: string, note: string, answer: Partial<OcspFake>, expect: Case['expect'] = malformed) =>
  add(rule, note, { ocsp: [{ ...ca, ...answer }], expect });
ocspCase('EV-286', 'the responder asks to try later', { status0: 3 });
ocspCase('EV-286', 'an answer of another kind', { kind: '1.3.6.1.5.5.7.48.1.9' });
ocspCase('EV-287', 'nine certificates', { certificates: Array.from({ length: 9 }, () => deviceRootFake()) });
ocspCase(
  'EV-287',
  'a certificate of another chain',
  { certificates: [deviceRootFake(), deviceRootFake('another root')] },
  rejected('ocsp-responder-invalid', 'revocation'),
);
ocspCase('EV-287', 'the chain of the issuer', { certificates: [deviceRootFake(), deviceRootFake()] }, 'accept');
ocspCase('EV-288', 'about two certificates', { alterResponses: (all) => [...all, ...all] });
ocspCase('EV-289', 'a certificate named by SHA-1', { hash: '1.3.14.3.2.26' });
ocspCase('EV-292', 'a critical extension', { extensions: [derExtension('1.2.3.4', true, parseHex('0500'))] });
ocspCase('EV-293', 'about another certificate', { serial: 77 }, rejected('ocsp-unrelated', 'revocation'));
ocspCase('EV-293', 'of another issuer', { issuer: 'rim root' }, rejected('ocsp-unrelated', 'revocation'));
const invalidResponder = rejected('ocsp-responder-invalid', 'revocation');
ocspCase('EV-294', 'a responder that was not appointed', { responder: { more: [] } }, invalidResponder);
ocspCase(
  'EV-294',
  'a responder of another issuer',
  { responder: { signer: nvidiaTestKey('rim root') } },
  invalidResponder,
);
ocspCase('EV-295', 'signed by somebody else', { signer: 'rim root' }, invalidResponder);
const question = testDigest('question').slice(0, 32);
const otherQuestion = rejected('ocsp-nonce-mismatch', 'revocation');
add('EV-296', 'the answer to another question', {
  ocsp: [{ ...ca, nonce: testDigest('other').slice(0, 32) }],
  ocspNonce: question,
  expect: otherQuestion,
});
add('EV-296', 'an answer without the nonce of the question', {
  ocsp: [ca],
  ocspNonce: question,
  expect: otherQuestion,
});
ocspCase('EV-297', 'a revoked certificate', { status: 'revoked' }, rejected('ocsp-not-good', 'revocation'));
ocspCase(
  'EV-297',
  'a certificate that the vendor does not know',
  { status: 'unknown' },
  rejected('ocsp-not-good', 'revocation'),
);
const stale = rejected('ocsp-stale', 'freshness');
ocspCase('EV-298', 'the next answer is due', { nextUpdate: NOW - 1 }, stale);
ocspCase('EV-298', 'an answer from the future', { thisUpdate: NOW + 301 }, stale);
add('EV-298', 'an answer of yesterday that names no next one', {
  ocsp: [{ issuer: 'device root', serial: 2, thisUpdate: NOW - DAY - 1 }],
  expect: stale,
});

// The set
const set = format('device-set-malformed');
add('EV-281', 'no device', { devices: [], expect: set });
add('EV-281', 'seventeen devices', { devices: Array.from({ length: 17 }, () => ({})), expect: set });
add('EV-281', 'thirty-three manifests', { rims: Array.from({ length: 33 }, () => goodDriver), expect: set });
add('EV-280', 'a report that another device signed', {
  devices: [{ report: { label: 'gpu 2' }, chain: { label: 'gpu 1' } }],
  expect: rejected('report-signature-invalid', 'signature'),
});
add('EV-275', 'the answer to another nonce', {
  devices: [{ report: { nonce: testDigest('older nonce').slice(0, 32) } }],
  expect: rejected('nonce-mismatch', 'binding'),
});
add('EV-276', 'a report of other firmware than the key', {
  devices: [{ chain: { fwid: testDigest('other firmware') } }],
  expect: rejected('fwid-mismatch', 'binding'),
});
const second: Device = { report: { label: 'gpu 2' }, chain: { serial: '48B0000000000002' } };
add('EV-277', 'one GPU twice', { devices: [{}, {}], expect: rejected('device-repeated', 'binding') });
const wiredTo = (...ids: string[]): Partial<ReportFake> => ({
  opaque: fieldsWith([22, concatBytes(...ids.map((id) => parseHex(id)), new Uint8Array(8))]),
});
const [idA, idB] = ['00000000000000a1', '00000000000000b2'];
const nvSwitch = (id: string): Device => ({
  report: {
    label: `switch ${id}`,
    opaque: [
      [6, encodeUtf8('96.10.55.00.01')],
      [22, parseHex(id)],
    ],
  },
  chain: { product: 'LS_10', serial: `48B${id.slice(3).toUpperCase()}` },
});
const wrongSwitch = rejected('switch-mismatch', 'binding');
add('EV-278', 'wired to a switch that is not shown', {
  devices: [{ report: wiredTo(idA, idB) }, nvSwitch(idA)],
  expect: wrongSwitch,
});
add('EV-278', 'a switch that no GPU is wired to', {
  devices: [{ report: wiredTo(idA) }, nvSwitch(idA), nvSwitch(idB)],
  expect: wrongSwitch,
});
const unrelated = rejected('rim-unrelated', 'binding');
add('EV-279', 'a manifest of another version', { rims: [{ version: '999.1' }], expect: unrelated });
add('EV-279', 'a manifest of another chip', { rims: [{ product: 'GB100' }], expect: unrelated });
add('EV-282', 'two manifests judge one measurement', {
  rims: [{ values: driverValues }, { version: VBIOS, values: { 1: driverValues[1] } }],
  expect: rejected('rim-conflict', 'binding'),
});
const mismatch = rejected('measurement-mismatch', 'tcb');
add('EV-283', 'a measurement that the vendor does not state', {
  rims: [{ values: { 1: [testDigest('other')] } }],
  expect: mismatch,
});
add('EV-283', 'a measurement that the device did not show', {
  rims: [{ values: { 30: [testDigest('other')] } }],
  expect: mismatch,
});
const long = { measurements: digests };
add('EV-283', 'the measurement of the video decoder, which is on', {
  devices: [{ report: { ...long, opaque: fieldsWith([11, Uint8Array.of(0xaa)]) } }],
  rims: [{ values: { 35: [testDigest('other')] } }],
  expect: mismatch,
});
const expired = rejected('certificate-expired', 'freshness');
add('EV-284', 'the certificate of a manifest has expired', {
  rims: [{ signer: { notAfter: NOW - 1 } }],
  expect: expired,
});
add('EV-284', 'the certificate of a device has expired', {
  devices: [{ chain: { leaf: { notAfter: NOW - 1 } } }],
  expect: expired,
});
ocspCase('EV-284', 'the certificate of a responder has expired', { responder: { notAfter: NOW - 1 } }, expired);
add('EV-284', 'a certificate that is not yet valid', {
  devices: [{ chain: { leaf: { notBefore: NOW + 1 } } }],
  expect: rejected('certificate-not-yet-valid', 'freshness'),
});

// Accepted
add('EV-283', 'driver and VBIOS as they should be, every certificate good', {
  rims: both,
  ocsp: answers,
  expect: 'accept',
});
add('EV-283', 'no manifest', { expect: 'accept' });
add('EV-283', 'the measurement of the video decoder, which is off', {
  devices: [{ report: long }],
  rims: [{ values: { 35: [testDigest('other')] } }],
  expect: 'accept',
});
add('EV-249', 'a Blackwell', {
  devices: [{ chain: { product: 'GB100' } }],
  rims: [{ product: 'GB100' }],
  expect: 'accept',
});
add('EV-296', 'the answer to this question', {
  ocsp: [{ ...ca, nonce: question }],
  ocspNonce: question,
  expect: 'accept',
});
add('EV-277', 'two GPUs', { devices: [{}, second], rims: both, expect: 'accept' });
add('EV-278', 'two GPUs and both their switches', {
  devices: [
    { report: wiredTo(idA, idB) },
    { report: { ...wiredTo(idB, idA), label: 'gpu 2' }, chain: { serial: '48B0000000000002' } },
    nvSwitch(idA),
    nvSwitch(idB),
  ],
  expect: 'accept',
});

const roots = {
  device_root_pem: testPem('CERTIFICATE', [deviceRootFake()]),
  rim_root_pem: testPem('CERTIFICATE', [rimRootFake()]),
};
const about = 'NVIDIA devices under test roots, one failure each; a text that begins with @ is the name of a part';
const url = new URL('nvidia.json', import.meta.url);
writeFileSync(url, `${JSON.stringify({ about, ...roots, vectors, parts }, undefined, 1)}\n`);
console.log(`${vectors.length} vectors, ${Object.keys(parts).length} parts`);
