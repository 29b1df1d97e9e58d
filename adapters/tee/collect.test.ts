/** Collecting over a fake tree of the kernel's and fake programs of the image (spec/evidence-collect.md). */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ByteReader, concatBytes, encodeHex } from '@sotto/bytes';
import { createSeededRandom } from '@sotto/testkit';
import {
  createFakeKernel,
  type FakeKernel,
  type FakeKernelOptions,
  snpReportFake,
  tdxQuoteFake,
} from './fake-kernel-for-testing.ts';
import {
  collectReport,
  createNativeCollector,
  detectTee,
  nodeRunTool,
  nodeTeeFiles,
  openTee,
  type RunTool,
  TeeError,
  TPM_REGISTERS,
} from './index.ts';
import { parseDevices, parseReport } from './native-collector.ts';
import { collectTpmQuote } from './tpm.ts';

const random = createSeededRandom('tee');
const reportData = random.bytes(64);
const nonce = random.bytes(32);

async function withKernel(options: FakeKernelOptions, use: (kernel: FakeKernel) => Promise<void>): Promise<void> {
  const kernel = await createFakeKernel(options);
  try {
    await use(kernel);
    assert.deepEqual([...kernel.entries], [], 'an entry was left behind');
  } finally {
    await kernel.remove();
  }
}
const ask = ({ files, folder }: FakeKernel, data = reportData) =>
  collectReport({ files, folder, entryName: 'sotto-1' }, data);
const refuses = (rule: string, code: string, options: FakeKernelOptions, data = reportData) =>
  withKernel(options, (kernel) => assert.rejects(ask(kernel, data), { name: 'TeeError', code, rule }));

test('EV-450 a report is asked for in an entry of its own, which is removed, whatever happens', async () => {
  await withKernel({ provider: 'sev_guest', certificates: Uint8Array.of(1, 2) }, async (kernel) => {
    const { kind, statement, certificates } = await ask(kernel);
    assert.equal(kind, 'sev-snp');
    assert.deepEqual(statement, snpReportFake(reportData));
    assert.deepEqual(certificates, Uint8Array.of(1, 2));
    assert.deepEqual(kernel.writes, ['inblob 64']);
  });
  await withKernel({ provider: 'tdx_guest', answer: tdxQuoteFake }, async (kernel) => {
    const { kind, statement, certificates } = await ask(kernel);
    assert.deepEqual([kind, statement.length, certificates], ['tdx', 5000, undefined]);
  });
  await refuses('EV-450', 'evidence-unavailable', {});
  const tooLong = () => new Uint8Array(64 * 1024 + 1);
  await refuses('EV-450', 'evidence-unavailable', { provider: 'sev_guest', answer: tooLong });
});

test('EV-451 report data has 64 bytes', async () => {
  for (const length of [0, 32, 63, 65]) {
    await refuses('EV-451', 'evidence-malformed', { provider: 'sev_guest' }, new Uint8Array(length));
  }
});

test('EV-452 what somebody else wrote meanwhile is noticed', async () => {
  await refuses('EV-452', 'evidence-disturbed', { provider: 'sev_guest', foreignWrites: 1 });
});

test('EV-453 an answer over other report data is refused', async () => {
  const other = () => snpReportFake(random.bytes(64));
  await refuses('EV-453', 'evidence-malformed', { provider: 'sev_guest', answer: other });
  await refuses('EV-453', 'evidence-malformed', { provider: 'tdx_guest', answer: snpReportFake });
  await refuses('EV-453', 'evidence-malformed', { provider: 'sev_guest', answer: () => new Uint8Array() });
});

test('EV-454 a provider that is not known is refused', async () => {
  for (const provider of ['arm_cca_guest', 'toString', '']) {
    await refuses('EV-454', 'evidence-unavailable', { provider });
  }
});

test('EV-455 a number of the kernel is a number, and the privilege level is the lowest that is allowed', async () => {
  await refuses('EV-455', 'evidence-malformed', { provider: 'sev_guest', generationText: 'seven' });
  await withKernel({ provider: 'sev_guest', privilegeFloor: 2 }, async (kernel) => {
    await ask(kernel);
    assert.deepEqual(kernel.writes, ['privlevel 1', 'inblob 64']);
  });
});

