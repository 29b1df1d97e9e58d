/**
 * HandshakeState of Noise (revision 34, 5.3), driven by a pattern table. Messages read here are made by the peer or by
 * whoever is between, and hostile. Ephemeral keys are given by the caller and erased at the end.
 */
import { ByteReader, ByteWriter } from '@sotto/bytes';
import { isCanonicalMlKem768PublicKey, type KeyAgreement, type Primitives } from '@sotto/crypto/primitives';
import { ChannelError } from '../errors.ts';
import type { HandshakePattern, Token } from './pattern.ts';
import { ask, type Steps } from './steps.ts';
import { type NoiseAlgorithms, SymmetricState } from './symmetric-state.ts';

export type HandshakeRole = 'initiator' | 'responder';

export interface HandshakeKeys {
  readonly ephemeral: Uint8Array;
  /** The ML-KEM seed (64 bytes), or the private key of the second group. */
  readonly hybrid?: Uint8Array;
  readonly static?: Uint8Array;
  /** The peer's public keys, where the pattern says that they are known before. */
  readonly peerStatic?: Uint8Array;
  readonly peerEphemeral?: Uint8Array;
  /** 32 bytes each, in the order in which the pattern mixes them. */
  readonly psks?: readonly Uint8Array[];
}

export interface HandshakeOptions {
  readonly pattern: HandshakePattern;
  readonly algorithms: NoiseAlgorithms;
  readonly role: HandshakeRole;
  readonly prologue: Uint8Array;
  readonly keys: HandshakeKeys;
}

/** Throws where a pattern asks for a key that was not given: our mistake, never a peer's. */
function need<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new TypeError('the handshake pattern needs a key that is missing');
  return value;
}

function hybridOf(primitives: Primitives): KeyAgreement {
  return need(primitives.hybrid);
}

/** Owned by one connection; used for exactly one handshake. */
export class HandshakeState {
  readonly #options: HandshakeOptions;
  readonly #state: SymmetricState;
  #position = 0;
  #psksMixed = 0;
  #theirEphemeral: Uint8Array | undefined;
  #theirStatic: Uint8Array | undefined;
  #theirHybrid: Uint8Array | undefined;
  #imported: Primitives | undefined;

  constructor(options: HandshakeOptions) {
    this.#options = options;
    this.#theirStatic = options.keys.peerStatic;
    this.#theirEphemeral = options.keys.peerEphemeral;
    this.#state = new SymmetricState(options.algorithms, `Noise_${options.pattern.name}_${options.algorithms.name}`);
    this.#state.mixHash(options.prologue);
  }

  get handshakeHash(): Uint8Array {
    return this.#state.handshakeHash;
  }

