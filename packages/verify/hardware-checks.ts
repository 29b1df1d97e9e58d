/**
 * Judgements of class `tcb` and `policy` over what a platform's verifier established. spec/evidence.md §hardware. The claims are
 * signed by the vendor's hardware; whether they are good enough is the person's to say, in the policy.
 */
import { encodeHex } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import type { GpuDemands, Root, SnpPolicy, SnpProduct, SnpTcb, TdxPolicy, TpmTestPolicy } from './hardware-policy.ts';
import { HARDWARE_CHECKS as CHECKS } from './hardware-rules.ts';
import type { ReportBuilder } from './report-builder.ts';

export interface TdxClaims {
  /** In Intel's words; undefined when no collateral was judged. */
  readonly tcbStatus: string | undefined;
  readonly advisoryIds: readonly string[];
  /** Of the TCB info and the QE identity, the lower one. */
  readonly evaluationNumber: number | undefined;
  readonly mrtd: Uint8Array;
  /** 0 to 3. */
  readonly rtmrs: readonly Uint8Array[];
  readonly ppid: Uint8Array | undefined;
}

export interface SnpClaims {
  readonly product: SnpProduct;
  readonly measurement: Uint8Array;
  readonly reportedTcb: SnpTcb;
  readonly debug: boolean;
  readonly migratable: boolean;
  readonly provisionalFirmware: boolean;
  readonly vmpl: number;
  readonly smt: boolean;
  readonly ciphertextHiding: boolean;
  readonly aliasCheckComplete: boolean;
  /** Number of AMD's revocation list; undefined where none was shown. */
  readonly crlNumber: bigint | undefined;
  readonly chipId: Uint8Array;
}

export interface GpuClaims {
  readonly architecture: string;
  readonly rim: 'match' | 'absent';
  readonly ocsp: 'good' | 'absent';
}

export interface TpmClaims {
  /** SHA-256 of the attestation key's SPKI. */
  readonly attestationKey: Uint8Array;
  readonly registers: ReadonlyMap<number, Uint8Array>;
}

const yes = (value: boolean, text: string) => (value ? text : `not ${text}`);

/** @throws VerifyError of class `tcb` or `policy` */
export function judgeTdx(report: ReportBuilder, policy: TdxPolicy, claims: TdxClaims): void {
  const { statuses, acceptedAdvisories, minimumEvaluation } = policy.tcb;
  const status = claims.tcbStatus ?? 'unknown';
  report.begin(CHECKS.tdxStatus, status, statuses.join(', '));
  // EV-420: a platform with known holes signs as well as one without.
  if (!statuses.some((accepted) => accepted === claims.tcbStatus)) throw report.refuse();

  const open = claims.advisoryIds.filter((id) => !acceptedAdvisories.includes(id));
  report.begin(CHECKS.tdxAdvisories, open.join(', ') || 'none open', 'none that the policy does not accept');
  // EV-421: an advisory is a hole with a name; accepting it is a decision that somebody must have made.
  if (open.length > 0) throw report.refuse();

  const evaluation = claims.evaluationNumber ?? -1;
  report.begin(CHECKS.tdxEvaluation, String(claims.evaluationNumber ?? 'none'), `at least ${minimumEvaluation}`);
  // EV-422: under last year's list every platform is up to date.
  if (evaluation < minimumEvaluation) throw report.refuse();

  const [mrtd, rtmrs] = [encodeHex(claims.mrtd), claims.rtmrs.slice(0, 3).map(encodeHex)];
  judgeMeasurement(
    report,
    [mrtd, ...rtmrs].join(' '),
    policy.measurements.map((m) => [m.mrtd, ...m.rtmrs].join(' ')),
  );
  judgeMachine(report, policy.knownMachines, claims.ppid);
}

/** @throws VerifyError of class `tcb` or `policy` */
export function judgeSnp(report: ReportBuilder, policy: SnpPolicy, claims: SnpClaims): void {
  const generation = policy.generations[claims.product];
  const floor = generation?.minimumTcb;
  const isBelow = TCB_PARTS.some((part) => (claims.reportedTcb[part] ?? -1) < (floor?.[part] ?? -1));
  report.begin(CHECKS.snpTcb, describeTcb(claims.reportedTcb), floor ? `at least ${describeTcb(floor)}` : 'none given');
  // EV-426: firmware with known holes signs as well as firmware without.
  if (isBelow) throw report.refuse();

  report.begin(CHECKS.provisional, yes(claims.provisionalFirmware, 'provisional'), 'not provisional');
  // EV-427: firmware that is not committed can be rolled back under a running machine.
  if (claims.provisionalFirmware) throw report.refuse();

  report.begin(CHECKS.generation, claims.product, Object.keys(policy.generations).join(', '));
  // EV-428: keys were taken out of some generations; what they sign proves little.
  if (generation === undefined) throw report.refuse();

  judgeDebug(report, claims.debug);
  judgeMigration(report, claims.migratable);
  report.begin(CHECKS.vmpl, String(claims.vmpl), '0');
  // EV-429: above level 0 other software of the same machine can read what this one holds.
  if (claims.vmpl !== 0) throw report.refuse();

  report.begin(CHECKS.smt, claims.smt ? 'on' : 'off', policy.smt === 'refused' ? 'off' : 'on or off');
  // EV-430: a sibling thread of somebody else's shares caches with the machine.
  if (claims.smt && policy.smt === 'refused') throw report.refuse();

  const isHidingRequired = policy.ciphertextHiding === 'required';
  report.begin(CHECKS.hiding, claims.ciphertextHiding ? 'on' : 'off', isHidingRequired ? 'on' : 'on or off');
  // EV-431: whoever sees the ciphertext of memory change can read keys from the pattern.
  if (isHidingRequired && !claims.ciphertextHiding) throw report.refuse();

  const isAliasCheckRequired = policy.aliasCheck === 'required';
  report.begin(CHECKS.aliases, yes(claims.aliasCheckComplete, 'done'), isAliasCheckRequired ? 'done' : 'done or not');
  // EV-434: memory that answers under two addresses is read by whoever has the other one.
  if (isAliasCheckRequired && !claims.aliasCheckComplete) throw report.refuse();

  const isListRequired = policy.revocation === 'required';
  report.begin(
    CHECKS.revocationList,
    claims.crlNumber === undefined ? 'not shown' : `list ${claims.crlNumber}`,
    isListRequired ? 'shown' : 'shown or not',
  );
  // EV-419: without the list, a key that was given up passes for one that was not.
  if (isListRequired && claims.crlNumber === undefined) throw report.refuse();

  const allowed = policy.measurements.map(({ measurement }) => measurement);
  judgeMeasurement(report, encodeHex(claims.measurement), allowed);
  judgeMachine(report, policy.knownMachines, claims.chipId);
}

