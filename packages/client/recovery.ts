/**
 * An answer that outlives its line (spec/client.md "Lost answers", spec/channel.md "Recovery of a running answer"). When the
 * connection is lost the client goes back to the same node, by a handshake and a verification like any other, and claims
 * what the node kept sealed; whoever reads the answer sees one stream of bytes without a seam.
 */
import { SottoError } from '@sotto/bytes';
import {
  bodyPosition,
  deriveClaim,
  deriveRoots,
  encodeKeptHead,
  KEPT_TIME_MS,
  openClaimBody,
  readKeptHead,
} from '@sotto/channel/recovery';
import type { Clock } from '@sotto/ports';
import { encodeClaimRequest, parseResponseHead } from '@sotto/wire';
import type { ChatEvent } from './chat.ts';
import { ClientError } from './errors.ts';
import { explain } from './explained.ts';
import type { NodeResponse } from './response.ts';
import type { AnswerTicket, LineState, NodeSession } from './session-types.ts';

export type { AnswerTicket, LineState } from './session-types.ts';

export const CLAIM_PATH = '/v1/answers/claim';

/** The first wait between two tries; each next one is twice as long. */
const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 8000;
/** A server that answers, and has no such node, will hardly find it again: what it kept went with it. */
const NODE_GONE_MS = 10_000;
/** The shortest time for which an answer is shaped; a longer one's ends within twice its own. */
const SHORTEST_STAY_MS = 16_000;
/** Claims whose answer never arrived may have counted: the next ones of the ladder are tried too. */
const CLAIMS_TRIED = 4;

type ClaimSession = Pick<NodeSession, 'request' | 'close'>;

export interface RecoverableAnswer {
  readonly ticket: AnswerTicket;
  /** Asks the question; left out where only a claim is made. */
  readonly ask?: () => Promise<{ readonly head: Uint8Array; readonly body: AsyncIterable<Uint8Array> }>;
  /** A new, verified session with the ticket's node. */
  readonly reopen: (signal: AbortSignal | undefined) => Promise<ClaimSession>;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
  readonly onLine?: ((line: LineState) => void) | undefined;
}

/**
 * The answer, whatever happens to its line.
 *
 * @throws ClientError `answer-lost` when the node has it no longer or cannot be reached in time; VerifyError when the node
 *   does not prove itself again; RecoveryError when what it kept was altered; otherwise what `ask` throws
 */
export async function recoverAnswer(answer: RecoverableAnswer): Promise<NodeResponse> {
  const { head, body } = await readKeptHead(keptStream(answer));
  return { ...parseResponseHead(head), body };
}

/** The kept stream from its first byte (spec/channel.md): live while the line stands, claimed when it does not. */
async function* keptStream(answer: RecoverableAnswer): AsyncGenerator<Uint8Array, void, undefined> {
  const { ticket, signal, onLine } = answer;
  let position = 0;
  let lost: unknown;
  if (answer.ask !== undefined) {
    try {
      const { head, body } = await answer.ask();
      yield encodeKeptHead(head);
      position = bodyPosition(head);
      for await (const part of body) {
        position += part.length;
        yield part;
      }
      return;
    } catch (error) {
      assertLineLost(error, signal);
      lost = error;
    }
  }
  for (;;) {
    onLine?.('lost');
    const { session, response } = await claimAgain(answer, position, lost).catch((error: unknown) => {
      // CL-50: who pressed stop while there was no line must not keep the machine computing on their words.
      if (signal?.aborted) void abandon(answer, position, lost);
      throw error;
    });
    const claimedMs = answer.clock.nowMs();
    try {
      onLine?.('back');
      for await (const part of openClaimBody(response.body, deriveRoots(ticket.recoveryKey).chainKey, position)) {
        position += part.length;
        yield part;
      }
      return;
    } catch (error) {
      assertLineLost(error, signal);
      lost = error;
    } finally {
      void closeLater(session, answer.clock, claimedMs);
    }
  }
}

/** The person stopped while there was no line: once there is one again the node is told, and stops computing. */
async function abandon(answer: RecoverableAnswer, position: number, lost: unknown): Promise<void> {
  const { clock } = answer;
  const stop = new AbortController();
  const ticket = { ...answer.ticket, recoveryKey: answer.ticket.recoveryKey.slice() };
  try {
    const wanted = { ticket, clock, reopen: answer.reopen, signal: stop.signal };
    const { session } = await claimAgain(wanted, position, lost);
    stop.abort(); // cancels the claim, and with it the answer
    await closeLater(session, clock, clock.nowMs());
  } catch {
    // The node gives the answer up by itself when nobody claims it.
  } finally {
    ticket.recoveryKey.fill(0);
  }
}

