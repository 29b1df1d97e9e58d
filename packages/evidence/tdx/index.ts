/** @sotto/evidence/tdx: what a TDX quote proves (spec/evidence-tdx.md). Pure functions. */
export { type GuestProperties, judgeGuest } from './attributes.ts';
export type { TdxCollateral } from './certificates.ts';
export { TCB_STATUSES, type TcbStatus } from './collateral.ts';
export type { TdxErrorCode } from './error.ts';
export type { Platform } from './pck.ts';
export { parseTdxQuote, QUOTE_LIMIT_BYTES, type TdxQuote } from './quote.ts';
export type { EnclaveReport, TdReport } from './reports.ts';
export { intelRoots } from './roots.ts';
export type { TdxTcb } from './tcb.ts';
export {
  PRODUCTION_DEMANDS,
  type TdxDemands,
  type TdxInput,
  type TdxSeen,
  type TdxVerdict,
  verifyTdx,
} from './verify-tdx.ts';
