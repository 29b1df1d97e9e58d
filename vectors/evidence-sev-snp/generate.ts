/**
 * Writes reports.json: one failure each, under a root of the test (spec/evidence-sev-snp.md). Deterministic: keys come from labels,
 * signatures from RFC 6979.
 *
 *   node vectors/evidence-sev-snp/generate.ts
 */
import { writeFileSync } from 'node:fs';
import { encodeBase64 } from '@sotto/bytes';
import { createTestKey, derExtension, issueCertificate, testPem } from '@sotto/testkit/certificates';
import {
  derNumber,
  derText,
  type EndorsementFake,
  encodeSnpReport,
  issueAmdCrl,
  issueAmdKeys,
  issueEndorsement,
  SNP_TEST_KEYS,
  type SnpReportFake,
  TEST_CHIP_ID,
  TEST_TCB,
} from '@sotto/testkit/evidence-sev-snp';

type Product = 'Milan' | 'Genoa' | 'Turin';
interface Wanted {
  readonly product?: Product;
  readonly kind?: 'vcek' | 'vlek';
  readonly report?: SnpReportFake;
  readonly endorsement?: EndorsementFake;
  /** Bytes instead of an encoded report or endorsement. */
  readonly reportBytes?: Uint8Array;
  readonly endorsementBytes?: Uint8Array;
  /** Shown as the other kind. */
  readonly shownAs?: 'vcek' | 'vlek';
  readonly ask?: string;
  readonly ark?: string;
  readonly crl?: Uint8Array;
  readonly time?: number;
}

const TIME = Date.UTC(2027, 0, 1) / 1000;
const keys = { Milan: issueAmdKeys('Milan'), Genoa: issueAmdKeys('Genoa'), Turin: issueAmdKeys('Turin') };
const turinTcb = { ...TEST_TCB, fmc: 2 };
const turinChip = new Uint8Array(64);
turinChip.set(TEST_CHIP_ID.slice(0, 8));
const turinReport: SnpReportFake = { family: 0x1a, model: 2, tcb: turinTcb, chipId: turinChip };
const turin: Wanted = { product: 'Turin', report: turinReport, endorsement: { tcb: turinTcb } };
const milan: Wanted = { product: 'Milan', report: { version: 2 }, endorsement: { productName: 'Milan-B0' } };
const vlek: Wanted = { kind: 'vlek', report: { flags: 4, signer: SNP_TEST_KEYS.cloud, chipId: new Uint8Array(64) } };
const put = (at: number, ...bytes: number[]): Wanted => ({ report: { put: [[at, Uint8Array.from(bytes)]] } });
const putUnsigned = (at: number, ...bytes: number[]): Wanted => ({
  report: { putUnsigned: [[at, Uint8Array.from(bytes)]] },
});
const endorsed = (endorsement: EndorsementFake): Wanted => ({ endorsement });
const pem = (...certificates: Uint8Array[]) => testPem('CERTIFICATE', certificates);

function inputOf(wanted: Wanted): object {
  const product = wanted.product ?? 'Genoa';
  const kind = wanted.kind ?? 'vcek';
  const { ark, ask, asvk } = keys[product];
  const certificate = wanted.endorsementBytes ?? issueEndorsement(kind, { product, ...wanted.endorsement });
  return {
    report: encodeBase64(wanted.reportBytes ?? encodeSnpReport(wanted.report)),
    [wanted.shownAs ?? kind]: encodeBase64(certificate),
    ask_pem: wanted.ask ?? pem(kind === 'vcek' ? ask : asvk),
    ark_pem: wanted.ark ?? pem(ark),
    ...(wanted.crl && { crl: encodeBase64(wanted.crl) }),
    time: wanted.time ?? TIME,
    policy: { kind: 'signature-only' },
  };
}

const report = { class: 'format', code: 'report-malformed' };
const endorsement = { class: 'format', code: 'endorsement-malformed' };
const notOfProduct = { class: 'chain', code: 'endorsement-not-of-product' };
const signature = { class: 'signature', code: 'report-signature-invalid' };
const signer = { class: 'binding', code: 'signer-mismatch' };
const product = { class: 'binding', code: 'product-mismatch' };
const chip = { class: 'binding', code: 'chip-id-mismatch' };
const tcb = { class: 'binding', code: 'tcb-mismatch' };
const revoked = { class: 'revocation', code: 'certificate-revoked', rule: 'EV-386' };
const crlInvalid = { class: 'revocation', code: 'crl-invalid' };
const good = encodeSnpReport();
const accept = 'accept';
const other = createTestKey('sev-snp other', 'P-384');
const stranger = createTestKey('sev-snp other ark', 'P-384');
const ownRoot = pem(issueAmdKeysOf(stranger));

