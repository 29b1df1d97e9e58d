/**
 * The checks that `verifyNode` makes, for people: what each asks, why it matters, and what its failure is called.
 * spec/evidence.md §verification. The order here is the order of judgement.
 */
import type { CertificateErrorCode } from '@sotto/crypto/x509';
import type { FailureClass } from '@sotto/evidence';
import type { EventLogCode } from '@sotto/evidence/event-log';
import type { NvidiaErrorCode } from '@sotto/evidence/nvidia';
import type { SevSnpCode } from '@sotto/evidence/sev-snp';
import type { TdxErrorCode } from '@sotto/evidence/tdx';
import type { TpmCode } from '@sotto/evidence/tpm';

/** What a vendor's verifier refuses keeps its own code. */
type VendorCode =
  | CertificateErrorCode
  | EventLogCode
  | NvidiaErrorCode
  | SevSnpCode
  | TdxErrorCode
  | TpmCode
  | 'tpm-statement-malformed';

export type VerifyErrorCode =
  | VendorCode
  | 'advisory-not-accepted'
  | 'alias-check-missing'
  | 'attestation-key-not-pinned'
  | 'binding-malformed'
  | 'bundle-malformed'
  | 'bundle-too-large'
  | 'checkpoint-unsupported'
  | 'ciphertext-hiding-missing'
  | 'clock-implausible'
  | 'collateral-missing'
  | 'collateral-too-large'
  | 'debug-enabled'
  | 'dev-key-not-pinned'
  | 'dev-signature-invalid'
  | 'dev-statement-malformed'
  | 'device-mismatch'
  | 'digest-mismatch'
  | 'epoch-mismatch'
  | 'evaluation-too-old'
  | 'evidence-expired'
  | 'evidence-not-yet-valid'
  | 'evidence-stale'
  | 'handshake-mismatch'
  | 'generation-not-allowed'
  | 'gpu-not-allowed'
  | 'gpus-missing'
  | 'key-not-bound'
  | 'log-required'
  | 'machine-unknown'
  | 'measurement-not-allowed'
  | 'migration-enabled'
  | 'node-distrusted'
  | 'node-mismatch'
  | 'nonce-mismatch'
  | 'ocsp-missing'
  | 'platform-not-allowed'
  | 'platform-unsupported'
  | 'policy-malformed'
  | 'policy-missing'
  | 'policy-unsupported'
  | 'provisional-firmware'
  | 'purpose-mismatch'
  | 'report-data-mismatch'
  | 'rim-missing'
  | 'revocation-not-checked'
  | 'roots-missing'
  | 'session-fields-present'
  | 'smt-enabled'
  | 'suite-not-bound'
  | 'tcb-below-floor'
  | 'tcb-status-not-accepted'
  | 'vmpl-not-zero';

/** One check, in words. */
export interface CheckRule {
  readonly rule: string;
  readonly failureClass: FailureClass;
  readonly code: VerifyErrorCode;
  readonly title: string;
  readonly why: string;
  /** The constant message of the error when the check fails. */
  readonly refusal: string;
}

/** One entry of a table of checks. */
export function check(
  rule: string,
  failureClass: FailureClass,
  code: VerifyErrorCode,
  title: string,
  why: string,
  refusal: string,
): CheckRule {
  return { rule, failureClass, code, title, why, refusal };
}

