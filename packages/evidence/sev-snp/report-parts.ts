/**
 * The parts of a SEV-SNP report that are more than bytes: bits, versions, the processor, numbers of the signature. The report as a whole
 * is read in report.ts. spec/evidence-sev-snp.md §report. Hostile.
 */
import type { LittleEndianReader } from '../little-endian.ts';
import { malformedReport } from './error.ts';
import type { SnpProduct } from './tcb.ts';

const SCALAR_BYTES = 48;
const SCALAR_FIELD_BYTES = 72;
/** Policy bits above this one are not defined. */
const LAST_POLICY_BIT = 25n;
const LAST_VMPL = 3;

export type SnpReportVersion = 2 | 3 | 4 | 5;

export interface SnpPlatformInfo {
  readonly smtEnabled: boolean;
  readonly tsmeEnabled: boolean;
  readonly eccEnabled: boolean;
  readonly raplDisabled: boolean;
  readonly ciphertextHidingEnabled: boolean;
  readonly aliasCheckComplete: boolean;
  readonly tioEnabled: boolean;
}

/** What the guest's owner allowed at launch. */
export interface SnpGuestPolicy {
  /** Lowest version of the firmware's interface. */
  readonly abiMajor: number;
  readonly abiMinor: number;
  readonly smtAllowed: boolean;
  /** An agent may move the guest to another machine. */
  readonly migrationAllowed: boolean;
  readonly debugAllowed: boolean;
  readonly singleSocketRequired: boolean;
  readonly cxlAllowed: boolean;
  readonly aes256XtsRequired: boolean;
  readonly raplDisabledRequired: boolean;
  readonly ciphertextHidingRequired: boolean;
  readonly pageSwapDisabled: boolean;
}

/** Build, minor and major of the firmware, such as 1.55 build 29. */
export interface SnpFirmwareVersion {
  readonly build: number;
  readonly minor: number;
  readonly major: number;
}

export interface SnpFlags {
  readonly authorKeyEnabled: boolean;
  /** The chip id is hidden, and all zeros. */
  readonly chipKeyMasked: boolean;
  readonly signer: 'vcek' | 'vlek';
}

export function readVersion(reader: LittleEndianReader): SnpReportVersion {
  const version = reader.u32();
  // EV-181: where the fields of another version stand is not known.
  if (version < 2 || version > 5) throw malformedReport('EV-181', 'the report is not of version 2 to 5');
  return version as SnpReportVersion;
}

export function skipZeros(reader: LittleEndianReader, lengthBytes: number): void {
  const isZero = reader.take(lengthBytes).every((byte) => byte === 0);
  // EV-182: a version of the format that we do not know may say something here that matters.
  if (!isZero) throw malformedReport('EV-182', 'a reserved field of the report is not zero');
}

export function readPolicy(bits: bigint): SnpGuestPolicy {
  const has = (bit: bigint) => ((bits >> bit) & 1n) === 1n;
  const isKnown = has(17n) && bits >> (LAST_POLICY_BIT + 1n) === 0n;
  // EV-183: a permission that is not known may be one to read the guest's memory.
  if (!isKnown)
    throw malformedReport('EV-183', 'the guest policy has bits that are not known, or lacks the constant one');
  return {
    abiMinor: Number(bits & 0xffn),
    abiMajor: Number((bits >> 8n) & 0xffn),
    smtAllowed: has(16n),
    migrationAllowed: has(18n),
    debugAllowed: has(19n),
    singleSocketRequired: has(20n),
    cxlAllowed: has(21n),
    aes256XtsRequired: has(22n),
    raplDisabledRequired: has(23n),
    ciphertextHidingRequired: has(24n),
    pageSwapDisabled: has(25n),
  };
}

export function readVmpl(reader: LittleEndianReader): number {
  const vmpl = reader.u32();
  // EV-184: above 3 it was the host that asked for the report, and its report data is not the guest's.
  if (vmpl > LAST_VMPL) throw malformedReport('EV-184', 'the report was not asked for by a guest');
  return vmpl;
}

/** Bits that are not defined are let through: they tell of the platform and permit nothing. */
export function readPlatformInfo(bits: bigint): SnpPlatformInfo {
  const has = (bit: bigint) => ((bits >> bit) & 1n) === 1n;
  return {
    smtEnabled: has(0n),
    tsmeEnabled: has(1n),
    eccEnabled: has(2n),
    raplDisabled: has(3n),
    ciphertextHidingEnabled: has(4n),
    aliasCheckComplete: has(5n),
    tioEnabled: has(7n),
  };
}

export function readFlags(flags: number): SnpFlags {
  const signer = (flags >> 2) & 7;
  // EV-186: a report that nobody signed (7), or a key of another kind, proves nothing.
  if (signer > 1 || flags >>> 5 !== 0) throw malformedReport('EV-186', 'the report names no signer that is known');
  return {
    authorKeyEnabled: (flags & 1) === 1,
    chipKeyMasked: (flags & 2) === 2,
    signer: signer === 0 ? 'vcek' : 'vlek',
  };
}

/** Family, model and stepping, since version 3; before, zeros. */
export function readProcessor(
  reader: LittleEndianReader,
  version: SnpReportVersion,
): { product: SnpProduct | undefined; isTurin: boolean } {
  if (version === 2) {
    skipZeros(reader, 24);
    return { product: undefined, isTurin: false };
  }
  const family = reader.u8();
  const model = reader.u8();
  reader.u8();
  skipZeros(reader, 21);
  const product = productOf(family, model);
  return { product, isTurin: family === 0x1a };
}

function productOf(family: number, model: number): SnpProduct | undefined {
  if (family === 0x1a) return model <= 0x1f ? 'Turin' : undefined;
  if (family !== 0x19) return undefined;
  if (model <= 0x0f) return 'Milan';
  return model <= 0x1f || (model >= 0xa0 && model <= 0xaf) ? 'Genoa' : undefined;
}

export function readFirmwareVersion(reader: LittleEndianReader): SnpFirmwareVersion {
  const version = { build: reader.u8(), minor: reader.u8(), major: reader.u8() };
  skipZeros(reader, 1);
  return version;
}

export function readMitigations(reader: LittleEndianReader, version: SnpReportVersion): [bigint, bigint] {
  if (version >= 4) return [reader.u64(), reader.u64()];
  skipZeros(reader, 16);
  return [0n, 0n];
}

/** A number of the signature: little-endian, in a field that has room for larger curves. */
export function readScalar(reader: LittleEndianReader): Uint8Array {
  const bytes = reader.take(SCALAR_FIELD_BYTES);
  const isShort = bytes.subarray(SCALAR_BYTES).every((byte) => byte === 0);
  // EV-187: a number that is cut to its curve's length is another number.
  if (!isShort) throw malformedReport('EV-187', 'a number of the signature is longer than its curve');
  return bytes.slice(0, SCALAR_BYTES).reverse();
}