const rows: [id: string, rule: string, wanted: Wanted, expect: object | string][] = [
  ['genoa-v5', 'EV-210', {}, accept],
  ['milan-v2', 'EV-210', milan, accept],
  ['milan-v3', 'EV-210', { ...milan, report: { version: 3, model: 1 } }, accept],
  ['siena-v4', 'EV-210', { report: { version: 4, model: 0xa0 } }, accept],
  ['turin-v5', 'EV-210', turin, accept],
  ['vlek', 'EV-210', vlek, accept],
  ['short', 'EV-180', { reportBytes: good.slice(0, -1) }, report],
  ['long', 'EV-180', { reportBytes: Uint8Array.of(...good, 0) }, report],
  ['empty', 'EV-180', { reportBytes: new Uint8Array() }, report],
  ['version-1', 'EV-181', { report: { version: 1 } }, report],
  ['version-6', 'EV-181', { report: { version: 6 } }, report],
  ['reserved-04c', 'EV-182', put(0x4c, 1), report],
  ['reserved-18b', 'EV-182', put(0x18b, 1), report],
  ['reserved-19f', 'EV-182', put(0x19f, 1), report],
  ['reserved-1eb', 'EV-182', put(0x1eb, 1), report],
  ['reserved-1ef', 'EV-182', put(0x1ef, 1), report],
  ['reserved-208', 'EV-182', put(0x208, 1), report],
  ['reserved-29f', 'EV-182', put(0x29f, 1), report],
  ['processor-in-v2', 'EV-182', { ...milan, report: { version: 2, put: [[0x188, Uint8Array.of(0x19)]] } }, report],
  ['mitigations-in-v3', 'EV-182', { report: { version: 3, put: [[0x1f8, Uint8Array.of(1)]] } }, report],
  [
    'current-mitigations-in-v2',
    'EV-182',
    { ...milan, report: { version: 2, put: [[0x207, Uint8Array.of(1)]] } },
    report,
  ],
  ['policy-without-constant', 'EV-183', { report: { policy: 0x10000n } }, report],
  ['policy-bit-26', 'EV-183', { report: { policy: 0x4030000n } }, report],
  ['policy-bit-63', 'EV-183', { report: { policy: 0x8000000000030000n } }, report],
  ['policy-bit-25', 'EV-183', { report: { policy: 0x2030000n } }, accept],
  ['vmpl-4', 'EV-184', { report: { vmpl: 4 } }, report],
  ['asked-by-host', 'EV-184', { report: { vmpl: 0xffffffff } }, report],
  ['vmpl-3', 'EV-184', { report: { vmpl: 3 } }, accept],
  ['algorithm-0', 'EV-185', { report: { algorithm: 0 } }, report],
  ['algorithm-2', 'EV-185', { report: { algorithm: 2 } }, report],
  ['not-signed', 'EV-186', { report: { flags: 7 << 2 } }, report],
  ['signer-2', 'EV-186', { report: { flags: 2 << 2 } }, report],
  ['flag-5', 'EV-186', { report: { flags: 1 << 5 } }, report],
  ['flag-31', 'EV-186', { report: { flags: 2 ** 31 } }, report],
  ['r-too-long', 'EV-187', putUnsigned(0x2a0 + 48, 1), report],
  ['s-too-long', 'EV-187', putUnsigned(0x2e8 + 71, 1), report],
  ['behind-signature', 'EV-187', putUnsigned(0x330, 1), report],
  ['last-byte', 'EV-187', putUnsigned(0x49f, 1), report],
  ['tcb-reserved', 'EV-188', put(0x182, 1), report],
  ['current-tcb-reserved', 'EV-188', put(0x38 + 5, 1), report],
  ['committed-tcb-reserved', 'EV-188', put(0x1e0 + 2, 1), report],
  ['launch-tcb-reserved', 'EV-188', put(0x1f0 + 3, 1), report],
  ['turin-tcb-reserved', 'EV-188', { ...turin, report: { ...turinReport, put: [[0x184, Uint8Array.of(1)]] } }, report],
  ['no-product-name', 'EV-190', endorsed({ without: ['.2'] }), endorsement],
  ['product-name-not-text', 'EV-190', endorsed({ instead: [['.2', derNumber(1)]] }), endorsement],
  ['no-boot-loader', 'EV-190', endorsed({ without: ['.3.1'] }), endorsement],
  ['no-tee', 'EV-190', endorsed({ without: ['.3.2'] }), endorsement],
  ['no-snp', 'EV-190', endorsed({ without: ['.3.3'] }), endorsement],
  ['no-microcode', 'EV-190', endorsed({ without: ['.3.8'] }), endorsement],
  ['microcode-256', 'EV-190', endorsed({ instead: [['.3.8', derNumber(256)]] }), endorsement],
  ['microcode-not-a-number', 'EV-190', endorsed({ instead: [['.3.8', derText('84')]] }), endorsement],
  ['microcode-not-der', 'EV-190', endorsed({ instead: [['.3.8', Uint8Array.of(2, 2, 84)]] }), endorsement],
  ['spare-1', 'EV-190', endorsed({ instead: [['.3.5', derNumber(1)]] }), endorsement],
  ['no-spare', 'EV-190', endorsed({ without: ['.3.4'] }), accept],
  ['key-of-p256', 'EV-191', endorsed({ key: createTestKey('sev-snp p256') }), endorsement],
  ['no-chip', 'EV-190', endorsed({ without: ['.4'] }), endorsement],
  ['chip-of-63-bytes', 'EV-192', endorsed({ hardwareId: TEST_CHIP_ID.slice(0, 63) }), endorsement],
  ['chip-wrapped', 'EV-192', endorsed({ hardwareId: Uint8Array.of(4, 64, ...TEST_CHIP_ID) }), accept],
  ['chip-wrapped-wrongly', 'EV-190', endorsed({ hardwareId: Uint8Array.of(4, 63, ...TEST_CHIP_ID) }), endorsement],
  ['vlek-with-chip', 'EV-192', { ...vlek, endorsement: { instead: [['.4', TEST_CHIP_ID]] } }, endorsement],
  ['vlek-without-cloud', 'EV-190', { ...vlek, endorsement: { without: ['.5'] } }, endorsement],
  [
    'root-of-no-product',
    'EV-200',
    { endorsement: { issuer: 'SEV-Rome' }, ask: pem(rome('SEV-Rome')), ark: pem(rome('ARK-Rome')) },
    notOfProduct,
  ],
  ['no-signing-key', 'EV-200', { endorsement: { issuer: 'ARK-Genoa', signer: SNP_TEST_KEYS.ark } }, notOfProduct],
  [
    'vlek-as-vcek',
    'EV-201',
    { ...vlek, shownAs: 'vcek', endorsement: { instead: [['.4', TEST_CHIP_ID]] } },
    notOfProduct,
  ],
  [
    'vcek-as-vlek',
    'EV-201',
    { shownAs: 'vlek', endorsement: { without: ['.4'], instead: [['.5', derText('CN=x')]] } },
    notOfProduct,
  ],
  ['leaf-of-another-name', 'EV-201', endorsed({ subject: 'SEV-VLEK' }), notOfProduct],
  ['product-name-of-another', 'EV-202', endorsed({ productName: 'Milan' }), notOfProduct],
  ['product-name-longer', 'EV-202', endorsed({ productName: 'GenoaX' }), notOfProduct],
  ['crl', 'EV-205', { crl: issueAmdCrl() }, accept],
  ['crl-revokes-ask', 'EV-205', { crl: issueAmdCrl('Genoa', { revoked: [101] }) }, revoked],
  ['crl-revokes-another', 'EV-205', { crl: issueAmdCrl('Genoa', { revoked: [102] }) }, accept],
  ['crl-of-another-product', 'EV-205', { crl: issueAmdCrl('Milan') }, { ...crlInvalid, rule: 'EV-382' }],
  [
    'crl-of-the-ask',
    'EV-205',
    { crl: issueAmdCrl('Genoa', { signer: SNP_TEST_KEYS.ask }) },
    { ...crlInvalid, rule: 'EV-382' },
  ],
  [
    'crl-not-signed-by-root',
    'EV-205',
    { crl: issueAmdCrl('Genoa', { extensions: crlNumber(), signer: SNP_TEST_KEYS.ask }) },
    { ...crlInvalid, rule: 'EV-384' },
  ],
  [
    'crl-late',
    'EV-220',
    { crl: issueAmdCrl('Genoa', { notAfter: TIME - 1 }) },
    { class: 'freshness', code: 'crl-expired', rule: 'EV-385' },
  ],
  [
    'crl-early',
    'EV-220',
    { crl: issueAmdCrl('Genoa', { notBefore: TIME + 1 }) },
    { class: 'freshness', code: 'crl-not-yet-valid', rule: 'EV-385' },
  ],
  [
    'crl-malformed',
    'EV-205',
    { crl: Uint8Array.of(0x30, 0) },
    { class: 'format', code: 'der-malformed', rule: 'EV-352' },
  ],
  ['signed-by-another-chip', 'EV-210', { report: { signer: other } }, signature],
  ['changed-after-signing', 'EV-210', putUnsigned(0x90, 0), signature],
  ['signature-of-zeros', 'EV-210', { report: { putUnsigned: [[0x2a0, new Uint8Array(512)]] } }, signature],
  ['report-names-vlek', 'EV-215', { report: { flags: 4 } }, signer],
  ['report-names-vcek', 'EV-215', { ...vlek, report: { ...vlek.report, flags: 0 } }, signer],
  ['milan-report-under-genoa', 'EV-216', { report: { model: 1 } }, product],
  ['unknown-model', 'EV-216', { report: { model: 0x20 } }, product],
  ['unknown-family', 'EV-216', { report: { family: 0x17 } }, product],
  ['turin-report-under-genoa', 'EV-216', { report: turinReport, endorsement: { tcb: turinTcb } }, product],
  ['turin-model-20', 'EV-216', { ...turin, report: { ...turinReport, model: 0x20 } }, product],
  ['v2-under-turin', 'EV-216', { ...turin, report: { version: 2, chipId: turinChip }, endorsement: {} }, product],
  ['another-chip', 'EV-217', { report: { chipId: TEST_CHIP_ID.toReversed() } }, chip],
  ['hidden-chip', 'EV-217', { report: { flags: 2, chipId: new Uint8Array(64) } }, chip],
  [
    'short-chip-on-genoa',
    'EV-217',
    { report: { chipId: turinChip }, endorsement: { hardwareId: TEST_CHIP_ID.slice(0, 8) } },
    chip,
  ],
  ['long-chip-on-turin', 'EV-217', { ...turin, endorsement: { tcb: turinTcb, hardwareId: turinChip } }, chip],
  ['rest-of-chip-on-turin', 'EV-217', { ...turin, report: { ...turinReport, chipId: TEST_CHIP_ID } }, chip],
  ...(['bootLoader', 'tee', 'snp', 'microcode'] as const).map((part): [string, string, Wanted, object] => [
    `tcb-${part}`,
    'EV-218',
    { report: { tcb: { ...TEST_TCB, [part]: 200 } } },
    tcb,
  ]),
  ['tcb-fmc', 'EV-218', { ...turin, report: { ...turinReport, tcb: { ...turinTcb, fmc: 3 } } }, tcb],
  ['tcb-without-fmc', 'EV-218', { ...turin, endorsement: { tcb: TEST_TCB } }, tcb],
  [
    'endorsement-late',
    'EV-220',
    endorsed({ notAfter: TIME - 1 }),
    { class: 'freshness', code: 'certificate-expired', rule: 'EV-380' },
  ],
  [
    'endorsement-early',
    'EV-220',
    endorsed({ notBefore: TIME + 1 }),
    { class: 'freshness', code: 'certificate-not-yet-valid', rule: 'EV-380' },
  ],
  [
    'keys-late',
    'EV-220',
    { time: Date.UTC(2036, 0, 2) / 1000 },
    { class: 'freshness', code: 'certificate-expired', rule: 'EV-380' },
  ],
  ['own-root', 'EV-200', { ark: ownRoot }, { class: 'chain', code: 'certificate-root-unknown', rule: 'EV-370' }],
  [
    'ask-of-another-product',
    'EV-200',
    { ask: pem(keys.Milan.ask) },
    { class: 'chain', code: 'certificate-root-unknown', rule: 'EV-370' },
  ],
  [
    'endorsement-signed-by-another',
    'EV-200',
    endorsed({ signer: SNP_TEST_KEYS.asvk }),
    { class: 'chain', code: 'certificate-chain-invalid', rule: 'EV-377' },
  ],
];

const vectors = rows.map(([id, rule, wanted, expect]) => ({ id, rule, input: inputOf(wanted), expect }));
const file = new URL('reports.json', import.meta.url);
const note = 'spec/evidence-sev-snp.md; input as stage sev-snp reads it; expect.rule where another chapter refuses';
writeFileSync(file, `${JSON.stringify({ note, vectors }, null, 2)}\n`);

/** A root with Genoa's name and another key. */
function issueAmdKeysOf(key: typeof stranger): Uint8Array {
  return issueCertificate({ subject: 'ARK-Genoa', issuer: 'ARK-Genoa', key, signer: key, isCa: true });
}

/** Keys of a product that there is none of. */
function rome(subject: string): Uint8Array {
  const { ark, ask } = SNP_TEST_KEYS;
  const key = subject === 'ARK-Rome' ? ark : ask;
  return issueCertificate({ subject, issuer: 'ARK-Rome', key, signer: ark, isCa: true });
}

/** A list that names its number and not the key that signed it. */
function crlNumber(): Uint8Array[] {
  return [derExtension('2.5.29.20', false, derNumber(1))];
}
