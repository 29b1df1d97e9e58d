/** What both processes of a benchmark know. Fixed keys: nothing here is secret. */
import { encodeUtf8 } from '@sotto/bytes';
import type { ResponderEpoch } from '@sotto/channel/responder';
import { sha256 } from '@sotto/crypto/hash';

const evidence = encodeUtf8('evidence'.repeat(600));

export const NODE = {
  nodeId: new Uint8Array(16).fill(1),
  epoch: {
    epochId: new Uint8Array(16).fill(2),
    staticPrivateKey: new Uint8Array(32).fill(4),
    notAfterMs: 2 ** 52,
    evidence,
    evidenceDigest: sha256(evidence),
  } satisfies ResponderEpoch,
};

export const TOKEN_BYTES = 24;

/** One clock for every process of the machine, finer than a millisecond. */
export const nowMs = (): number => performance.timeOrigin + performance.now();
