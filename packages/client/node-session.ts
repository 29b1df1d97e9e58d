/**
 * Opens a session with one verified node: find, connect, check, then talk. The order is the promise (spec/client.md CL-01):
 * the only object that can carry a person's words is made from a `VerifiedNode`, and only `verify` makes that.
 */
import { equalBytes, parseHex } from '@sotto/bytes';
import { connectChannel } from '@sotto/channel/initiator';
import { sha256 } from '@sotto/crypto/hash';
import type { Random } from '@sotto/ports';
import type { NodeListing } from '@sotto/wire';
import { ClientError } from './errors.ts';
import { explain } from './explained.ts';
import { assertTrusted, BUNDLE_LIMIT_BYTES, type Judge, judgeClaim } from './judge-claim.ts';
import { NodeCache } from './node-cache.ts';
import { OpenSession, type Reopen } from './open-session.ts';
import { chooseOne } from './random-choice.ts';
import { ServerApi } from './server-api.ts';
import type { ClientPorts, NodeSession, NodeSessionOptions } from './session-types.ts';

export type {
  ChatOptions,
  ClientPorts,
  NodeRequestOptions,
  NodeSession,
  NodeSessionOptions,
  ResumeOptions,
  SessionPhase,
} from './session-types.ts';

const SUITE = 'sotto-1';

/**
 * Opens a session with a node that passed every check of the policy.
 *
 * @throws VerifyError (action `stop`) when the node did not prove what the policy asks for; nothing was sent
 * @throws ClientError `network-unreachable`, `no-node`, `node-id-mismatch`, `server-…`
 * @throws ChannelError when the handshake fails
 */
export async function openNodeSession(ports: ClientPorts, options: NodeSessionOptions): Promise<NodeSession> {
  const cache = options.cache ?? new NodeCache();
  options.onPhase?.('finding');
  const api = new ServerApi(ports.fetch, options.baseUrl);
  const [listings] = await Promise.all([api.nodes(options.signal), api.ensureSession(options.signal)]);
  const listing = chooseNode(listings, ports.random, options.nodeId);
  const prefetched = cache.holds(listing.nodeId, listing.evidenceDigest)
    ? undefined
    : api.evidence(listing.nodeId, listing.evidenceDigest, BUNDLE_LIMIT_BYTES, options.signal).catch(() => undefined);

  options.onPhase?.('connecting');
  const relay = `${options.baseUrl.replace(/^http/, 'ws')}/relay/${listing.nodeId}`;
  const socket = await ports.connect(relay, options.signal);
  const { policy } = options;
  const nodeId = parseHex(listing.nodeId, 16);
  const judge: Judge = { ports, policy, cache, nodeIdHex: listing.nodeId, nodeId, suite: SUITE };
  const channel = await connectChannel({
    socket,
    random: ports.random,
    clock: ports.clock,
    nodeId,
    suites: listing.suites,
    profile: options.profile ?? 'balanced',
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });

  options.onPhase?.('checking');
  try {
    const known = await judgeClaim(judge, channel, async () => {
      // The server's copy saves a round trip; the handshake's digest decides whether it is the node's bundle.
      const bundle = await prefetched;
      const isNamed = bundle !== undefined && equalBytes(sha256(bundle), channel.evidenceDigest);
      // CL-03: another bundle than the one the handshake named is not this node's, and is asked for from the node itself.
      if (!isNamed) return channel.fetchEvidence(BUNDLE_LIMIT_BYTES);
      return bundle;
    });
    assertTrusted(known.node, ports.distrust);
    const verifiedChannel = channel.promote(known.node);
    options.onPhase?.('verified');
    const { onPhase: _, signal: __, ...same } = options;
    const reopen: Reopen = (nodeId, signal) =>
      openNodeSession(ports, { ...same, cache, nodeId, ...(signal === undefined ? {} : { signal }) });
    return new OpenSession(verifiedChannel, known, ports, judge, reopen);
  } catch (error) {
    channel.close();
    throw explain(error);
  }
}

/** CL-02: a node at random among those that speak our suite. CL-41: for an answer, the one that keeps it. */
function chooseNode(listings: readonly NodeListing[], random: Random, wanted: string | undefined): NodeListing {
  const usable = listings.filter(({ suites }) => suites.includes(SUITE));
  const chosen = wanted === undefined ? chooseOne(usable, random) : usable.find(({ nodeId }) => nodeId === wanted);
  if (chosen === undefined) throw new ClientError('no-node');
  return chosen;
}
