/** Stage `measure-snp` against every figure that others published for the same inputs. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseFirmware } from '@sotto/evidence/measure';
import { readShared, skipWithoutSharedVectors as skip } from '../testing/shared-vectors.ts';
import { judge } from './stages.ts';

interface Case {
  readonly test: string;
  readonly mode: string;
  readonly vcpus: number;
  readonly vcpu_sig: string | null;
  readonly ovmf_file: string;
  readonly kernel: string | null;
  readonly initrd: string | null;
  readonly append: string | null;
  readonly guest_features: number;
  readonly snp_ovmf_hash_str?: string;
  readonly expected_launch_digest: string;
}
const folder = 'sev-snp-measure';
const MODES: Record<string, string> = { SEV_SNP: 'snp', SEV_ES: 'sev-es', SEV: 'sev' };
/** Kernel and initrd of these cases are empty files. */
const EMPTY = createHash('sha256').digest('hex');

function inputOf(one: Case): Record<string, unknown> {
  return {
    ovmf: readShared(`${folder}/${one.ovmf_file}`).toString('base64'),
    ovmf_hash_hex: one.snp_ovmf_hash_str,
    vcpus: one.vcpus,
    vcpu_type: one.vcpu_sig?.match(/'(.+)'/)?.[1],
    kernel_hash_hex: one.kernel === null ? undefined : EMPTY,
    initrd_hash_hex: one.initrd === null ? undefined : EMPTY,
    append: one.append ?? undefined,
    guest_features: one.guest_features,
    mode: MODES[one.mode.split('.').at(-1) ?? ''],
  };
}
const given = (input: object) => Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
const digestOf = async (input: object): Promise<unknown> => (await judge('measure-snp', () => given(input))).output;

test('EV-398 all shared launch digests are reproduced', { skip }, async (t) => {
  const cases = JSON.parse(readShared(`${folder}/cases.shared.json`).toString()) as Case[];
  for (const one of cases) {
    assert.deepEqual(await digestOf(inputOf(one)), { digest_hex: one.expected_launch_digest }, one.test);
  }
  t.diagnostic(`${cases.length} cases`);
  assert.equal(cases.length, 11);
});

test('EV-398 a digest from hash and sections alone equals the published one', { skip }, async () => {
  const file = JSON.parse(readShared(`${folder}/dstack-synthetic-measurement.json`).toString());
  const { base_cmdline: append, ovmf_hash, kernel_hash, initrd_hash, ...rest } = file.inputs;
  const hashes = { ovmf_hash_hex: ovmf_hash, kernel_hash_hex: kernel_hash, initrd_hash_hex: initrd_hash };
  const input = { ...rest, ...hashes, append, mode: 'snp' };
  assert.deepEqual(await digestOf(input), { digest_hex: file.expected_launch_digest });
});

test('EV-398 figures of the public tool for other hypervisors, firmware and counts', { skip }, async (t) => {
  const amdSev = { ovmf_file: 'fixtures/ovmf_AmdSev_suffix.bin', mode: 'SEV_SNP', vcpu_sig: "'EPYC-v4'" };
  const kernel = { kernel: '', initrd: '', append: '', guest_features: 1 };
  const x64 = { ...amdSev, ovmf_file: 'fixtures/ovmf_OvmfX64_suffix.bin', kernel: null, initrd: null, append: null };
  const cases: [change: Partial<Case>, vmm: string | undefined, expected: string][] = [
    [
      { ...amdSev, ...kernel, vcpus: 1, guest_features: 0x21 },
      'ec2',
      '0ce9ccc06bab55eebe8abc234f3df6514883977a68a591b71052498ab52b2f1aa415db338033946ef93aa8278c0d67fb',
    ],
    [
      { ...amdSev, ...kernel, vcpus: 1 },
      'ec2',
      '0883bd0eeb716e65b7b977a321c278d1e51b33b5c655fab985443bbcc65c086b9c15e8a0bd8811050dec7e24964e5056',
    ],
    [
      { ...amdSev, ...kernel, vcpus: 1 },
      'gce',
      '5da7106cf14cf46b1725ebab123eb9e53bd46a1e9f400cd0c08e7827b04b688ea8b4e403c8404efed4397ea5d5d0722e',
    ],
    [
      { ...amdSev, ...kernel, vcpus: 4 },
      'gce',
      '5c5debf100fc339f90276e761ee1f1658d08922c3b20e2a2e6c7a6c3370b2452a15a00eae11886a93d6fd1e7ab81e29d',
    ],
    [
      { ...amdSev, ...kernel, vcpus: 4, guest_features: 0x21 },
      'qemu',
      '4953b1fb416fa874980e8442b3706d345926d5f38879134e00813c5d7abcbe78eafe7b422907be0b4698e2414a631942',
    ],
    [
      { ...amdSev, ...kernel, vcpus: 4 },
      undefined,
      '5061fffb019493a903613d56d54b94912a1a2f9e4502385f5c194616753720a92441310ba6c4933de877c36e23046ad5',
    ],
    [
      { ...x64, vcpus: 1, guest_features: 0x21 },
      undefined,
      '28797ae0afaba4005a81e629acebfb59e6687949d6be44007cd5506823b0dd66f146aaae26ff291eed7b493d8a64c385',
    ],
    [
      { ...x64, vcpus: 1, guest_features: 1 },
      undefined,
      'da0296de8193586a5512078dcd719eccecbd87e2b825ad4148c44f665dc87df21e5b49e21523a9ad993afdb6a30b4005',
    ],
    [
      { ...amdSev, ...kernel, mode: 'SEV_ES', vcpus: 4, guest_features: 0x21 },
      undefined,
      '0dccbcaba8e90b261bd0d2e1863a2f9da714768b7b2a19363cd6ae35aa90de91',
    ],
    [
      { ...x64, mode: 'SEV', vcpus: 1, guest_features: 0x21 },
      undefined,
      'b4c021e085fb83ceffe6571a3d357b4a98773c83c474e47f76c876708fe316da',
    ],
  ];
  for (const [change, vmm_type, expected] of cases) {
    assert.deepEqual(await digestOf({ ...inputOf(change as Case), vmm_type }), { digest_hex: expected }, expected);
  }
  for (const mode of ['SEV_SNP', 'SEV_ES', 'SEV']) {
    const input = inputOf({ ...x64, ...kernel, mode, vcpus: 1 } as Case);
    assert.equal(((await digestOf(input)) as { code: string }).code, 'kernel-not-measured', mode);
  }
  t.diagnostic(`${cases.length} figures, 3 refusals`);
});

