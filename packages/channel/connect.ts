/** The two halves of the handshake over a socket, up to a running pair of record ciphers (spec/channel.md, handshake). */
import { BytesError } from '@sotto/bytes';
import { CryptoError, type Primitives } from '@sotto/crypto/primitives';
import type { Clock } from '@sotto/ports';
import { ChannelError, SESSION_CLOSED } from './errors.ts';
import type { IncomingSocket } from './incoming-socket.ts';
import type { ChannelLimits } from './limits.ts';
import type { HandshakeRole, HandshakeState } from './noise/handshake.ts';
import { RecordCipher } from './records.ts';

export interface Ciphers {
  readonly sending: RecordCipher;
  readonly receiving: RecordCipher;
}

/** The transport ciphers of a finished handshake, as seen by one side. */
export async function createCiphers(
  state: Pick<HandshakeState, 'split'>,
  role: HandshakeRole,
  primitives: Primitives,
  limits: ChannelLimits,
): Promise<Ciphers> {
  const { fromInitiator, fromResponder } = state.split();
  const [own, other] = role === 'initiator' ? [fromInitiator, fromResponder] : [fromResponder, fromInitiator];
  const create = (key: Uint8Array) =>
    RecordCipher.create(primitives, key, limits.recordsPerDirection, 0, limits.recordsPerKey);
  return { sending: await create(own), receiving: await create(other) };
}

/** @throws ChannelError `handshake-malformed` unless the message has exactly the one length there is */
export function assertMessageLength(message: Uint8Array, expectedBytes: number): void {
  // CH-01: one length leaves nothing to parse and nothing to tell apart from outside.
  if (message.length !== expectedBytes) throw new ChannelError('handshake-malformed', { rule: 'CH-01' });
}

/**
 * Runs a handshake: within its time, with every foreign error turned into ours, the socket closed when it fails.
 * Rejects with ChannelError `handshake-…`, `low-order-point`, `kem-key-not-canonical`, `session-truncated`, or the
 * signal's reason.
 */
export async function withinHandshake<Value>(
  incoming: IncomingSocket,
  clock: Clock,
  limits: ChannelLimits,
  signal: AbortSignal | undefined,
  handshake: () => Promise<Value>,
): Promise<Value> {
  const stop = new AbortController();
  const ended = new Promise<never>((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true, signal: stop.signal });
    clock.sleep(limits.handshakeTimeoutMs, stop.signal).then(
      // CH-06: a handshake that never ends holds a socket and keys for somebody who may not exist.
      () => reject(new ChannelError('handshake-timeout', { rule: 'CH-06' })),
      () => undefined,
    );
  });
  try {
    signal?.throwIfAborted();
    return await Promise.race([handshake(), ended]);
  } catch (error) {
    incoming.socket.close(4000, 'handshake');
    throw toHandshakeError(error);
  } finally {
    stop.abort(SESSION_CLOSED);
  }
}

/** What parsing and cryptography refused, as one of our errors; anything else as it is. */
export function toHandshakeError(error: unknown): unknown {
  if (error instanceof BytesError) return new ChannelError('handshake-malformed');
  if (!(error instanceof CryptoError)) return error;
  if (error.code === 'low-order-point') return new ChannelError('low-order-point', { rule: 'CH-03' });
  if (error.code === 'kem-key-not-canonical') return new ChannelError('kem-key-not-canonical', { rule: 'CH-04' });
  return new ChannelError('handshake-failed', { rule: 'CH-05' });
}