export const CHECKS = {
  policy: check(
    'EV-30',
    'policy',
    'policy-missing',
    'You said which machine to trust',
    'Without a policy that came from you, the machine would be judged by its own word.',
    'There is no policy that this version can use, so no machine can be trusted.',
  ),
  bundle: check(
    'EV-13',
    'format',
    'bundle-malformed',
    'The evidence can be read',
    'Evidence that can be read in two ways can be judged in one and used in the other.',
    'The evidence of this machine cannot be read.',
  ),
  binding: check(
    'EV-07',
    'format',
    'binding-malformed',
    'What the machine claims can be read',
    'The claims say which key, machine and time the evidence is for; they must have exactly one meaning.',
    'The claims in the evidence cannot be read.',
  ),
  statement: check(
    'EV-17',
    'format',
    'dev-statement-malformed',
    'The signed statement can be read',
    'A statement of another form could have been signed for another use.',
    'The signed statement in the evidence cannot be read.',
  ),
  collateral: check(
    'EV-446',
    'format',
    'collateral-too-large',
    'What came beside the evidence is of a size that can be read',
    'Whoever hands certificates and lists over chooses how many there are.',
    'What came beside the evidence is too large.',
  ),
  platform: check(
    'EV-33',
    'chain',
    'platform-unsupported',
    'This version can judge this kind of machine',
    'A statement whose signer we have no root for proves nothing.',
    'This version cannot judge this kind of machine.',
  ),
  devKey: check(
    'EV-34',
    'chain',
    'dev-key-not-pinned',
    'The machine is the one whose fingerprint you were given',
    'Anyone can make development evidence. Only the pinned key tells your machine from all others.',
    'This is not the machine whose fingerprint you were given.',
  ),
  distrust: check(
    'EV-35',
    'revocation',
    'node-distrusted',
    'Nobody has withdrawn this machine or its key',
    'A key or release that is known to be bad keeps a good signature.',
    'This machine or its key has been withdrawn.',
  ),
  signature: check(
    'EV-36',
    'signature',
    'dev-signature-invalid',
    "The machine's own key signed the statement",
    'Without the signature anyone between you and the machine could have written the statement.',
    'The signature on the evidence is not good.',
  ),
  digest: check(
    'EV-37',
    'binding',
    'digest-mismatch',
    'This is the evidence that the connection names',
    'The encrypted connection carries the digest of its evidence; other evidence, even good, is about another connection.',
    'The evidence is not the one that the connection names.',
  ),
  reportData: check(
    'EV-38',
    'binding',
    'report-data-mismatch',
    'The signature covers the claims',
    'A signature over other claims would let an old statement vouch for a new key.',
    'The signed statement is about other claims than these.',
  ),
  purpose: check(
    'EV-39',
    'binding',
    'purpose-mismatch',
    'The evidence was made for serving people',
    'Evidence made to fetch model weights, or for one live check, must not open a chat.',
    'The evidence was made for another purpose.',
  ),
  suite: check(
    'EV-40',
    'binding',
    'suite-not-bound',
    'The machine offers the encryption in use',
    'Otherwise someone between could talk both sides down to a weaker encryption.',
    'The evidence does not name the encryption in use.',
  ),
  key: check(
    'EV-41',
    'binding',
    'key-not-bound',
    'The connection ends in the key that the machine vouches for',
    'This is what ties the evidence to the connection: another key means another reader.',
    'The connection ends in another key than the evidence names.',
  ),
  node: check(
    'EV-42',
    'binding',
    'node-mismatch',
    'It is the machine that was asked for',
    'A server could otherwise steer you to a machine of its choice.',
    'The evidence is about another machine.',
  ),
  epoch: check(
    'EV-43',
    'binding',
    'epoch-mismatch',
    'The evidence is about the keys in use now',
    'Keys live for minutes; evidence for older keys would bring old, perhaps stolen, keys back.',
    'The evidence is about other keys than those in use.',
  ),
  session: check(
    'EV-44',
    'binding',
    'session-fields-present',
    'The evidence belongs to no single session',
    'Fields that another session filled in show that the evidence was made for that one.',
    'The evidence was made for another session.',
  ),
  devices: check(
    'EV-45',
    'binding',
    'device-mismatch',
    'No unproven devices are attached to the claim',
    'A development machine or a TPM proves no devices; a bundle that shows some would look like more than it is.',
    'The evidence names devices that it cannot prove.',
  ),
  deviceDigest: check(
    'EV-444',
    'binding',
    'device-mismatch',
    'The machine vouches for the devices that are shown',
    'Otherwise a graphics processor of somebody else could stand in for its own.',
    'The evidence shows other devices than the machine vouches for.',
  ),
  clock: check(
    'EV-46',
    'freshness',
    'clock-implausible',
    "This device's clock can be right",
    'Age is judged by this clock. When it is far from the date of the evidence, one of the two is wrong.',
    "This device's clock may be wrong: its date is far from the date of the machine's evidence. Set the clock and try again.",
  ),
  notBefore: check(
    'EV-47',
    'freshness',
    'evidence-not-yet-valid',
    'The evidence has begun to hold',
    'Evidence dated ahead could be kept in store and used when nobody expects it.',
    'The evidence does not hold yet.',
  ),
  notAfter: check(
    'EV-48',
    'freshness',
    'evidence-expired',
    'The evidence still holds',
    'After its time the keys behind it may be gone, or in other hands.',
    'The evidence no longer holds.',
  ),
  age: check(
    'EV-49',
    'freshness',
    'evidence-stale',
    'The evidence is recent',
    'However long evidence says it holds, what it says may have changed since.',
    'The evidence is older than your policy allows.',
  ),
  measurement: check(
    'EV-50',
    'tcb',
    'platform-not-allowed',
    'Which program the machine says it runs',
    'A development machine says this about itself: it is shown, and proves nothing.',
    'The program is not allowed.',
  ),
  allowed: check(
    'EV-51',
    'policy',
    'platform-not-allowed',
    'Your policy allows this kind of machine',
    'A weaker kind of machine must not pass where you asked for a stronger one.',
    'Your policy does not allow this kind of machine.',
  ),
  log: check(
    'EV-52',
    'policy',
    'log-required',
    'The log entry that your policy asks for is there',
    'Only a machine that everyone can see cannot be a special one made for you.',
    'Your policy asks for a machine in the public log, and this version cannot look it up.',
  ),
} as const satisfies Record<string, CheckRule>;
