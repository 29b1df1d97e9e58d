/**
 * The initiator's side of a renewal: a new handshake inside the session, judged like the first one, before anything leaves
 * under its keys (spec/channel.md, renewal). The responder is hostile; whatever it gets wrong ends the session.
 *
 *   idle ── renew ──▶ asked ── renewed ──▶ deciding ── accept: switch ──▶ switching ── switch ──▶ idle
 */
import { equalBytes } from '@sotto/bytes';
import { type Ciphers, toHandshakeError } from './connect.ts';
import { ChannelError } from './errors.ts';
import type { InitiatorHandshake, NodeClaim } from './initiator-handshake.ts';
import type { Session } from './session.ts';
import { toChannelError } from './session.ts';

/** What verification established about the other end; a `VerifiedNode` is one. */
export interface ExpectedPeer {
  readonly staticKey: Uint8Array;
  readonly evidenceDigest: Uint8Array;
  readonly epochId: Uint8Array;
  /** When that stops holding, in milliseconds since the Unix epoch. Absent: never. */
  readonly notAfterMs?: number;
}

/** A second handshake with somebody who, as that handshake says, has proven nothing yet. */
export interface UnverifiedRenewal extends NodeClaim {
  /**
   * The session goes on under the new keys. Resolves when both directions do.
   *
   * @throws ChannelError `peer-mismatch` (the session is over) unless key, digest and epoch are the verified ones
   */
  accept(expected: ExpectedPeer): Promise<void>;
  /** Ends the session at once: nothing that waits is sent. */
  refuse(): void;
}

/** @throws ChannelError `peer-mismatch` unless key, digest and epoch of the handshake are those that were verified */
export function assertExpectedPeer(claim: NodeClaim, expected: ExpectedPeer): void {
  const [isKey, isDigest, isEpoch] = [
    equalBytes(expected.staticKey, claim.staticKey),
    equalBytes(expected.evidenceDigest, claim.evidenceDigest),
    equalBytes(expected.epochId, claim.epochId),
  ];
  // CH-14: with another key the other end is not the machine whose evidence was checked.
  if (!isKey) throw new ChannelError('peer-mismatch', { rule: 'CH-14' });
  // CH-15: with other evidence, what was checked is not what this machine says of itself.
  if (!isDigest) throw new ChannelError('peer-mismatch', { rule: 'CH-15' });
  // CH-16: with another epoch the key may be one that has been given up.
  if (!isEpoch) throw new ChannelError('peer-mismatch', { rule: 'CH-16' });
}

type State =
  | { readonly kind: 'idle' | 'deciding' }
  | {
      readonly kind: 'asked' | 'opening';
      readonly handshake: InitiatorHandshake;
      resolve(renewal: UnverifiedRenewal): void;
      reject(error: unknown): void;
    }
  | {
      readonly kind: 'switching';
      readonly receiving: Ciphers['receiving'];
      readonly notAfterMs: number | undefined;
      resolve(): void;
      reject(error: unknown): void;
    };

export interface InitiatorRenewalParts {
  readonly session: Pick<Session, 'send' | 'fail' | 'switchSending' | 'switchReceiving'>;
  createHandshake(): InitiatorHandshake;
  /** What is sent from now on is under the new keys. */
  onAccepted(claim: NodeClaim): void;
  /** Both directions are. */
  onRenewed(notAfterMs: number | undefined): void;
}

/** Owned by one channel. */
export class InitiatorRenewal {
  readonly #parts: InitiatorRenewalParts;
  #state: State = { kind: 'idle' };
  #endedBy: ChannelError | undefined;

  constructor(parts: InitiatorRenewalParts) {
    this.#parts = parts;
  }

  /** Rejects with ChannelError `renewal-running`, `handshake-…` (the session is over), or why the session ended. */
  async start(): Promise<UnverifiedRenewal> {
    if (this.#endedBy !== undefined) throw this.#endedBy;
    if (this.#state.kind !== 'idle') throw new ChannelError('renewal-running', { rule: 'CH-72' });
    const handshake = this.#parts.createHandshake();
    const asked = new Promise<UnverifiedRenewal>((resolve, reject) => {
      this.#state = { kind: 'asked', handshake, resolve, reject };
    });
    try {
      const message = await handshake.begin();
      this.#parts.session.send({ kind: 'renew', message });
      return await asked;
    } finally {
      handshake.erase();
    }
  }

  /** The responder's message 2. @throws ChannelError `frame-misplaced` */
  receiveRenewed(message: Uint8Array): void {
    const state = this.#state;
    // CH-72: an answer to no question, or a second one, would replace keys that nobody asked to replace.
    if (state.kind !== 'asked') throw new ChannelError('frame-misplaced', { rule: 'CH-72' });
    this.#state = { ...state, kind: 'opening' };
    state.handshake.finish(message).then(
      ({ claim, ciphers }) => {
        // A session that ended meanwhile has told whoever waits.
        if (this.#endedBy !== undefined) return;
        this.#state = { kind: 'deciding' };
        state.resolve(this.#createRenewal(claim, ciphers));
      },
      (error: unknown) => {
        const known = toChannelError(toHandshakeError(error));
        state.reject(known);
        this.#parts.session.fail(known);
      },
    );
  }

  /** The responder's direction is under the new key from its next record on. @throws ChannelError `frame-misplaced` */
  receiveSwitch(): void {
    const state = this.#state;
    // CH-73: a switch that we did not begin would be to keys that we have not, or have not accepted.
    if (state.kind !== 'switching') throw new ChannelError('frame-misplaced', { rule: 'CH-73' });
    this.#state = { kind: 'idle' };
    this.#parts.session.switchReceiving(state.receiving);
    this.#parts.onRenewed(state.notAfterMs);
    state.resolve();
  }

  /** The session is over. */
  end(error: ChannelError): void {
    this.#endedBy = error;
    const state = this.#state;
    this.#state = { kind: 'idle' };
    if ('reject' in state) state.reject(error);
  }

  #createRenewal(claim: NodeClaim, ciphers: Ciphers): UnverifiedRenewal {
    let isDecided = false;
    const decide = () => {
      if (this.#endedBy !== undefined) throw this.#endedBy;
      // CH-74: a second owner of the renewal could accept what the first one refused.
      if (isDecided) throw new ChannelError('session-closed', { rule: 'CH-74' });
      isDecided = true;
    };
    const { session } = this.#parts;
    return {
      ...claim,
      accept: async (expected) => {
        decide();
        try {
          assertExpectedPeer(claim, expected);
        } catch (error) {
          session.fail(toChannelError(error));
          throw error;
        }
        const { notAfterMs } = expected;
        const switched = new Promise<void>((resolve, reject) => {
          this.#state = { kind: 'switching', receiving: ciphers.receiving, notAfterMs, resolve, reject };
        });
        session.switchSending({ kind: 'switch' }, ciphers.sending);
        this.#parts.onAccepted(claim);
        await switched;
      },
      refuse: () => {
        if (isDecided || this.#endedBy !== undefined) return;
        isDecided = true;
        session.fail(new ChannelError('peer-mismatch', { rule: 'CH-74' }));
      },
    };
  }
}
