/** Stage `sev-snp`: a report of AMD SEV-SNP with its certificates (spec/evidence-sev-snp.md). */
import { encodeHex } from '@sotto/bytes';
import { type Certificate, parseCertificate, parsePem } from '@sotto/crypto/x509';
import { amdRoots, type SevSnpVerdict, type SnpTcb, verifySevSnp } from '@sotto/evidence/sev-snp';
import { amdIntermediates } from '@sotto/evidence/sev-snp/intermediates';
import { reportSevSnp } from '@sotto/verify/files';
import { base64, count, optional, refused, required, struct, text } from './input.ts';
import type { JsonObject } from './outcome.ts';
import { assertAccepted, policyFor } from './policy.ts';

const INPUT = struct({
  report: base64(),
  vcek: optional(base64()),
  vlek: optional(base64()),
  ask_pem: optional(text),
  ark_pem: optional(text),
  crl: optional(base64()),
  time: count,
  policy: policyFor('sev-snp'),
});

export async function judgeSevSnp(value: unknown): Promise<JsonObject> {
  const input = INPUT(value, '');
  if (input.vlek !== undefined) refused(input.vcek, 'vcek');
  const kind = input.vlek === undefined ? 'vcek' : 'vlek';
  const timeSeconds = Number(input.time);
  const evidence = {
    report: input.report,
    endorsement: { kind, certificate: input.vlek ?? required(input.vcek, 'vcek') },
    intermediates: certificatesOf(input.ask_pem) ?? amdIntermediates(),
    roots: certificatesOf(input.ark_pem) ?? amdRoots(),
    crl: input.crl,
  } as const;
  if (input.policy !== undefined) await assertAccepted(reportSevSnp(evidence, input.policy, timeSeconds));
  return outputOf(await verifySevSnp({ ...evidence, timeSeconds }));
}

function certificatesOf(pem: string | undefined): Certificate[] | undefined {
  return pem === undefined ? undefined : parsePem(pem, 'CERTIFICATE').map(parseCertificate);
}

function outputOf({ report, product }: SevSnpVerdict): JsonObject {
  const { platformInfo } = report;
  return {
    product,
    measurement_hex: encodeHex(report.measurement),
    report_data_hex: encodeHex(report.reportData),
    chip_id_hex: encodeHex(report.chipId),
    vmpl: report.vmpl,
    policy_hex: encodeHex(report.policyBytes),
    host_data_hex: encodeHex(report.hostData),
    family_id_hex: encodeHex(report.familyId),
    image_id_hex: encodeHex(report.imageId),
    current_tcb: tcbOf(report.currentTcb),
    reported_tcb: tcbOf(report.reportedTcb),
    committed_tcb: tcbOf(report.committedTcb),
    launch_tcb: tcbOf(report.launchTcb),
    platform_info: {
      smt_enabled: platformInfo.smtEnabled,
      tsme_enabled: platformInfo.tsmeEnabled,
      ecc_enabled: platformInfo.eccEnabled,
      rapl_disabled: platformInfo.raplDisabled,
      ciphertext_hiding_enabled: platformInfo.ciphertextHidingEnabled,
      alias_check_complete: platformInfo.aliasCheckComplete,
      tio_enabled: platformInfo.tioEnabled,
    },
  };
}

function tcbOf({ bootLoader, tee, snp, microcode, fmc }: SnpTcb): JsonObject {
  return { ...(fmc !== undefined && { fmc }), boot_loader: bootLoader, tee, snp, microcode };
}
