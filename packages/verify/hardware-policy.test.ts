/** Hardware policies: every typo refused, every demand judged (spec/evidence.md §hardware). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeHex } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import { VerifyError } from './error.ts';
import {
  judgeGpus,
  judgeRoots,
  judgeSnp,
  judgeTdx,
  judgeTpm,
  type SnpClaims,
  type TdxClaims,
} from './hardware-checks.ts';
import {
  type GpuDemands,
  parseHardwarePolicy,
  type SnpPolicy,
  type TdxPolicy,
  type TpmTestPolicy,
} from './hardware-policy.ts';
import { ReportBuilder } from './report-builder.ts';

const hex = (length: number, byte: string) => byte.repeat(length);
const tdx = {
  kind: 'tdx',
  version: 1,
  measurements: [{ mrtd: hex(48, '0a'), rtmrs: [hex(48, '10'), hex(48, '11'), hex(48, '12')] }],
  tcb: { statuses: ['UpToDate'], acceptedAdvisories: ['INTEL-SA-00960'], minimumEvaluation: 17 },
};
const floor = { bootLoader: 7, tee: 0, snp: 14, microcode: 72 };
const snp = {
  kind: 'sev-snp',
  version: 1,
  measurements: [{ measurement: hex(48, '0b') }],
  generations: { Genoa: { minimumTcb: floor }, Turin: { minimumTcb: { ...floor, fmc: 1 } } },
  smt: 'refused',
  ciphertextHiding: 'required',
  aliasCheck: 'required',
  revocation: 'required',
  gpus: { count: 1, architectures: ['HOPPER'], rims: 'required', ocsp: 'required' },
  independentRoots: 2,
};
const tpm = { kind: 'tpm-test', version: 1, attestationKeys: [hex(32, '0c')], measurements: [{ 4: hex(32, '0d') }] };

const refused = (policy: unknown, rule: string) =>
  assert.throws(() => parseHardwarePolicy(policy), { code: 'policy-malformed', rule, failureClass: 'policy' });

test('whole policies are read as they are written', () => {
  for (const policy of [tdx, { ...snp, maxAgeSeconds: 60, knownMachines: [hex(32, '0e')] }, tpm]) {
    assert.deepEqual(parseHardwarePolicy(JSON.parse(JSON.stringify(policy))), policy);
  }
});

test('EV-400 an unknown field at any level, or a level that is no object, is refused', () => {
  for (const policy of [null, [], 'tdx']) refused(policy, 'EV-400');
  refused({ ...tdx, Tcb: tdx.tcb }, 'EV-400');
  refused({ ...tdx, tcb: { ...tdx.tcb, status: 'UpToDate' } }, 'EV-400');
  refused({ ...tdx, tcb: [] }, 'EV-400');
  refused({ ...tdx, measurements: [{ ...tdx.measurements[0], rtmr3: '' }] }, 'EV-400');
  refused({ ...snp, generations: { ...snp.generations, Rome: {} } }, 'EV-400');
  refused({ ...snp, generations: { Genoa: { minimumTcb: { ...floor, fmc: 1 } } } }, 'EV-400');
  refused({ ...snp, generations: { Genoa: { minimumTcb: floor, accepted: true } } }, 'EV-400');
  refused({ ...snp, gpus: { ...snp.gpus, driver: '1' } }, 'EV-400');
  refused({ ...tpm, measurements: [{ 24: hex(32, '00') }] }, 'EV-411');
});

test('EV-401 a list that is missing, empty or too long is refused', () => {
  for (const measurements of [undefined, [], {}, Array.from({ length: 257 }, (_, i) => i)]) {
    refused({ ...tdx, measurements }, 'EV-401');
  }
});

test('EV-402 a list that names something twice is refused', () => {
  refused({ ...tdx, measurements: [tdx.measurements[0], tdx.measurements[0]] }, 'EV-402');
});

test('EV-407 registers are told apart by their place: two of them may hold the same value', () => {
  const rtmrs = [hex(48, '10'), hex(48, '00'), hex(48, '00')];
  const { measurements } = parseHardwarePolicy({ ...tdx, measurements: [{ mrtd: hex(48, '0a'), rtmrs }] }) as TdxPolicy;
  assert.deepEqual(measurements[0]?.rtmrs, rtmrs);
});

test('EV-403 numbers are whole and in range', () => {
  for (const minimumEvaluation of [undefined, -1, 1.5, '17', 2 ** 32]) {
    refused({ ...tdx, tcb: { ...tdx.tcb, minimumEvaluation } }, 'EV-403');
  }
});

test('EV-404 digests are lower-case hex of their length', () => {
  for (const measurement of [undefined, 1, hex(47, '0b'), hex(48, '0B'), `${hex(47, '0b')}zz`]) {
    refused({ ...snp, measurements: [{ measurement }] }, 'EV-404');
  }
});

test('EV-405 words are known ones, and Revoked is not one', () => {
  for (const status of ['Revoked', 'uptodate', '']) {
    refused({ ...tdx, tcb: { ...tdx.tcb, statuses: [status] } }, 'EV-405');
  }
  refused({ ...snp, smt: undefined }, 'EV-405');
});

test('EV-406 at least one root must vouch', () => refused({ ...snp, independentRoots: 0 }, 'EV-406'));

test('EV-407 a TDX measurement names all three program registers', () => {
  refused({ ...tdx, measurements: [{ mrtd: hex(48, '0a'), rtmrs: [hex(48, '10'), hex(48, '11')] }] }, 'EV-407');
});

test('EV-408 advisories are written as Intel writes them', () => {
  refused({ ...tdx, tcb: { ...tdx.tcb, acceptedAdvisories: ['SA-00960'] } }, 'EV-408');
});

test('EV-409 a policy names a generation', () => refused({ ...snp, generations: {} }, 'EV-409'));

test('EV-410 Milan is accepted only by whoever writes that it is weak', () => {
  refused({ ...snp, generations: { Milan: { minimumTcb: floor } } }, 'EV-410');
  refused({ ...snp, generations: { Milan: { minimumTcb: floor, accepted: true } } }, 'EV-410');
  parseHardwarePolicy({ ...snp, generations: { Milan: { minimumTcb: floor, accepted: 'known-weak-generation' } } });
});

test('EV-411 a TPM measurement names a register', () => refused({ ...tpm, measurements: [{}] }, 'EV-411'));

test('EV-58 the maximum age of a hardware policy has the same bounds', () => {
  refused({ ...tdx, maxAgeSeconds: 59 }, 'EV-58');
});

test('EV-59 a hardware policy of another version is refused', () => refused({ ...tdx, version: 2 }, 'EV-59'));

const bytes = (length: number, value: number) => new Uint8Array(length).fill(value);
const tdxClaims: TdxClaims = {
  tcbStatus: 'UpToDate',
  advisoryIds: ['INTEL-SA-00960'],
  evaluationNumber: 17,
  mrtd: bytes(48, 0x0a),
  rtmrs: [bytes(48, 0x10), bytes(48, 0x11), bytes(48, 0x12), bytes(48, 0x13)],
  ppid: bytes(16, 1),
};
const snpClaims: SnpClaims = {
  product: 'Genoa',
  measurement: bytes(48, 0x0b),
  reportedTcb: floor,
  debug: false,
  migratable: false,
  provisionalFirmware: false,
  vmpl: 0,
  smt: false,
  ciphertextHiding: true,
  aliasCheckComplete: true,
  crlNumber: 1n,
  chipId: bytes(64, 2),
};
const tdxPolicy = parseHardwarePolicy(tdx) as TdxPolicy;
const snpPolicy = parseHardwarePolicy(snp) as SnpPolicy;
const judgeTdxWith = (claims: Partial<TdxClaims>, policy: Partial<TdxPolicy> = {}) =>
  judgeTdx(new ReportBuilder(0), { ...tdxPolicy, ...policy }, { ...tdxClaims, ...claims });
const judgeSnpWith = (claims: Partial<SnpClaims>, policy: Partial<SnpPolicy> = {}) =>
  judgeSnp(new ReportBuilder(0), { ...snpPolicy, ...policy }, { ...snpClaims, ...claims });

function refusal(judge: () => void, failureClass: string, code: string, rule: string): void {
  assert.throws(judge, (error) => {
    assert.ok(error instanceof VerifyError);
    assert.deepEqual([error.failureClass, error.code, error.rule], [failureClass, code, rule]);
    assert.deepEqual([error.report.checks[0]?.rule, error.report.checks[0]?.status], [rule, 'failed']);
    return true;
  });
}

test('good claims meet their policy', () => {
  judgeTdxWith({});
  judgeSnpWith({});
});

test('EV-420 a TCB status that is not accepted, or unknown, is refused', () => {
  for (const tcbStatus of ['OutOfDate', 'Revoked', undefined]) {
    refusal(() => judgeTdxWith({ tcbStatus }), 'tcb', 'tcb-status-not-accepted', 'EV-420');
  }
});

test('EV-421 an open advisory is refused unless accepted by name', () => {
  const advisoryIds = ['INTEL-SA-00960', 'INTEL-SA-00982'];
  refusal(() => judgeTdxWith({ advisoryIds }), 'tcb', 'advisory-not-accepted', 'EV-421');
});

test('EV-422 collateral of an older evaluation, or none, is refused', () => {
  for (const evaluationNumber of [16, undefined]) {
    refusal(() => judgeTdxWith({ evaluationNumber }), 'tcb', 'evaluation-too-old', 'EV-422');
  }
});

test('EV-423 debug is refused', () => {
  refusal(() => judgeSnpWith({ debug: true }), 'policy', 'debug-enabled', 'EV-423');
});

test('EV-424 a machine that may be moved is refused', () => {
  refusal(() => judgeSnpWith({ migratable: true }), 'policy', 'migration-enabled', 'EV-424');
});

test('EV-426 every part of the firmware is at its floor', () => {
  for (const part of ['bootLoader', 'snp', 'microcode'] as const) {
    const reportedTcb = { ...floor, [part]: floor[part] - 1 };
    refusal(() => judgeSnpWith({ reportedTcb }), 'tcb', 'tcb-below-floor', 'EV-426');
  }
  const turin = (fmc: number) => judgeSnpWith({ product: 'Turin', reportedTcb: { ...floor, fmc } });
  turin(1);
  refusal(() => turin(0), 'tcb', 'tcb-below-floor', 'EV-426');
});

test('EV-427 provisional firmware is refused', () => {
  refusal(() => judgeSnpWith({ provisionalFirmware: true }), 'tcb', 'provisional-firmware', 'EV-427');
});

test('EV-428 a generation that is not named is refused', () => {
  refusal(() => judgeSnpWith({ product: 'Milan' }), 'policy', 'generation-not-allowed', 'EV-428');
});

test('EV-429 a report of a lower privilege level is refused', () => {
  refusal(() => judgeSnpWith({ vmpl: 1 }), 'policy', 'vmpl-not-zero', 'EV-429');
});

test('EV-430 shared threads are refused where the policy says so', () => {
  refusal(() => judgeSnpWith({ smt: true }), 'policy', 'smt-enabled', 'EV-430');
  judgeSnpWith({ smt: true }, { smt: 'allowed' });
});

test('EV-431 ciphertext hiding is demanded where the policy says so', () => {
  refusal(() => judgeSnpWith({ ciphertextHiding: false }), 'policy', 'ciphertext-hiding-missing', 'EV-431');
  judgeSnpWith({ ciphertextHiding: false }, { ciphertextHiding: 'reported' });
});

const tpmPolicy = parseHardwarePolicy(tpm) as TpmTestPolicy;
const judgeTpmWith = (key: number, registers: [number, Uint8Array][]) =>
  judgeTpm(new ReportBuilder(0), tpmPolicy, { attestationKey: bytes(32, key), registers: new Map(registers) });

test('EV-432 a program that the policy does not name is refused', () => {
  const other = [bytes(48, 0x10), bytes(48, 0x11), bytes(48, 0x99), bytes(48, 0)];
  refusal(() => judgeTdxWith({ rtmrs: other }), 'policy', 'measurement-not-allowed', 'EV-432');
  refusal(() => judgeTdxWith({ mrtd: bytes(48, 0) }), 'policy', 'measurement-not-allowed', 'EV-432');
  refusal(() => judgeSnpWith({ measurement: bytes(48, 0) }), 'policy', 'measurement-not-allowed', 'EV-432');
  judgeTpmWith(0x0c, [[4, bytes(32, 0x0d)]]);
  refusal(() => judgeTpmWith(0x0c, [[4, bytes(32, 1)]]), 'policy', 'measurement-not-allowed', 'EV-432');
  refusal(() => judgeTpmWith(0x0c, []), 'policy', 'measurement-not-allowed', 'EV-432');
});

test('EV-433 where the policy names machines, others and nameless ones are refused', () => {
  const knownMachines = [encodeHex(sha256(bytes(16, 1)))];
  judgeTdxWith({}, { knownMachines });
  for (const ppid of [bytes(16, 9), undefined]) {
    refusal(() => judgeTdxWith({ ppid }, { knownMachines }), 'policy', 'machine-unknown', 'EV-433');
  }
  refusal(() => judgeSnpWith({}, { knownMachines }), 'policy', 'machine-unknown', 'EV-433');
});

test('EV-434 the search for second addresses is demanded where the policy says so', () => {
  refusal(() => judgeSnpWith({ aliasCheckComplete: false }), 'policy', 'alias-check-missing', 'EV-434');
  judgeSnpWith({ aliasCheckComplete: false }, { aliasCheck: 'reported' });
});

test('EV-419 the list of revoked keys is demanded where the policy says so', () => {
  refusal(() => judgeSnpWith({ crlNumber: undefined }), 'policy', 'revocation-not-checked', 'EV-419');
  judgeSnpWith({ crlNumber: undefined }, { revocation: 'reported' });
});

test('EV-435 a TPM that is not pinned is refused', () => {
  refusal(() => judgeTpmWith(1, [[4, bytes(32, 0x0d)]]), 'policy', 'attestation-key-not-pinned', 'EV-435');
});

const gpu = { architecture: 'HOPPER', rim: 'match', ocsp: 'good' } as const;
const judgeGpusWith = (gpus: Parameters<typeof judgeGpus>[2], demands: Partial<GpuDemands> = {}) =>
  judgeGpus(new ReportBuilder(0), { ...(snpPolicy.gpus as GpuDemands), ...demands }, gpus);

test('EV-436 too few graphics processors are refused', () => {
  judgeGpusWith([gpu]);
  refusal(() => judgeGpusWith([]), 'policy', 'gpus-missing', 'EV-436');
});

test('EV-437 a graphics processor of another kind is refused', () => {
  refusal(() => judgeGpusWith([gpu, { ...gpu, architecture: 'BLACKWELL' }]), 'policy', 'gpu-not-allowed', 'EV-437');
});

test('EV-438 reference values are demanded where the policy says so', () => {
  refusal(() => judgeGpusWith([{ ...gpu, rim: 'absent' }]), 'policy', 'rim-missing', 'EV-438');
  judgeGpusWith([{ ...gpu, rim: 'absent' }], { rims: 'reported' });
});

test('EV-439 an answer about revocation is demanded where the policy says so', () => {
  refusal(() => judgeGpusWith([{ ...gpu, ocsp: 'absent' }]), 'policy', 'ocsp-missing', 'EV-439');
  judgeGpusWith([{ ...gpu, ocsp: 'absent' }], { ocsp: 'reported' });
});

test('EV-440 as many makers vouch as the policy asks', () => {
  judgeRoots(new ReportBuilder(0), 2, new Set(['amd', 'nvidia']));
  refusal(() => judgeRoots(new ReportBuilder(0), 2, new Set(['amd'])), 'policy', 'roots-missing', 'EV-440');
});
