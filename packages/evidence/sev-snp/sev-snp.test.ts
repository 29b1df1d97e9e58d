/** vectors/evidence-sev-snp/reports.json: one failure each, by rule; every byte changed; the pinned keys against their fingerprints. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { encodeHex, parseBase64 } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import { CertificateError, parseCertificate, parsePem } from '@sotto/crypto/x509';
import {
  encodeSnpReport,
  issueAmdCrl,
  issueAmdKeys,
  issueEndorsement,
  TEST_TCB,
} from '@sotto/testkit/evidence-sev-snp';
import { JudgementError } from '../judgement-error.ts';
import { ARK_FINGERPRINTS, amdRoots, parseSnpReport, type SevSnpInput, verifySevSnp } from './index.ts';
import { amdIntermediates, INTERMEDIATE_FINGERPRINTS } from './intermediates.ts';

interface Vector {
  readonly id: string;
  readonly rule: string;
  readonly input: {
    report: string;
    vcek?: string;
    vlek?: string;
    ask_pem: string;
    ark_pem: string;
    crl?: string;
    time: number;
  };
  readonly expect: 'accept' | { class: string; code: string; rule?: string };
}
const file = new URL('../../../vectors/evidence-sev-snp/reports.json', import.meta.url);
const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as { vectors: Vector[] };

function inputOf({ input }: Vector): SevSnpInput {
  return {
    report: parseBase64(input.report),
    endorsement: {
      kind: input.vlek === undefined ? 'vcek' : 'vlek',
      certificate: parseBase64(input.vlek ?? (input.vcek as string)),
    },
    intermediates: parsePem(input.ask_pem, 'CERTIFICATE').map(parseCertificate),
    roots: parsePem(input.ark_pem, 'CERTIFICATE').map(parseCertificate),
    crl: input.crl === undefined ? undefined : parseBase64(input.crl),
    timeSeconds: input.time,
  };
}
const named = (id: string) => inputOf(vectors.find((vector) => vector.id === id) as Vector);

async function judge(rule: string): Promise<void> {
  const ofRule = vectors.filter((vector) => vector.rule === rule);
  assert.notEqual(ofRule.length, 0, `no vector for ${rule}`);
  for (const vector of ofRule) {
    if (vector.expect === 'accept') {
      await verifySevSnp(inputOf(vector));
      continue;
    }
    const { class: failureClass, code, rule: refusing = rule } = vector.expect;
    await assert.rejects(
      verifySevSnp(inputOf(vector)),
      { failureClass, code, rule: refusing, action: 'stop' },
      vector.id,
    );
  }
}

test('EV-180 a report of another length is refused', () => judge('EV-180'));
test('EV-181 versions 2 to 5 are read', () => judge('EV-181'));
test('EV-182 what a version does not define is zero', () => judge('EV-182'));
test('EV-183 an unknown guest policy is refused', () => judge('EV-183'));
test('EV-184 a report that the host asked for is refused', () => judge('EV-184'));
test('EV-185 another algorithm is refused', () => judge('EV-185'));
test('EV-186 a report that names no known signer is refused', () => judge('EV-186'));
test('EV-187 nothing hides around the signature', () => judge('EV-187'));
test('EV-188 nothing hides in a TCB version', () => judge('EV-188'));
test('EV-190 an endorsement says product and TCB', () => judge('EV-190'));
test('EV-191 an endorsement has a key of P-384', () => judge('EV-191'));
test('EV-192 a chip is named by chips alone, and whole', () => judge('EV-192'));
test('EV-200 a chain is that of a product', () => judge('EV-200'));
test('EV-201 keys of chips and of clouds are not mistaken for each other', () => judge('EV-201'));
test('EV-202 the endorsement names its root’s product', () => judge('EV-202'));
test('EV-205 the root’s list is checked', async () => {
  await judge('EV-205');
  const number = async (input: SevSnpInput) => (await verifySevSnp(input)).crlNumber;
  assert.equal(await number(named('crl')), 1n);
  assert.equal(await number(named('genoa-v5')), undefined);
  const older = { ...named('crl'), lowestCrlNumber: 2n };
  await assert.rejects(verifySevSnp(older), { code: 'crl-older-than-seen', rule: 'EV-387' });
});
test('EV-210 the endorsed key signed the report', () => judge('EV-210'));
test('EV-215 the report names the kind of its key', () => judge('EV-215'));
test('EV-216 the processor is of the root’s product', () => judge('EV-216'));
test('EV-217 the report is from the endorsed chip', () => judge('EV-217'));
test('EV-218 the report is of the endorsed TCB, in every part', () => judge('EV-218'));
test('EV-220 certificates and list are in date', () => judge('EV-220'));

test('EV-210 a verdict says what the report says', async () => {
  const { ark, ask } = issueAmdKeys();
  const verify = (fake: Parameters<typeof encodeSnpReport>[0]) =>
    verifySevSnp({
      report: encodeSnpReport(fake),
      endorsement: { kind: 'vcek', certificate: issueEndorsement('vcek') },
      intermediates: [parseCertificate(ask)],
      roots: [parseCertificate(ark)],
      crl: issueAmdCrl(),
      timeSeconds: Date.UTC(2027, 0, 1) / 1000,
    });
  const plain = await verify({});
  assert.deepEqual([plain.product, plain.endorsedBy, plain.vmpl, plain.reportedTcb], ['Genoa', 'vcek', 0, TEST_TCB]);
  const flags = ({ debug, migratable, provisionalFirmware, smt, ciphertextHiding, aliasCheckComplete }: typeof plain) =>
    [debug, migratable, provisionalFirmware, smt, ciphertextHiding, aliasCheckComplete].map(Number).join('');
  assert.equal(flags(plain), '000001');
  assert.equal(flags(await verify({ policy: 0xb0000n })), '100001');
  assert.equal(flags(await verify({ policy: 0x70000n })), '010001');
  assert.equal(flags(await verify({ currentTcb: { ...TEST_TCB, snp: 28 } })), '001001');
  assert.equal(flags(await verify({ build: 50 })), '001001');
  assert.equal(flags(await verify({ platformInfo: 0x11n })), '000110');
});

test('EV-187 every byte of a report and of its endorsement changed is refused, by a code of the expected class', async (t) => {
  const input = named('genoa-v5');
  const counts: Record<string, number> = {};
  const change = async (bytes: Uint8Array, at: number, with_: (changed: Uint8Array) => SevSnpInput) => {
    const changed = bytes.slice();
    changed[at] = (changed[at] as number) ^ 1;
    const error = await verifySevSnp(with_(changed)).then(
      () => assert.fail(`byte ${at} is malleable`),
      (refused: unknown) => refused,
    );
    assert.ok(error instanceof JudgementError || error instanceof CertificateError, `byte ${at}: ${error}`);
    counts[error.failureClass] = (counts[error.failureClass] ?? 0) + 1;
  };
  for (let at = 0; at < input.report.length; at++) {
    await change(input.report, at, (report) => ({ ...input, report }));
  }
  const { kind, certificate } = input.endorsement;
  for (let at = 0; at < certificate.length; at++) {
    await change(certificate, at, (changed) => ({ ...input, endorsement: { kind, certificate: changed } }));
  }
  t.diagnostic(JSON.stringify(counts));
  assert.deepEqual(Object.keys(counts).sort(), ['chain', 'format', 'signature']);
});

test('EV-180 parsing is total: noise of every length and a report of ones end in a refusal of ours', () => {
  for (let length = 0; length < 1300; length += 7) {
    const noise = Uint8Array.from({ length }, (_, at) => (at * 31 + length) & 0xff);
    assert.throws(() => parseSnpReport(noise), { code: 'report-malformed' });
  }
  assert.throws(() => parseSnpReport(new Uint8Array(1184).fill(255)), { code: 'report-malformed' });
});

test('EV-200 the pinned keys are those of their fingerprints, and each signing key is its root’s', async () => {
  const roots = amdRoots();
  const printOf = (bytes: Uint8Array) => encodeHex(sha256(bytes));
  assert.deepEqual(
    roots.map(({ raw }) => printOf(raw)),
    Object.values(ARK_FINGERPRINTS),
  );
  assert.deepEqual(
    amdIntermediates().map(({ raw }) => printOf(raw)),
    INTERMEDIATE_FINGERPRINTS,
  );
  const { verifyChain } = await import('@sotto/crypto/x509');
  for (const [index, signing] of amdIntermediates().entries()) {
    const certificate = { ...signing, isCa: false };
    const chain = await verifyChain({ chain: [certificate], roots });
    assert.equal(chain[1], roots[index >> 1]);
  }
});
