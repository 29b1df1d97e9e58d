/**
 * Judges the statement of a machine whose hardware speaks for it, and of the devices in it, under the vendors' roots
 * (spec/evidence.md §hardware). Fetched by `judgeEvidence` when a policy asks for hardware. All but policy, roots and time is hostile.
 */
import { encodeHex, equalBytes } from '@sotto/bytes';
import { parseCertificate } from '@sotto/crypto/x509';
import { type EvidenceBundle, type FailureClass, JudgementError } from '@sotto/evidence';
import { type Binding, deviceNonceOf, reportDataOf } from '@sotto/evidence/binding';
import { deviceEvidenceDigest, parseTpmStatement } from '@sotto/evidence/collect';
import { NVIDIA_DEVICE, parseNvidiaDevice, productionRoots, verifyNvidia } from '@sotto/evidence/nvidia';
import { amdRoots, parseSnpReport, verifySevSnp } from '@sotto/evidence/sev-snp';
import { intelRoots, judgeGuest, parseTdxQuote, TCB_STATUSES, verifyTdx } from '@sotto/evidence/tdx';
import { parseTpmQuote } from '@sotto/evidence/tpm';
import type { NodeCollateral, TestRoots } from './collateral.ts';
import { showsDevices } from './dev-judge.ts';
import { type GpuClaims, judgeGpus, judgeRoots, judgeSnp, judgeTdx, judgeTpm } from './hardware-checks.ts';
import { NVIDIA_STEPS, SEV_SNP_STEPS, stepsOf, TDX_STEPS } from './hardware-platforms.ts';
import type { HardwarePolicy, Root, SnpPolicy, TdxPolicy, TpmTestPolicy } from './hardware-policy.ts';
import type { Step } from './hardware-report.ts';
import { TPM_STEPS, verifyTpmStatement } from './hardware-tpm.ts';
import type { PlatformJudge } from './platform-judge.ts';
import type { ReportBuilder } from './report-builder.ts';
import { CHECKS } from './rules.ts';
import { VendorTrial } from './vendor-trial.ts';

export interface HardwareInput<P extends HardwarePolicy = HardwarePolicy> {
  readonly policy: P;
  readonly bundle: EvidenceBundle;
  readonly binding: Binding;
  readonly collateral: NodeCollateral;
  readonly roots: TestRoots;
  readonly timeSeconds: number;
}

/** What the platform's maker and its part of the policy say. */
interface Machine {
  readonly trials: readonly VendorTrial<unknown>[];
  readonly answered: Uint8Array;
  readonly expected: Uint8Array;
  readonly root: Root;
  /** @throws VerifyError of class `tcb` or `policy`. Only after every trial was told up to there */
  demand(report: ReportBuilder): void;
}
type Devices = VendorTrial<readonly GpuClaims[]>;

const GUEST_STEP: Step = {
  failureClass: 'policy',
  rules: 'EV-161–165',
  title: 'Nobody can look into the guest, or move it',
  why: 'A guest that is debugged or moved is read by whoever does it.',
  isChecked: true,
};

/** Runs every verifier that the bundle needs; refusals are told class by class. */
export async function judgeHardware(input: HardwareInput): Promise<PlatformJudge> {
  const { policy, bundle } = input;
  if (policy.kind === 'tpm-test') return new HardwareJudge(input, await tryTpm({ ...input, policy }), undefined);
  const machine = policy.kind === 'tdx' ? await tryTdx({ ...input, policy }) : await trySnp({ ...input, policy });
  return new HardwareJudge(input, machine, bundle.devices.length > 0 ? await tryDevices(input) : undefined);
}

class HardwareJudge implements PlatformJudge {
  readonly answered: Uint8Array;
  readonly expected: Uint8Array;
  readonly showsUnproven: boolean;
  readonly #input: HardwareInput;
  readonly #machine: Machine;
  readonly #devices: Devices | undefined;

  constructor(input: HardwareInput, machine: Machine, devices: Devices | undefined) {
    this.#input = input;
    this.#machine = machine;
    this.#devices = devices;
    this.answered = machine.answered;
    this.expected = machine.expected;
    // A TPM answers to the device nonce, which covers no devices.
    this.showsUnproven = input.policy.kind === 'tpm-test' && showsDevices(input.bundle, input.binding);
  }

  judge(report: ReportBuilder, failureClass: FailureClass): void {
    if (failureClass === 'binding') this.#judgeDeviceDigest(report);
    if (failureClass === 'policy') this.#machine.demand(report);
    for (const trial of this.#machine.trials) trial.tell(report, failureClass);
    this.#devices?.tell(report, failureClass);
    if (failureClass === 'policy') this.#demandDevices(report);
  }

  #judgeDeviceDigest(report: ReportBuilder): void {
    const { policy, bundle, binding } = this.#input;
    if (policy.kind === 'tpm-test') return;
    const digest = deviceEvidenceDigest(bundle.devices);
    report.begin(CHECKS.deviceDigest, encodeHex(digest), encodeHex(binding.deviceEvidenceDigest));
    // EV-444: devices that the machine did not vouch for may be anybody's.
    if (!equalBytes(digest, binding.deviceEvidenceDigest)) throw report.refuse();
  }

  #demandDevices(report: ReportBuilder): void {
    const { policy } = this.#input;
    if (policy.kind === 'tpm-test') return;
    const gpus = this.#devices?.verdict ?? [];
    if (policy.gpus !== undefined) judgeGpus(report, policy.gpus, gpus);
    const proven: Root[] = gpus.length > 0 ? [this.#machine.root, 'nvidia'] : [this.#machine.root];
    judgeRoots(report, policy.independentRoots ?? 1, new Set(proven));
  }
}

