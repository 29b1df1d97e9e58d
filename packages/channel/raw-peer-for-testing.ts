/** A peer that can say anything: a real handshake, then whatever bytes a test or an attack wants to seal. */
import { concatBytes } from '@sotto/bytes';
import { type Primitives, primitives as platform } from '@sotto/crypto/primitives';
import type { Socket } from '@sotto/ports';
import { type Ciphers, createCiphers } from './connect.ts';
import { encodeFrame, type Frame, parseFrames } from './frames.ts';
import { IncomingSocket } from './incoming-socket.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { type HandshakeKeys, type HandshakeRole, HandshakeState } from './noise/handshake.ts';
import { NX_HFS } from './noise/pattern.ts';
import { run } from './noise/steps.ts';
import type { RecordCipher } from './records.ts';
import { ALGORITHMS, aesGcmNonce, encodePrologue, encodeRenewalPrologue, SUITE } from './suite.ts';

export { encodeFrame, type Frame, parseFrames } from './frames.ts';
export { DEFAULT_LIMITS } from './limits.ts';
export { answerHandshake } from './responder-handshake.ts';
export { encodeRenewalPrologue } from './suite.ts';

export interface RawPeerOptions {
  readonly socket: Socket;
  readonly role: HandshakeRole;
  readonly nodeId: Uint8Array;
  readonly suites?: readonly string[];
  /** Private keys: `ephemeral` (32), `hybrid` (64, initiator), `static` (32, responder). */
  readonly keys: HandshakeKeys;
  /** The payload of message 2, for a responder. */
  readonly statement?: Uint8Array;
  readonly primitives?: Primitives;
}

export class RawPeer {
  readonly handshakeHash: Uint8Array;
  /** Every frame that arrived, in order. */
  readonly frames: Frame[] = [];
  /** Whether the line is over. */
  isClosed = false;
  /** What a direction goes on with after its `switch`. */
  next: Ciphers | undefined;
  readonly #socket: Socket;
  #sending: RecordCipher;
  readonly #role: HandshakeRole;
  readonly #key: Uint8Array;
  readonly #primitives: Primitives;
  readonly #nodeId: Uint8Array;
  #wake: (() => void) | undefined;

  private constructor(
    incoming: IncomingSocket,
    state: HandshakeState,
    ciphers: { sending: RecordCipher; receiving: RecordCipher },
    key: Uint8Array,
    role: HandshakeRole,
    primitives: Primitives,
    nodeId: Uint8Array,
  ) {
    this.#nodeId = nodeId;
    this.handshakeHash = state.handshakeHash;
    this.#socket = incoming.socket;
    this.#sending = ciphers.sending;
    this.#role = role;
    this.#key = key;
    this.#primitives = primitives;
    let order = Promise.resolve();
    /** After a `switch` to keys that this peer never made, nothing that follows can be read. */
    let isDeaf = false;
    incoming.attach(
      (message) => {
        order = order.then(async () => {
          if (isDeaf) return;
          const plaintext = await ciphers.receiving.open(message);
          const frames = parseFrames(plaintext, role === 'initiator' ? 'responder' : 'initiator');
          if (frames.at(-1)?.kind === 'rekey') ciphers.receiving.rekey();
          if (frames.at(-1)?.kind === 'switch') {
            if (this.next === undefined) isDeaf = true;
            else ciphers.receiving = this.next.receiving;
          }
          this.frames.push(...frames);
          this.#wake?.();
        });
      },
      () => {
        order = order.then(() => {
          this.isClosed = true;
          this.#wake?.();
        });
      },
    );
  }

  static async connect(options: RawPeerOptions): Promise<RawPeer> {
    const { socket, role, nodeId, keys, primitives = platform, suites = [SUITE] } = options;
    const incoming = new IncomingSocket(socket);
    const prologue = encodePrologue(suites, nodeId);
    const state = new HandshakeState({ pattern: NX_HFS, algorithms: ALGORITHMS, role, prologue, keys });
    if (role === 'initiator') {
      socket.send(await run(state.writeMessage(new Uint8Array(0)), primitives));
      await run(state.readMessage(await incoming.next()), primitives);
    } else {
      await run(state.readMessage(await incoming.next()), primitives);
      socket.send(await run(state.writeMessage(options.statement ?? new Uint8Array(48)), primitives));
    }
    const keyOf = state.split();
    const key = (role === 'initiator' ? keyOf.fromInitiator : keyOf.fromResponder).slice();
    const ciphers = await createCiphers({ split: () => keyOf }, role, primitives, DEFAULT_LIMITS);
    return new RawPeer(incoming, state, ciphers, key, role, primitives, nodeId);
  }

  /**
   * Message 2 of a renewal, as a node would answer message 1; `next` holds the keys afterwards.
   *
   * @param keys `ephemeral` and `static`; the statement is the payload
   */
  async answerRenewal(message: Uint8Array, keys: HandshakeKeys, statement: Uint8Array): Promise<Uint8Array> {
    const prologue = encodeRenewalPrologue([SUITE], this.#nodeId, this.handshakeHash);
    const state = new HandshakeState({ pattern: NX_HFS, algorithms: ALGORITHMS, role: 'responder', prologue, keys });
    await run(state.readMessage(message), this.#primitives);
    const answer = await run(state.writeMessage(statement), this.#primitives);
    this.next = await createCiphers(state, 'responder', this.#primitives, DEFAULT_LIMITS);
    return answer;
  }

  /** One record with these frames, padded as it should be. */
  async send(...frames: readonly Frame[]): Promise<void> {
    await this.sendPlaintext(concatBytes(...frames.map(encodeFrame)));
  }

  /** One record with these bytes at its start, zeros after them. A new key follows what ends with a proper `rekey`. */
  async sendPlaintext(bytes: Uint8Array): Promise<void> {
    const sealed = this.#sending.seal(bytes);
    const last = lastKind(bytes, this.#role);
    if (last === 'rekey') this.#sending.rekey();
    if (last === 'switch' && this.next !== undefined) this.#sending = this.next.sending;
    this.#socket.send(await sealed);
  }

  /** A record of exactly this plaintext under a counter of the caller's choice, whatever its size. */
  async sendUnpadded(plaintext: Uint8Array, counter: number): Promise<void> {
    const aead = await this.#primitives.importAead(this.#key);
    this.#socket.send(await aead.seal(aesGcmNonce(counter), plaintext, new Uint8Array(0)));
  }

  /** Bytes as they are. */
  sendBytes(bytes: Uint8Array): void {
    this.#socket.send(bytes);
  }

  /** Resolves with the first frame that matches, past ones included; with undefined when the line ends first. */
  async frame(matches: (frame: Frame) => boolean): Promise<Frame | undefined> {
    for (;;) {
      const found = this.frames.find(matches);
      if (found !== undefined || this.isClosed) return found;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

function lastKind(plaintext: Uint8Array, from: HandshakeRole): Frame['kind'] | undefined {
  try {
    return parseFrames(plaintext, from).at(-1)?.kind;
  } catch {
    return undefined;
  }
}
