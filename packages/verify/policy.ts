/**
 * What a person demands of a machine. spec/evidence.md §policy. It comes from the person, their administrator or the released
 * client (policy-source.ts), never from the party that is judged; as JSON it may still be mistyped, and every typo is refused.
 */
import type { Platform } from '@sotto/evidence';
import { PolicyError } from './error.ts';
import { HARDWARE_KINDS, type HardwarePolicy, parseHardwarePolicy } from './hardware-policy.ts';
import { isMaxAge } from './max-age.ts';

const FIELDS = ['kind', 'version', 'fingerprint', 'maxAgeSeconds'];

/** Accepts exactly one development machine, which proves nothing about what it runs. */
export interface DevPolicy {
  readonly kind: 'dev';
  /** Of the policy's format. */
  readonly version: 1;
  /** The machine's fingerprint: 32 bytes as lower-case hex. */
  readonly fingerprint: string;
  /** 60 to 86,400; 3,600 when absent. */
  readonly maxAgeSeconds?: number;
}

export type Policy = DevPolicy | HardwarePolicy;
export type PolicyKind = Policy['kind'];

/** Whose evidence each kind of policy is about. */
export const PLATFORM_OF: Readonly<Record<PolicyKind, Platform>> = {
  dev: 'dev',
  tdx: 'tdx',
  'sev-snp': 'sev-snp',
  'tpm-test': 'tpm',
};

/**
 * Checks a policy that was read from JSON. Total and closed: an unknown field is refused, so that a typo never passes as a
 * weaker demand. What it returned may be given to it again.
 *
 * @throws PolicyError `policy-missing`, `policy-malformed`, `policy-unsupported`
 * @example parsePolicy({ kind: 'dev', version: 1, fingerprint: '…64 hex digits…' })
 */
export function parsePolicy(value: unknown): Policy {
  // EV-30: without a policy every machine would be good enough.
  if (value === undefined || value === null) throw new PolicyError('policy-missing', 'A policy is required.', 'EV-30');
  if (typeof value !== 'object' || Array.isArray(value)) throw malformed('The policy is not a JSON object.', 'EV-31');
  const policy = value as Readonly<Record<string, unknown>>;
  const isLater = typeof policy.version === 'number' && policy.version > 1;
  // EV-59: what a later version demands cannot be judged here, and must not count as met.
  if (isLater) throw new PolicyError('policy-unsupported', 'The policy is of a later version than this.', 'EV-59');
  return HARDWARE_KINDS.some((kind) => kind === policy.kind) ? parseHardwarePolicy(policy) : parseDevPolicy(policy);
}

/** @throws PolicyError `policy-malformed` */
export function parseDevPolicy(policy: Readonly<Record<string, unknown>>): DevPolicy {
  const unknownField = Object.keys(policy).some((name) => !FIELDS.includes(name));
  // EV-31: a misspelled field would silently drop the demand that it names.
  if (unknownField) throw malformed('The policy holds an unknown field.', 'EV-31');
  const { kind, version, fingerprint, maxAgeSeconds } = policy;
  // EV-59: a policy of another kind or version means something that this code does not know.
  if (kind !== 'dev' || version !== 1) throw malformed('The policy is not of a known kind and version.', 'EV-59');
  const isFingerprint = typeof fingerprint === 'string' && /^[0-9a-f]{64}$/.test(fingerprint);
  // EV-60: a shorter fingerprint can be matched by a key made for it.
  if (!isFingerprint) throw malformed('The fingerprint is not 64 lower-case hex digits.', 'EV-60');
  if (maxAgeSeconds === undefined) return { kind, version, fingerprint };
  // EV-58: an age without a ceiling is no demand, and NaN is older than nothing.
  if (!isMaxAge(maxAgeSeconds)) throw malformed('The maximum age is not 60 to 86,400 whole seconds.', 'EV-58');
  return { kind, version, fingerprint, maxAgeSeconds };
}

function malformed(message: string, rule: string): PolicyError {
  return new PolicyError('policy-malformed', message, rule);
}
