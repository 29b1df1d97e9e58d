/** The same verdicts on what a browser has: WebCrypto and noble in place of node:crypto. AMD, TPM, logs and launch digests. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { after, before, test } from 'node:test';
import { readShared, skipWithoutSharedVectors as skip } from '../testing/shared-vectors.ts';

type Stages = typeof import('./stages.ts');
interface Vector {
  readonly id: string;
  readonly input?: object;
  readonly expect: 'accept' | { readonly code?: string };
}

let judge: Stages['judge'];
let verified = 0;
const { subtle } = globalThis.crypto;
const verify = subtle.verify;
const hooks = registerHooks({
  resolve: (specifier, context, next) =>
    next(specifier, { ...context, conditions: context.conditions.filter((condition) => condition !== 'node') }),
});

before(async () => {
  subtle.verify = (...args) => {
    verified++;
    return verify.apply(subtle, args);
  };
  ({ judge } = (await import('./stages.ts')) as Stages);
});
after(() => {
  subtle.verify = verify;
  hooks.deregister();
});

test('every vector of SEV-SNP, TPM, boot logs and launch digests comes to the same on WebCrypto', async (t) => {
  const files: [stage: string, file: string][] = [
    ['sev-snp', 'evidence-sev-snp/reports.json'],
    ['tpm', 'evidence-tpm/quotes.json'],
    ['event-log', 'evidence-tpm/event-logs.json'],
    ['measure-snp', 'evidence-measure/launches.json'],
  ];
  let count = 0;
  for (const [stage, file] of files) {
    const { vectors } = JSON.parse(readFileSync(new URL(`../../../vectors/${file}`, import.meta.url), 'utf8'));
    for (const vector of vectors as Vector[]) {
      const { id, rule, expect, input, ...fields } = vector as Vector & { rule: string };
      const { exit, output } = await judge(stage, () => input ?? fields);
      const code = expect === 'accept' ? undefined : expect.code;
      assert.deepEqual([exit, output.code], [code === undefined ? 0 : 10, code], `${file} ${id} ${rule}`);
      count++;
    }
  }
  t.diagnostic(`${count} vectors, ${verified} signatures on WebCrypto`);
  assert.ok(verified > 100);
});

test('genuine chains of RSA-PSS 4096 and genuine quotes hold on WebCrypto, and changed ones do not', {
  skip,
}, async () => {
  const report = readShared('sevsnp/trustee/test-vlek-report.bin');
  const vlek = readShared('sevsnp/trustee/test-vlek.der').toString('base64');
  const run = async (bytes: Buffer) => {
    const input = { report: bytes.toString('base64'), vlek, time: 1_750_000_000, policy: { kind: 'signature-only' } };
    const { exit, output } = await judge('sev-snp', () => input);
    return exit === 0 ? output.product : output.code;
  };
  assert.equal(await run(report), 'Milan');
  report[0x60] = (report[0x60] as number) ^ 1;
  assert.equal(await run(report), 'report-signature-invalid');
});
