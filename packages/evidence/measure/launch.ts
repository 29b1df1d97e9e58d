/**
 * The digest that AMD's firmware takes of a guest before its first instruction. spec/evidence-measure.md. Pure: what a release
 * publishes can be computed again by anybody, on any machine, from the files of the release.
 */
import { equalBytes } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import { JudgementError } from '../judgement-error.ts';
import { invalidInput, malformedFirmware } from './error.ts';
import { checkSections, type FirmwareLayout, type FirmwareSection, PAGE_BYTES, SECTION } from './firmware.ts';
import { HASHES_TABLE_BYTES, hashesPage, hashesTable, type MeasuredKernel } from './kernel-hashes.ts';
import { PageDigest } from './page-digest.ts';
import { FIRST_EIP, type Hypervisor, processorPage } from './processor.ts';

export const LAUNCH_MODES = ['snp', 'sev-es', 'sev'] as const;
export type LaunchMode = (typeof LAUNCH_MODES)[number];
const PROCESSORS_LIMIT_COUNT = 4096;
const FOUR_GIB = 0x1_0000_0000;

/** The firmware itself; or what a release may publish instead of it, which is enough for `snp`; or both. */
export interface LaunchFirmware extends FirmwareLayout {
  readonly bytes?: Uint8Array;
  /** `firmwareHash` of the bytes, 48 bytes. */
  readonly hash?: Uint8Array | undefined;
}

export interface Launch {
  readonly mode: LaunchMode;
  readonly hypervisor: Hypervisor;
  readonly firmware: LaunchFirmware;
  readonly processors: number;
  /** CPUID signature of the model that the guest sees (`PROCESSORS`); QEMU alone. */
  readonly processorSignature: number;
  /** As the host sets them: 1 is SNP alone. `sev-es` takes no notice of them. */
  readonly guestFeatures: bigint;
  readonly kernel: MeasuredKernel | undefined;
}

/**
 * @returns 48 bytes for `snp` (the report's measurement), 32 for `sev-es` and `sev`
 * @throws JudgementError with a `MeasureCode`
 * @example encodeHex(launchDigest({ mode: 'snp', hypervisor: 'qemu', firmware: parseFirmware(bytes), ... }))
 */
export function launchDigest(launch: Launch): Uint8Array {
  const { processors, firmware, mode } = launch;
  const isCounted = Number.isInteger(processors) && processors >= 1 && processors <= PROCESSORS_LIMIT_COUNT;
  // EV-396: each processor is measured; none, or more than there can be, is a mistake of the caller.
  if (mode !== 'sev' && !isCounted) throw invalidInput('EV-396', 'the number of processors is not 1 to 4,096');
  // EV-396: without the address at which they start, what is measured of the other processors is not known.
  if (mode !== 'sev' && processors > 1 && firmware.resetEip === undefined) {
    throw malformedFirmware('EV-396', 'the firmware starts one processor only');
  }
  return mode === 'snp' ? snpDigest(launch) : sevDigest(launch);
}

/** What the firmware's pages alone come to: published, it stands for the firmware. 48 bytes. */
export function firmwareHash(bytes: Uint8Array): Uint8Array {
  return new PageDigest().addData(FOUR_GIB - bytes.length, bytes).value;
}

function snpDigest(launch: Launch): Uint8Array {
  const { firmware, hypervisor, kernel } = launch;
  checkSections(firmware.sections);
  const hash = hashOf(firmware);
  const digest = new PageDigest(hash);
  const page = kernel && kernelPage(firmware, kernel);
  for (const section of firmware.sections) addSection(digest, section, hypervisor, page);
  // EC2's hypervisor adds the CPUID page after all others.
  const late = hypervisor === 'ec2' ? firmware.sections.filter(({ type }) => type === SECTION.cpuid) : [];
  for (const { gpa } of late) digest.addCpuid(gpa);
  for (const state of processorPages(launch, launch.guestFeatures)) digest.addProcessor(state);
  return digest.value;
}

function hashOf(firmware: LaunchFirmware): Uint8Array {
  const hash = firmware.bytes === undefined ? firmware.hash : firmwareHash(firmware.bytes);
  // EV-397: a digest of no firmware is that of another guest.
  if (hash === undefined) throw firmwareNeeded();
  // EV-399: a published hash that is not the firmware's would be believed in its place.
  if (firmware.hash !== undefined && !equalBytes(hash, firmware.hash)) {
    throw new JudgementError('firmware-hash-mismatch', 'binding', 'EV-399', 'the hash is not that of the firmware');
  }
  return hash;
}

function addSection(
  digest: PageDigest,
  { gpa, sizeBytes, type }: FirmwareSection,
  hypervisor: Hypervisor,
  kernelHashes: Uint8Array | undefined,
): void {
  if (type === SECTION.secrets) digest.addSecrets(gpa);
  else if (type === SECTION.cpuid) {
    if (hypervisor !== 'ec2') digest.addCpuid(gpa);
  } else if (type === SECTION.kernelHashes && kernelHashes !== undefined) digest.addData(gpa, kernelHashes);
  else if (type === SECTION.memory && hypervisor === 'gce') digest.addUnmeasured(gpa, sizeBytes);
  else digest.addZeros(gpa, sizeBytes);
}

function kernelPage(firmware: LaunchFirmware, kernel: MeasuredKernel): Uint8Array {
  const hasPage = firmware.sections.some(({ type }) => type === SECTION.kernelHashes);
  const table = firmware.hashesTableGpa;
  // EV-393: such firmware boots whatever kernel it is given, and the digest would say nothing of it.
  if (!hasPage || table === undefined) throw kernelNotMeasured();
  const offset = table % PAGE_BYTES;
  // EV-394: the host writes one page; what of the table is not in it is not measured.
  if (offset + HASHES_TABLE_BYTES > PAGE_BYTES) {
    throw malformedFirmware('EV-394', 'the table of hashes does not fit into its page');
  }
  return hashesPage(kernel, offset);
}

function sevDigest(launch: Launch): Uint8Array {
  const { firmware, kernel, mode } = launch;
  // EV-397: these digests are taken over the bytes themselves.
  if (firmware.bytes === undefined) throw firmwareNeeded();
  // EV-393: such firmware boots whatever kernel it is given, and the digest would say nothing of it.
  if (kernel !== undefined && firmware.hashesTableGpa === undefined) throw kernelNotMeasured();
  const table = kernel === undefined ? [] : [hashesTable(kernel)];
  const states = mode === 'sev-es' ? processorPages(launch, 0n) : [];
  return sha256(firmware.bytes, ...table, ...states);
}

function processorPages(launch: Launch, guestFeatures: bigint): Uint8Array[] {
  const { hypervisor, processors, processorSignature: signature, firmware } = launch;
  const common = { hypervisor, guestFeatures, signature };
  const first = processorPage({ ...common, eip: FIRST_EIP });
  const others = processorPage({ ...common, eip: firmware.resetEip ?? 0 });
  return Array.from({ length: processors }, (_, index) => (index === 0 ? first : others));
}

function firmwareNeeded(): JudgementError {
  return new JudgementError('firmware-needed', 'format', 'EV-397', 'this digest is taken over the firmware itself');
}

function kernelNotMeasured(): JudgementError {
  const message = 'a kernel is given, and the firmware does not measure it';
  return new JudgementError('kernel-not-measured', 'policy', 'EV-393', message);
}
