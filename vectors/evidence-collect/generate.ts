/**
 * Writes what the helper of the image answers to each question (spec/evidence-collect.md §helper), as recorded from fakes under
 * test roots: no machine with such hardware was at hand. Deterministic.
 *
 *   node vectors/evidence-collect/generate.ts
 */
import { writeFileSync } from 'node:fs';
import { encodeBase64 } from '@sotto/bytes';
import { deviceChainFake, encodeReportFake, gpuFields, testDigest } from '@sotto/testkit/evidence-nvidia';

const FORMAT = 'sotto-collect/v1';
const nonce = testDigest('nonce').slice(0, 32);
const measurements = Array.from({ length: 6 }, (_, i) => testDigest(`measurement ${i}`));
const report = encodeReportFake({ label: 'gpu 1', nonce, measurements, opaque: gpuFields() });
const certificates = deviceChainFake({ label: 'gpu 1' }).map(encodeBase64);
const filled = (length: number, at: number) => {
  const bytes = new Uint8Array(length).fill(0xa5);
  bytes.set(testDigest('report data'), at);
  return encodeBase64(bytes);
};

function write(name: string, answer: object): void {
  writeFileSync(
    new URL(`${name}.json`, import.meta.url),
    `${JSON.stringify({ format: FORMAT, ...answer }, null, 1)}\n`,
  );
}
write('nvidia', { kind: 'nvidia', devices: [{ report: encodeBase64(report), certificates }] });
write('sev-snp', { kind: 'sev-snp', report: filled(1184, 0x50), certificates: 'AQID' });
write('tdx', { kind: 'tdx', report: filled(5000, 48 + 520) });
