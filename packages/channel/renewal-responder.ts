/**
 * The responder's side of a renewal: a new handshake inside the session, whose keys are used once the initiator says
 * `switch` (spec/channel.md, renewal). The initiator is a stranger: each renewal costs us a handshake, and is counted.
 *
 *   idle ── renew ──▶ answering: renewed ──▶ answered ── switch: switch ──▶ idle
 */
import type { Allowance } from './allowance.ts';
import { toHandshakeError } from './connect.ts';
import { ChannelError } from './errors.ts';
import type { AnsweredHandshake } from './responder-handshake.ts';
import type { Session } from './session.ts';
import { toChannelError } from './session.ts';

export interface ResponderRenewalParts {
  readonly session: Pick<Session, 'send' | 'fail' | 'isOver' | 'switchSending' | 'switchReceiving'>;
  /** How often a stranger may ask. */
  readonly allowance: Pick<Allowance, 'take'>;
  answer(message: Uint8Array): Promise<AnsweredHandshake>;
  /** Both directions are under the new keys from their next records on. */
  onRenewed(answered: AnsweredHandshake): void;
}

/** Owned by one channel. */
export class ResponderRenewal {
  readonly #parts: ResponderRenewalParts;
  #state: 'idle' | 'answering' | AnsweredHandshake = 'idle';

  constructor(parts: ResponderRenewalParts) {
    this.#parts = parts;
  }

  /** The initiator's message 1. @throws ChannelError `frame-misplaced`, `session-exhausted` */
  receiveRenew(message: Uint8Array): void {
    // CH-72: two renewals at once would leave it open whose keys `switch` means.
    if (this.#state !== 'idle') throw new ChannelError('frame-misplaced', { rule: 'CH-72' });
    // CH-78: a handshake costs the initiator 1,219 bytes and us a hundred times its own work.
    if (!this.#parts.allowance.take(1)) throw new ChannelError('session-exhausted', { rule: 'CH-78' });
    this.#state = 'answering';
    const { session } = this.#parts;
    this.#parts.answer(message).then(
      (answered) => {
        if (session.isOver) return;
        this.#state = answered;
        session.send({ kind: 'renewed', message: answered.answer });
      },
      (error: unknown) => session.fail(toChannelError(toHandshakeError(error))),
    );
  }

  /** The initiator's next record is under the new key, and so is our next but one. @throws ChannelError `frame-misplaced` */
  receiveSwitch(): void {
    const answered = this.#state;
    // CH-73: a switch before our answer would be to keys that do not exist.
    if (typeof answered === 'string') throw new ChannelError('frame-misplaced', { rule: 'CH-73' });
    this.#state = 'idle';
    const { session } = this.#parts;
    session.switchReceiving(answered.ciphers.receiving);
    session.switchSending({ kind: 'switch' }, answered.ciphers.sending);
    this.#parts.onRenewed(answered);
  }
}