const noTool: RunTool = async () => {
  throw new TeeError('evidence-unavailable', 'EV-461', 'no such program');
};
const anyTool: RunTool = async () => new Uint8Array();
const tee = (kernel: FakeKernel, runTool: RunTool) => ({
  random,
  files: kernel.files,
  reportFolder: kernel.folder,
  runTool,
});

test('EV-457 the kind that was asked for is the kind that there is, and never a weaker one', async () => {
  await withKernel({ provider: 'sev_guest' }, async (kernel) => {
    const options = tee(kernel, anyTool);
    assert.equal(await detectTee(options), 'sev-snp');
    const source = await openTee('sev-snp', options);
    assert.equal(source.platform, 'sev-snp');
    const both = await Promise.all([source.quote(reportData), source.quote(reportData)]);
    assert.deepEqual(both, [snpReportFake(reportData), snpReportFake(reportData)]);
    const mismatch = { code: 'evidence-kind-mismatch', rule: 'EV-457' };
    await assert.rejects(openTee('tdx', options), mismatch);
    await assert.rejects(openTee('tpm', options), mismatch);
  });
  const changing = { provider: 'sev_guest' };
  await withKernel(changing, async (kernel) => {
    const source = await openTee('sev-snp', tee(kernel, noTool));
    changing.provider = 'tdx_guest';
    await assert.rejects(source.quote(reportData), { name: 'TeeError' });
  });
});

test('EV-453 a machine without the kernel’s files answers through the helper, over this report data', async () => {
  await withKernel({}, async (kernel) => {
    const asked: string[] = [];
    const helper = (answer: (data: Uint8Array) => Uint8Array): RunTool => {
      return async (program, [kind = '', flag, value = '']) => {
        asked.push(`${program} ${kind} ${flag}`);
        if (kind !== 'sev-snp') throw new TeeError('evidence-unavailable', 'EV-461', 'no such device');
        const report = Buffer.from(answer(new Uint8Array(Buffer.from(value, 'hex')))).toString('base64');
        return json({ format: 'sotto-collect/v1', kind, report });
      };
    };
    const source = await openTee('sev-snp', tee(kernel, helper(snpReportFake)));
    assert.deepEqual(await source.quote(reportData), snpReportFake(reportData));
    assert.equal(asked[0], 'sotto-collect tdx --report-data');
    await assert.rejects(openTee('tdx', tee(kernel, helper(snpReportFake))), { code: 'evidence-kind-mismatch' });
    const stale = helper(() => snpReportFake(new Uint8Array(64)));
    await assert.rejects(openTee('sev-snp', tee(kernel, stale)), { code: 'evidence-unavailable' });
    let isStale = false;
    const turning = helper((data) => snpReportFake(isStale ? new Uint8Array(64) : data));
    const turned = await openTee('sev-snp', tee(kernel, turning));
    isStale = true;
    await assert.rejects(turned.quote(reportData), { code: 'evidence-malformed', rule: 'EV-453' });
  });
});

test('EV-457 hardware that changes its kind after the start is refused', async () => {
  const changing: { provider: string; answer?: (data: Uint8Array) => Uint8Array } = { provider: 'sev_guest' };
  await withKernel(changing, async (kernel) => {
    const source = await openTee('sev-snp', tee(kernel, noTool));
    Object.assign(changing, { provider: 'tdx_guest', answer: tdxQuoteFake });
    await assert.rejects(source.quote(reportData), { code: 'evidence-kind-mismatch', rule: 'EV-457' });
  });
});

test('EV-458 a machine that can show nothing is told so', async () => {
  await withKernel({}, async (kernel) => {
    const options = tee(kernel, noTool);
    assert.equal(await detectTee(options), undefined);
    for (const kind of ['tdx', 'sev-snp', 'tpm'] as const) {
      await assert.rejects(openTee(kind, options), { code: 'evidence-unavailable', rule: 'EV-458' });
    }
    assert.equal(await detectTee(tee(kernel, anyTool)), 'tpm');
  });
  const absent = { random, reportFolder: join(tmpdir(), 'sotto-no-such-folder'), runTool: noTool };
  assert.equal(await detectTee(absent), undefined);
});

test('EV-458 an empty folder where the kernel should be is no hardware', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sotto-empty-'));
  assert.equal(await detectTee({ random, files: nodeTeeFiles, reportFolder: folder, runTool: noTool }), undefined);
  assert.deepEqual(await readdir(folder), []);
  await rm(folder, { recursive: true });
});

