/**
 * An attestation report of SEV-SNP, versions 2 to 5 (AMD publication 56860). spec/evidence-sev-snp.md §report. Made by the machine's
 * security processor, handed over by anyone: nothing in it is believed before `verifySevSnp` has checked who signed it.
 */
import { concatBytes } from '@sotto/bytes';
import { LittleEndianReader } from '../little-endian.ts';
import { malformedReport } from './error.ts';
import {
  readFirmwareVersion,
  readFlags,
  readMitigations,
  readPlatformInfo,
  readPolicy,
  readProcessor,
  readScalar,
  readVersion,
  readVmpl,
  type SnpFirmwareVersion,
  type SnpFlags,
  type SnpGuestPolicy,
  type SnpPlatformInfo,
  type SnpReportVersion,
  skipZeros,
} from './report-parts.ts';
import { readTcb, type SnpProduct, type SnpTcb } from './tcb.ts';

export const REPORT_BYTES = 1184;
const SIGNED_BYTES = 0x2a0;
const ECDSA_P384_SHA384 = 1;

/** Everything that a report says; hex names of AMD's in comments where ours differ. */
export interface SnpReport extends SnpFlags {
  readonly version: SnpReportVersion;
  readonly guestSvn: number;
  readonly policyBytes: Uint8Array;
  readonly policy: SnpGuestPolicy;
  readonly familyId: Uint8Array;
  readonly imageId: Uint8Array;
  /** 0 to 3; 0 is the most privileged. */
  readonly vmpl: number;
  readonly currentTcb: SnpTcb;
  readonly platformInfo: SnpPlatformInfo;
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
