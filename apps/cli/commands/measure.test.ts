/** `sotto measure` as a person runs it: what it prints, and what it says of wrong use. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { judge } from '../conformance/stages.ts';

const script = new URL('../sotto.js', import.meta.url).pathname;
const vectors = new URL('../../../vectors/evidence-measure/launches.json', import.meta.url);
const input = JSON.parse(readFileSync(vectors, 'utf8')).vectors.find((one: { id: string }) => one.id === 'snp').input;

test('EV-398 the command prints what the stage computes from the same files', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'sotto-measure-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = (name: string, bytes: Uint8Array | string) => {
    writeFileSync(path.join(folder, name), bytes);
    return path.join(folder, name);
  };
  const [kernel, initrd] = [file('kernel', 'a kernel'), file('initrd', 'an initrd')];
  const ovmf = file('ovmf', Buffer.from(input.ovmf, 'base64'));
  const run = (...words: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, 'measure', ...words], { encoding: 'utf8' });
    return { status, stdout, stderr };
  };
  const options = ['--ovmf', ovmf, '--vcpus', '2', '--vcpu-type', 'EPYC-Genoa'];
  const started = ['--kernel', kernel, '--initrd', initrd, '--append', 'quiet'];
  const hash = (text: string) => createHash('sha256').update(text).digest('hex');
  const hashes = { kernel_hash_hex: hash('a kernel'), initrd_hash_hex: hash('an initrd'), append: 'quiet' };
  const { output } = await judge('measure-snp', () => ({ ...input, ...hashes }));

  assert.deepEqual(run(...options, ...started), { status: 0, stdout: `${output.digest_hex}\n`, stderr: '' });
  const { digest, ovmf_hash, ...published } = JSON.parse(run(...options, ...started, '--json').stdout);
  assert.equal(digest, output.digest_hex);
  const { kernel_hash, initrd_hash, append, ...layout } = published;
  assert.deepEqual([kernel_hash, initrd_hash, append], Object.values(hashes));
  const again = {
    ...layout,
    ...hashes,
    ovmf_hash_hex: ovmf_hash,
    vcpus: 2,
    vcpu_type: 'EPYC-Genoa',
    guest_features: 1,
    mode: 'snp',
  };
  assert.deepEqual((await judge('measure-snp', () => again)).output, output);

  assert.match(run(...options).stdout, /^[0-9a-f]{96}\nNo kernel was given/);
  const wrong: [words: string[], status: number, says: RegExp][] = [
    [[], 64, /--ovmf FILE/],
    [['--ovmf', ovmf], 64, /--vcpu-type is one of: EPYC/],
    [[...options, '--mode', 'tdx'], 64, /--mode is one of: snp, sev-es, sev/],
    [[...options, '--append', 'quiet'], 64, /only with --kernel/],
    [[...options, '--guest-features', 'all'], 64, /whole number/],
    [[...options, '--kernel', path.join(folder, 'none')], 66, /cannot be read/],
    [[...options.with(1, kernel), ...started], 66, /whole pages.*EV-390/],
    [[...options.with(3, '0')], 66, /EV-396/],
  ];
  for (const [words, status, says] of wrong) {
    const result = run(...words);
    assert.equal(result.status, status, result.stderr);
    assert.match(result.stderr, says);
  }
});