interface Vector {
  readonly id: string;
  readonly rule: string;
  readonly input: object;
  readonly expect: { digest_hex: string } | { class: string; code: string };
}
const file = new URL('../../../vectors/evidence-measure/launches.json', import.meta.url);
const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as { vectors: Vector[] };

async function judgeRule(rule: string): Promise<void> {
  const ofRule = vectors.filter((vector) => vector.rule === rule);
  assert.notEqual(ofRule.length, 0, `no vector for ${rule}`);
  for (const { id, input, expect } of ofRule) {
    const output = await digestOf(input);
    const judged = 'code' in expect ? { ...expect, rule, message: (output as { message: string }).message } : expect;
    assert.deepEqual(output, judged, id);
  }
}

test('EV-390 firmware of no whole pages is refused', async () => {
  await judgeRule('EV-390');
  assert.throws(() => parseFirmware(new Uint8Array(32 * 1024 * 1024 + 4096)), { rule: 'EV-390' });
});
test('EV-391 a table that contradicts itself is refused', () => judgeRule('EV-391'));
test('EV-392 metadata that names other pages is refused', () => judgeRule('EV-392'));
test('EV-393 a kernel that is not measured is refused', () => judgeRule('EV-393'));
test('EV-394 a table of hashes stays in its page', () => judgeRule('EV-394'));
test('EV-396 processors are counted, and start somewhere', () => judgeRule('EV-396'));
test('EV-397 what a digest is taken over must be given', () => judgeRule('EV-397'));
test('EV-398 digests are those of the formulas', () => judgeRule('EV-398'));
test('EV-399 a hash and its firmware belong together', () => judgeRule('EV-399'));

test('EV-395, CF-02 an initrd or a command line without a kernel is not a case', async () => {
  const input = vectors.find(({ id }) => id === 'snp-without-kernel')?.input;
  for (const change of [
    { initrd_hash_hex: EMPTY },
    { append: 'quiet' },
    { vcpu_type: 'EPYC-Other' },
    { mode: 'tdx' },
  ]) {
    assert.equal((await judge('measure-snp', () => ({ ...input, ...change }))).exit, 30, JSON.stringify(change));
  }
});

test('EV-391 every byte of an image changed changes the digest, or is refused', async (t) => {
  const { input } = vectors.find(({ id }) => id === 'snp') as { input: { ovmf: string } };
  const bytes = Buffer.from(input.ovmf, 'base64');
  const counts: Record<string, number> = {};
  const { digest_hex: digest } = (await digestOf(input)) as { digest_hex: string };
  // The table, the metadata and its surroundings byte by byte; the rest, which is only hashed, every 97th.
  for (let at = 0; at < bytes.length; at += at < bytes.length - 2100 ? 97 : 1) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] as number) ^ 1;
    const { exit, output } = await judge('measure-snp', () => ({ ...input, ovmf: changed.toString('base64') }));
    assert.ok(exit === 0 || exit === 10, `byte ${at}: ${exit}`);
    assert.notEqual(output.digest_hex, digest, `byte ${at}`);
    const key = `${exit} ${output.code ?? 'another digest'}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  t.diagnostic(JSON.stringify(counts));
});

test('CF-03 numbers that a register or the firmware’s table cannot hold are not a case', async () => {
  const input = {
    ovmf_hash_hex: '00'.repeat(48),
    ovmf_sections: [{ gpa: 4096, size: 4096, section_type: 1 }],
    sev_hashes_table_gpa: 0,
    sev_es_reset_eip: 4096,
    vcpus: 1,
    vcpu_type: 'EPYC-v4',
    guest_features: 1,
    mode: 'snp',
  };
  const exitOf = async (change: object) => (await judge('measure-snp', () => ({ ...input, ...change }))).exit;
  assert.equal(await exitOf({}), 0);
  assert.equal(await exitOf({ guest_features: (2n ** 64n).toString() }), 30);
  assert.equal(await exitOf({ ovmf_sections: [{ gpa: 2 ** 32, size: 4096, section_type: 1 }] }), 30);
  assert.equal(await exitOf({ sev_es_reset_eip: 2 ** 32 }), 30);
});