async function tryTdx({ policy, bundle, collateral, roots, timeSeconds }: HardwareInput<TdxPolicy>): Promise<Machine> {
  const quote = bundle.statement;
  const trial = await VendorTrial.run(stepsOf(TDX_STEPS, []), () => {
    parseTdxQuote(quote);
    // EV-32: without Intel's collateral nobody says whether the processor is revoked or broken.
    if (collateral.tdx === undefined) throw missing('Intel’s collateral was not shown');
    const demands = { collateral: 'required', tcbStatuses: TCB_STATUSES, guest: 'any' } as const;
    return verifyTdx({ quote, collateral: collateral.tdx, timeSeconds, demands, roots: roots.intel ?? intelRoots() });
  });
  const { verdict } = trial;
  const guest = await VendorTrial.run([GUEST_STEP], () => verdict && judgeGuest(verdict.guest));
  return {
    trials: [trial, guest],
    answered: verdict?.quote.report.reportData ?? reportDataIn(() => parseTdxQuote(quote).report),
    expected: reportDataOf(bundle.binding),
    root: 'intel',
    demand: (report) => {
      const { quote: proven, tcb, platform, seen } = verdict as NonNullable<typeof verdict>;
      judgeTdx(report, policy, {
        tcbStatus: tcb?.status,
        advisoryIds: tcb?.advisoryIds ?? [],
        evaluationNumber: seen.evaluationDataNumber,
        mrtd: proven.report.mrTd,
        rtmrs: proven.report.rtmrs,
        ppid: platform.ppid,
      });
    },
  };
}

async function trySnp({ policy, bundle, collateral, roots, timeSeconds }: HardwareInput<SnpPolicy>): Promise<Machine> {
  const report = bundle.statement;
  const unshown = collateral.sevSnp?.crl === undefined ? (['revocation'] as const) : [];
  const trial = await VendorTrial.run(stepsOf(SEV_SNP_STEPS, unshown), () => {
    parseSnpReport(report);
    const beside = collateral.sevSnp;
    // EV-32: without the certificate of the key that signed nobody says whose key it is.
    if (beside === undefined) throw missing('AMD’s certificates were not shown');
    return verifySevSnp({
      report,
      endorsement: beside.endorsement,
      intermediates: beside.intermediates.map(parseCertificate),
      roots: roots.amd ?? amdRoots(),
      crl: beside.crl,
      timeSeconds,
    });
  });
  const { verdict } = trial;
  return {
    trials: [trial],
    answered: verdict?.reportData ?? reportDataIn(() => parseSnpReport(report)),
    expected: reportDataOf(bundle.binding),
    root: 'amd',
    demand: (lines) => judgeSnp(lines, policy, verdict as NonNullable<typeof verdict>),
  };
}

async function tryTpm({ policy, bundle, binding }: HardwareInput<TpmTestPolicy>): Promise<Machine> {
  const expectedNonce = deviceNonceOf(binding);
  // The policy pins the key itself, so its certificates prove nothing more.
  const trial = await VendorTrial.run(stepsOf(TPM_STEPS, ['chain', 'freshness']), () =>
    verifyTpmStatement(bundle.statement, expectedNonce),
  );
  const { verdict } = trial;
  const nonceOf = () => ({ reportData: parseTpmQuote(parseTpmStatement(bundle.statement).quote).nonce });
  return {
    trials: [trial],
    answered: verdict?.quote.nonce ?? reportDataIn(nonceOf),
    expected: expectedNonce,
    root: 'tpm',
    demand: (report) => judgeTpm(report, policy, verdict as NonNullable<typeof verdict>),
  };
}

function tryDevices({ bundle, binding, collateral, roots, timeSeconds }: HardwareInput): Promise<Devices> {
  const { rims = [], ocsp = [] } = collateral.nvidia ?? {};
  const unshown = [...(ocsp.length > 0 ? [] : (['revocation'] as const)), ...(rims.length > 0 ? [] : ['tcb' as const])];
  return VendorTrial.run(stepsOf(NVIDIA_STEPS, unshown), async () => {
    const isKnown = bundle.devices.every(({ deviceKind }) => deviceKind === NVIDIA_DEVICE);
    // EV-445: a device that nobody can judge would stand beside those that were.
    if (!isKnown) throw new JudgementError('platform-unsupported', 'format', 'EV-445', 'a device is of no known kind');
    const { devices } = await verifyNvidia({
      devices: bundle.devices.map(({ evidence }) => parseNvidiaDevice(evidence)),
      expectedNonce: deviceNonceOf(binding),
      ...{ rims, ocsp, timeSeconds, roots: roots.nvidia ?? productionRoots() },
    });
    return devices
      .filter(({ arch }) => arch !== 'LS10')
      .map(({ arch, rim, ocsp: answer }) => ({ architecture: arch, rim, ocsp: answer }));
  });
}

/** What a refused statement answers to: its own checks come first, but it is shown. */
function reportDataIn(read: () => { readonly reportData: Uint8Array }): Uint8Array {
  try {
    return read().reportData;
  } catch (error) {
    if (error instanceof JudgementError) return new Uint8Array();
    throw error;
  }
}

function missing(message: string): JudgementError {
  return new JudgementError('collateral-missing', 'format', 'EV-32', message);
}
