/**
 * Why a stream ended. A cut line and a forged record both leave a stream truncated; the first is worth a second try, the
 * second is an attack, and the person is told which it was (spec/client.md CL-19).
 */
import { ChannelError } from '@sotto/channel';
import { ClientError } from './errors.ts';

/** The attack that ended the session, where there was one; a refusal that invites another try as such; else the error as it is. */
export function explain(error: unknown): unknown {
  const cause = error instanceof ChannelError ? error.cause : undefined;
  // CL-19: "try again" would be wrong advice while somebody alters what is sent.
  if (cause instanceof ChannelError && cause.action === 'stop') return cause;
  // Nothing of it was computed: a node that is full, or that began to leave while the request was under way.
  if (error instanceof ChannelError && error.reset === 'busy') return new ClientError('busy', { cause: error });
  return error;
}

/** The same bytes; an error says what really happened. */
export async function* explained(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* body;
  } catch (error) {
    throw explain(error);
  }
}
