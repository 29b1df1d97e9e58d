/**
 * Why a stream ended. A cut line and a forged record both leave a stream truncated; the first is worth a second try, the
 * second is an attack, and the person is told which it was (spec/client.md CL-19).
 */
import { ChannelError } from '@sotto/channel';

/** The attack that ended the session, where there was one; else the error as it is. */
export function explain(error: unknown): unknown {
  const cause = error instanceof ChannelError ? error.cause : undefined;
  // CL-19: "try again" would be wrong advice while somebody alters what is sent.
  if (cause instanceof ChannelError && cause.action === 'stop') return cause;
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
