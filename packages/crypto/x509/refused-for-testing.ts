/** What the tests of this folder expect of a refusal. */
import { CertificateError, type CertificateErrorCode } from './error.ts';

/** For `assert.throws` and `assert.rejects`: exactly this code by this rule. */
export const refused = (code: CertificateErrorCode, rule: string) => (error: unknown) =>
  error instanceof CertificateError && error.code === code && error.rule === rule;
