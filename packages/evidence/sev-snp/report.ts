/**
 * An attestation report of SEV-SNP, versions 2 to 5 (AMD publication 56860). spec/evidence-sev-snp.md §report. Made by the machine's
 * security processor, handed over by anyone: nothing in it is believed before `verifySevSnp` has checked who signed it.
 */
import { concatBytes } from '@sotto/bytes';
import { LittleEndianReader } from '../little-endian.ts';
import { malformedReport } from './error.ts';
import { readTcb, type SnpProduct, type SnpTcb } from './tcb.ts';

export const REPORT_BYTES = 1184;
const SIGNED_BYTES = 0x2a0;
const SCALAR_BYTES = 48;
const SCALAR_FIELD_BYTES = 72;
const ECDSA_P384_SHA384 = 1;
/** Policy bits above this one are not defined. */
const LAST_POLICY_BIT = 25n;
const LAST_VMPL = 3;

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

/** Everything that a report says; hex names of AMD's in comments where ours differ. */
export interface SnpReport {
  readonly version: 2 | 3 | 4 | 5;
  readonly guestSvn: number;
  readonly policyBytes: Uint8Array;
  readonly policy: SnpGuestPolicy;
  readonly familyId: Uint8Array;
  readonly imageId: Uint8Array;
  /** 0 to 3; 0 is the most privileged. */
  readonly vmpl: number;
  readonly currentTcb: SnpTcb;
  readonly platformInfo: SnpPlatformInfo;
  readonly authorKeyEnabled: boolean;
  /** The chip id is hidden, and all zeros. */
  readonly chipKeyMasked: boolean;
  readonly signer: 'vcek' | 'vlek';
  /** 64 bytes. */
  readonly reportData: Uint8Array;
  /** 48 bytes: the launch digest. */
  readonly measurement: Uint8Array;
  readonly hostData: Uint8Array;
  readonly idKeyDigest: Uint8Array;
  readonly authorKeyDigest: Uint8Array;
  readonly reportId: Uint8Array;
  readonly reportIdMigrationAgent: Uint8Array;
  readonly reportedTcb: SnpTcb;
  /** From family and model; undefined for version 2, which does not say, and for a processor that is not known. */
  readonly product: SnpProduct | undefined;
  /** 64 bytes; on Turin the first 8 are used. */
  readonly chipId: Uint8Array;
  readonly committedTcb: SnpTcb;
  readonly currentFirmware: SnpFirmwareVersion;
  readonly committedFirmware: SnpFirmwareVersion;
  readonly launchTcb: SnpTcb;
  /** From version 4 on. */
  readonly launchMitigations: bigint;
  readonly currentMitigations: bigint;
  readonly signedBytes: Uint8Array;
  /** r ‖ s, big-endian, 96 bytes. */
  readonly signature: Uint8Array;
}