// Programs of the image

const node = (script: string, limits = { timeLimitMs: 5000, outputLimitBytes: 1000 }) =>
  nodeRunTool(process.execPath, ['-e', script], limits);

test('EV-459 what a helper writes has a limit', async () => {
  assert.equal((await node('process.stdout.write("x".repeat(1000))')).length, 1000);
  const tooMuch = { code: 'evidence-malformed', rule: 'EV-459' };
  await assert.rejects(node('setInterval(() => process.stdout.write("x".repeat(999)), 1)'), tooMuch);
});

test('EV-460 a helper that does not end is ended', async () => {
  const late = { code: 'evidence-unavailable', rule: 'EV-460' };
  await assert.rejects(node('setInterval(() => {}, 1000)', { timeLimitMs: 200, outputLimitBytes: 10 }), late);
});

test('EV-461 a helper that is not there, or fails, gave no answer', async () => {
  const failed = { code: 'evidence-unavailable', rule: 'EV-461' };
  await assert.rejects(node('process.stdout.write("{}"); process.exitCode = 3'), failed);
  await assert.rejects(nodeRunTool('/no/such/program', [], { timeLimitMs: 1000, outputLimitBytes: 10 }), failed);
});

test('EV-461 a helper inherits no environment', async () => {
  process.env['SOTTO_TEST_SECRET'] = 'secret';
  const seen = Buffer.from(await node('process.stdout.write(Object.keys(process.env).sort().join())')).toString();
  delete process.env['SOTTO_TEST_SECRET'];
  assert.equal(seen, 'LC_ALL,PATH');
});

const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const recorded = async (name: string) => {
  const url = new URL(`../../vectors/evidence-collect/${name}.json`, import.meta.url);
  return new Uint8Array(await readFile(url));
};

test('EV-462 a helper writes one JSON object with known fields', async () => {
  const [device] = parseDevices(await recorded('nvidia'));
  assert.deepEqual([device?.report.length, device?.certificates.length], [588, 4]);
  const report = parseReport(await recorded('sev-snp'), 'sev-snp');
  assert.deepEqual([report.statement.length, report.certificates?.length], [1184, 3]);
  assert.equal(parseReport(await recorded('tdx'), 'tdx').certificates, undefined);
  const refused = { code: 'evidence-malformed', rule: 'EV-462' };
  const good = { format: 'sotto-collect/v1', kind: 'tdx', report: 'AAAA' };
  for (const output of ['', '[]', 'null', '"x"', '{', '{}{}', '\u00ff']) {
    assert.throws(() => parseReport(new TextEncoder().encode(output), 'tdx'), refused, output);
  }
  assert.throws(() => parseReport(Uint8Array.of(0xff), 'tdx'), refused);
  assert.throws(() => parseReport(json({ ...good, debug: true }), 'tdx'), refused);
  const devices = { format: 'sotto-collect/v1', kind: 'nvidia', devices: [['x']] };
  assert.throws(() => parseDevices(json(devices)), refused);
});

test('EV-463 a helper answers in this format, to this question', () => {
  const refused = { code: 'evidence-malformed', rule: 'EV-463' };
  const good = { format: 'sotto-collect/v1', kind: 'tdx', report: 'AAAA' };
  assert.throws(() => parseReport(json({ ...good, format: 'sotto-collect/v2' }), 'tdx'), refused);
  assert.throws(() => parseReport(json(good), 'sev-snp'), refused);
});

test('EV-464 a helper writes 1 to 16 devices', () => {
  const refused = { code: 'evidence-malformed', rule: 'EV-464' };
  const device = { report: 'AAAA', certificates: ['AAAA'] };
  const answer = (devices: unknown) => json({ format: 'sotto-collect/v1', kind: 'nvidia', devices });
  assert.equal(parseDevices(answer(Array(16).fill(device))).length, 16);
  for (const devices of [[], Array(17).fill(device), {}, undefined, [{ ...device, certificates: [] }]]) {
    assert.throws(() => parseDevices(answer(devices)), refused);
  }
});

test('EV-465 bytes are base64, and not none', () => {
  const refused = { code: 'evidence-malformed', rule: 'EV-465' };
  for (const report of ['', '*', 'AAA', 7, null, undefined]) {
    const answer = json({ format: 'sotto-collect/v1', kind: 'tdx', report });
    assert.throws(() => parseReport(answer, 'tdx'), refused);
  }
});

