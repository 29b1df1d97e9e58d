/** A node's whole bundle, whatever hardware it has: devices first, then the platform over everything (spec/evidence-collect.md). */
import { ByteWriter, encodeUtf8 } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import type { DeviceEvidenceSource, EvidenceSource } from '@sotto/ports';
import { type Binding, deviceNonceOf, encodeBinding, reportDataOf } from '../binding.ts';
import { type DeviceEvidence, encodeEvidenceBundle, evidenceDigest } from '../bundle.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const DEVICES_LABEL = encodeUtf8('sotto/device-evidence/v1');

/**
 * What the binding says of the devices: SHA-256 over the label and each device's kind and evidence, all behind their lengths;
 * zeros when there are none (EV-468).
 */
export function deviceEvidenceDigest(devices: readonly DeviceEvidence[]): Bytes {
  if (devices.length === 0) return new Uint8Array(32);
  const writer = new ByteWriter(1024).vector16(DEVICES_LABEL).u8(devices.length);
  for (const { deviceKind, evidence } of devices) writer.vector16(encodeUtf8(deviceKind)).vector32(evidence);
  return sha256(writer.finish());
}

/**
 * Quotes the devices, binds what they said, quotes the platform, and bundles (EV-469).
 *
 * @param options.devices absent where the machine has none
 * @returns the bundle and its digest (32 bytes)
 */
export async function createEvidence(options: {
  readonly source: EvidenceSource;
  readonly devices?: DeviceEvidenceSource;
  readonly binding: Omit<Binding, 'deviceEvidenceDigest'>;
}): Promise<{ readonly bundle: Bytes; readonly digest: Bytes }> {
  const { source, binding: parts } = options;
  const nonce = deviceNonceOf(parts);
  const devices = (await options.devices?.collect(nonce)) ?? [];
  const binding = encodeBinding({ ...parts, deviceEvidenceDigest: deviceEvidenceDigest(devices) });
  const statement = await source.quote(source.platform === 'tpm' ? nonce : reportDataOf(binding));
  const bundle = encodeEvidenceBundle({ binding, platform: source.platform, statement, devices });
  return { bundle, digest: evidenceDigest(bundle) };
}
