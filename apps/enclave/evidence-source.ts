/**
 * Who speaks for this machine: its hardware, or in development itself (spec/evidence-collect.md §detection). The kind is said
 * when the program is started, and never chosen by what happens to be there.
 */
import { createNativeCollector, nodeRunTool, openTee, type RunTool, type TeeOptions } from '@sotto/adapters-tee';
import { createDevEvidenceSource } from '@sotto/evidence/dev';
import { encodeNvidiaDevice, NVIDIA_DEVICE } from '@sotto/evidence/nvidia';
import type { DeviceEvidenceSource, EvidenceSource, Random } from '@sotto/ports';
import type { DevRoot } from './dev-root.ts';
import { measureSources } from './measurement.ts';

export const EVIDENCE_KINDS = ['dev', 'tdx', 'sev-snp', 'tpm'] as const;

export interface EvidenceChoice {
  readonly kind: (typeof EVIDENCE_KINDS)[number];
  /** Whether the machine's GPUs answer too. */
  readonly gpus: boolean;
  /** A test's, in the place of the machine's own. */
  readonly tee?: Partial<TeeOptions>;
}

/** @throws TeeError when the machine is not what it was started as: then it must not serve */
export async function openEvidence(
  { kind, gpus, tee }: EvidenceChoice,
  { root, random }: { readonly root: DevRoot; readonly random: Random },
): Promise<{ readonly source: EvidenceSource; readonly devices?: DeviceEvidenceSource }> {
  if (kind === 'dev') {
    const measurement = await measureSources();
    return { source: createDevEvidenceSource({ privateKey: root.privateKey, measurement }) };
  }
  const source = await openTee(kind, { random, ...tee });
  return gpus ? { source, devices: createGpuSource(tee?.runTool ?? nodeRunTool) } : { source };
}

function createGpuSource(runTool: RunTool): DeviceEvidenceSource {
  const collector = createNativeCollector(runTool);
  return {
    async collect(nonce) {
      const devices = await collector.collectDevices(nonce);
      return devices.map((device) => ({ deviceKind: NVIDIA_DEVICE, evidence: encodeNvidiaDevice(device) }));
    },
  };
}
