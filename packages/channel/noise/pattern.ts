/** Handshake patterns as tables (Noise revision 34, 7; hybrid forward secrecy extension). */

/**
 * `e1` sends a hybrid ephemeral key. `ekem1` answers it with a KEM ciphertext through EncryptAndHash, followed by
 * MixKey of the secret; `ee1` is the Diffie-Hellman of two `e1` keys. `psk` mixes the next pre-shared key.
 */
export type Token = 'e' | 's' | 'ee' | 'es' | 'se' | 'ss' | 'e1' | 'ee1' | 'ekem1' | 'psk';

export interface HandshakePattern {
  readonly name: string;
  /** The initiator's and the responder's messages in turn. */
  readonly messages: readonly (readonly Token[])[];
  /** Public keys (`e`, `s`) that were exchanged before, mixed in this order. */
  readonly before?: { readonly initiator: readonly Token[]; readonly responder: readonly Token[] };
  /** Whether there is a `psk`: then ephemeral keys are mixed into the cipher key too (9.2). */
  readonly usesPsk?: boolean;
}

/** Suite `sotto-1`: only the responder has a static key; both secrets are mixed before it is sent. */
export const NX_HFS: HandshakePattern = {
  name: 'NXhfs',
  messages: [
    ['e', 'e1'],
    ['e', 'ee', 'ekem1', 's', 'es'],
  ],
};
