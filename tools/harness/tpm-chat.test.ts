/** A node whose TPM speaks for it, from its door to `sotto chat --policy FILE`: the real enclave and server, a TPM of the test. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { scriptedEngine } from '@sotto/testkit';
import { startEnclave } from '../../apps/enclave/start.ts';
import { FAKE_TPM_POLICY, fakeTpm } from './fake-tpm.ts';
import { type StartedProcess, startProcess } from './process.ts';

const ROOT = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'sotto-tpm-chat-'));
let enclave: Awaited<ReturnType<typeof startEnclave>>;
let server: StartedProcess<{ readonly url: string }>;

before(async () => {
  const tee = { runTool: fakeTpm, reportFolder: join(folder, 'none'), eventLog: join(folder, 'none') };
  enclave = await startEnclave({
    engine: scriptedEngine({ tokensPerSecond: 100 }),
    dataDir: join(folder, 'enclave'),
    evidence: { kind: 'tpm', gpus: false, tee },
  });
  server = await startProcess(join(ROOT, 'apps/server/main.ts'), {
    args: [
      ...['--port', '0', '--data', join(folder, 'server'), '--node', enclave.url],
      ...['--web', join(ROOT, 'apps/web/dist')],
    ],
  });
});

after(async () => {
  await server.stop();
  await enclave.close();
  rmSync(folder, { recursive: true });
});

async function run(
  command: 'chat' | 'verify',
  policy: object,
): Promise<{ code: unknown; out: string; errors: string }> {
  const file = join(folder, 'policy.json');
  writeFileSync(file, JSON.stringify(policy));
  const words = [command, server.ready.url, '--policy', file, '--data', folder];
  const child = spawn(process.execPath, [join(ROOT, 'apps/cli/sotto.js'), ...words]);
  let [out, errors] = ['', ''];
  child.stdout.on('data', (chunk) => (out += chunk));
  child.stderr.on('data', (chunk) => (errors += chunk));
  child.stdin.end('my words\n');
  const code = await new Promise((resolve) => child.once('close', resolve));
  return { code, out, errors };
}

test('EV-63 a machine whose pinned TPM says what was started there is talked to, and not called private', async () => {
  const { code, out, errors } = await run('chat', FAKE_TPM_POLICY);
  assert.equal(code, 0, errors);
  assert.match(out, /Echo: my words/);
  assert.match(errors, /trust: tpm-test/);
  assert.match(errors, /not private from whoever runs it/);
});

test('EV-38 `sotto verify ADDRESS --policy FILE` judges the machine by that policy, and by nothing else', async () => {
  const { code, out, errors } = await run('verify', FAKE_TPM_POLICY);
  assert.equal(code, 0, errors);
  assert.match(out, /yes EV-38 .*\n(.*\n)*.*yes EV-435 /);
  assert.match(out, /Checked\. Its TPM says what was started there/);
  assert.equal((await run('verify', { ...FAKE_TPM_POLICY, attestationKeys: ['00'.repeat(32)] })).code, 76);
});

test('EV-432 the same machine is told nothing when another program was started on it', async () => {
  const { code, out, errors } = await run('chat', { ...FAKE_TPM_POLICY, measurements: [{ 4: '00'.repeat(32) }] });
  assert.equal(code, 76, out + errors);
  assert.match(errors, /rule EV-432/);
  assert.equal(out, '');
});

test('EV-33 the same machine is told nothing by somebody who asks for TDX', async () => {
  const measurements = [{ mrtd: '11'.repeat(48), rtmrs: ['20', '21', '22'].map((octet) => octet.repeat(48)) }];
  const tcb = { statuses: ['UpToDate'], minimumEvaluation: 0 };
  const { code, errors } = await run('chat', { kind: 'tdx', version: 1, measurements, tcb });
  assert.equal(code, 76, errors);
  assert.match(errors, /rule EV-33/);
});