/** A session that closed with its answer would tell whoever watches the line how long the answer was (spec/shaping.md). */
async function closeLater(session: ClaimSession, clock: Clock, sinceMs: number): Promise<void> {
  await clock.sleep(Math.max(SHORTEST_STAY_MS, clock.nowMs() - sinceMs));
  session.close();
}

/** Goes back to the node until it answers the claim, or it is too late. */
async function claimAgain(answer: RecoverableAnswer, position: number, lost: unknown) {
  const { clock, reopen, signal, ticket } = answer;
  const sinceMs = clock.nowMs();
  for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(2 * delayMs, LONGEST_DELAY_MS)) {
    let session: ClaimSession | undefined;
    try {
      session = await reopen(signal);
      const response = await claim(session, ticket, position, signal);
      if (response !== undefined) return { session, response };
      // CL-44: what the node does not have, no further try brings back.
      throw new ClientError('answer-lost', { rule: 'CL-44', cause: lost });
    } catch (error) {
      session?.close();
      if (signal?.aborted || !isPassing(error)) throw explain(error);
      const waitedMs = clock.nowMs() - sinceMs;
      const isOver = waitedMs + delayMs > (isNodeGone(error) ? NODE_GONE_MS : KEPT_TIME_MS);
      // CL-44: the person is told where it stopped, instead of waiting for what nobody keeps any more.
      if (isOver) throw new ClientError('answer-lost', { rule: 'CL-44', cause: error });
    }
    await clock.sleep(delayMs, signal);
  }
}

/** @returns undefined when the node refuses every claim that may be the next */
async function claim(
  session: ClaimSession,
  ticket: AnswerTicket,
  haveBytes: number,
  signal: AbortSignal | undefined,
): Promise<NodeResponse | undefined> {
  const { claimKey } = deriveRoots(ticket.recoveryKey);
  let next = deriveClaim(claimKey);
  for (let n = 0; n < ticket.claims; n++) next = deriveClaim(next.nextKey);
  for (let tried = 0; tried < CLAIMS_TRIED; tried++, next = deriveClaim(next.nextKey)) {
    // CL-43: a claim says which answer and from where; the person's words are not sent a second time.
    const body = encodeClaimRequest({ id: next.id, token: next.token, haveBytes });
    const response = await session.request('POST', CLAIM_PATH, { body, ...(signal === undefined ? {} : { signal }) });
    if (response.status === 200) {
      ticket.claims += tried + 1;
      return response;
    }
    for await (const _ of response.body);
  }
  return undefined;
}

/** Throws what ended an answer, unless it was its line: then another line may bring the rest. */
function assertLineLost(error: unknown, signal: AbortSignal | undefined): void {
  const cause = explain(error);
  const code = cause instanceof SottoError ? cause.code : '';
  const isLine = code === 'stream-truncated' || code === 'node-lost' || code.startsWith('session-');
  // CL-45: nothing is fetched while somebody alters what is sent, nor after the person or the node said that it is over.
  if (!isLine || signal?.aborted) throw cause;
}

/** Whether another try may work. A verification that failed is final (CL-05). */
function isPassing(error: unknown): boolean {
  const cause = explain(error);
  // CL-42: a node that does not prove itself again gets no claim, now or later.
  if (!(cause instanceof SottoError) || 'report' in cause) return false;
  return cause.action === 'retry' && cause.code !== 'answer-lost';
}

function isNodeGone(error: unknown): boolean {
  return error instanceof ClientError && (error.code === 'no-node' || error.code === 'node-unavailable');
}

/**
 * The events of a recovered answer that come after `haveText`, which is already here.
 *
 * @throws ClientError `node-malformed` when the answer does not begin with it
 */
export async function* eventsAfter(
  events: AsyncIterable<ChatEvent>,
  haveText: string,
): AsyncGenerator<ChatEvent, void, undefined> {
  let left = haveText;
  for await (const event of events) {
    if (event.kind !== 'text-delta' || left === '') {
      yield event;
      continue;
    }
    const shared = Math.min(left.length, event.text.length);
    // CL-46: an answer that begins with other words than those shown is another answer.
    if (left.slice(0, shared) !== event.text.slice(0, shared))
      throw new ClientError('node-malformed', { rule: 'CL-46' });
    left = left.slice(shared);
    if (event.text.length > shared) yield { kind: 'text-delta', text: event.text.slice(shared) };
  }
}
