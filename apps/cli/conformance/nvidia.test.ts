/** Stage `nvidia` over the genuine evidence: what hardware signed, and the vendor's own manifests, must get their known verdicts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRim } from '@sotto/evidence/nvidia';
import { judge } from '../testing/recorded-judge.ts';
import { readShared, skipWithoutSharedVectors as skip } from '../testing/shared-vectors.ts';

const SDK = 'nvidia/attestation-sdk';
const SAMPLES = `${SDK}/testdata/sample_attestation_data/gpu`;
const VBIOS_RIM = 'nvidia/nvtrust/1010_0200_882_96005E0001_PROD.swidtag';
const OTHER_VBIOS_RIM = `${SDK}/testdata/sample_rims/NV_GPU_VBIOS_1010_0200_882_96005E0001_measurement_mismatch.xml`;
const EXPIRED_RIM = `${SDK}/testdata/sample_rims/NV_GPU_DRIVER_GH100_570.124.03_expired.xml`;
const DRIVER_RIM = `${SDK}/testdata/NV_GPU_DRIVER_GH100_550.144.03.xml`;
const UNSIGNED_RIM = `${SDK}/testdata/incorrect_signature_driver_rim.xml`;
const SWITCH_RIM = `${SDK}/testdata/switchVBIOSRim_NV_SWITCH_BIOS_5612_0002_890_9610550001.xml`;
const at = (date: string) => Date.parse(`${date}T00:00:00Z`) / 1000;
const text = (path: string) => readShared(path).toString('utf8');

interface Device {
  report: Buffer;
  cert_chain_pem: string;
}
const sample = (report: string, chain: string): Device => ({
  report: Buffer.from(text(report).trim(), 'hex'),
  cert_chain_pem: text(chain),
});
function serialized(name: string): Device {
  const [one] = JSON.parse(text(`${SDK}/serialized_test_evidence/${name}.json`));
  const cert_chain_pem = Buffer.from(one.certificate, 'base64').toString('utf8');
  return { report: Buffer.from(one.evidence, 'base64'), cert_chain_pem };
}
const nonceOf = ({ report }: Device) => report.subarray(4, 36).toString('hex');

function judgeDevice(device: Device, more: Record<string, unknown> = {}) {
  return judge('nvidia', () => ({
    report: device.report.toString('base64'),
    cert_chain_pem: device.cert_chain_pem,
    nonce_hex: nonceOf(device),
    time: at('2025-03-01'),
    policy: { kind: 'signature-only' },
    ...more,
  }));
}

type Expected = Record<string, unknown>;
interface Case {
  name: string;
  device: () => Device;
  rims?: string[];
  time?: number;
  expect: Expected;
}
const gpu = () => sample(`${SAMPLES}/hopperAttestationReport.txt`, `${SAMPLES}/hopperCertChain.txt`);
const hopper = (driver_version: string, vbios_version: string, rim: string) => ({
  arch: 'HOPPER',
  driver_version,
  vbios_version,
  rim,
});
const refusal = (code: string, failureClass: string) => ({ code, class: failureClass });
const withChain = (report: string, chain: string) => () => sample(report, chain);

const CASES: Case[] = [
  {
    name: 'SDK report',
    device: withChain(`${SDK}/testdata/hopperAttestationReport.txt`, `${SDK}/testdata/hopperCertChain.txt`),
    expect: hopper('580.159.03', '96.00.74.00.20', 'absent'),
  },
  { name: 'sample report', device: gpu, expect: hopper('535.86.09', '96.00.5E.00.01', 'absent') },
  {
    name: 'nvtrust report',
    device: withChain('nvidia/nvtrust/hopperAttestationReport.txt', 'nvidia/nvtrust/hopperCertChain.txt'),
    expect: hopper('550.90.07', '96.00.9F.00.01', 'absent'),
  },
  {
    name: 'serialized GPU',
    device: () => serialized('hopper_evidence'),
    expect: hopper('590.12', '96.00.A5.00.01', 'absent'),
  },
  {
    name: 'serialized switch',
    device: () => serialized('switch_evidence_ls10'),
    expect: { arch: 'LS10', vbios_version: '96.10.55.00.01', rim: 'absent' },
  },
  {
    name: 'switch with its RIM (31 of 31)',
    device: () => serialized('switch_evidence_ls10'),
    rims: [SWITCH_RIM],
    time: at('2026-11-21'),
    expect: { arch: 'LS10', rim: 'match' },
  },
  {
    name: 'VBIOS RIM (12 of 12)',
    device: gpu,
    rims: [VBIOS_RIM],
    expect: hopper('535.86.09', '96.00.5E.00.01', 'match'),
  },
  {
    name: 'report with expired driver RIM: valid without it',
    device: withChain(`${SAMPLES}/hopperAttestationReportExpired.txt`, `${SAMPLES}/hopperCertChainExpired.txt`),
    expect: hopper('570.124.03', '96.00.5E.00.04', 'absent'),
  },
  {
    name: 'VBIOS RIM before its time',
    device: gpu,
    rims: [VBIOS_RIM],
    time: at('2023-06-01'),
    expect: refusal('certificate-not-yet-valid', 'freshness'),
  },
  {
    name: 'VBIOS RIM after its time',
    device: gpu,
    rims: [VBIOS_RIM],
    time: at('2025-07-01'),
    expect: refusal('certificate-expired', 'freshness'),
  },
  {
    name: 'switch RIM before its time',
    device: () => serialized('switch_evidence_ls10'),
    rims: [SWITCH_RIM],
    expect: refusal('certificate-not-yet-valid', 'freshness'),
  },
  {
    name: 'a report that is not signed',
    device: withChain(`${SAMPLES}/hopperAttestationReportInvalidSignature.txt`, `${SAMPLES}/hopperCertChain.txt`),
    expect: refusal('report-signature-invalid', 'signature'),
  },
  {
    // Its signer had expired too; the digest is of another text, and what is forged is said before what is old.
    name: 'the expired driver RIM',
    device: withChain(`${SAMPLES}/hopperAttestationReportExpired.txt`, `${SAMPLES}/hopperCertChainExpired.txt`),
    rims: [EXPIRED_RIM],
    expect: refusal('rim-digest-mismatch', 'signature'),
  },
  {
    name: 'a genuine driver RIM of another version',
    device: gpu,
    rims: [DRIVER_RIM],
    expect: refusal('rim-unrelated', 'binding'),
  },
  {
    name: 'a driver RIM that is not signed',
    device: gpu,
    rims: [UNSIGNED_RIM],
    expect: refusal('rim-signature-invalid', 'signature'),
  },
  {
    name: 'a VBIOS RIM with another value at index 9',
    device: gpu,
    rims: [OTHER_VBIOS_RIM],
    expect: refusal('measurement-mismatch', 'tcb'),
  },
  {
    name: 'the chain of another GPU',
    device: withChain(`${SAMPLES}/hopperAttestationReport.txt`, `${SDK}/testdata/hopperCertChain.txt`),
    expect: refusal('report-signature-invalid', 'signature'),
  },
];

test('EV-283 the genuine reports and manifests get their known verdicts', { skip }, async (t) => {
  let accepted = 0;
  for (const { name, device, rims = [], time = at('2025-03-01'), expect } of CASES) {
    const { exit, output } = await judgeDevice(device(), { rims_xml: rims.map(text), time });
    const seen = Object.fromEntries(Object.keys(expect).map((key) => [key, output[key]]));
    assert.deepEqual(seen, expect, name);
    assert.equal(exit, 'code' in expect ? 10 : 0, name);
    if (exit === 0) {
      accepted++;
      assert.equal(output.bound_to_cvm, false, name);
    }
  }
  t.diagnostic(`${CASES.length} cases, ${accepted} accepted, ${CASES.length - accepted} refused, 0 differ`);
});

test('EV-283 the signed parts of every genuine manifest are read: 12, 21, 21 and 31 active values', {
  skip,
}, async () => {
  const active = (path: string) => parseRim(text(path)).values.filter((value) => value.active).length;
  assert.deepEqual([VBIOS_RIM, DRIVER_RIM, EXPIRED_RIM, SWITCH_RIM].map(active), [12, 21, 21, 31]);
});

test('EV-245 the measurements are those of NVIDIA’s own parser', { skip }, async () => {
  const parsed = JSON.parse(text(`${SDK}/testdata/spdm_parsed_output.json`));
  const device = sample(`${SDK}/testdata/hopperAttestationReport.txt`, `${SDK}/testdata/hopperCertChain.txt`);
  const { output } = await judgeDevice(device);
  const { Nonce } = JSON.parse(text(`${SDK}/testdata/spdm_req_parsed_output.json`));
  assert.equal(Nonce, `0x${nonceOf(device)}`);
  const blocks: Record<string, { DMTFSpecMeasurementValue: string }> = parsed.MeasurementRecord.MeasurementBlocks;
  const expected = Object.entries(blocks).map(([index, block]) => ({
    index: Number(index),
    digest_hex: block.DMTFSpecMeasurementValue.slice(2),
  }));
  assert.equal(expected.length, 64);
  assert.deepEqual(output.measurements, expected);
});

/** The product's own policy for a machine with GPUs. */
const machine = (gpus: object) => ({
  ...{
    kind: 'sev-snp',
    version: 1,
    smt: 'allowed',
    ciphertextHiding: 'reported',
    aliasCheck: 'reported',
    revocation: 'reported',
  },
  measurements: [{ measurement: '00'.repeat(48) }],
  generations: { Genoa: { minimumTcb: { bootLoader: 0, tee: 0, snp: 0, microcode: 0 } } },
  gpus: { count: 1, architectures: ['HOPPER'], rims: 'reported', ocsp: 'reported', ...gpus },
});

