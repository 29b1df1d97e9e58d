/** An enclave that serves under hardware, on a fake tree of the kernel's (spec/evidence-collect.md). */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { RunTool, TeeFiles } from '@sotto/adapters-tee';
import { parseEvidenceBundle } from '@sotto/evidence';
import { deviceNonceOf, parseBinding, reportDataOf } from '@sotto/evidence/binding';
import { deviceEvidenceDigest } from '@sotto/evidence/collect';
import { parseNvidiaDevice } from '@sotto/evidence/nvidia';
import { startEnclave } from './start.ts';

/** A SEV-SNP machine in memory. */
function fakeSnp(): TeeFiles {
  const values = new Map<string, Uint8Array<ArrayBuffer>>();
  const text = (value: string) => new Uint8Array(new TextEncoder().encode(value));
  let generation = 0;
  return {
    makeFolder: async () => undefined,
    removeFolder: async () => undefined,
    async read(path) {
      const name = path.slice(path.lastIndexOf('/') + 1);
      if (name === 'provider') return text('sev_guest\n');
      if (name === 'privlevel_floor') return text('0\n');
      if (name === 'generation') return text(`${generation}\n`);
      const report = new Uint8Array(1184);
      report.set(values.get('inblob') ?? [], 0x50);
      return report;
    },
    async write(path, bytes) {
      generation++;
      values.set(path.slice(path.lastIndexOf('/') + 1), new Uint8Array(bytes));
    },
  };
}
const recording = new URL('../../vectors/evidence-collect/nvidia.json', import.meta.url);

async function start(t: TestContext, gpus: boolean, runTool: RunTool) {
  const dataDir = await mkdtemp(join(tmpdir(), 'sotto-tee-enclave-'));
  t.after(() => rm(dataDir, { recursive: true }));
  const tee = { files: fakeSnp(), reportFolder: '/fake', runTool };
  const enclave = await startEnclave({ engine: null, dataDir, evidence: { kind: 'sev-snp', gpus, tee } });
  t.after(() => enclave.close());
  const listing = await (await fetch(`${enclave.url}/node`)).json();
  return new Uint8Array(await (await fetch(`${enclave.url}/evidence/${listing.evidenceDigest}`)).arrayBuffer());
}

test('EV-469 an enclave under SEV-SNP with GPUs binds what they said, and the report is over that', async (t) => {
  const asked: string[] = [];
  const bundle = await start(t, true, async (_, args) => {
    asked.push(args.join(' '));
    return new Uint8Array(await readFile(recording));
  });
  const { platform, statement, binding, devices } = parseEvidenceBundle(bundle);
  assert.deepEqual([platform, statement.length, devices.length], ['sev-snp', 1184, 1]);
  assert.deepEqual(statement.slice(0x50, 0x90), reportDataOf(binding));
  const parsed = parseBinding(binding);
  assert.deepEqual(parsed.deviceEvidenceDigest, deviceEvidenceDigest(devices));
  assert.deepEqual(asked, [`nvidia --nonce ${Buffer.from(deviceNonceOf(parsed)).toString('hex')}`]);
  assert.equal(parseNvidiaDevice(devices[0]?.evidence ?? new Uint8Array()).certificates.length, 4);
});

test('EV-457 an enclave that is to be another kind of machine does not start', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'sotto-tee-enclave-'));
  t.after(() => rm(dataDir, { recursive: true }));
  const tee = { files: fakeSnp(), reportFolder: '/fake' };
  const started = startEnclave({ engine: null, dataDir, evidence: { kind: 'tdx', gpus: false, tee } });
  await assert.rejects(started, { code: 'evidence-kind-mismatch' });
});
