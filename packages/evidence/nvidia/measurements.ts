/** What a device measured, against what the vendor says it should be (spec/evidence-nvidia.md §comparison). */
import { equalBytes } from '@sotto/bytes';
import { refusal } from './error.ts';
import type { ParsedReport } from './report.ts';
import type { ParsedRim, ReferenceValue } from './rim.ts';

/** The one value that says nothing while video decoder 0 is switched off. */
const DECODER_INDEX = 35;

/**
 * Holds when every active value of every manifest has a digest that the device shows in the block of the next higher index.
 *
 * @throws JudgementError `rim-conflict`, `measurement-mismatch`
 */
export function compareMeasurements(report: ParsedReport, rims: readonly ParsedRim[]): void {
  const values = rims.flatMap((rim) => rim.values.filter((value) => value.active));
  const indexes = new Set(values.map((value) => value.index));
  // EV-282: where driver and firmware both claim a measurement, neither manifest says which one is right.
  if (indexes.size !== values.length) throw refusal('rim-conflict', 'EV-282', 'two manifests judge one measurement');
  const judged = values.filter((value) => value.index !== DECODER_INDEX || report.opaque.decoderEnabled);
  const isMatch = judged.every((value) => matches(report, value));
  // EV-283: a device with other firmware than the vendor's can be genuine and still do anything.
  if (!isMatch) throw refusal('measurement-mismatch', 'EV-283', 'a measurement is not the one that the vendor states');
}

function matches(report: ParsedReport, { index, digests }: ReferenceValue): boolean {
  const shown = report.measurements[index];
  return shown !== undefined && digests.some((digest) => equalBytes(digest, shown.digest));
}
