/**
 * What is remembered of nodes that were verified, so that a later session on the same epoch needs no second look at the
 * same evidence (spec/client.md CL-04). Memory only; owned by one connection.
 */
import { encodeHex, equalBytes } from '@sotto/bytes';
import type { DistrustSource } from '@sotto/ports';
import type { VerificationReport, VerifiedNode } from '@sotto/verify';

export interface KnownNode {
  readonly node: VerifiedNode;
  readonly report: VerificationReport;
  /** The evidence bundle that was verified, for people who want to see the bytes. */
  readonly bundle: Uint8Array;
}

/** What a handshake claims, before anything of it is believed. */
export interface ClaimedNode {
  readonly staticKey: Uint8Array;
  readonly evidenceDigest: Uint8Array;
  readonly epochId: Uint8Array;
}

export class NodeCache {
  readonly #known = new Map<string, KnownNode>();

  /** The verified node for this claim, or undefined when anything differs and the evidence must be judged anew. */
  find(nodeIdHex: string, claimed: ClaimedNode, nowMs: number, distrust: DistrustSource): KnownNode | undefined {
    const known = this.#known.get(nodeIdHex);
    if (known === undefined) return undefined;
    // CL-04: a cached verdict for another digest would vouch for evidence nobody looked at.
    if (!equalBytes(known.node.evidenceDigest, claimed.evidenceDigest)) return undefined;
    // CL-04: a cached verdict for another key would vouch for whoever holds that key.
    if (!equalBytes(known.node.staticKey, claimed.staticKey)) return undefined;
    // CL-04: a cached verdict for another epoch would outlive the epoch it was given for.
    if (!equalBytes(known.node.epochId, claimed.epochId)) return undefined;
    // CL-04: expired evidence must be replaced by fresh evidence, not by memory.
    if (nowMs >= known.node.notAfterMs) return undefined;
    // CL-04: what was withdrawn since must not come back through the cache.
    if (distrust.isDistrusted(known.node)) return undefined;
    return known;
  }

  /** Whether evidence with this digest was judged, so that its bytes need not be fetched; `find` decides what that is worth. */
  holds(nodeIdHex: string, digestHex: string): boolean {
    const known = this.#known.get(nodeIdHex);
    return known !== undefined && encodeHex(known.node.evidenceDigest) === digestHex;
  }

  remember(nodeIdHex: string, known: KnownNode): void {
    this.#known.set(nodeIdHex, known);
  }
}
