/**
 * A store in which a forgotten account stays forgotten (spec/client.md CL-363): a page that is leaving an account still has writes
 * under way, and each of them would bring back a piece of what was just erased.
 */
import { encodeHex } from '@sotto/bytes';
import type { SealedStore } from '@sotto/ports';

type Change = Parameters<SealedStore['write']>[0][number];

/** Owned by the page that opens and leaves accounts; all it opens for an account writes through it. */
export class ForgettingStore implements SealedStore {
  readonly #sealed: SealedStore;
  readonly #forgotten = new Set<string>();
  readonly get: SealedStore['get'];
  readonly list: SealedStore['list'];
  readonly erase: SealedStore['erase'];
  readonly purge: SealedStore['purge'];

  constructor(sealed: SealedStore) {
    this.#sealed = sealed;
    this.get = (names) => sealed.get(names);
    this.list = (prefix, options) => sealed.list(prefix, options);
    this.erase = (prefix) => sealed.erase(prefix);
    this.purge = () => sealed.purge();
  }

  /** From now on nothing of this account is written. Call it before the account is erased. */
  forget(accountId: Uint8Array): void {
    this.#forgotten.add(prefixOf(accountId));
  }

  /** The account is opened here again. */
  recall(accountId: Uint8Array): void {
    this.#forgotten.delete(prefixOf(accountId));
  }

  write(changes: readonly Change[]): Promise<void> {
    const isLate = changes.some(({ name }) => this.#forgotten.has(name.slice(0, PREFIX_LENGTH)));
    // CL-363: what was still under way would put back what was erased.
    if (isLate) return Promise.resolve();
    return this.#sealed.write(changes);
  }
}

const PREFIX_LENGTH = 'acct/'.length + 32 + '/'.length;

function prefixOf(accountId: Uint8Array): string {
  return `acct/${encodeHex(accountId)}/`;
}
