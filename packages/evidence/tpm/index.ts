/** @sotto/evidence/tpm: quotes of TPM 2.0. spec/evidence-tpm.md. */
export type { TpmCode, TpmError } from './error.ts';
export { parseTpmQuote, type TpmQuote } from './quote.ts';
export { type AttestationKey, type TpmInput, type TpmVerdict, verifyTpmQuote } from './verify.ts';
