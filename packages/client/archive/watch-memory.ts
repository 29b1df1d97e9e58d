/**
 * What the watch remembers, sealed on this device (spec/client.md "On this device"). Tabs share it: it is changed in turn, and what
 * another tab wrote is read anew.
 */
import { equalBytes } from '@sotto/bytes';
import type { DeviceStore, SealedChange } from '@sotto/ports';
import type { AccountKey } from '@sotto/vault';
import {
  EMPTY_WATCH_STATE,
  encodeWatchState,
  loadWatchState,
  parseWatchState,
  type WatchState,
} from '../watch/state.ts';
import type { Values } from './values.ts';

type Bytes = Uint8Array<ArrayBuffer>;

export interface WatchMemoryOptions {
  /** 16 bytes. */
  readonly accountId: Uint8Array;
  /** Where the first version kept what the watch remembers. */
  readonly earlierMemory?: { readonly store: DeviceStore; readonly accountKey: AccountKey };
}

type ChangeOfWatch<Result> = (
  state: WatchState,
  save: (state: WatchState) => Promise<void>,
) => Promise<readonly [WatchState, Result]>;

export class WatchMemory {
  readonly #values: Values;
  readonly #options: WatchMemoryOptions;
  readonly #inTurn: <Result>(work: () => Promise<Result>) => Promise<Result>;
  #known: { readonly sealed: Bytes; readonly state: WatchState } | undefined;

  constructor(
    values: Values,
    options: WatchMemoryOptions,
    inTurn: <Result>(work: () => Promise<Result>) => Promise<Result>,
  ) {
    this.#values = values;
    this.#options = options;
    this.#inTurn = inTurn;
  }

  /** Takes a turn. */
  change<Result>(work: ChangeOfWatch<Result>): Promise<Result> {
    return this.#inTurn(() => this.changeInTurn(work));
  }

  /** In turn. */
  async changeInTurn<Result>(work: ChangeOfWatch<Result>): Promise<Result> {
    const before = await this.load();
    const save = (state: WatchState) => this.#save(state);
    const [state, result] = await work(before, save);
    if (state !== before) await save(state);
    return result;
  }

  /** In turn. */
  async load(): Promise<WatchState> {
    const name = this.#values.name('watch');
    const sealed = await this.#values.sealed(name);
    const known = this.#known;
    if (known !== undefined && sealed !== undefined && isSame(known.sealed, sealed)) return known.state;
    const state = (await this.#values.open(name, sealed, parseWatchState)) ?? (await this.#earlierWatch());
    if (sealed !== undefined) this.#known = { sealed, state };
    return state;
  }

  /** What the first version remembered under the account key itself. */
  async #earlierWatch(): Promise<WatchState> {
    const { accountId, earlierMemory } = this.#options;
    if (earlierMemory === undefined) return EMPTY_WATCH_STATE;
    return loadWatchState(earlierMemory.store, { accountId, accountKey: earlierMemory.accountKey });
  }

  /** As it is to be written. */
  seal(state: WatchState): Promise<SealedChange & { readonly value: Bytes }> {
    return this.#values.seal(this.#values.name('watch'), encodeWatchState(state));
  }

  async #save(state: WatchState): Promise<void> {
    const change = await this.seal(state);
    this.#known = undefined;
    await this.#values.store.write([change]);
    this.#known = { sealed: change.value, state };
  }

  /** What `seal` gave is durable. */
  stored(sealed: Bytes, state: WatchState): void {
    this.#known = { sealed, state };
  }

  /** What is stored is not known any more, or nobody's business. */
  forget(): void {
    this.#known = undefined;
  }
}

/** Two sealed values: form and salt differ whenever one was written anew. */
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return equalBytes(a.subarray(0, 33), b.subarray(0, 33));
}