test('EV-438 what the policy of a machine asks of its GPUs', { skip }, async () => {
  const codeWith = async (gpus: object, device = gpu()) => {
    const { exit, output } = await judgeDevice(device, { policy: machine(gpus), rims_xml: [] });
    return exit === 0 ? 'accepted' : output.code;
  };
  assert.equal(await codeWith({}), 'accepted');
  assert.equal(await codeWith({ architectures: ['BLACKWELL'] }), 'gpu-not-allowed');
  assert.equal(await codeWith({ rims: 'required' }), 'rim-missing');
  assert.equal(await codeWith({ ocsp: 'required' }), 'ocsp-missing');
  assert.equal(await codeWith({ count: 2 }), 'gpus-missing');
  assert.equal(await codeWith({}, serialized('switch_evidence_ls10')), 'gpus-missing');
  const tpm = {
    kind: 'tpm-test',
    version: 1,
    attestationKeys: ['00'.repeat(32)],
    measurements: [{ 0: '00'.repeat(32) }],
  };
  assert.equal((await judgeDevice(gpu(), { policy: tpm })).output.code, 'platform-not-allowed');
  assert.equal((await judgeDevice(gpu(), { policy: { kind: 'signature-only', version: 1 } })).exit, 30);
});

test('EV-242 a token of the vendor’s service is nobody’s evidence, signed or not', { skip }, async () => {
  const tokens = [
    `${SDK}/testdata/sample_attestation_data/hopperClaimsv3_detached_eat.json`,
    'nvidia/dstack/gpu_attestation_h100.json',
  ];
  for (const token of tokens) {
    const { output } = await judgeDevice({ ...gpu(), report: readShared(token) }, { nonce_hex: '11'.repeat(32) });
    assert.deepEqual([output.code, output.class], ['report-malformed', 'format'], token);
  }
});

