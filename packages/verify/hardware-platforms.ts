/** What each vendor's evidence is asked, in words, and how its verdict meets a policy (spec/evidence.md §hardware). */
import type { Certificate } from '@sotto/crypto/x509';
import { type NvidiaInput, type NvidiaVerdict, verifyNvidia } from '@sotto/evidence/nvidia';
import { type SevSnpInput, type SevSnpVerdict, verifySevSnp } from '@sotto/evidence/sev-snp';
import { TCB_STATUSES, type TdxCollateral, type TdxVerdict, verifyTdx } from '@sotto/evidence/tdx';
import { judgeRoots, judgeSnp, judgeTdx } from './hardware-checks.ts';
import type { SnpPolicy, TdxPolicy } from './hardware-policy.ts';
import { type HardwareReport, hexClaim, reportOf, type Step } from './hardware-report.ts';

export interface TdxEvidence {
  readonly quote: Uint8Array;
  readonly collateral?: TdxCollateral;
  readonly roots?: readonly Certificate[];
}

/** Steps of one platform, in the order of the classes. */
function steps(
  rules: string,
  words: readonly [format: string, chain: string, revocation: string, signature: string, binding: string, tcb?: string],
  shown: { readonly revocation: boolean; readonly tcb: boolean },
): Step[] {
  const [format, chain, revocation, signature, binding, tcb] = words;
  const step = (failureClass: Step['failureClass'], title: string, why: string, isChecked = true) => ({
    ...{ failureClass, rules, title, why, isChecked },
  });
  return [
    step('format', format, 'What is not exactly in its form can be read in two ways.'),
    step('chain', chain, "Only the vendor's own root, which this program carries, can say whose hardware this is."),
    step('revocation', revocation, 'A key that was given up signs as well as before.', shown.revocation),
    step('signature', signature, 'Without it, anybody could have written the evidence.'),
    step('binding', binding, 'Genuine parts of two machines must not pass as one.'),
    step(
      'freshness',
      'Everything was in date at the time it is judged for',
      'What has expired is no longer vouched for.',
    ),
    ...(tcb === undefined ? [] : [step('tcb', tcb, 'Firmware with known holes signs as well as without.', shown.tcb)]),
  ];
}

/** @param policy undefined to learn only whether the evidence is genuine */
export function reportTdx(
  evidence: TdxEvidence,
  policy: TdxPolicy | undefined,
  timeSeconds: number,
): Promise<HardwareReport> {
  const isShown = evidence.collateral !== undefined;
  const words = [
    'Quote and collateral are in their form',
    "The certificates end in Intel's root",
    'None of the keys is revoked',
    "The processor and Intel's quoting enclave signed",
    'Quote, keys and collateral are of one machine',
    'Intel knows the firmware and has not revoked it',
  ] as const;
  return reportOf<TdxVerdict, TdxPolicy>({
    platform: 'tdx',
    steps: steps('evidence-tdx', words, { revocation: isShown, tcb: isShown }),
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
  const isShown = evidence.crl !== undefined;
  const words = [
    'Report and certificates are in their form',
    "The certificates end in AMD's root",
    'None of the keys is revoked',
    "The processor's own key signed",
    'Report and certificate are of one chip and one firmware',
  ] as const;
  return reportOf<SevSnpVerdict, SnpPolicy>({
    platform: 'sev-snp',
    steps: steps('evidence-sev-snp', words, { revocation: isShown, tcb: true }),
    verify: () => verifySevSnp({ ...evidence, timeSeconds }),
    claimsOf: (verdict) => [
      { name: 'processor', value: verdict.product },
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

/** Devices alone: a policy asks for them together with the machine that they are in, so here they are genuine or not. */
export function reportNvidia(evidence: Omit<NvidiaInput, 'timeSeconds'>, timeSeconds: number): Promise<HardwareReport> {
  const words = [
    'Reports, certificates and manifests are in their form',
    "The certificates end in NVIDIA's roots",
    'None of the keys is revoked',
    'Every device signed',
    'Every device answered to the nonce, and manifests are of these devices',
    'Every measurement that has a reference value matches it',
  ] as const;
  const shown = { revocation: evidence.ocsp.length > 0, tcb: evidence.rims.length > 0 };
  return reportOf<NvidiaVerdict, never>({
    platform: 'nvidia',
    steps: steps('evidence-nvidia', words, shown),
    verify: () => verifyNvidia({ ...evidence, timeSeconds }),
    claimsOf: ({ devices }) =>
      devices.flatMap((device, i) => [
        { name: `device ${i + 1}`, value: `${device.arch}, VBIOS ${device.vbiosVersion}` },
        { name: 'driver', value: device.driverVersion ?? 'not said' },
        { name: 'reference values', value: device.rim === 'match' ? 'match' : 'not shown' },
        { name: 'bound to this machine', value: 'not proven: genuine, but a host could have another device answer' },
      ]),
    policy: undefined,
    judge: () => undefined,
    timeSeconds,
  });
}