/** @throws JudgementError `report-malformed` */
export function parseSnpReport(bytes: Uint8Array): SnpReport {
  // EV-180: a byte more or less, and every field behind it is another one.
  if (bytes.length !== REPORT_BYTES) throw malformedReport('EV-180', 'the report is not 1,184 bytes long');
  const reader = new LittleEndianReader(bytes);
  const version = readVersion(reader);
  const guestSvn = reader.u32();
  const policyBytes = reader.take(8);
  const policy = readPolicy(new LittleEndianReader(policyBytes).u64());
  const familyId = reader.take(16);
  const imageId = reader.take(16);
  const vmpl = readVmpl(reader);
  const algorithm = reader.u32();
  // EV-185: a signature of another kind cannot be checked here.
  if (algorithm !== ECDSA_P384_SHA384) throw malformedReport('EV-185', 'the signature is not ECDSA over P-384');
  const currentTcb = reader.take(8);
  const platformInfo = readPlatformInfo(reader.u64());
  const flags = readFlags(reader.u32());
  skipZeros(reader, 4);
  const reportData = reader.take(64);
  const measurement = reader.take(48);
  const hostData = reader.take(32);
  const idKeyDigest = reader.take(48);
  const authorKeyDigest = reader.take(48);
  const reportId = reader.take(32);
  const reportIdMigrationAgent = reader.take(32);
  const reportedTcb = reader.take(8);
  const { product, isTurin } = readProcessor(reader, version);
  const chipId = reader.take(64);
  const committedTcb = reader.take(8);
  const currentFirmware = readFirmwareVersion(reader);
  const committedFirmware = readFirmwareVersion(reader);
  const launchTcb = reader.take(8);
  const [launchMitigations, currentMitigations] = readMitigations(reader, version);
  skipZeros(reader, SIGNED_BYTES - reader.offset);
  const signature = concatBytes(readScalar(reader), readScalar(reader));
  // EV-187: these bytes are not signed; anything in them could be changed unseen.
  if (reader.rest().some((byte) => byte !== 0)) throw malformedReport('EV-187', 'bytes follow the signature');
  return {
    version,
    guestSvn,
    policyBytes,
    policy,
    familyId,
    imageId,
    vmpl,
    currentTcb: readTcb(currentTcb, isTurin),
    platformInfo,
    ...flags,
    reportData,
    measurement,
    hostData,
    idKeyDigest,
    authorKeyDigest,
    reportId,
    reportIdMigrationAgent,
    reportedTcb: readTcb(reportedTcb, isTurin),
    product,
    chipId,
    committedTcb: readTcb(committedTcb, isTurin),
    currentFirmware,
    committedFirmware,
    launchTcb: readTcb(launchTcb, isTurin),
    launchMitigations,
    currentMitigations,
    signedBytes: bytes.slice(0, SIGNED_BYTES),
    signature,
  };
}

function readVersion(reader: LittleEndianReader): SnpReport['version'] {
  const version = reader.u32();
  // EV-181: where the fields of another version stand is not known.
  if (version < 2 || version > 5) throw malformedReport('EV-181', 'the report is not of version 2 to 5');
  return version as SnpReport['version'];
}

function skipZeros(reader: LittleEndianReader, lengthBytes: number): void {
  const isZero = reader.take(lengthBytes).every((byte) => byte === 0);
  // EV-182: a version of the format that we do not know may say something here that matters.
  if (!isZero) throw malformedReport('EV-182', 'a reserved field of the report is not zero');
}

function readPolicy(bits: bigint): SnpGuestPolicy {
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

function readVmpl(reader: LittleEndianReader): number {
  const vmpl = reader.u32();
  // EV-184: above 3 it was the host that asked for the report, and its report data is not the guest's.
  if (vmpl > LAST_VMPL) throw malformedReport('EV-184', 'the report was not asked for by a guest');
  return vmpl;
}

/** Bits that are not defined are let through: they tell of the platform and permit nothing. */
function readPlatformInfo(bits: bigint): SnpPlatformInfo {
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

function readFlags(flags: number): Pick<SnpReport, 'authorKeyEnabled' | 'chipKeyMasked' | 'signer'> {
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
function readProcessor(
  reader: LittleEndianReader,
  version: SnpReport['version'],
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

function readFirmwareVersion(reader: LittleEndianReader): SnpFirmwareVersion {
  const version = { build: reader.u8(), minor: reader.u8(), major: reader.u8() };
  skipZeros(reader, 1);
  return version;
}

function readMitigations(reader: LittleEndianReader, version: SnpReport['version']): [bigint, bigint] {
  if (version >= 4) return [reader.u64(), reader.u64()];
  skipZeros(reader, 16);
  return [0n, 0n];
}

/** A number of the signature: little-endian, in a field that has room for larger curves. */
function readScalar(reader: LittleEndianReader): Uint8Array {
  const bytes = reader.take(SCALAR_FIELD_BYTES);
  const isShort = bytes.subarray(SCALAR_BYTES).every((byte) => byte === 0);
  // EV-187: a number that is cut to its curve's length is another number.
  if (!isShort) throw malformedReport('EV-187', 'a number of the signature is longer than its curve');
  return bytes.slice(0, SCALAR_BYTES).reverse();
}
