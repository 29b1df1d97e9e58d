/** What opening, keeping and changing an account share: its ports, an open account, and the browser's passkeys. */
import type { Clock, ConnectSocket, DeviceStore, OnlineHints, Random, SealedStore } from '@sotto/ports';
import type { AccountKey, DeviceKeys } from '@sotto/vault';
import type { StatedKind } from '@sotto/vault/rotation';
import type { AccountEpochs } from './epochs/account-epochs.ts';
import type { ServerApi } from './server-api.ts';
import type { TakingTurns } from './watch/turns.ts';

export interface AccountPorts {
  readonly api: ServerApi;
  readonly random: Random;
  readonly clock: Clock;
  /** Keeps this device's sealed signing key, and what it has seen, between visits. */
  readonly device: DeviceStore;
  /** What this device keeps of the account's history; without it, nothing is kept. */
  readonly sealed?: SealedStore;
  /** Runs work while no other tab of this browser does the same; in turn within this one where it is absent. */
  readonly takingTurns?: TakingTurns;
  /** Opens the line on which the server says that there is something new. */
  readonly connect?: ConnectSocket;
  readonly hints?: OnlineHints;
}

/** An unlocked account: in memory only. */
export interface OpenAccount {
  /** 16 bytes. */
  readonly accountId: Uint8Array<ArrayBuffer>;
  /** Of the newest epoch that is known here. */
  readonly accountKey: AccountKey;
  readonly device: DeviceKeys;
  /** Absent while an account is being made. */
  readonly epochs?: AccountEpochs;
  /** What it was opened with, where a rotation can seal to it. */
  readonly usedLock?: UsedLock;
}

/** What the browser's authenticator gives back. `response` holds no extension result; `prf` never leaves the device. */
export interface PasskeyResult {
  readonly response: { readonly id: string };
  /** 32 bytes, where the authenticator evaluates PRF. */
  readonly prf: Uint8Array<ArrayBuffer> | undefined;
}

/** Passkey ceremonies; rejects with a `SottoError` such as `passkey-cancelled`. */
export interface PasskeyAuthenticator {
  isAvailable(): boolean;
  create(options: unknown, prfInput: Uint8Array<ArrayBuffer>): Promise<PasskeyResult>;
  get(options: unknown, prfInput: Uint8Array<ArrayBuffer>): Promise<PasskeyResult>;
}

/** A lock as a device that holds its secret knows it. */
export interface UsedLock {
  /** 16 bytes as hex. */
  readonly lockId: string;
  readonly kind: StatedKind;
  /** 32 bytes as hex; zeros where there is no passkey. */
  readonly credential: string;
  readonly publicKey: Uint8Array;
}
