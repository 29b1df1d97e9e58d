/**
 * The one type that may receive a person's words. spec/evidence.md §verified-node. Only `verifyNode` makes it: other packages
 * cannot name the key that the constructor asks for, and a copy or a look-alike is recognised at run time.
 */

import type { Trust } from './report.ts';

/** Held by this package alone: index.ts does not export it. */
export const VERIFY_KEY: unique symbol = Symbol('verify');

export interface VerifiedNodeFields {
  readonly nodeId: Uint8Array;
  readonly epochId: Uint8Array;
  readonly staticKey: Uint8Array;
  readonly evidenceDigest: Uint8Array;
  readonly notAfterMs: number;
  readonly trust: Trust;
}

/** A machine that passed every check of a policy. Its byte strings are copies; changing one changes nothing here. */
export class VerifiedNode {
  readonly #fields: VerifiedNodeFields;

  /** @throws TypeError unless `key` is the one that only this package holds */
  constructor(key: typeof VERIFY_KEY, fields: VerifiedNodeFields) {
    // EV-53: if anyone could construct it, the type would prove nothing.
    if (key !== VERIFY_KEY) throw new TypeError('a VerifiedNode is made by verifyNode alone');
    this.#fields = {
      ...fields,
      nodeId: fields.nodeId.slice(),
      epochId: fields.epochId.slice(),
      staticKey: fields.staticKey.slice(),
      evidenceDigest: fields.evidenceDigest.slice(),
    };
    Object.freeze(this);
  }

  /** 16 bytes. */
  get nodeId(): Uint8Array {
    return this.#fields.nodeId.slice();
  }

  /** 16 bytes. */
  get epochId(): Uint8Array {
    return this.#fields.epochId.slice();
  }

  /** X25519, 32 bytes. */
  get staticKey(): Uint8Array {
    return this.#fields.staticKey.slice();
  }

  /** SHA-256 of the bundle, 32 bytes. */
  get evidenceDigest(): Uint8Array {
    return this.#fields.evidenceDigest.slice();
  }

  /** When this verdict ends, in milliseconds since the Unix epoch. */
  get notAfterMs(): number {
    return this.#fields.notAfterMs;
  }

  /** Neither `development` nor `tpm-test` is private from whoever runs the machine. */
  get trust(): Trust {
    return this.#fields.trust;
  }

  /** True for an object that `verifyNode` made; false for literals, copies and objects with its prototype. Never throws. */
  static isVerified(value: unknown): value is VerifiedNode {
    return typeof value === 'object' && value !== null && #fields in value;
  }
}

/** See `VerifiedNode.isVerified`. */
export function isVerifiedNode(value: unknown): value is VerifiedNode {
  return VerifiedNode.isVerified(value);
}
