/** What both ends of the handshake share: its time, its errors, its keys and what comes out of it (spec/confer.md, handshake). */
import { BytesError } from '@sotto/bytes';
import { CryptoError, type Primitives } from '@sotto/crypto/primitives';
import type { Clock, Random } from '@sotto/ports';
import { ChannelError } from '../errors.ts';
import type { IncomingSocket } from '../incoming-socket.ts';
import { type HandshakeRole, HandshakeState } from '../noise/handshake.ts';
import { ConferCipher } from './cipher.ts';
import { ConferError, closingOf } from './errors.ts';
import { CONFER_ALGORITHMS, type ConferLimits, EMPTY, XX } from './suite.ts';

export interface ConferCiphers {
  readonly sending: ConferCipher;
  readonly receiving: ConferCipher;
}

/** @param staticPrivateKey X25519, 32 bytes */
export function createXx(role: HandshakeRole, random: Random, staticPrivateKey: Uint8Array): HandshakeState {
  const keys = { ephemeral: random.bytes(32), static: staticPrivateKey };
  return new HandshakeState({ pattern: XX, algorithms: CONFER_ALGORITHMS, role, prologue: EMPTY, keys });
}

export async function createConferCiphers(
  state: Pick<HandshakeState, 'split'>,
  role: HandshakeRole,
  primitives: Primitives,
  limits: ConferLimits,
): Promise<ConferCiphers> {
  const { fromInitiator, fromResponder } = state.split();
  const [own, other] = role === 'initiator' ? [fromInitiator, fromResponder] : [fromResponder, fromInitiator];
  return {
    sending: await ConferCipher.create(primitives, own, limits.messagesPerDirection),
    receiving: await ConferCipher.create(primitives, other, limits.messagesPerDirection),
  };
}

export interface HandshakeParts {
  readonly incoming: IncomingSocket;
  readonly clock: Clock;
  readonly limits: ConferLimits;
  readonly role: HandshakeRole;
  readonly signal?: AbortSignal;
}

/**
 * Runs one step of a handshake within its time; when it fails the socket is closed and every foreign error turned into ours.
 * Rejects with ConferError `confer-handshake-…`, `confer-evidence-missing`, `confer-lost`, or the signal's reason.
 */
export async function withinConferHandshake<Value>(parts: HandshakeParts, step: () => Promise<Value>): Promise<Value> {
  const { incoming, clock, limits, role, signal } = parts;
  const stop = new AbortController();
  const ended = new Promise<never>((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true, signal: stop.signal });
    clock.sleep(limits.handshakeTimeoutMs, stop.signal).then(
      // CO-06: a handshake that never ends holds a socket and keys for somebody who may not exist.
      () => reject(new ConferError('confer-handshake-timeout', { rule: 'CO-06' })),
      () => undefined,
    );
  });
  try {
    signal?.throwIfAborted();
    return await Promise.race([step(), ended]);
  } catch (error) {
    const ours = signal?.aborted ? error : toConferError(error);
    closeFor(incoming, role, ours);
    throw ours;
  } finally {
    stop.abort(new ConferError('confer-closed'));
  }
}

/** Closes with the public proxy's codes as responder; an initiator may run in a browser, which has only codes from 4000. */
export function closeFor(incoming: IncomingSocket, role: HandshakeRole, error: unknown): void {
  const code = error instanceof ConferError ? error.code : 'confer-closed';
  if (role === 'responder') incoming.socket.close(...closingOf(code));
  else if (code === 'confer-closed') incoming.socket.close(1000);
  else incoming.socket.close(4000, code);
}

function toConferError(error: unknown): unknown {
  if (error instanceof CryptoError) return new ConferError('confer-handshake-failed', { rule: 'CO-05' });
  if (error instanceof BytesError) return new ConferError('confer-handshake-malformed', { rule: 'CO-02' });
  if (!(error instanceof ChannelError)) return error;
  if (error.code === 'session-truncated') return new ConferError('confer-lost');
  return new ConferError('confer-handshake-failed', { rule: 'CO-05' });
}
