/** What each vendor's evidence is asked, in words, and how its verdict meets a policy (spec/evidence.md §hardware). */
import type { Certificate } from '@sotto/crypto/x509';
import { type NvidiaInput, type NvidiaVerdict, verifyNvidia } from '@sotto/evidence/nvidia';
import { type SevSnpInput, type SevSnpVerdict, verifySevSnp } from '@sotto/evidence/sev-snp';
import { TCB_STATUSES, type TdxCollateral, type TdxVerdict, verifyTdx } from '@sotto/evidence/tdx';
import { judgeGpus, judgeRoots, judgeSnp, judgeTdx } from './hardware-checks.ts';
import type { SnpPolicy, TdxPolicy } from './hardware-policy.ts';
import { type HardwareReport, hexClaim, reportOf, type Step } from './hardware-report.ts';

export interface TdxEvidence {
  readonly quote: Uint8Array;
  readonly collateral?: TdxCollateral;
  readonly roots?: readonly Certificate[];
}

type StepClass = Exclude<Step['failureClass'], 'policy'>;
/** What a class of checks asks, and the rules of the platform's spec that say so. */
export type Words = readonly [failureClass: StepClass, rules: string, title: string];

const WHY: Readonly<Record<StepClass, string>> = {
  format: 'What is not exactly in its form can be read in two ways.',
  chain: "Only the vendor's own root, which this program carries, can say whose hardware this is.",
  revocation: 'A key that was given up signs as well as before.',
  signature: 'Without it, anybody could have written the evidence.',
  binding: 'Genuine parts of two machines must not pass as one.',
  freshness: 'What has expired is no longer vouched for.',
  tcb: 'Firmware with known holes signs as well as firmware without.',
};

/** @param unshown classes that nothing was shown for */
export function stepsOf(words: readonly Words[], unshown: readonly StepClass[]): Step[] {
  return words.map(([failureClass, rules, title]) => ({
    ...{ failureClass, rules, title, why: WHY[failureClass] },
    isChecked: !unshown.includes(failureClass),
  }));
}

export const TDX_STEPS: readonly Words[] = [
  ['format', 'EV-100–116', 'Quote and collateral are in their form'],
  ['chain', 'EV-120–122', "The certificates end in Intel's root"],
  ['revocation', 'EV-123–128', 'None of the keys is revoked'],
  ['signature', 'EV-130–133', "The processor and Intel's quoting enclave signed"],
  ['binding', 'EV-135–143', 'Quote, keys and collateral are of one machine'],
  ['freshness', 'EV-145–149', 'Everything was in date at the time it is judged for'],
  ['tcb', 'EV-150–157', 'Intel knows the firmware and has not revoked it'],
];
export const SEV_SNP_STEPS: readonly Words[] = [
  ['format', 'EV-180–192', 'Report and certificates are in their form'],
  ['chain', 'EV-200–202', "The certificates end in AMD's root"],
  ['revocation', 'EV-205', 'None of the keys is revoked'],
  ['signature', 'EV-210', "The processor's own key signed"],
  ['binding', 'EV-215–218', 'Report and certificate are of one chip and one firmware'],
  ['freshness', 'EV-220', 'Everything was in date at the time it is judged for'],
];
/** Said wherever such a machine is shown; a policy accepts it only by name (EV-410). */
const WEAK_GENERATION = 'its keys have been taken out by software, so anybody may have made this';
export const NVIDIA_STEPS: readonly Words[] = [
  ['format', 'EV-240–272', 'Reports, certificates and manifests are in their form'],
  ['chain', 'EV-268–269', "The certificates end in NVIDIA's roots"],
  ['revocation', 'EV-286–297', 'None of the keys is revoked'],
  ['signature', 'EV-273–280', 'Every device signed, and every manifest is signed'],
  ['binding', 'EV-275–279', 'Every device answered to the nonce, and manifests are of these devices'],
  ['freshness', 'EV-284–298', 'Everything was in date at the time it is judged for'],
  ['tcb', 'EV-282–283', 'Every measurement that has a reference value matches it'],
];

