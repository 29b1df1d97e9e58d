/**
 * From what a handshake claims to a node that was verified: at the beginning of a session, and at each renewal
 * (spec/client.md, spec/channel.md §renewal). A verdict is used again only for the same claim; everything else is judged anew.
 */
import type { NodeClaim } from '@sotto/channel';
import type { Clock, DistrustSource } from '@sotto/ports';
import { isVerifiedNode, type Policy, type VerifiedNode, verifyNode } from '@sotto/verify';
import { ClientError } from './errors.ts';
import type { KnownNode, NodeCache } from './node-cache.ts';

/** A bundle with GPUs is 85–200 kB; twice that is refused unread. */
export const BUNDLE_LIMIT_BYTES = 400_000;

export interface Judge {
  readonly ports: { readonly clock: Clock; readonly distrust: DistrustSource };
  readonly policy: Policy;
  readonly cache: NodeCache;
  /** 32 hex digits, and the same as 16 bytes: the node that was asked for. */
  readonly nodeIdHex: string;
  readonly nodeId: Uint8Array;
  readonly suite: string;
}

/**
 * @param fetchBundle asked only when the claim is not known yet
 * @throws VerifyError when the evidence does not prove what the policy asks for
 */
export async function judgeClaim(
  judge: Judge,
  claim: NodeClaim,
  fetchBundle: () => Promise<Uint8Array>,
): Promise<KnownNode> {
  const { cache, policy, nodeIdHex, nodeId, suite } = judge;
  const { clock, distrust } = judge.ports;
  const nowMs = clock.nowMs();
  const known = cache.find(nodeIdHex, claim, nowMs, distrust);
  if (known !== undefined) return known;
  const bundle = await fetchBundle();
  const verified = await verifyNode({
    bundle,
    policy,
    nowMs,
    expectedEvidenceDigest: claim.evidenceDigest,
    expectedNodeId: nodeId,
    expectedStaticKey: claim.staticKey,
    expectedEpochId: claim.epochId,
    expectedSuite: suite,
    distrust,
  });
  const judged = { ...verified, bundle };
  cache.remember(nodeIdHex, judged);
  return judged;
}

/**
 * The last look, in the turn in which the node is first trusted with something.
 *
 * @throws ClientError `node-unverified`, `node-distrusted`
 */
export function assertTrusted(node: VerifiedNode, distrust: DistrustSource): void {
  // CL-01: types can be talked out of things at run time; what `verify` did not make opens nothing.
  if (!isVerifiedNode(node)) throw new ClientError('node-unverified', { rule: 'CL-01' });
  // CH-83: evidence takes time to fetch and to judge; a node that was withdrawn meanwhile is not one to talk to.
  if (distrust.isDistrusted(node)) throw new ClientError('node-distrusted', { rule: 'CH-83' });
}
