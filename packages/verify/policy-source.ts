/**
 * Where a policy may come from, and what a pin means. spec/evidence.md §sources. Never from the party that is judged: not
 * from the server, not from the node, not from anything either of them sends.
 */
import { PolicyError } from './error.ts';
import { type DevPolicy, parseDevPolicy } from './policy.ts';

export type PolicySource =
  /** Part of the released client. */
  | { readonly kind: 'compiled' }
  /** `--policy FILE`. */
  | { readonly kind: 'file'; readonly path: string }
  /** `sotto trust add URL#fingerprint`, kept on this device. */
  | { readonly kind: 'pinned'; readonly origin: string; readonly fingerprint: string }
  /** The fragment of the address that the terminal of a development machine printed. */
  | { readonly kind: 'dev-fragment'; readonly origin: string; readonly fingerprint: string };

/** One plain sentence for the evidence panel and the terminal. */
export function describePolicySource(source: PolicySource): string {
  switch (source.kind) {
    case 'compiled':
      return 'The policy is part of this client.';
    case 'file':
      return `The policy was read from the file ${source.path}.`;
    case 'pinned':
      return `You pinned the machine at ${source.origin} on this device.`;
    case 'dev-fragment':
      return `The fingerprint came with the address that the terminal printed, and is pinned for ${source.origin}.`;
  }
}

export type PinDecision = 'first-use' | 'same' | 'changed';

/** Compares the fingerprint kept for an address (undefined when there is none) with the one offered now. */
export function pinDecision(existingPin: string | undefined, offeredFingerprint: string): PinDecision {
  if (existingPin === undefined) return 'first-use';
  return existingPin === offeredFingerprint ? 'same' : 'changed';
}

/**
 * The pin to keep for this address.
 *
 * @throws PolicyError `policy-pin-changed` (stop), `policy-malformed`
 */
export function acceptPin(existingPin: string | undefined, offeredFingerprint: string): 'first-use' | 'same' {
  devPolicy(offeredFingerprint);
  const decision = pinDecision(existingPin, offeredFingerprint);
  // EV-56: whoever can change an address in a link could otherwise replace the machine that was pinned.
  if (decision === 'changed') throw new PolicyError('policy-pin-changed', PIN_CHANGED, 'EV-56');
  return decision;
}

const PIN_CHANGED =
  'This address was pinned to another machine on this device. Stop: someone may stand between you and your machine.';

/** The policy that pins one development machine. @throws PolicyError `policy-malformed` */
export function devPolicy(fingerprint: string): DevPolicy {
  return parseDevPolicy({ kind: 'dev', version: 1, fingerprint });
}

/** `dev=FINGERPRINT`: what a development machine prints after the `#` of its address. */
export function encodeDevFragment(fingerprint: string): string {
  return `dev=${devPolicy(fingerprint).fingerprint}`;
}

/**
 * The fingerprint in an address's fragment (with or without its `#`), or undefined when it names none.
 *
 * @throws PolicyError `policy-malformed` when it names one that is not a fingerprint
 */
export function parseDevFragment(fragment: string): string | undefined {
  const parts = fragment.replace(/^#/, '').split('&');
  const named = parts.filter((part) => part.startsWith('dev='));
  // EV-61: of two fingerprints, one would be checked and the other shown.
  if (named.length > 1) throw new PolicyError('policy-malformed', 'The address names two fingerprints.', 'EV-61');
  return named[0] === undefined ? undefined : devPolicy(named[0].slice('dev='.length)).fingerprint;
}
