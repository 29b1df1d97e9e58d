/**
 * The client's end of suite `confer-1`. The machine at the other end is somebody else's; it is hostile until the caller has
 * judged its evidence, and its answers remain untrusted. Until `proceed` nothing leaves but an ephemeral key.
 */
import { equalBytes } from '@sotto/bytes';
import { type Primitives, primitives as platformPrimitives } from '@sotto/crypto/primitives';
import type { Clock, Random, Socket } from '@sotto/ports';
import { IncomingSocket } from '../incoming-socket.ts';
import { run } from '../noise/steps.ts';
import { ConferError } from './errors.ts';
import { type ConferChannel, Exchanges } from './exchanges.ts';
import { closeFor, createConferCiphers, createXx, withinConferHandshake } from './handshake.ts';
import { CONFER_LIMITS, type ConferLimits, EMPTY, MESSAGE_2_OVERHEAD_BYTES, NOISE_LIMIT_BYTES } from './suite.ts';
import { ConferTransport } from './transport.ts';

export interface ConferConnectOptions {
  readonly socket: Socket;
  readonly random: Random;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  readonly limits?: Partial<ConferLimits>;
  /** Instead of the platform's own. */
  readonly primitives?: Primitives;
}

/** A connection whose machine has shown its evidence. It can be judged, or closed. */
export interface UnjudgedConfer {
  /** The machine's X25519 key, 32 bytes. */
  readonly staticKey: Uint8Array;
  /** JSON, as it came. */
  readonly evidence: Uint8Array;
  /**
   * Ends the handshake; this object is of no further use.
   * @param expectedStaticKey the key that the evidence, once judged, speaks of
   * @throws ConferError `confer-peer-mismatch`, `confer-closed`, `confer-lost`
   */
  proceed(expectedStaticKey: Uint8Array): Promise<ConferChannel>;
  close(): void;
}

/** @throws ConferError `confer-handshake-…`, `confer-evidence-missing`, `confer-lost`, or the signal's reason */
export async function connectConfer(options: ConferConnectOptions): Promise<UnjudgedConfer> {
  const { socket, random, clock, primitives = platformPrimitives } = options;
  const limits = { ...CONFER_LIMITS, ...options.limits };
  const incoming = new IncomingSocket(socket);
  // A key of one connection: with a lasting one, whoever serves could tell that two conversations are one person's.
  const staticPrivateKey = random.bytes(32);
  const state = createXx('initiator', random, staticPrivateKey);
  const role = 'initiator';
  const signal = options.signal === undefined ? {} : { signal: options.signal };
  const forget = (): void => {
    state.erase();
    staticPrivateKey.fill(0);
  };
  let evidence: Uint8Array;
  try {
    evidence = await withinConferHandshake({ incoming, clock, limits, role, ...signal }, async () => {
      socket.send(await run(state.writeMessage(EMPTY), primitives));
      const message = await incoming.next();
      // CO-10: no Noise message is longer.
      if (message.length > NOISE_LIMIT_BYTES) throw new ConferError('confer-handshake-too-large', { rule: 'CO-10' });
      const payload = await run(state.readMessage(message), primitives);
      // CO-03: a machine that shows nothing is a machine that nobody vouches for.
      if (message.length <= MESSAGE_2_OVERHEAD_BYTES)
        throw new ConferError('confer-evidence-missing', { rule: 'CO-03' });
      return payload;
    });
  } catch (error) {
    forget();
    throw error;
  }
  const staticKey = state.peerStaticKey.slice();
  let isUsed = false;
  const end = (error: ConferError): ConferError => {
    isUsed = true;
    forget();
    closeFor(incoming, role, error);
    return error;
  };
  return {
    staticKey,
    evidence,
    async proceed(expectedStaticKey) {
      // CO-07: one handshake is one connection; its keys are gone after the first call.
      if (isUsed) throw new ConferError('confer-closed', { rule: 'CO-07' });
      isUsed = true;
      const isJudged = equalBytes(expectedStaticKey, state.peerStaticKey);
      // CO-07: evidence of another machine says nothing about this one.
      if (!isJudged) throw end(new ConferError('confer-peer-mismatch', { rule: 'CO-07' }));
      try {
        const transport = await withinConferHandshake({ incoming, clock, limits, role }, async () => {
          const message = await run(state.writeMessage(EMPTY), primitives);
          const ciphers = await createConferCiphers(state, role, primitives, limits);
          socket.send(message);
          return new ConferTransport({ ...ciphers, role, incoming, clock, random, limits });
        });
        return new Exchanges(transport, limits);
      } finally {
        forget();
      }
    },
    close() {
      if (!isUsed) end(new ConferError('confer-closed'));
    },
  };
}
