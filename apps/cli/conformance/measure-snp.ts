/** Stage `measure-snp`: the launch digest of a guest of SEV, SEV-ES or SEV-SNP (spec/evidence-measure.md). */
import { encodeHex } from '@sotto/bytes';
import {
  type FirmwareLayout,
  HYPERVISORS,
  LAUNCH_MODES,
  type LaunchFirmware,
  launchDigest,
  PROCESSORS,
  parseFirmware,
} from '@sotto/evidence/measure';
import { base64, count, hex, list, oneOf, optional, type Read, refused, required, struct, text } from './input.ts';
import { type JsonObject, Malformed } from './outcome.ts';

const FIELDS = {
  ovmf: optional(base64()),
  ovmf_hash_hex: optional(hex(48)),
  ovmf_sections: optional(list(struct({ gpa: count, size: count, section_type: count }))),
  sev_hashes_table_gpa: optional(count),
  sev_es_reset_eip: optional(count),
  vcpus: count,
  vcpu_type: optional(oneOf(Object.keys(PROCESSORS))),
  vmm_type: optional(oneOf(HYPERVISORS)),
  kernel_hash_hex: optional(hex(32)),
  initrd_hash_hex: optional(hex(32)),
  append: optional(text),
  guest_features: count,
  mode: oneOf(LAUNCH_MODES),
};
const INPUT = struct(FIELDS);
type Input = Read<typeof FIELDS>;

export async function judgeMeasureSnp(value: unknown): Promise<JsonObject> {
  const input = INPUT(value, '');
  const hypervisor = input.vmm_type ?? 'qemu';
  const needsModel = hypervisor === 'qemu' && input.mode !== 'sev';
  const model = needsModel ? required(input.vcpu_type, 'vcpu_type') : undefined;
  const guestFeatures = BigInt(input.guest_features);
  // CF-03: the features are a register of 64 bits.
  if (guestFeatures >= 2n ** 64n) throw new Malformed('input-malformed', 'CF-03', 'expected 64 bits', 'guest_features');
  const digest = launchDigest({
    mode: input.mode,
    hypervisor,
    firmware: firmwareOf(input),
    processors: Number(input.vcpus),
    processorSignature: model === undefined ? 0 : (PROCESSORS[model] as number),
    guestFeatures,
    kernel: kernelOf(input),
  });
  return { digest_hex: encodeHex(digest) };
}

function kernelOf({ kernel_hash_hex: kernelHash, initrd_hash_hex: initrdHash, append }: Input) {
  if (kernelHash !== undefined) return { kernelHash, initrdHash, commandLine: append ?? '' };
  refused(initrdHash, 'initrd_hash_hex');
  refused(append === '' ? undefined : append, 'append');
  return undefined;
}

function firmwareOf(input: Input): LaunchFirmware {
  if (input.ovmf !== undefined) {
    for (const name of ['ovmf_sections', 'sev_hashes_table_gpa', 'sev_es_reset_eip'] as const)
      refused(input[name], name);
    return { ...parseFirmware(input.ovmf), hash: input.ovmf_hash_hex };
  }
  const layout: FirmwareLayout = {
    sections: required(input.ovmf_sections, 'ovmf_sections').map(({ gpa, size, section_type: type }) => ({
      gpa: word(gpa),
      sizeBytes: word(size),
      type: word(type),
    })),
    hashesTableGpa: orNone(required(input.sev_hashes_table_gpa, 'sev_hashes_table_gpa')),
    resetEip: orNone(required(input.sev_es_reset_eip, 'sev_es_reset_eip')),
  };
  return { ...layout, hash: required(input.ovmf_hash_hex, 'ovmf_hash_hex') };
}

function orNone(value: number | bigint): number | undefined {
  return value === 0 ? undefined : word(value);
}

/** Addresses and sizes of firmware are words of 32 bits. */
function word(value: number | bigint): number {
  // CF-03: a number that the firmware's table cannot hold names no page.
  if (value > 0xffff_ffff) throw new Malformed('input-malformed', 'CF-03', 'expected 32 bits', 'ovmf_sections');
  return Number(value);
}
