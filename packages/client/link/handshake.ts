/**
 * The two handshakes of a device link (spec/client.md, "Linking a device"), composed from the channel's Noise core. The new
 * device is the initiator, whoever shows the code. Neither device has a static key: by the secret way the pre-shared key is
 * what proves the other end; by the digits way it is the person.
 *
 *   struct Prologue { vector16 label = "sotto/link/v1"; u8 way (1 secret, 2 digits); byte mailboxId[16] }
 */
import { BytesError, ByteWriter, encodeUtf8 } from '@sotto/bytes';
import { ChannelError } from '@sotto/channel';
import { ALGORITHMS, type HandshakePattern, type HandshakeRole, HandshakeState, run } from '@sotto/channel/noise/core';
import { CryptoError, type Primitives, primitives as platform } from '@sotto/crypto/primitives';
import type { Random } from '@sotto/ports';
import { LinkError } from './error.ts';
import { deriveLinkKeys, type LinkKeys } from './line.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** Noise_NNhfs+psk0_25519+MLKEM768_AESGCM_SHA256 */
export const NN_HFS_PSK0: HandshakePattern = {
  name: 'NNhfs+psk0',
  messages: [
    ['psk', 'e', 'e1'],
    ['e', 'ee', 'ekem1'],
  ],
  usesPsk: true,
};

/** Noise_NNhfs_25519+MLKEM768_AESGCM_SHA256 */
export const NN_HFS: HandshakePattern = {
  name: 'NNhfs',
  messages: [
    ['e', 'e1'],
    ['e', 'ee', 'ekem1'],
  ],
};

const LABEL = encodeUtf8('sotto/link/v1');
const NOTHING = new Uint8Array(0);

export interface LinkHandshakeOptions {
  readonly role: HandshakeRole;
  /** 16 bytes. */
  readonly mailboxId: Uint8Array;
  /** 32 bytes of the link's secret; absent where digits are compared instead. Overwritten by `erase`. */
  readonly preSharedKey?: Bytes;
  readonly random: Random;
  readonly primitives?: Primitives;
}

/** Used once. Owns its ephemeral keys; `erase` it in the end, well or not. */
export class LinkHandshake {
  readonly #state: HandshakeState;
  readonly #primitives: Primitives;
  readonly #psk: Bytes | undefined;

  constructor({ role, mailboxId, preSharedKey, random, primitives = platform }: LinkHandshakeOptions) {
    this.#primitives = primitives;
    this.#psk = preSharedKey;
    const prologue = new ByteWriter()
      .vector16(LABEL)
      .u8(preSharedKey === undefined ? 2 : 1)
      .raw(mailboxId)
      .finish();
    this.#state = new HandshakeState({
      pattern: preSharedKey === undefined ? NN_HFS : NN_HFS_PSK0,
      algorithms: ALGORITHMS,
      role,
      prologue,
      keys: {
        ephemeral: random.bytes(32),
        ...(role === 'initiator' ? { hybrid: random.bytes(64) } : {}),
        ...(preSharedKey === undefined ? {} : { psks: [preSharedKey] }),
      },
    });
  }

  async write(): Promise<Bytes> {
    return run(this.#state.writeMessage(NOTHING), this.#primitives);
  }

  /** @throws LinkError `link-forged` for whatever was not made with the same secret for this very link */
  async read(message: Bytes): Promise<void> {
    let payload: Uint8Array;
    try {
      payload = await run(this.#state.readMessage(message), this.#primitives);
    } catch (cause) {
      // CL-351: who cannot make this message does not know the secret, or changed it on the way.
      if (isRefusal(cause)) throw new LinkError('link-forged', 'CL-351', cause);
      throw cause;
    }
    // CL-351: nothing is said before the handshake is done.
    if (payload.length > 0) throw new LinkError('link-forged', 'CL-351');
  }

  /** After the second message: 32 bytes, equal at both ends. */
  get hash(): Uint8Array {
    return this.#state.handshakeHash;
  }

  /** Ends the handshake. */
  finish(): LinkKeys {
    const { hash } = this;
    const { fromInitiator, fromResponder } = this.#state.split();
    const keys = deriveLinkKeys(fromInitiator, fromResponder, hash);
    fromInitiator.fill(0);
    fromResponder.fill(0);
    return keys;
  }

  erase(): void {
    this.#state.erase();
    this.#psk?.fill(0);
  }
}

function isRefusal(cause: unknown): boolean {
  return cause instanceof CryptoError || cause instanceof BytesError || cause instanceof ChannelError;
}
