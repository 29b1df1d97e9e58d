/**
 * What a person demands of a machine. spec/evidence.md §policy. It comes from the person, their administrator or the released
 * client (policy-source.ts), never from the party that is judged; as JSON it may still be mistyped, and every typo is refused.
 */
import { PolicyError } from './error.ts';

/** Oldest evidence that a policy without `maxAgeSeconds` accepts. */
export const DEFAULT_MAX_AGE_SECONDS = 3600;
const MAX_AGE_FLOOR_SECONDS = 60;
const MAX_AGE_CEILING_SECONDS = 24 * 3600;
const FIELDS = ['kind', 'version', 'fingerprint', 'maxAgeSeconds'];
/** Kinds that a later version will judge; named so that their refusal can say so. */
const HARDWARE_KINDS = ['tdx', 'sev-snp', 'tpm-test'] as const;

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

export type Policy = DevPolicy;
export type PolicyKind = Policy['kind'] | (typeof HARDWARE_KINDS)[number];

/**
 * Checks a policy that was read from JSON. Total and closed: an unknown field is refused, so that a typo never passes as a weaker demand.
 *
 * @throws PolicyError `policy-missing`, `policy-malformed`, `policy-unsupported`
 * @example parsePolicy({ kind: 'dev', version: 1, fingerprint: '…64 hex digits…' })
 */
export function parsePolicy(value: unknown): Policy {
  // EV-30: without a policy every machine would be good enough.
  if (value === undefined || value === null) throw new PolicyError('policy-missing', 'A policy is required.', 'EV-30');
  if (typeof value !== 'object' || Array.isArray(value)) throw malformed('The policy is not a JSON object.', 'EV-31');
  const policy = value as Readonly<Record<string, unknown>>;
  const hardware = HARDWARE_KINDS.some((kind) => kind === policy.kind);
  // EV-32: a demand that cannot be judged must never count as met.
  if (hardware)
    throw new PolicyError('policy-unsupported', 'This version cannot judge hardware evidence yet.', 'EV-32');
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

/** Whole seconds, 60 to 86,400. */
export function isMaxAge(value: unknown): value is number {
  const whole = typeof value === 'number' && Number.isInteger(value);
  return whole && value >= MAX_AGE_FLOOR_SECONDS && value <= MAX_AGE_CEILING_SECONDS;
}

function malformed(message: string, rule: string): PolicyError {
  return new PolicyError('policy-malformed', message, rule);
}
