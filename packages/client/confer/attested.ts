/**
 * What a third party said about a machine, and nothing more: it is no `VerifiedNode`, cannot become one and is accepted
 * nowhere that asks for one (spec/confer.md, attestation).
 */

/** Held by this folder alone: index.ts does not export it. */
export const ATTESTED_KEY: unique symbol = Symbol('third-party-attested');

export interface ThirdPartyAttestedFields {
  /** Who vouched, as the judge names them. */
  readonly attestedBy: string;
  readonly platform: 'TDX' | 'SEV-SNP';
  /** The machine's X25519 key, 32 bytes. */
  readonly peerKey: Uint8Array;
  /** When what was said ends, in milliseconds since the Unix epoch. */
  readonly notAfterMs: number;
}

/** A machine that somebody else vouched for. We checked that they spoke of this connection's key, not what they said. */
export class ThirdPartyAttested {
  readonly #fields: ThirdPartyAttestedFields;

  /** @throws TypeError unless `key` is the one that only this folder holds */
  constructor(key: typeof ATTESTED_KEY, fields: ThirdPartyAttestedFields) {
    // CO-53: if anyone could construct it, not even the third party's word would stand behind it.
    if (key !== ATTESTED_KEY) throw new TypeError('a ThirdPartyAttested is made by its connection alone');
    this.#fields = { ...fields, peerKey: fields.peerKey.slice() };
    Object.freeze(this);
  }

  get trust(): 'third-party' {
    return 'third-party';
  }

  get attestedBy(): string {
    return this.#fields.attestedBy;
  }

  get platform(): 'TDX' | 'SEV-SNP' {
    return this.#fields.platform;
  }

  get peerKey(): Uint8Array {
    return this.#fields.peerKey.slice();
  }

  get notAfterMs(): number {
    return this.#fields.notAfterMs;
  }
}