test('EV-268 a genuine chain with any certificate left out, repeated or exchanged is refused', { skip }, async (t) => {
  const device = gpu();
  const other = serialized('hopper_evidence').cert_chain_pem;
  const blocks = (pem: string): string[] => [...(pem.match(/-----BEGIN[\s\S]*?-----END CERTIFICATE-----\n?/g) ?? [])];
  const [own, foreign] = [blocks(device.cert_chain_pem), blocks(other)];
  assert.deepEqual([own.length, foreign.length], [5, 5]);
  const chains = own.flatMap((block, i) => [
    ...(i < 4 ? [own.toSpliced(i, 1), own.toSpliced(i, 0, block)] : []),
    ...(foreign[i] === block ? [] : [own.with(i, foreign[i] as string)]),
    ...(i > 0 ? [own.with(i, own[i - 1] as string).with(i - 1, block)] : []),
  ]);
  for (const [i, chain] of chains.entries()) {
    const { exit, output } = await judgeDevice({ ...device, cert_chain_pem: chain.join('') });
    assert.equal(exit, 10, `chain ${i}`);
    assert.ok(['chain', 'signature'].includes(String(output.class)), `chain ${i}: ${output.class}`);
  }
  t.diagnostic(`${chains.length} chains`);
  assert.equal(
    (await judgeDevice({ ...device, cert_chain_pem: own.slice(0, 4).join('') })).exit,
    0,
    'without its root',
  );
});

