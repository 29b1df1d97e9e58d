/** Handshake patterns as tables (Noise revision 34, 7; hybrid forward secrecy extension). */

/**
 * `e1` sends a hybrid ephemeral key. `ekem1` answers it with a KEM ciphertext through EncryptAndHash, followed by
 * MixKey of the secret; `ee1` is the Diffie-Hellman of two `e1` keys.
 */
export type Token = 'e' | 's' | 'ee' | 'es' | 'se' | 'ss' | 'e1' | 'ee1' | 'ekem1';

export interface HandshakePattern {
  readonly name: string;
  /** The initiator's and the responder's messages in turn. */
  readonly messages: readonly (readonly Token[])[];
}

/** Suite `sotto-1`: only the responder has a static key; both secrets are mixed before it is sent. */
export const NX_HFS: HandshakePattern = {
  name: 'NXhfs',
  messages: [
    ['e', 'e1'],
    ['e', 'ee', 'ekem1', 's', 'es'],
  ],
};
