/**
 * Which TCB level a machine has, and what Intel says about it (Intel PCS API version 4, "Determining TCB status"). Everything
 * here has been signed: the machine's versions by its PCK certificate and its module, the levels by Intel.
 */
import { encodeHex, equalBytes } from '@sotto/bytes';
import type { PlatformTcbLevel, QeIdentity, SvnTcbLevel, TcbInfo, TcbStatus, TdxModuleIdentity } from './collateral.ts';
import { refusal } from './error.ts';
import type { Platform } from './pck.ts';
import type { EnclaveReport, TdReport } from './reports.ts';

/** What the levels say together. */
export interface TdxTcb {
  readonly status: TcbStatus;
  /** Of platform, TDX module and quoting enclave together, each once. */
  readonly advisoryIds: readonly string[];
  /** Of the platform's level; seconds since 1970. */
  readonly tcbDate: number;
}

const unsupported = (rule: string, message: string) => refusal('tdx-tcb-unsupported', rule, message);

/**
 * The module that started the guest is one that Intel names, and is signed as Intel says.
 *
 * @throws JudgementError `tdx-module-mismatch`
 */
export function assertModule(report: TdReport, tcbInfo: TcbInfo): void {
  const identity = moduleOf(report.teeTcbSvn, tcbInfo);
  // EV-142: a module of a version that Intel does not name is not Intel's.
  if (identity === undefined) throw refusal('tdx-module-mismatch', 'EV-142', 'Intel names no such TDX module');
  // EV-142: a module that somebody else signed reports what they like.
  if (!equalBytes(identity.mrSigner, report.mrSignerSeam)) {
    throw refusal('tdx-module-mismatch', 'EV-142', 'the TDX module has another signer than Intel says');
  }
  const isAsNamed = report.seamAttributes.every(
    (octet, at) =>
      octet === 0 && ((octet ^ (identity.attributes[at] as number)) & (identity.attributesMask[at] as number)) === 0,
  );
  // EV-143: attributes of a module mark it as one for debugging.
  if (!isAsNamed) throw refusal('tdx-module-mismatch', 'EV-143', 'the TDX module has attributes');
}

/** The identity for the major version in byte 1; version 0 is described by `tdxModule` itself. */
function moduleOf(
  teeTcbSvn: Uint8Array,
  tcbInfo: TcbInfo,
): (TdxModuleIdentity & { readonly levels?: readonly SvnTcbLevel[] }) | undefined {
  const major = teeTcbSvn[1] as number;
  if (major === 0) return tcbInfo.tdxModule;
  return tcbInfo.tdxModuleIdentities.get(`TDX_${encodeHex(Uint8Array.of(major)).toUpperCase()}`);
}

/**
 * @throws JudgementError `tdx-tcb-unsupported` when no level matches, `tdx-tcb-revoked`
 */
export function evaluateTcb(
  platform: Platform,
  report: TdReport,
  qeReport: EnclaveReport,
  tcbInfo: TcbInfo,
  qeIdentity: QeIdentity,
): TdxTcb {
  const onPlatform = tcbInfo.levels.filter((level) => reachesSgx(platform, level));
  const sgxLevel = onPlatform[0];
  const level = onPlatform.find((one) => reachesTdx(report.teeTcbSvn, one));
  // EV-150: a machine that reaches no level is older than anything Intel still judges.
  if (sgxLevel === undefined || level === undefined) throw unsupported('EV-150', 'the platform reaches no TCB level');
  const module = moduleLevel(report, tcbInfo);
  const qeLevel = qeIdentity.levels.find(({ isvSvn }) => qeReport.isvSvn >= isvSvn);
  // EV-152: a quoting enclave that reaches no level is older than anything Intel still judges.
  if (qeLevel === undefined) throw unsupported('EV-152', 'the quoting enclave reaches no TCB level');

  let status = merge(level.status, module?.status);
  // EV-154: a guest that only has to be started again would be called out of date for ever.
  if (isRelaunchEnough(report, tcbInfo, sgxLevel, status, module, qeLevel)) {
    const isConfigured = needsConfiguration(sgxLevel.status) || needsConfiguration(status);
    status = isConfigured ? 'TDRelaunchAdvisedConfigurationNeeded' : 'TDRelaunchAdvised';
  }
  status = merge(status, qeLevel.status);
  // EV-155: what Intel has revoked can be imitated by others.
  if (status === 'Revoked') throw refusal('tdx-tcb-revoked', 'EV-155', 'Intel has revoked this TCB level');
  const advisoryIds = [...level.advisoryIds, ...(module?.advisoryIds ?? []), ...qeLevel.advisoryIds];
  return { status, tcbDate: level.tcbDate, advisoryIds: [...new Set(advisoryIds)] };
}

