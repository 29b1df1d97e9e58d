/** The initiator's half of one handshake: message 1 out, message 2 in (spec/channel.md, handshake and renewal). */
import type { Primitives } from '@sotto/crypto/primitives';
import type { Random } from '@sotto/ports';
import { assertMessageLength, type Ciphers, createCiphers } from './connect.ts';
import type { ChannelLimits } from './limits.ts';
import { HandshakeState } from './noise/handshake.ts';
import { NX_HFS } from './noise/pattern.ts';
import { run } from './noise/steps.ts';
import { ALGORITHMS, MESSAGE_2_BYTES, type NodeStatement, parseNodeStatement } from './suite.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** What the other end of a handshake says of itself: nothing of it is believed yet. */
export interface NodeClaim extends NodeStatement {
  /** 32 bytes; equal at both ends. */
  readonly handshakeHash: Bytes;
  /** 32 bytes: whoever answered holds its private half. */
  readonly staticKey: Bytes;
}

/** Used once. Owns its ephemeral keys; `erase` it in the end, well or not. */
export class InitiatorHandshake {
  readonly #state: HandshakeState;
  readonly #primitives: Primitives;
  readonly #limits: ChannelLimits;

  constructor(options: {
    readonly prologue: Uint8Array;
    readonly random: Random;
    readonly primitives: Primitives;
    readonly limits: ChannelLimits;
  }) {
    const { prologue, random, primitives, limits } = options;
    const keys = { ephemeral: random.bytes(32), hybrid: random.bytes(64) };
    this.#state = new HandshakeState({ pattern: NX_HFS, algorithms: ALGORITHMS, role: 'initiator', prologue, keys });
    this.#primitives = primitives;
    this.#limits = limits;
  }

  /** Message 1: 1,216 bytes. */
  async begin(): Promise<Bytes> {
    return await run(this.#state.writeMessage(new Uint8Array(0)), this.#primitives);
  }

  /** Rejects with ChannelError `handshake-malformed`, or with what parsing and cryptography refused. */
  async finish(message: Uint8Array): Promise<{ readonly claim: NodeClaim; readonly ciphers: Ciphers }> {
    assertMessageLength(message, MESSAGE_2_BYTES);
    const statement = parseNodeStatement(await run(this.#state.readMessage(message), this.#primitives));
    const claim = {
      ...statement,
      handshakeHash: new Uint8Array(this.#state.handshakeHash),
      staticKey: new Uint8Array(this.#state.peerStaticKey),
    };
    return { claim, ciphers: await createCiphers(this.#state, 'initiator', this.#primitives, this.#limits) };
  }

  erase(): void {
    this.#state.erase();
  }
}
