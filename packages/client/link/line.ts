/**
 * What follows a link's handshake: one sealed message a slot, each under a key of its own (spec/client.md, "Linking a
 * device"), and the secret of the lock in which the account key is handed over.
 *
 *   K           = fromInitiator ‖ fromResponder of Noise's Split
 *   slot key    = HKDF(K, handshake hash, "sotto/link/message/v1" ‖ u8 slot, 32); AES-256-GCM, nonce 0, no associated data
 *   lock secret = HKDF(K, handshake hash, "sotto/link/lock/v1", 32)
 */
import { concatBytes, encodeUtf8 } from '@sotto/bytes';
import { CryptoError, openAes256Gcm, sealAes256Gcm } from '@sotto/crypto/aead';
import { hkdfSha256 } from '@sotto/crypto/kdf';
import { LockSecret } from '@sotto/vault';
import { LinkError } from './error.ts';
import type { Mailbox } from './mailbox.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const MESSAGE_LABEL = encodeUtf8('sotto/link/message/v1');
const LOCK_LABEL = encodeUtf8('sotto/link/lock/v1');
const NONCE = new Uint8Array(12);
const NOTHING = new Uint8Array(0);

export interface LinkKeys {
  /** Opens the lock of kind `device-link`. */
  readonly lockSecret: LockSecret;
  /** A copy, 32 bytes; the caller's to erase. */
  slotKey(slot: number): Bytes;
  erase(): void;
}

/** @param hash 32 bytes: the handshake's */
export function deriveLinkKeys(fromInitiator: Uint8Array, fromResponder: Uint8Array, hash: Uint8Array): LinkKeys {
  const both = concatBytes(fromInitiator, fromResponder);
  const secret = hkdfSha256(both, hash, LOCK_LABEL, 32);
  const lockSecret = new LockSecret(secret);
  secret.fill(0);
  return {
    lockSecret,
    slotKey: (slot) => hkdfSha256(both, hash, concatBytes(MESSAGE_LABEL, Uint8Array.of(slot)), 32),
    erase: () => void both.fill(0),
  };
}

/** The sealed line of one link, over its mailbox. */
export class LinkLine {
  readonly #keys: LinkKeys;
  readonly #mailbox: Mailbox;

  constructor(keys: LinkKeys, mailbox: Mailbox) {
    this.#keys = keys;
    this.#mailbox = mailbox;
  }

  async send(slot: number, content: Uint8Array): Promise<void> {
    const key = this.#keys.slotKey(slot);
    const sealed = await sealAes256Gcm(key, NONCE, new Uint8Array(content), NOTHING);
    key.fill(0);
    await this.#mailbox.put(slot, sealed);
  }

  /** Waits for it. @throws LinkError `link-forged` for what the other device did not say in this place */
  async receive(slot: number): Promise<Bytes> {
    const sealed = await this.#mailbox.take(slot);
    const key = this.#keys.slotKey(slot);
    try {
      return await openAes256Gcm(key, NONCE, sealed, NOTHING);
    } catch (cause) {
      // CL-352: a message that was changed, repeated in another place, or comes from another link, is nobody's word.
      if (cause instanceof CryptoError) throw new LinkError('link-forged', 'CL-352', cause);
      throw cause;
    } finally {
      key.fill(0);
    }
  }
}
