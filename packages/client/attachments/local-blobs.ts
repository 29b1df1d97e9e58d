/**
 * Sealed files on this device: parts as they are sealed, and beside them, under the local key, what is to become of each. The store is
 * another program's to change: what does not open is as if it were gone.
 *
 *     acct/<account>/blob/draft/<blob>          being attached; goes when its message is not sent
 *     acct/<account>/blob/queue/<blob>          to be sent to the server; stays here where there is none (a guest)
 *     acct/<account>/blob/cache/<blob>          on the server; may go when room is needed
 *     acct/<account>/blob/lost/<blob>           was to be sent, and a part of it is gone from here
 *     acct/<account>/blob/gone/<blob>           its chat is about to be removed
 *     acct/<account>/blob/remove/<blob>         its chat was: to be removed from the server
 *     acct/<account>/blob/part/<blob>/<number>  the sealed parts
 */
import { encodeUtf8, parseUtf8 } from '@sotto/bytes';
import type { Random, SealedStore } from '@sotto/ports';
import { type LocalOwner, openLocal, sealLocal, VaultError } from '@sotto/vault';
import { localName } from '../archive/local-key.ts';

type Bytes = Uint8Array<ArrayBuffer>;

export type Place = 'draft' | 'queue' | 'cache' | 'lost' | 'gone' | 'remove';

/** What is known of a file that is here. */
export interface LocalBlob {
  readonly blobId: string;
  readonly parts: number;
  /** Sealed, all parts together. */
  readonly bytes: number;
  /** The chat whose message names it; empty while it is a draft. */
  readonly conversationId: string;
  /** When it was put here, and of the cache when it was last used. */
  readonly atMs: number;
}

export class LocalBlobs {
  readonly #store: SealedStore;
  readonly #owner: LocalOwner;
  readonly #random: Random;
  readonly #prefix: string;

  constructor(store: SealedStore, owner: LocalOwner, random: Random) {
    this.#store = store;
    this.#owner = owner;
    this.#random = random;
    this.#prefix = localName(owner.accountId, 'blob');
  }

  /** Those of a place, oldest first. */
  async list(place: Place): Promise<LocalBlob[]> {
    const found = await this.#store.list(`${this.#prefix}/${place}/`);
    const opened = await Promise.all(found.map(({ name, value }) => this.#open(name, value)));
    return opened.flatMap((one) => one ?? []).sort((a, b) => a.atMs - b.atMs);
  }

  async get(place: Place, blobId: string): Promise<LocalBlob | undefined> {
    const name = this.#nameOf(place, blobId);
    const [value] = await this.#store.get([name]);
    return value === undefined ? undefined : this.#open(name, value);
  }

  /** Writes it to a place and takes it from the others, at once. */
  async put(place: Place, blob: LocalBlob, ...from: Place[]): Promise<void> {
    const name = this.#nameOf(place, blob.blobId);
    const { blobId: _, ...fields } = blob;
    const value = await sealLocal(this.#owner, name, encodeUtf8(JSON.stringify(fields)), this.#random);
    const others = from.map((other) => ({ name: this.#nameOf(other, blob.blobId), value: undefined }));
    await this.#store.write([...others, { name, value }]);
  }

  async part(blobId: string, part: number): Promise<Bytes | undefined> {
    const [value] = await this.#store.get([this.#partName(blobId, part)]);
    return value;
  }

  async putPart(blobId: string, part: number, bytes: Bytes): Promise<void> {
    await this.#store.write([{ name: this.#partName(blobId, part), value: bytes }]);
  }

  async dropPart(blobId: string, part: number): Promise<void> {
    await this.#store.write([{ name: this.#partName(blobId, part), value: undefined }]);
  }

  /** What was erased leaves the storage's files too. */
  purge(): Promise<void> {
    return this.#store.purge();
  }

  /** Its parts first, then what was said of it: a crash in between leaves something that is erased again. */
  async erase(blobId: string, ...places: Place[]): Promise<void> {
    await this.#store.erase(`${this.#prefix}/part/${blobId}/`);
    await this.#store.write(places.map((place) => ({ name: this.#nameOf(place, blobId), value: undefined })));
  }

  #nameOf(place: Place, blobId: string): string {
    return `${this.#prefix}/${place}/${blobId}`;
  }

  #partName(blobId: string, part: number): string {
    return `${this.#prefix}/part/${blobId}/${String(part).padStart(5, '0')}`;
  }

  async #open(name: string, value: Bytes): Promise<LocalBlob | undefined> {
    try {
      const fields = JSON.parse(parseUtf8(await openLocal(this.#owner, name, value))) as Omit<LocalBlob, 'blobId'>;
      return { ...fields, blobId: name.slice(name.lastIndexOf('/') + 1) };
    } catch (error) {
      // CL-271: what another program changed must not keep the other files from being sent
      if (error instanceof VaultError) return undefined;
      throw error;
    }
  }
}