/** @param policy undefined to learn only whether the evidence is genuine */
export function reportTdx(
  evidence: TdxEvidence,
  policy: TdxPolicy | undefined,
  timeSeconds: number,
): Promise<HardwareReport> {
  return reportOf<TdxVerdict, TdxPolicy>({
    platform: 'tdx',
    steps: stepsOf(TDX_STEPS, evidence.collateral === undefined ? ['revocation', 'tcb'] : []),
    verify: () =>
      verifyTdx({
        ...evidence,
        timeSeconds,
        demands: {
          collateral: policy === undefined ? 'optional' : 'required',
          tcbStatuses: TCB_STATUSES,
          guest: policy === undefined ? 'any' : 'production',
        },
      }),
    claimsOf: ({ quote: { report }, tcb, platform, guest }) => [
      { name: 'TCB status', value: tcb?.status ?? 'unknown: no collateral was shown' },
      { name: 'advisories', value: tcb?.advisoryIds.join(', ') || 'none' },
      { name: 'debugging', value: guest.debug ? 'on' : 'off' },
      hexClaim('MRTD', report.mrTd),
      ...report.rtmrs.map((rtmr, i) => hexClaim(`RTMR${i}`, rtmr)),
      hexClaim('report data', report.reportData),
      hexClaim('FMSPC', platform.fmspc),
    ],
    policy,
    judge: (report, demanded, { quote, tcb, platform, seen }) => {
      judgeTdx(report, demanded, {
        tcbStatus: tcb?.status,
        advisoryIds: tcb?.advisoryIds ?? [],
        evaluationNumber: seen.evaluationDataNumber,
        mrtd: quote.report.mrTd,
        rtmrs: quote.report.rtmrs,
        ppid: platform.ppid,
      });
      judgeRoots(report, demanded.independentRoots ?? 1, new Set(['intel']));
    },
    timeSeconds,
  });
}

export function reportSevSnp(
  evidence: Omit<SevSnpInput, 'timeSeconds'>,
  policy: SnpPolicy | undefined,
  timeSeconds: number,
): Promise<HardwareReport> {
  return reportOf<SevSnpVerdict, SnpPolicy>({
    platform: 'sev-snp',
    steps: stepsOf(SEV_SNP_STEPS, evidence.crl === undefined ? ['revocation'] : []),
    verify: () => verifySevSnp({ ...evidence, timeSeconds }),
    claimsOf: (verdict) => [
      { name: 'processor', value: verdict.product === 'Milan' ? `Milan: ${WEAK_GENERATION}` : verdict.product },
      { name: 'debugging', value: verdict.debug ? 'on' : 'off' },
      { name: 'privilege level', value: String(verdict.vmpl) },
      hexClaim('measurement', verdict.measurement),
      hexClaim('report data', verdict.reportData),
      hexClaim('chip id', verdict.chipId),
      {
        name: 'firmware',
        value: Object.entries(verdict.reportedTcb)
          .map(([part, svn]) => `${part} ${svn}`)
          .join(', '),
      },
    ],
    policy,
    judge: (report, demanded, verdict) => {
      judgeSnp(report, demanded, verdict);
      judgeRoots(report, demanded.independentRoots ?? 1, new Set(['amd']));
    },
    timeSeconds,
  });
}

/** @param policy of the machine that the devices are in: what it asks of GPUs */
export function reportNvidia(
  evidence: Omit<NvidiaInput, 'timeSeconds'>,
  timeSeconds: number,
  policy?: TdxPolicy | SnpPolicy,
): Promise<HardwareReport> {
  const unshown = [
    ...(evidence.ocsp.length > 0 ? [] : (['revocation'] as const)),
    ...(evidence.rims.length > 0 ? [] : (['tcb'] as const)),
  ];
  return reportOf<NvidiaVerdict, TdxPolicy | SnpPolicy>({
    platform: 'nvidia',
    steps: stepsOf(NVIDIA_STEPS, unshown),
    verify: () => verifyNvidia({ ...evidence, timeSeconds }),
    claimsOf: ({ devices }) =>
      devices.flatMap((device, i) => [
        { name: `device ${i + 1}`, value: `${device.arch}, VBIOS ${device.vbiosVersion}` },
        { name: 'driver', value: device.driverVersion ?? 'not said' },
        { name: 'reference values', value: device.rim === 'match' ? 'match' : 'not shown' },
        { name: 'bound to this machine', value: 'not proven: genuine, but a host could have another device answer' },
      ]),
    policy,
    judge: (report, { gpus }, { devices }) => {
      const shown = devices
        .filter(({ arch }) => arch !== 'LS10')
        .map((device) => ({ ...device, architecture: device.arch }));
      if (gpus !== undefined) judgeGpus(report, gpus, shown);
    },
    timeSeconds,
  });
}
