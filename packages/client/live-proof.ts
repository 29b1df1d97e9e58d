/**
 * "Are you still there, now?": one question to the machine at the other end of an open session, and the judgement of its answer
 * (spec/evidence.md §live). The node is hostile until the answer was judged; a bad one ends the session.
 */
import type { Clock, DistrustSource, Random } from '@sotto/ports';
import {
  LIVE_ANSWER_LIMIT_MS,
  type Policy,
  type VerificationReport,
  type VerifiedNode,
  verifyLive,
} from '@sotto/verify';
import type { Method } from '@sotto/wire';
import { collect, refusal } from './chat.ts';
import { ClientError } from './errors.ts';
import { BUNDLE_LIMIT_BYTES } from './judge-claim.ts';
import type { NodeResponse } from './response.ts';

const NONCE_BYTES = 32;

export interface LiveQuestion {
  readonly ports: { readonly clock: Clock; readonly random: Random; readonly distrust: DistrustSource };
  readonly policy: Policy;
  readonly suite: string;
  readonly node: VerifiedNode;
  /** 32 bytes: of the handshake that the session stands on when the question leaves. */
  readonly handshakeHash: Uint8Array;
  request(
    method: Method,
    path: string,
    options: { readonly body: Uint8Array<ArrayBuffer>; readonly signal: AbortSignal },
  ): Promise<NodeResponse>;
}

/**
 * Asks and judges.
 *
 * @throws VerifyError when the answer is not good: the session must end
 * @throws ClientError `node-unavailable` when no answer came in time, `busy`, `node-refused`: nothing is known then
 */
export async function askLive(question: LiveQuestion): Promise<VerificationReport> {
  const { clock, random, distrust } = question.ports;
  const nonce = random.bytes(NONCE_BYTES);
  const askedMs = clock.nowMs();
  const { bundle, nowMs } = await withinLimit(clock, async (signal) => {
    const response = await question.request('POST', '/v1/evidence/live', { body: nonce, signal });
    if (response.status !== 200) throw await refusal(response);
    const bundle = await collect(response.body, BUNDLE_LIMIT_BYTES);
    return { bundle, nowMs: clock.nowMs() };
  });
  return await verifyLive({
    bundle,
    policy: question.policy,
    nowMs,
    expectedNode: question.node,
    expectedClientNonce: nonce,
    expectedHandshakeHash: question.handshakeHash,
    expectedSuite: question.suite,
    elapsedMs: nowMs - askedMs,
    distrust,
  });
}

/** A machine that is merely slow is no proof of anything, and no reason to end a session. */
async function withinLimit<Value>(clock: Clock, ask: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
  const stop = new AbortController();
  const late = new ClientError('node-unavailable');
  const timer = new AbortController();
  clock.sleep(LIVE_ANSWER_LIMIT_MS, timer.signal).then(
    () => stop.abort(late),
    () => undefined,
  );
  try {
    return await ask(stop.signal);
  } catch (error) {
    throw stop.signal.aborted ? late : error;
  } finally {
    timer.abort(late);
  }
}