/** @throws VerifyError of class `policy` */
export function judgeTpm(report: ReportBuilder, policy: TpmTestPolicy, claims: TpmClaims): void {
  const key = encodeHex(claims.attestationKey);
  report.begin(CHECKS.attestationKey, key, policy.attestationKeys.join(', '));
  // EV-435: anybody can make a TPM in software; only the pinned one is meant.
  if (!policy.attestationKeys.includes(key)) throw report.refuse();

  const matches = (registers: Readonly<Record<string, string>>) =>
    Object.entries(registers).every(([index, value]) => {
      const found = claims.registers.get(Number(index));
      return found !== undefined && encodeHex(found) === value;
    });
  report.begin(CHECKS.measurement, `${claims.registers.size} registers`, `one of ${policy.measurements.length} sets`);
  // EV-432: another program than the ones that were read by people may do anything.
  if (!policy.measurements.some(matches)) throw report.refuse();
}

/** @throws VerifyError of class `policy` */
export function judgeGpus(report: ReportBuilder, demands: GpuDemands, gpus: readonly GpuClaims[]): void {
  report.begin(CHECKS.gpuCount, String(gpus.length), `at least ${demands.count}`);
  // EV-436: a model that runs on a processor that proves nothing is read by whoever owns it.
  if (gpus.length < demands.count) throw report.refuse();

  const isAllowed = (gpu: GpuClaims) => demands.architectures.some((name) => name === gpu.architecture);
  report.begin(CHECKS.gpuKind, gpus.map((gpu) => gpu.architecture).join(', '), demands.architectures.join(', '));
  // EV-437: a generation that the policy does not name was not thought about.
  if (!gpus.every(isAllowed)) throw report.refuse();

  report.begin(CHECKS.gpuRims, gpus.map((gpu) => gpu.rim).join(', '), demands.rims);
  // EV-438: without reference values the firmware is genuine and its content unknown.
  if (demands.rims === 'required' && gpus.some((gpu) => gpu.rim !== 'match')) throw report.refuse();

  report.begin(CHECKS.gpuOcsp, gpus.map((gpu) => gpu.ocsp).join(', '), demands.ocsp);
  // EV-439: a key that was withdrawn signs as well as before.
  if (demands.ocsp === 'required' && gpus.some((gpu) => gpu.ocsp !== 'good')) throw report.refuse();
}

/** @throws VerifyError of class `policy` */
export function judgeRoots(report: ReportBuilder, demanded: number, proven: ReadonlySet<Root>): void {
  report.begin(CHECKS.roots, [...proven].join(', ') || 'none', `at least ${demanded}`);
  // EV-440: where one maker's keys are taken, another maker's must still stand.
  if (proven.size < demanded) throw report.refuse();
}

const TCB_PARTS = ['bootLoader', 'tee', 'snp', 'microcode', 'fmc'] as const;

function describeTcb(tcb: SnpTcb): string {
  return TCB_PARTS.flatMap((part) => (tcb[part] === undefined ? [] : [`${part} ${tcb[part]}`])).join(', ');
}

function judgeDebug(report: ReportBuilder, debug: boolean): void {
  report.begin(CHECKS.debug, debug ? 'on' : 'off', 'off');
  // EV-423: with debug on, the host reads the machine's memory.
  if (debug) throw report.refuse();
}

function judgeMigration(report: ReportBuilder, migratable: boolean): void {
  report.begin(CHECKS.migration, yes(migratable, 'allowed'), 'not allowed');
  // EV-424: a machine that may be moved may be moved to where keys are read.
  if (migratable) throw report.refuse();
}

function judgeMeasurement(report: ReportBuilder, measured: string, allowed: readonly string[]): void {
  report.begin(
    CHECKS.measurement,
    measured,
    allowed.length === 1 ? (allowed[0] as string) : `one of ${allowed.length}`,
  );
  // EV-432: another program than the ones that were read by people may do anything.
  if (!allowed.includes(measured)) throw report.refuse();
}

function judgeMachine(report: ReportBuilder, known: readonly string[] | undefined, id: Uint8Array | undefined): void {
  const hash = id === undefined ? undefined : encodeHex(sha256(id));
  report.begin(CHECKS.machine, hash ?? 'not said', known === undefined ? 'any machine' : `one of ${known.length}`);
  // EV-433: a genuine machine in the wrong hands is opened by those hands; this list says whose machines are meant.
  if (known !== undefined && (hash === undefined || !known.includes(hash))) throw report.refuse();
}
