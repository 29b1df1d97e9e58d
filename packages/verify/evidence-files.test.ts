/** Evidence from files, judged for people (spec/evidence.md §files), under test roots and over genuine samples. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { encodeHex, encodeUtf8 } from '@sotto/bytes';
import { parseCertificate, parsePem } from '@sotto/crypto/x509';
import { amdIntermediates } from '@sotto/evidence/sev-snp/intermediates';
import { TEST_POLICIES, tpmSource } from '@sotto/testkit/evidence-node';
import { encodeSnpReport, issueAmdCrl, issueAmdKeys, issueEndorsement } from '@sotto/testkit/evidence-sev-snp';
import { makeTdxCase } from '@sotto/testkit/evidence-tdx';
import { type EvidenceFile, type FilesInput, type HardwareReport, judgeFiles, parseHardwarePolicy } from './files.ts';

const tdx = makeTdxCase();
const { collateral } = tdx;
const collateralFile = encodeUtf8(
  JSON.stringify({
    tcb_info: collateral.tcbInfoJson,
    tcb_info_signature: collateral.tcbInfoSignatureHex,
    qe_identity: collateral.qeIdentityJson,
    qe_identity_signature: collateral.qeIdentitySignatureHex,
    tcb_info_issuer_chain: collateral.tcbInfoIssuerChainPem,
    qe_identity_issuer_chain: collateral.qeIdentityIssuerChainPem,
    pck_crl: encodeHex(collateral.pckCrl),
    pck_crl_issuer_chain: collateral.pckCrlIssuerChainPem,
    root_ca_crl: encodeHex(collateral.rootCaCrl),
    ...(collateral.pckCertificateChainPem && { pck_certificate_chain: collateral.pckCertificateChainPem }),
  }),
);
const { ark, ask } = issueAmdKeys();
const roots = {
  intel: parsePem(tdx.rootPem, 'CERTIFICATE').map((der) => parseCertificate(der)),
  amd: [parseCertificate(ark)],
};
const named = (...all: Uint8Array[]): EvidenceFile[] => all.map((bytes, i) => ({ name: `file ${i + 1}`, bytes }));
const judge = (files: EvidenceFile[], change: Partial<FilesInput> = {}): Promise<HardwareReport> =>
  judgeFiles({ files, policy: undefined, timeSeconds: tdx.timeSeconds, amdIntermediates: [], roots, ...change });
const marks = ({ checks }: HardwareReport) => checks.map(({ status }) => status);
const snpFiles = () => named(encodeSnpReport(), issueEndorsement('vcek'), ask, issueAmdCrl());

test('a quote with its collateral is genuine, in whatever order and spelling', async () => {
  for (const quote of [
    tdx.quote,
    encodeUtf8(encodeHex(tdx.quote)),
    encodeUtf8(Buffer.from(tdx.quote).toString('base64')),
  ]) {
    const report = await judge(named(collateralFile, quote));
    assert.equal(report.verdict, 'genuine');
    assert.deepEqual(marks(report), Array(7).fill('passed'));
    assert.ok(report.claims.some(({ name, value }) => name === 'TCB status' && value === 'UpToDate'));
  }
});

test('what was not shown is said as not checked', async () => {
  const report = await judge(named(tdx.quote));
  assert.equal(report.verdict, 'genuine');
  assert.deepEqual(marks(report).filter((mark) => mark === 'not-checked').length, 2);
});

test('a tampered quote names the rule, and nothing after it counts', async () => {
  const quote = tdx.quote.slice();
  quote[200] = (quote[200] as number) ^ 1;
  const report = await judge(named(quote, collateralFile));
  assert.equal(report.verdict, 'refused');
  assert.deepEqual(report.failure?.rule, 'EV-131');
  assert.deepEqual(report.claims, []);
  assert.deepEqual(marks(report), [
    'passed',
    'passed',
    'passed',
    'failed',
    'not-reached',
    'not-reached',
    'not-reached',
  ]);
  assert.equal(report.checks.find(({ status }) => status === 'failed')?.rule, 'EV-131');
});

test('evidence under a root of tests is refused under the production roots', async () => {
  for (const files of [named(tdx.quote, collateralFile), snpFiles()]) {
    const report = await judge(files, { roots: {}, amdIntermediates: amdIntermediates() });
    assert.deepEqual([report.verdict, report.failure?.failureClass], ['refused', 'chain']);
  }
});

test('a report with its certificate, in DER or PEM, is genuine', async () => {
  const report = await judge(snpFiles());
  assert.deepEqual(
    [report.verdict, marks(report)],
    ['genuine', Array(6).fill('passed')],
    JSON.stringify(report.failure),
  );
  await assert.rejects(judge(named(encodeSnpReport())), { code: 'files-incomplete' });
});

test('a policy is judged after what the vendor proves, line by line', async () => {
  const genuine = await judge(snpFiles());
  const claim = (name: string) => genuine.claims.find((each) => each.name === name)?.value as string;
  const policy = (measurement: string) =>
    parseHardwarePolicy({
      kind: 'sev-snp',
      version: 1,
      measurements: [{ measurement }],
      generations: { Genoa: { minimumTcb: { bootLoader: 1, tee: 0, snp: 1, microcode: 1 } } },
      smt: 'allowed',
      ciphertextHiding: 'reported',
      aliasCheck: 'reported',
      revocation: 'reported',
    });
  const accepted = await judge(snpFiles(), { policy: policy(claim('measurement')) });
  assert.equal(accepted.verdict, 'accepted', JSON.stringify(accepted.failure));
  const refused = await judge(snpFiles(), { policy: policy('00'.repeat(48)) });
  assert.deepEqual([refused.verdict, refused.failure?.rule], ['refused', 'EV-432']);
  assert.deepEqual([refused.checks.at(-1)?.rule, refused.checks.at(-1)?.status], ['EV-432', 'failed']);
});

test('EV-441 a file in which nothing is known is refused, and evidence of two machines is not mixed', async () => {
  const pem = (label: string, body: string) => `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`;
  const broken = [pem('CERTIFICATE', '='), pem('CERTIFICATE', 'MAA='), pem('X509 CRL', '=')];
  for (const text of ['', 'hello', '{}', '{"tcb_info":1}', '{', ...broken, '-----BEGIN CERTIFICATE-----']) {
    await assert.rejects(judge(named(tdx.quote, encodeUtf8(text))), { code: 'files-unreadable' }, text);
  }
  await assert.rejects(judge([...snpFiles(), ...named(tdx.quote)]), { code: 'files-mixed' });
  await assert.rejects(judge(named(ask)), { code: 'files-incomplete' });
});

test('EV-442 a policy for other hardware is refused', async () => {
  const measurements = [{ mrtd: '00'.repeat(48), rtmrs: ['00', '01', '02'].map((byte) => byte.repeat(48)) }];
  const tcb = { statuses: ['UpToDate'], minimumEvaluation: 0 };
  const policy = parseHardwarePolicy({ kind: 'tdx', version: 1, measurements, tcb });
  await assert.rejects(judge(snpFiles(), { policy }), { code: 'files-policy-mismatch' });
  const spdm = named(new Uint8Array([0x11, 0xe0, 1]), encodeUtf8(tdx.rootPem));
  await assert.rejects(judge(spdm, { policy, nonce: new Uint8Array(32) }), { code: 'files-policy-mismatch' });
  await assert.rejects(judge(spdm), { code: 'files-incomplete' });
});

test('a TPM’s statement is judged for its nonce, and by its policy', async () => {
  const nonce = new Uint8Array(32).fill(3);
  const [statement] = [await tpmSource().quote(nonce)];
  const policy = parseHardwarePolicy(TEST_POLICIES['tpm-test']);
  const genuine = await judge(named(statement), { nonce });
  assert.deepEqual([genuine.platform, genuine.verdict], ['tpm', 'genuine']);
  assert.equal((await judge(named(statement), { nonce, policy })).verdict, 'accepted');
  const replayed = await judge(named(statement), { nonce: new Uint8Array(32), policy });
  assert.deepEqual([replayed.verdict, replayed.failure?.rule], ['refused', 'EV-340']);
  const cut = await judge(named(statement.slice(0, -1)), { nonce });
  assert.deepEqual([cut.verdict, cut.failure?.rule], ['refused', 'EV-456']);
  await assert.rejects(judge(named(statement)), { code: 'files-incomplete' });
  await assert.rejects(judge([...snpFiles(), ...named(statement)]), { code: 'files-mixed' });
});

test('EV-443 too many or too large files are refused before they are read', async () => {
  await assert.rejects(judge(named(...Array<Uint8Array>(33).fill(tdx.quote))), { code: 'files-unreadable' });
  await assert.rejects(judge(named(new Uint8Array(4 * 1024 * 1024 + 1))), { code: 'files-unreadable' });
});

const shared = process.env.SOTTO_VECTORS ?? new URL('../../../shared/vectors', import.meta.url).pathname;
const isAbsent = !existsSync(shared) && process.env.SOTTO_REQUIRE_VECTORS !== '1';

test('genuine evidence of three makers is genuine', { skip: isAbsent && 'shared vectors absent' }, async () => {
  const load = (...names: string[]) =>
    names.map((name) => ({ name, bytes: new Uint8Array(readFileSync(`${shared}/${name}`)) }));
  const genuine = { roots: {}, amdIntermediates: amdIntermediates() };
  const quote = load('tdx/phala/tdx_quote', 'tdx/phala/tdx_quote_collateral.json');
  assert.equal((await judge(quote, { ...genuine, timeSeconds: Date.UTC(2025, 5, 25) / 1000 })).verdict, 'genuine');
  const report = load('sevsnp/lunal/live-report-v5-genoa.bin', 'sevsnp/lunal/live-vcek-genoa.der');
  assert.equal((await judge(report, { ...genuine, timeSeconds: Date.UTC(2026, 2, 1) / 1000 })).verdict, 'genuine');
  const device = load('nvidia/nvtrust/hopperAttestationReport.txt', 'nvidia/nvtrust/hopperCertChain.txt');
  const nonce = new Uint8Array(Buffer.from(readFileSync(`${shared}/${device[0]?.name}`, 'utf8').slice(8, 72), 'hex'));
  const devices = await judge(device, { ...genuine, nonce, timeSeconds: Date.UTC(2025, 0, 1) / 1000 });
  assert.equal(devices.verdict, 'genuine', JSON.stringify(devices.failure));
  assert.ok(devices.claims.some(({ value }) => value.startsWith('not proven')));
});
