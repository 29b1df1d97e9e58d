/**
 * Both sides of one Noise session, from keys that are all known: how a published vector is computed again. Each side
 * reads what the other wrote, never what somebody claims it wrote. Everything here is input and nothing is secret.
 */
import { CryptoError, type Primitives } from '@sotto/crypto/primitives';
import { type HandshakeKeys, type HandshakeRole, HandshakeState } from './handshake.ts';
import type { HandshakePattern } from './pattern.ts';
import { findPattern, type NamedPattern } from './pattern-table.ts';
import { run } from './steps.ts';
import type { NoiseAlgorithms } from './symmetric-state.ts';

export interface ReplayParty {
  readonly prologue: Uint8Array;
  readonly keys: HandshakeKeys;
}

export interface Replay {
  /** One whose first sender is the responder is reached by falling back from IK: message 0 is then IK's. */
  readonly pattern: NamedPattern;
  readonly algorithms: NoiseAlgorithms;
  readonly primitives: Primitives;
  readonly initiator: ReplayParty;
  readonly responder: ReplayParty;
  /** At least one for each message of the handshake; the rest are transport messages. Senders alternate. */
  readonly payloads: readonly Uint8Array[];
  /** Sees each message as soon as its sender made it, and may throw to end the replay. */
  onMessage?(message: Uint8Array, index: number): void;
}

export interface ReplayResult {
  readonly messages: readonly Uint8Array[];
  /** As each side has it; equal, unless the sides never exchanged what would have told them apart. */
  readonly handshakeHashes: Readonly<Record<HandshakeRole, Uint8Array>>;
  /** Finished: for what each side learned of the other. */
  readonly sides: Readonly<Record<HandshakeRole, HandshakeState>>;
}

const NO_AAD = new Uint8Array(0);

/** Rejects with CryptoError, BytesError or ChannelError where a side refuses what the other sent. */
export async function replay(session: Replay): Promise<ReplayResult> {
  const { pattern, primitives, algorithms, payloads } = session;
  const messages: Uint8Array[] = [];
  const note = (message: Uint8Array): Uint8Array => {
    messages.push(message);
    session.onMessage?.(message, messages.length - 1);
    return message;
  };
  let sides = createSides(session, pattern);
  const exchange = async (sender: HandshakeRole): Promise<void> => {
    const payload = payloads[messages.length] ?? NO_AAD;
    const message = note(await run(sides[sender].writeMessage(payload), primitives));
    await run(sides[other(sender)].readMessage(message), primitives);
  };

  if (pattern.firstSender === 'responder') {
    // The same modifiers on IK, whose message the responder may or may not be able to read: its ephemeral key remains.
    sides = createSides(session, findPattern(pattern.name.replace(/XXfallback\+?/, 'IK'), 'none'));
    await exchange('initiator').catch((error: unknown) => {
      if (!(error instanceof CryptoError)) throw error;
    });
    sides = createSides(session, pattern, sides.responder.peerEphemeralKey);
  }
  let sender = pattern.firstSender;
  for (const _ of pattern.messages) {
    await exchange(sender);
    sender = other(sender);
  }

  const handshakeHashes = { initiator: sides.initiator.handshakeHash, responder: sides.responder.handshakeHash };
  const keys = { initiator: sides.initiator.split(), responder: sides.responder.split() };
  const counters = { initiator: 0, responder: 0 };
  for (const payload of payloads.slice(messages.length)) {
    const from = pattern.isOneWay || messages.length % 2 === 0 ? 'initiator' : 'responder';
    const isFirstKey = from === pattern.firstSender;
    const keyOf = (side: HandshakeRole) => (isFirstKey ? keys[side].fromInitiator : keys[side].fromResponder);
    const nonce = algorithms.nonce(counters[from]++);
    const sealing = await primitives.importAead(keyOf(from));
    const message = note(await sealing.seal(nonce, payload, NO_AAD));
    const opening = await primitives.importAead(keyOf(other(from)));
    await opening.open(nonce, message, NO_AAD);
  }
  return { messages, handshakeHashes, sides };
}

const other = (role: HandshakeRole): HandshakeRole => (role === 'initiator' ? 'responder' : 'initiator');

/** Fresh states over copies of the ephemeral keys, which a handshake erases. */
function createSides(session: Replay, pattern: HandshakePattern | undefined, peerEphemeral?: Uint8Array) {
  if (pattern === undefined) throw new TypeError('there is no such pattern to fall back from');
  const create = (role: HandshakeRole): HandshakeState => {
    const { keys, prologue } = session[role];
    const copies: HandshakeKeys = {
      ...keys,
      ephemeral: keys.ephemeral.slice(),
      ...(keys.hybrid === undefined ? {} : { hybrid: keys.hybrid.slice() }),
      ...(peerEphemeral === undefined || role === 'initiator' ? {} : { peerEphemeral }),
    };
    return new HandshakeState({ pattern, algorithms: session.algorithms, role, prologue, keys: copies });
  };
  return { initiator: create('initiator'), responder: create('responder') };
}