test('EV-463 the helper is asked with the kind and the value, and nothing else', async () => {
  const asked: string[] = [];
  const answers = { nvidia: await recorded('nvidia'), tdx: await recorded('tdx') };
  const collector = createNativeCollector(async (program, args) => {
    asked.push([program, ...args].join(' '));
    return answers[args[0] as 'nvidia' | 'tdx'];
  });
  assert.equal((await collector.collectDevices(nonce)).length, 1);
  assert.equal((await collector.collectReport('tdx', reportData)).statement.length, 5000);
  assert.deepEqual(asked, [
    `sotto-collect nvidia --nonce ${encodeHex(nonce)}`,
    `sotto-collect tdx --report-data ${encodeHex(reportData)}`,
  ]);
});

// TPM

/** Writes what each tool would, into the file that its flag names. */
function fakeTpmTools(registers: number, log: string[]): RunTool {
  const outputs: Record<string, Record<string, Uint8Array>> = {
    tpm2_createprimary: { '-c': Uint8Array.of(1) },
    tpm2_readpublic: { '-o': new Uint8Array(91).fill(2) },
    tpm2_quote: { '-m': new Uint8Array(120).fill(3), '-s': new Uint8Array(72).fill(4) },
    tpm2_pcrread: { '-o': concatBytes(...Array.from({ length: registers }, (_, i) => new Uint8Array(32).fill(i))) },
  };
  return async (program, args) => {
    log.push([program, ...args].join(' '));
    for (const [flag, bytes] of Object.entries(outputs[program] ?? {})) {
      await writeFile(args[args.indexOf(flag) + 1] as string, bytes);
    }
    return new Uint8Array();
  };
}

async function collectWith(registers: number, quoted: Uint8Array, log: string[] = []) {
  const folder = await mkdtemp(join(tmpdir(), 'sotto-tpm-test-'));
  try {
    await writeFile(join(folder, 'log'), new Uint8Array(50));
    const options = {
      files: nodeTeeFiles,
      runTool: fakeTpmTools(registers, log),
      folder,
      eventLog: join(folder, 'log'),
    };
    return await collectTpmQuote({ ...options, certificates: [new Uint8Array(6)] }, quoted);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('EV-466 a TPM quotes a nonce of 32 bytes', async () => {
  const log: string[] = [];
  const statement = await collectWith(TPM_REGISTERS.length, nonce, log);
  const reader = new ByteReader(statement);
  assert.equal(new TextDecoder().decode(reader.vector16(64)), 'sotto/tpm-statement/v1');
  assert.deepEqual(
    [1, 2, 3].map(() => reader.vector16(1000).length),
    [120, 72, 91],
  );
  assert.deepEqual([reader.u8(), reader.vector16(100).length, reader.u8()], [1, 6, TPM_REGISTERS.length]);
  const quote = log.find((line) => line.startsWith('tpm2_quote')) ?? '';
  assert.ok(quote.includes(`-q ${encodeHex(nonce)} `));
  assert.ok(quote.includes(`-l sha256:${TPM_REGISTERS.join(',')} `));
  const refused = { code: 'evidence-malformed', rule: 'EV-466' };
  for (const length of [0, 31, 33, 64]) await assert.rejects(collectWith(13, new Uint8Array(length)), refused);
});

test('EV-467 a TPM gives every register that was asked for', async () => {
  const refused = { code: 'evidence-malformed', rule: 'EV-467' };
  for (const registers of [0, TPM_REGISTERS.length - 1, TPM_REGISTERS.length + 1]) {
    await assert.rejects(collectWith(registers, nonce), refused);
  }
});

test('EV-467 files of the tools are removed, and a folder of the program’s own holds them', async () => {
  await withKernel({}, async (kernel) => {
    const log: string[] = [];
    const options = { ...tee(kernel, fakeTpmTools(TPM_REGISTERS.length, log)), eventLog: '/no/such/log' };
    const source = await openTee('tpm', options);
    assert.ok((await source.quote(nonce)).length > 600);
    const folder = /-c (\S+)\/key/.exec(log.join('\n'))?.[1] as string;
    await assert.rejects(readdir(folder), { code: 'ENOENT' });
  });
});
