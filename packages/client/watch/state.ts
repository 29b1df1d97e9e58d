/**
 * What a device remembers of an account's heads between visits, sealed on the device (spec/client.md "Watching the server").
 * The device's storage may be changed by other programs; what does not open, or is not in its form, is as if it were gone.
 */
import { encodeHex, encodeUtf8, parseUtf8, SottoError } from '@sotto/bytes';
import type { DeviceStore, Random } from '@sotto/ports';
import { type AccountKey, type LocalOwner, openLocal, sealLocal, type UnknownContent } from '@sotto/vault';
import type { LogPlace, OwnLogState } from '@sotto/vault/heads';

/** A write that the log does not list yet. */
export interface PendingWrite {
  readonly recordId: string;
  /** `null` where the record is removed. */
  readonly digest: string | null;
  readonly counter: number;
  /** `failed`: the store refused it or did not answer, and may have it all the same. */
  readonly standing: 'under-way' | 'stored' | 'failed';
  readonly atMs: number;
  /** Digests of the versions that its writer knew when it wrote; absent in what earlier versions kept. */
  readonly replaces?: readonly string[];
}

/** A head that is signed, and that the store may not have yet. */
export interface UnsentHead {
  readonly index: number;
  readonly recordId: string;
  readonly counter: number;
  readonly content: UnknownContent;
}

export interface WatchState {
  /** Of this device's newest write. */
  readonly counter: number;
  readonly log?: OwnLogState;
  /** The record of the segment that is open. */
  readonly openHead?: { readonly index: number; readonly recordId: string };
  readonly pending: readonly PendingWrite[];
  readonly unsent: readonly UnsentHead[];
  /** The newest place in every log that this device has seen. */
  readonly known: readonly (readonly [deviceId: string, place: LogPlace])[];
  /** Digests of writes that failed and were not there afterwards, should they turn up late; the newest 200. */
  readonly lost: readonly string[];
  /** Records that were seen deleted and gone; the newest 5,000. */
  readonly gone: readonly string[];
}

const NAME = 'heads';
const GONE_LIMIT = 5000;
const LOST_LIMIT = 200;
export const EMPTY_WATCH_STATE: WatchState = { counter: 0, pending: [], unsent: [], known: [], lost: [], gone: [] };

/** Where the state is kept. Tabs of one browser are one device: they take turns. */
export interface WatchMemory {
  /** Loads the state, and saves what `work` gives back with its result, in one turn; `save` saves in between. */
  change<Result>(
    work: (state: WatchState, save: (state: WatchState) => Promise<void>) => Promise<readonly [WatchState, Result]>,
  ): Promise<Result>;
}

/** Whose memory it is. */
export interface WatchOwner {
  /** 16 bytes. */
  readonly accountId: Uint8Array;
  readonly accountKey: AccountKey;
}

/** Erases what this device has seen of an account. */
export function forgetWatchState(device: DeviceStore, accountId: Uint8Array): Promise<void> {
  return device.delete(keyOf({ accountId }));
}

export async function loadWatchState(device: DeviceStore, owner: WatchOwner): Promise<WatchState> {
  const kept = await device.get(keyOf(owner));
  if (kept === undefined) return EMPTY_WATCH_STATE;
  try {
    return parseWatchState(await openLocal(localOf(owner), NAME, kept));
  } catch (error) {
    // Sealed by this device under the account key: only damage, never another's form, can be in it.
    if (error instanceof SottoError || error instanceof SyntaxError) return EMPTY_WATCH_STATE;
    throw error;
  }
}

/** @throws SyntaxError, BytesError */
export function parseWatchState(bytes: Uint8Array): WatchState {
  return { ...EMPTY_WATCH_STATE, ...(JSON.parse(parseUtf8(bytes)) as WatchState) };
}

/** Without what has become too much. */
export function encodeWatchState(state: WatchState): Uint8Array<ArrayBuffer> {
  const kept = { ...state, gone: state.gone.slice(-GONE_LIMIT), lost: state.lost.slice(-LOST_LIMIT) };
  return encodeUtf8(JSON.stringify(kept));
}

export async function saveWatchState(
  device: DeviceStore,
  owner: WatchOwner,
  state: WatchState,
  random: Random,
): Promise<void> {
  await device.set(keyOf(owner), await sealLocal(localOf(owner), NAME, encodeWatchState(state), random));
}

function localOf({ accountId, accountKey }: WatchOwner): LocalOwner {
  return { accountId, key: accountKey };
}

function keyOf({ accountId }: Pick<WatchOwner, 'accountId'>): string {
  return `heads/${encodeHex(accountId)}`;
}