function reachesSgx({ cpuComponents, pceSvn }: Platform, level: PlatformTcbLevel): boolean {
  return pceSvn >= level.pceSvn && cpuComponents.every((svn, at) => svn >= (level.sgxComponents[at] as number));
}

/** Bytes 0 and 1 are the module's own versions: since TDX 1.5 its identity judges them, and not the platform's level. */
function reachesTdx(teeTcbSvn: Uint8Array, level: PlatformTcbLevel): boolean {
  const first = (teeTcbSvn[1] as number) > 0 ? 2 : 0;
  return teeTcbSvn.every((svn, at) => at < first || svn >= (level.tdxComponents[at] as number));
}

function moduleLevel(report: TdReport, tcbInfo: TcbInfo): SvnTcbLevel | undefined {
  const levels = moduleOf(report.teeTcbSvn, tcbInfo)?.levels;
  if (levels === undefined) return undefined;
  const level = levels.find(({ isvSvn }) => (report.teeTcbSvn[0] as number) >= isvSvn);
  // EV-151: a module that reaches no level is older than anything Intel still judges.
  if (level === undefined) throw unsupported('EV-151', 'the TDX module reaches no TCB level');
  return level;
}

/** A part that is out of date or revoked makes the whole so; configuration that is needed stays needed. */
function merge(whole: TcbStatus, part: TcbStatus | undefined): TcbStatus {
  if (part === 'Revoked') return 'Revoked';
  if (part === undefined || part === 'UpToDate') return whole;
  if (whole === 'UpToDate' || whole === 'SWHardeningNeeded') return 'OutOfDate';
  if (whole === 'ConfigurationNeeded' || whole === 'ConfigurationAndSWHardeningNeeded') {
    return 'OutOfDateConfigurationNeeded';
  }
  return whole;
}

function needsConfiguration(status: TcbStatus): boolean {
  return status.includes('Configuration');
}

/**
 * TDX 1.5: the module was updated under a running guest. All is in order now, and only the guest, started under the old one,
 * is not: it should be started again.
 */
function isRelaunchEnough(
  { teeTcbSvn2 }: TdReport,
  tcbInfo: TcbInfo,
  sgxLevel: PlatformTcbLevel,
  status: TcbStatus,
  module: SvnTcbLevel | undefined,
  qeLevel: SvnTcbLevel,
): boolean {
  const isOnlyModule =
    module?.status === 'OutOfDate' && status.startsWith('OutOfDate') && qeLevel.status === 'UpToDate';
  const isSgxGood = !sgxLevel.status.startsWith('OutOfDate') && sgxLevel.status !== 'Revoked';
  if (teeTcbSvn2 === undefined || !isOnlyModule || !isSgxGood) return false;
  const latest = tcbInfo.levels[0] as PlatformTcbLevel;
  const running = moduleOf(teeTcbSvn2, tcbInfo);
  const needed = running?.levels === undefined ? latest.tdxComponents[0] : running.levels[0]?.isvSvn;
  // EV-154: a running module that Intel does not name is not Intel's.
  if (running === undefined) throw refusal('tdx-module-mismatch', 'EV-154', 'Intel names no such running TDX module');
  const [svn = 0, , microcode = 0] = teeTcbSvn2;
  return needed !== undefined && svn >= needed && microcode >= (latest.tdxComponents[2] as number);
}
