/** A whole bundle of a development machine, as a node makes one for each epoch. spec/evidence.md §dev. */
import type { EvidenceSource } from '@sotto/ports';
import { type Binding, encodeBinding, reportDataOf } from '../binding.ts';
import { encodeEvidenceBundle, evidenceDigest } from '../bundle.ts';
import { createDevStatement } from './statement.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** The `EvidenceSource` of a development machine. Lengths as in `createDevStatement`. */
export function createDevEvidenceSource(options: {
  readonly privateKey: Uint8Array;
  readonly measurement: Uint8Array;
}): EvidenceSource {
  return { platform: 'dev', quote: (reportData) => createDevStatement({ ...options, reportData }) };
}

/**
 * Binds, quotes and bundles.
 *
 * @param options.binding with a device-evidence digest of zeros: a development machine quotes no devices
 * @returns the bundle and its digest (32 bytes)
 */
export async function createDevEvidence(options: {
  readonly source: EvidenceSource;
  readonly binding: Binding;
}): Promise<{ readonly bundle: Bytes; readonly digest: Bytes }> {
  const binding = encodeBinding(options.binding);
  const statement = await options.source.quote(reportDataOf(binding));
  const bundle = encodeEvidenceBundle({ binding, platform: 'dev', statement, devices: [] });
  return { bundle, digest: evidenceDigest(bundle) };
}
