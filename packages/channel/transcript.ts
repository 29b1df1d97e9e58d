/**
 * Suite `sotto-1` without a socket: from named seeds to the bytes of a handshake, and from records to frames. It is the
 * code that sessions run; a second implementer, an auditor and `sotto conformance` compare bytes with it.
 */
import { type Primitives, primitives as platform } from '@sotto/crypto/primitives';
import { assertMessageLength, toHandshakeError } from './connect.ts';
import { type Frame, parseFrames } from './frames.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { type HandshakeRole, HandshakeState } from './noise/handshake.ts';
import { NX_HFS } from './noise/pattern.ts';
import { run } from './noise/steps.ts';
import { RecordCipher } from './records.ts';
import { toChannelError } from './session.ts';
import { ALGORITHMS, encodeNodeStatement, MESSAGE_1_BYTES, MESSAGE_2_BYTES } from './suite.ts';

export { ChannelError, type ChannelErrorCode } from './errors.ts';
export type { Frame } from './frames.ts';
export type { HandshakeRole } from './noise/handshake.ts';
export { RecordCipher } from './records.ts';
export { answerHandshake } from './responder-handshake.ts';
export { encodePrologue, SUITE } from './suite.ts';

/** Everything secret or random in a handshake. */
export interface HandshakeSeeds {
  /** X25519, 32 bytes each. */
  readonly initiatorEphemeral: Uint8Array;
  readonly responderEphemeral: Uint8Array;
  readonly responderStatic: Uint8Array;
  /** ML-KEM-768, 64 bytes (d ‖ z). */
  readonly initiatorKem: Uint8Array;
}

export interface HandshakeTranscript {
  readonly messages: readonly [Uint8Array, Uint8Array];
  readonly handshakeHash: Uint8Array;
  readonly fromInitiator: Uint8Array;
  readonly fromResponder: Uint8Array;
}

/**
 * Both sides of one handshake.
 *
 * @param options.primitives with an `encapsulate` that draws from a seed, for bytes that can be compared
 * Rejects with ChannelError, as a session would end.
 */
export async function computeHandshake(options: {
  readonly seeds: HandshakeSeeds;
  readonly prologue: Uint8Array;
  /** 32 and 16 bytes. */
  readonly evidenceDigest: Uint8Array;
  readonly epochId: Uint8Array;
  readonly primitives?: Primitives;
}): Promise<HandshakeTranscript> {
  const { seeds, prologue, primitives = platform } = options;
  const shared = { pattern: NX_HFS, algorithms: ALGORITHMS, prologue };
  // Copies: a handshake erases its ephemeral keys.
  const initiator = new HandshakeState({
    ...shared,
    role: 'initiator',
    keys: { ephemeral: seeds.initiatorEphemeral.slice(), hybrid: seeds.initiatorKem.slice() },
  });
  const responder = new HandshakeState({
    ...shared,
    role: 'responder',
    keys: { ephemeral: seeds.responderEphemeral.slice(), static: seeds.responderStatic },
  });
  try {
    const first = await run(initiator.writeMessage(new Uint8Array(0)), primitives);
    assertMessageLength(first, MESSAGE_1_BYTES);
    await run(responder.readMessage(first), primitives);
    const statement = encodeNodeStatement(options.evidenceDigest, options.epochId);
    const second = await run(responder.writeMessage(statement), primitives);
    assertMessageLength(second, MESSAGE_2_BYTES);
    await run(initiator.readMessage(second), primitives);
    const handshakeHash = initiator.handshakeHash;
    responder.split();
    return { messages: [first, second], handshakeHash, ...initiator.split() };
  } catch (error) {
    throw toHandshakeError(error);
  }
}

/**
 * The frames in records that arrived in order at one end, judged record by record as a session does; what a session says
 * about the order of frames (streams, credit) is not judged.
 *
 * @param options.key 32 bytes: the key of the direction at `counter`; a `rekey` changes it on the way
 * @param options.counter of the first record
 * Rejects with ChannelError `record-…`, `frame-…`, `rekey-missing`, `session-exhausted`.
 */
export async function openRecords(options: {
  readonly key: Uint8Array;
  readonly from: HandshakeRole;
  readonly counter: number;
  readonly records: readonly Uint8Array[];
  readonly primitives?: Primitives;
}): Promise<Frame[][]> {
  const { key, from, counter, records, primitives = platform } = options;
  const cipher = await RecordCipher.create(primitives, key.slice(), DEFAULT_LIMITS.recordsPerDirection, counter);
  const opened: Frame[][] = [];
  try {
    for (const record of records) {
      const frames = parseFrames(await cipher.open(record), from);
      if (frames.at(-1)?.kind === 'rekey') cipher.rekey();
      opened.push(frames);
    }
  } catch (error) {
    throw toChannelError(error);
  }
  return opened;
}
