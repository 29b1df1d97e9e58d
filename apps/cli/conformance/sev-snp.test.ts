/** Stage `sev-snp` over genuine evidence: the verdicts of the shared index, and every byte of each sample changed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge } from '../testing/recorded-judge.ts';
import { readShared, skipWithoutSharedVectors as skip } from '../testing/shared-vectors.ts';

const seconds = (date: string) => Date.parse(date) / 1000;
const shared = (path: string) => readShared(`sevsnp/${path}`);
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
const fromPem = (text: string) =>
  text
    .split('-----')
    .filter((_, part) => part % 4 === 2)[0]
    ?.replace(/\s/g, '') ?? '';

interface Sample {
  readonly report: Buffer;
  readonly vcek?: string;
  readonly vlek?: string;
  readonly time: number;
}
const at = (time: string, report: Buffer, vcek: Buffer): Sample => ({
  report: report.subarray(0, 1184),
  vcek: base64(vcek),
  time: seconds(time),
});
const samples = (): Record<string, Sample> => ({
  'go-sev-guest': at('2026-01-01', shared('go-sev-guest/attestation.bin'), shared('go-sev-guest/vcek.testcer')),
  'virtee-sev': at(
    '2026-01-01',
    Buffer.from(shared('virtee-sev/report_milan.hex').toString().trim(), 'hex'),
    shared('virtee-sev/vcek_milan.der'),
  ),
  trustee: at('2026-01-01', shared('trustee/test-report.bin'), shared('trustee/test-vcek.der')),
  'trustee-vlek': {
    report: shared('trustee/test-vlek-report.bin'),
    vlek: base64(shared('trustee/test-vlek.der')),
    time: seconds('2025-06-01'),
  },
  lunal: at('2026-06-01', shared('lunal/live-report-v5-genoa.bin'), shared('lunal/live-vcek-genoa.der')),
  azure: {
    report: readShared('azure-vtpm/trustee/az-snp-vtpm/hcl-report.bin').subarray(32, 32 + 1184),
    vcek: fromPem(readShared('azure-vtpm/trustee/az-snp-vtpm/vcek.pem').toString()),
    time: seconds('2026-01-01'),
  },
});
const run = ({ report, ...rest }: Sample, change: object = {}) =>
  judge('sev-snp', () => ({ report: base64(report), ...rest, policy: { kind: 'signature-only' }, ...change }));

test('EV-210 all genuine reports are accepted under AMD’s pinned roots, with what they say', { skip }, async (t) => {
  const expected: Record<string, [product: string, vmpl: number, snp: number]> = {
    'go-sev-guest': ['Milan', 0, 5],
    'virtee-sev': ['Milan', 0, 8],
    trustee: ['Milan', 0, 8],
    'trustee-vlek': ['Milan', 1, 24],
    lunal: ['Genoa', 0, 27],
    azure: ['Milan', 0, 8],
  };
  for (const [name, sample] of Object.entries(samples())) {
    const { exit, output } = await run(sample);
    const { snp } = (output.reported_tcb ?? {}) as { snp: number };
    assert.deepEqual([exit, output.product, output.vmpl, snp], [0, ...(expected[name] ?? [])], name);
    assert.equal(output.measurement_hex, sample.report.subarray(0x90, 0xc0).toString('hex'));
    assert.equal(output.chip_id_hex, sample.report.subarray(0x1a0, 0x1e0).toString('hex'));
  }
  t.diagnostic(`${Object.keys(expected).length} reports`);
});

test('EV-200 genuine evidence is refused for the right reason', { skip }, async (t) => {
  const all = samples() as Record<string, Sample>;
  const [trustee, vlek, lunal] = [all.trustee, all['trustee-vlek'], all.lunal] as [Sample, Sample, Sample];
  const crl = fromPem(shared('openpcc/test_amd_milan_crl.pem').toString());
  const pem = (path: string) => shared(path).toString();
  const cases: [sample: Sample, change: object, verdict: string][] = [
    [trustee, { vcek: base64(shared('trustee/test-vcek-invalid-legacy.der')) }, 'chain certificate-chain-invalid'],
    [trustee, { vcek: base64(shared('trustee/test-vcek-invalid-new.der')) }, 'chain certificate-chain-invalid'],
    [trustee, { vcek: base64(shared('virtee-sev/vcek_milan.der')) }, 'signature report-signature-invalid'],
    [trustee, { vcek: base64(shared('virtee-sev/vcek_turin.der')) }, 'signature report-signature-invalid'],
    [trustee, { vcek: lunal.vcek }, 'signature report-signature-invalid'],
    [vlek, { time: seconds('2025-12-11') }, 'freshness certificate-expired'],
    [vlek, { time: seconds('2024-12-10') }, 'freshness certificate-not-yet-valid'],
    [lunal, { time: seconds('2026-02-17') }, 'freshness certificate-not-yet-valid'],
    [lunal, { time: seconds('2033-02-18') }, 'freshness certificate-expired'],
    [vlek, { vlek: undefined, vcek: vlek.vlek }, 'format endorsement-malformed'],
    [trustee, { vcek: undefined, vlek: trustee.vcek }, 'format endorsement-malformed'],
    [trustee, { ark_pem: pem('virtee-sev/builtin/genoa/ark.pem') }, 'chain certificate-root-unknown'],
    [trustee, { ask_pem: pem('virtee-sev/builtin/genoa/ask.pem') }, 'chain certificate-root-unknown'],
    [trustee, { crl, time: seconds('2025-08-01') }, 'accepted'],
    [trustee, { crl, time: seconds('2026-05-13') }, 'freshness crl-expired'],
    [trustee, { crl, time: seconds('2025-05-05') }, 'freshness crl-not-yet-valid'],
    [lunal, { crl }, 'revocation crl-invalid'],
    [
      trustee,
      { ask_pem: pem('trustee/milan_ask_ark_asvk.pem'), ark_pem: pem('virtee-sev/builtin/milan/ark.pem') },
      'accepted',
    ],
    [vlek, { ask_pem: pem('trustee/milan_ask_ark_asvk.pem') }, 'accepted'],
    [{ ...trustee, report: trustee.report.subarray(1) }, {}, 'format report-malformed'],
    [{ ...trustee, report: Buffer.concat([trustee.report, Buffer.alloc(1)]) }, {}, 'format report-malformed'],
  ];
  for (const [index, [sample, change, expected]] of cases.entries()) {
    const input = withoutUndefined({ ...sample, ...change }) as Sample;
    const { exit, output } = await run(input);
    const verdict = exit === 0 ? 'accepted' : `${output.class} ${output.code}`;
    assert.equal(verdict, expected, `case ${index}: ${output.message}`);
  }
  t.diagnostic(`${cases.length} cases`);
});

test('EV-187 every byte of every genuine report, certificate and list changed is refused', { skip }, async (t) => {
  const counts: Record<string, number> = {};
  const refused = async (sample: Sample, change: object, where: string) => {
    const { exit, output } = await run(sample, change);
    assert.equal(exit, 10, where);
    counts[String(output.class)] = (counts[String(output.class)] ?? 0) + 1;
  };
  for (const [name, sample] of Object.entries(samples())) {
    // Each signature costs a millisecond: of three of the four reports of version 2, every fifth signed byte.
    const isRepeated = ['virtee-sev', 'azure', 'go-sev-guest'].includes(name);
    for (const index of sample.report.keys()) {
      if (isRepeated && index < 0x300 && index % 5 !== name.length % 5) continue;
      await refused({ ...sample, report: flipped(sample.report, index) }, {}, `${name} report ${index}`);
    }
    const kind = sample.vlek === undefined ? 'vcek' : 'vlek';
    const certificate = Buffer.from(sample[kind] as string, 'base64');
    for (const index of certificate.keys()) {
      await refused(sample, { [kind]: base64(flipped(certificate, index)) }, `${name} ${kind} ${index}`);
    }
  }
  const trustee = { ...(samples().trustee as Sample), time: seconds('2025-08-01') };
  const crl = Buffer.from(fromPem(shared('openpcc/test_amd_milan_crl.pem').toString()), 'base64');
  for (const index of crl.keys()) await refused(trustee, { crl: base64(flipped(crl, index)) }, `crl ${index}`);
  t.diagnostic(JSON.stringify(counts));
});

test('EV-210, EV-220 every certificate swapped and every time moved is refused', { skip }, async (t) => {
  const all = Object.entries(samples());
  const certificateOf = ({ vcek, vlek }: Sample) => (vlek === undefined ? { vcek } : { vlek });
  let count = 0;
  for (const [name, sample] of all) {
    const { report, time } = sample;
    for (const [other, { vcek, vlek, time: otherTime }] of all) {
      if (other === name) continue;
      const swapped = withoutUndefined({ report, vcek, vlek, time: otherTime }) as Sample;
      const { exit, output } = await run(swapped);
      assert.deepEqual([exit, output.code], [10, 'report-signature-invalid'], `${name} under ${other}`);
      count++;
    }
    for (const moved of [0, seconds('2019-01-01'), seconds('2046-01-01'), Number.MAX_SAFE_INTEGER]) {
      const { exit, output } = await run({ ...certificateOf(sample), report, time: moved } as Sample);
      assert.deepEqual([exit, output.class], [10, 'freshness'], `${name} at ${moved} instead of ${time}`);
      count++;
    }
  }
  t.diagnostic(`${count} cases`);
});

test('EV-428 a policy refuses genuine evidence of another generation, and for what it demands', { skip }, async () => {
  const all = samples() as Record<string, Sample>;
  const [lunal, trustee, debug] = [all.lunal, all.trustee, all['go-sev-guest']] as [Sample, Sample, Sample];
  const measurementOf = ({ report }: Sample) => [{ measurement: report.subarray(0x90, 0xc0).toString('hex') }];
  const floor = { bootLoader: 2, tee: 0, snp: 5, microcode: 27 };
  const policyOf = (sample: Sample, change: object = {}) => ({
    kind: 'sev-snp',
    version: 1,
    measurements: measurementOf(sample),
    generations: { Genoa: { minimumTcb: floor } },
    smt: 'allowed',
    ciphertextHiding: 'reported',
    aliasCheck: 'reported',
    revocation: 'reported',
    ...change,
  });
  const milan = { generations: { Milan: { minimumTcb: floor, accepted: 'known-weak-generation' } } };
  const high = { generations: { Genoa: { minimumTcb: { ...floor, snp: 28 } } } };
  const cases: [sample: Sample, policy: object, verdict: string][] = [
    [lunal, policyOf(lunal), 'accepted'],
    [lunal, policyOf(lunal, high), 'tcb tcb-below-floor'],
    [lunal, policyOf(trustee), 'policy measurement-not-allowed'],
    [lunal, policyOf(lunal, { smt: 'refused' }), 'policy smt-enabled'],
    [lunal, policyOf(lunal, { ciphertextHiding: 'required' }), 'policy ciphertext-hiding-missing'],
    [lunal, policyOf(lunal, { aliasCheck: 'required' }), 'accepted'],
    [lunal, policyOf(lunal, { revocation: 'required' }), 'policy revocation-not-checked'],
    [debug, policyOf(debug), 'policy generation-not-allowed'],
    [debug, policyOf(debug, milan), 'policy debug-enabled'],
    [trustee, policyOf(trustee, milan), 'tcb provisional-firmware'],
    [lunal, { kind: 'tdx' }, 'malformed'],
  ];
  for (const [index, [sample, policy, expected]] of cases.entries()) {
    const { exit, output } = await run(sample, { policy });
    const verdict = exit === 0 ? 'accepted' : exit === 30 ? 'malformed' : `${output.class} ${output.code}`;
    assert.equal(verdict, expected, `case ${index}: ${output.message}`);
  }
});

test('CF-03, CF-02 exactly one certificate, and a policy, are a case', async () => {
  const input = { report: '', vcek: '', time: 0, policy: { kind: 'signature-only' } };
  assert.equal((await judge('sev-snp', () => input)).exit, 10);
  for (const change of [{ vlek: '' }, { vcek: undefined }, { policy: undefined }, { roots: '' }, { time: '-1' }]) {
    const { exit } = await judge('sev-snp', () => withoutUndefined({ ...input, ...change }));
    assert.equal(exit, 30, JSON.stringify(change));
  }
});

function flipped(bytes: Buffer, index: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[index] = (changed[index] as number) ^ (1 << (index % 8));
  return changed;
}

function withoutUndefined(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