  /** The peer's static key, known once its `s` was read. */
  get peerStaticKey(): Uint8Array {
    return need(this.#theirStatic);
  }

  /** The peer's ephemeral key: what a fallback starts from when its message could not be read to the end. */
  get peerEphemeralKey(): Uint8Array {
    return need(this.#theirEphemeral);
  }

  *writeMessage(payload: Uint8Array): Steps<Uint8Array<ArrayBuffer>> {
    const message = new ByteWriter(1536);
    yield* this.#mixBefore();
    for (const token of this.#nextTokens()) yield* this.#write(token, message);
    return message.raw(yield* this.#state.encryptAndHash(payload)).finish();
  }

  /** @returns the payload */
  *readMessage(message: Uint8Array): Steps<Uint8Array> {
    const reader = new ByteReader(message);
    yield* this.#mixBefore();
    for (const token of this.#nextTokens()) yield* this.#read(token, reader);
    return yield* this.#state.decryptAndHash(reader.rest());
  }

  /** The transport keys. Erases the ephemeral keys, so that nothing later can recompute them. */
  split(): { readonly fromInitiator: Uint8Array; readonly fromResponder: Uint8Array } {
    this.erase();
    return this.#state.split();
  }

  /** Also for a handshake that failed. */
  erase(): void {
    this.#options.keys.ephemeral.fill(0);
    this.#options.keys.hybrid?.fill(0);
    this.#imported = undefined;
  }

  /** Keys that several tokens use are imported once. */
  #once(primitives: Primitives): Primitives {
    this.#imported ??= primitives.forOneHandshake?.(this.#options.keys.static) ?? primitives;
    return this.#imported;
  }

  /** Before the first message: the keys that both sides know already, the initiator's first. */
  *#mixBefore(): Steps<void> {
    const { keys, pattern, role } = this.#options;
    if (this.#position > 0 || pattern.before === undefined) return;
    for (const side of ['initiator', 'responder'] as const) {
      for (const token of pattern.before[side]) {
        const [own, theirs] = token === 'e' ? [keys.ephemeral, this.#theirEphemeral] : [keys.static, this.#theirStatic];
        const key =
          side === role ? yield* ask((primitives) => this.#once(primitives).dhPublicKey(need(own))) : need(theirs);
        if (token === 'e') this.#mixEphemeral(key);
        else this.#state.mixHash(key);
      }
    }
  }

  #mixEphemeral(key: Uint8Array): void {
    this.#state.mixHash(key);
    if (this.#options.pattern.usesPsk) this.#state.mixKey(key);
  }

  #nextTokens(): readonly Token[] {
    return need(this.#options.pattern.messages[this.#position++]);
  }

  *#write(token: Token, message: ByteWriter): Steps<void> {
    const { keys, algorithms } = this.#options;
    switch (token) {
      case 'e': {
        const key = yield* ask((primitives) => this.#once(primitives).dhPublicKey(keys.ephemeral));
        this.#mixEphemeral(key);
        message.raw(key);
        return;
      }
      case 's': {
        const key = yield* ask((primitives) => this.#once(primitives).dhPublicKey(need(keys.static)));
        message.raw(yield* this.#state.encryptAndHash(key));
        return;
      }
      case 'e1': {
        const seed = need(keys.hybrid);
        const key = yield* ask((primitives) =>
          algorithms.kemCiphertextBytes > 0
            ? this.#once(primitives).kemPublicKey(seed)
            : hybridOf(primitives).dhPublicKey(seed),
        );
        message.raw(yield* this.#state.encryptAndHash(key));
        return;
      }
      case 'ekem1': {
        const theirs = need(this.#theirHybrid);
        const { ciphertext, sharedSecret } = yield* ask((primitives) => primitives.encapsulate(theirs));
        message.raw(yield* this.#state.encryptAndHash(ciphertext));
        this.#state.mixKey(sharedSecret);
        sharedSecret.fill(0);
        return;
      }
      default:
        yield* this.#mix(token);
    }
  }

  *#read(token: Token, reader: ByteReader): Steps<void> {
    const { keys, algorithms } = this.#options;
    switch (token) {
      case 'e':
        this.#theirEphemeral = reader.take(algorithms.dhBytes);
        this.#mixEphemeral(this.#theirEphemeral);
        return;
      case 's':
        this.#theirStatic = yield* this.#state.decryptAndHash(reader.take(algorithms.dhBytes + this.#state.tagBytes));
        return;
      case 'e1': {
        const key = yield* this.#state.decryptAndHash(reader.take(algorithms.hybridBytes + this.#state.tagBytes));
        const isKem = algorithms.kemCiphertextBytes > 0;
        // CH-04: a key outside its ring can make the secret depend on less than the peer's whole key.
        if (isKem && !isCanonicalMlKem768PublicKey(key)) {
          throw new ChannelError('kem-key-not-canonical', { rule: 'CH-04' });
        }
        this.#theirHybrid = key;
        return;
      }
      case 'ekem1': {
        const sealed = reader.take(algorithms.kemCiphertextBytes + this.#state.tagBytes);
        const ciphertext = yield* this.#state.decryptAndHash(sealed);
        const sharedSecret = yield* ask((primitives) =>
          this.#once(primitives).decapsulate(need(keys.hybrid), ciphertext),
        );
        this.#state.mixKey(sharedSecret);
        sharedSecret.fill(0);
        return;
      }
      default:
        yield* this.#mix(token);
    }
  }

  *#mix(token: 'ee' | 'es' | 'se' | 'ss' | 'ee1' | 'psk'): Steps<void> {
    const { keys, role } = this.#options;
    if (token === 'psk') {
      this.#state.mixKeyAndHash(need(keys.psks?.[this.#psksMixed++]));
      return;
    }
    if (token === 'ee1') {
      const [ours, theirs] = [need(keys.hybrid), need(this.#theirHybrid)];
      this.#mixSecret(yield* ask((primitives) => hybridOf(primitives).dh(ours, theirs)));
      return;
    }
    // The first letter is the initiator's key, the second the responder's.
    const [first, second] = token as unknown as ['e' | 's', 'e' | 's'];
    const [own, other] = role === 'initiator' ? [first, second] : [second, first];
    const ours = need(own === 'e' ? keys.ephemeral : keys.static);
    const theirs = need(other === 'e' ? this.#theirEphemeral : this.#theirStatic);
    this.#mixSecret(yield* ask((primitives) => this.#once(primitives).dh(ours, theirs)));
  }

  #mixSecret(secret: Uint8Array): void {
    // CH-03: an all-zero secret is one that everybody knows.
    if (secret.every((byte) => byte === 0)) throw new ChannelError('low-order-point', { rule: 'CH-03' });
    this.#state.mixKey(secret);
    secret.fill(0);
  }
}
