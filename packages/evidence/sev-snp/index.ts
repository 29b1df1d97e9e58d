/** @sotto/evidence/sev-snp: attestation reports of AMD SEV-SNP. spec/evidence-sev-snp.md. */
export type { SevSnpCode, SevSnpError } from './error.ts';
export { parseSnpReport, REPORT_BYTES, type SnpReport } from './report.ts';
export type { SnpPlatformInfo } from './report-parts.ts';
export { ARK_FINGERPRINTS, amdRoots } from './roots.ts';
export { SNP_PRODUCTS, type SnpProduct, type SnpTcb } from './tcb.ts';
export { type SevSnpInput, type SevSnpVerdict, verifySevSnp } from './verify.ts';
