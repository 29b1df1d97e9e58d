/** @sotto/evidence/measure: the launch digest that a guest of SEV, SEV-ES or SEV-SNP must have. spec/evidence-measure.md. */
export type { MeasureCode, MeasureError } from './error.ts';
export { type Firmware, type FirmwareLayout, type FirmwareSection, parseFirmware } from './firmware.ts';
export type { MeasuredKernel } from './kernel-hashes.ts';
export {
  firmwareHash,
  LAUNCH_MODES,
  type Launch,
  type LaunchFirmware,
  type LaunchMode,
  launchDigest,
} from './launch.ts';
export { HYPERVISORS, type Hypervisor, PROCESSORS } from './processor.ts';
