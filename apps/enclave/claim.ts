/**
 * `POST /v1/answers/claim`: the rest of an answer whose line was cut (spec/channel.md, recovery of a running answer). The
 * claimant is a stranger with an id and a token; it gets sealed chunks, never text.
 */
import type { IncomingRequest } from '@sotto/channel';
import { wasLost } from '@sotto/channel/recovery';
import { type ClaimRequest, encodeResponseHead, parseClaimRequest, WIRE_VERSION } from '@sotto/wire';
import { EnclaveError, encodeErrorBody, toEnclaveError } from './enclave-error.ts';
import type { KeptAnswer, KeptAnswers, Reader } from './kept-answers.ts';

export const CLAIM_PATH = '/v1/answers/claim';

const CLAIM_LIMIT_BYTES = 128;
const CLAIM_TIME_MS = 30_000;

/** Never rejects. @returns the status that was answered, or undefined when the peer was gone */
export async function serveClaim(incoming: IncomingRequest, kept: KeptAnswers): Promise<number | undefined> {
  const reader: Reader = { onTaken: () => incoming.reject('internal') };
  const timer = setTimeout(() => incoming.reject('internal'), CLAIM_TIME_MS);
  try {
    const claim = await readClaim(incoming.body);
    clearTimeout(timer);
    incoming.signal.throwIfAborted();
    const answer = kept.claim(claim.id, claim.token, claim.haveBytes, reader);
    claim.token.fill(0);
    return await deliver(incoming, answer, claim.haveBytes, reader);
  } catch (error) {
    return refuse(incoming, toEnclaveError(error, 'internal'));
  } finally {
    clearTimeout(timer);
  }
}

async function readClaim(body: AsyncIterable<Uint8Array>): Promise<ClaimRequest> {
  const buffer = new Uint8Array(CLAIM_LIMIT_BYTES);
  let length = 0;
  for await (const part of body) {
    // EN-04: a claim is short; a long one is memory that a stranger takes.
    if (length + part.length > CLAIM_LIMIT_BYTES) throw new EnclaveError('body-too-large', {}, 'EN-04');
    buffer.set(part, length);
    length += part.length;
  }
  try {
    return parseClaimRequest(buffer.subarray(0, length));
  } catch {
    throw new EnclaveError('bad-request', {}, 'EN-05');
  } finally {
    buffer.fill(0);
  }
}

async function deliver(
  incoming: IncomingRequest,
  answer: KeptAnswer,
  haveBytes: number,
  reader: Reader,
): Promise<number | undefined> {
  const { signal } = incoming;
  const onAbort = (): void => (wasLost(signal.reason) ? answer.lost(reader) : answer.cancel(reader));
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const headers = [['content-type', 'application/octet-stream']] as const;
    const writer = incoming.respond(encodeResponseHead({ version: WIRE_VERSION, status: 200, headers }));
    for await (const part of answer.read(haveBytes, reader)) await writer.write(part);
    await writer.end();
    answer.delivered(reader);
    return 200;
  } catch {
    incoming.reject('internal'); // does nothing when the stream is over
    return undefined;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

async function refuse(incoming: IncomingRequest, error: EnclaveError): Promise<number | undefined> {
  try {
    const headers = [['content-type', 'application/json']] as const;
    const head = encodeResponseHead({ version: WIRE_VERSION, status: error.status, headers });
    const writer = incoming.respond(head);
    await writer.write(new TextEncoder().encode(encodeErrorBody(error)));
    await writer.end();
    return error.status;
  } catch {
    incoming.reject('internal');
    return undefined;
  }
}
