/**
 * The `policy` of a stage that judges hardware (spec/conformance.md): the product's own policy, or `signature-only`, which exists
 * for this interface alone and asks only whether evidence is genuine.
 */
import { type HardwarePolicy, type HardwareReport, PolicyError, parseHardwarePolicy } from '@sotto/verify/files';
import type { Reader } from './input.ts';
import { Malformed, Rejected } from './outcome.ts';

type PolicyOf<Kind> = Extract<HardwarePolicy, { kind: Kind }>;

/** Reads as undefined for `{"kind":"signature-only"}`. @param kinds of the policies that the stage can judge by */
export function policyFor<Kind extends HardwarePolicy['kind']>(...kinds: Kind[]): Reader<PolicyOf<Kind> | undefined> {
  return (value, field) => {
    if (JSON.stringify(value) === '{"kind":"signature-only"}') return undefined;
    let policy: HardwarePolicy;
    try {
      policy = parseHardwarePolicy(value);
    } catch (error) {
      // CF-03: a policy with a typing error would ask for less than was meant.
      if (error instanceof PolicyError) throw new Malformed('input-malformed', 'CF-03', error.message, field);
      throw error;
    }
    const isOfStage = kinds.some((kind) => kind === policy.kind);
    // EV-51: a policy for other machines allows none of these.
    if (!isOfStage) throw new Rejected('platform-not-allowed', 'policy', 'EV-51', 'the policy is for other machines');
    return policy as PolicyOf<Kind>;
  };
}

/** @throws Rejected with what the policy, or the platform's verifier before it, refused */
export async function assertAccepted(report: Promise<HardwareReport>): Promise<void> {
  const { failure } = await report;
  if (failure === undefined) return;
  throw new Rejected(failure.code, failure.failureClass, failure.rule, failure.message);
}
