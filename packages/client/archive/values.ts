/**
 * The values of one account in the device's store, sealed under the local key and their names (spec/client.md "On this device").
 * Another program can change, remove or put back any of them: what does not open, or is not in its form, is as if it were gone.
 */
import { SottoError } from '@sotto/bytes';
import type { Random, SealedChange, SealedStore } from '@sotto/ports';
import { type LocalOwner, openLocal, sealLocal } from '@sotto/vault';
import { type LocalArea, localName } from './local-key.ts';

type Bytes = Uint8Array<ArrayBuffer>;

export class Values {
  readonly store: SealedStore;
  readonly #owner: LocalOwner;
  readonly #random: Random;

  constructor(store: SealedStore, owner: LocalOwner, random: Random) {
    this.store = store;
    this.#owner = owner;
    this.#random = random;
  }

  name(area: LocalArea, rest?: string): string {
    const name = localName(this.#owner.accountId, area);
    return rest === undefined ? name : `${name}/${rest}`;
  }

  async seal(name: string, content: Uint8Array): Promise<SealedChange & { readonly value: Bytes }> {
    return { name, value: await sealLocal(this.#owner, name, content, this.#random) };
  }

  /** The sealed bytes as they lie there, to be told apart from later ones. */
  async sealed(name: string): Promise<Bytes | undefined> {
    return (await this.store.get([name]))[0];
  }

  /** @param parse gives undefined for what is of another form or version */
  async open<Value>(
    name: string,
    sealed: Uint8Array | undefined,
    parse: (content: Bytes) => Value | undefined,
  ): Promise<Value | undefined> {
    if (sealed === undefined) return undefined;
    try {
      return parse(await openLocal(this.#owner, name, sealed));
    } catch (error) {
      // CL-232: what another program changed must neither be believed nor stop the account
      if (error instanceof SottoError || error instanceof SyntaxError || error instanceof TypeError) return undefined;
      throw error;
    }
  }
}