test('EV-275 genuine reports are refused under another nonce, and with another root', { skip }, async () => {
  const { output } = await judgeDevice(gpu(), { nonce_hex: '00'.repeat(32) });
  assert.deepEqual([output.code, output.class], ['nonce-mismatch', 'binding']);
  const rimRoot = { root_pem: text('nvidia/nvtrust/verifier_RIM_root.pem') };
  assert.equal((await judgeDevice(gpu(), rimRoot)).output.code, 'certificate-root-unknown');
  const deviceRoot = { root_pem: text('nvidia/trustee/nvidia_device_root.pem') };
  assert.equal((await judgeDevice(gpu(), { ...deviceRoot, rims_xml: [text(VBIOS_RIM)] })).exit, 0);
});

test('EV-277 a set answers to one nonce: GPU and switch of one nonce, and each alone', { skip }, async () => {
  const nvSwitch = serialized('switch_evidence_ls10');
  const other = sample('nvidia/nvtrust/hopperAttestationReport.txt', 'nvidia/nvtrust/hopperCertChain.txt');
  assert.equal(nonceOf(nvSwitch), nonceOf(other));
  const asInput = ({ report, cert_chain_pem }: Device) => ({ report: report.toString('base64'), cert_chain_pem });
  const set = (devices: Device[]) => ({
    devices: devices.map(asInput),
    nonce_hex: nonceOf(other),
    rims_xml: [text(SWITCH_RIM)],
    time: at('2026-11-21'),
    policy: { kind: 'signature-only' },
  });
  const { exit, output } = await judge('nvidia', () => set([other, nvSwitch]));
  assert.equal(exit, 0, String(output.code));
  const rims = (output.devices as { rim: string }[]).map(({ rim }) => rim);
  assert.deepEqual(rims, ['absent', 'match']);
  const twice = await judge('nvidia', () => set([other, other, nvSwitch]));
  assert.equal(twice.output.code, 'device-repeated');
  const mixed = await judge('nvidia', () => set([gpu(), nvSwitch]));
  assert.equal(mixed.output.code, 'nonce-mismatch');
});

test('EV-241 bytes and lengths of genuine reports and certificates changed are refused', { skip }, async (t) => {
  const { report, cert_chain_pem } = gpu();
  const counts: Record<string, number> = {};
  const tryWith = async (device: Device) => {
    const { exit, output } = await judgeDevice(device, { nonce_hex: nonceOf({ report, cert_chain_pem }) });
    assert.equal(exit, 10);
    counts[output.class as string] = (counts[output.class as string] ?? 0) + 1;
  };
  await tryWith({ report: report.subarray(0, -1), cert_chain_pem });
  await tryWith({ report: Buffer.concat([report, Buffer.of(0)]), cert_chain_pem });
  // Every byte of every region is one of the product's own vectors (EV-280, EV-268); here each region of the real one.
  for (let i = 0; i < report.length; i += 37) {
    await tryWith({ report: Buffer.from(report.with(i, (report[i] as number) ^ 1)), cert_chain_pem });
  }
  for (let i = 0; i < cert_chain_pem.length - 1; i += 61) {
    const changed = String.fromCharCode(cert_chain_pem.charCodeAt(i) ^ 1);
    await tryWith({ report, cert_chain_pem: cert_chain_pem.slice(0, i) + changed + cert_chain_pem.slice(i + 1) });
  }
  t.diagnostic(JSON.stringify(counts));
});

test('EV-274 bytes of genuine manifests changed are refused', { skip }, async (t) => {
  const xml = text(SWITCH_RIM);
  const device = serialized('switch_evidence_ls10');
  const counts: Record<string, number> = {};
  for (let i = 0; i < xml.length; i += 211) {
    const changed = xml.slice(0, i) + String.fromCharCode(xml.charCodeAt(i) ^ 1) + xml.slice(i + 1);
    const { exit, output } = await judgeDevice(device, { rims_xml: [changed], time: at('2026-11-21') });
    assert.equal(exit, 10, `byte ${i}`);
    counts[output.class as string] = (counts[output.class as string] ?? 0) + 1;
  }
  t.diagnostic(JSON.stringify(counts));
});
