/**
 * Locks and devices of the open account, over `@sotto/client/epochs`: for the panel, and what goes on behind an open account,
 * which nobody asks for: its locks are stated in the vault, the server's list of them is checked, and what an older key seals
 * is sealed anew.
 */

import { SottoError } from '@sotto/bytes';
import type { History as ClientHistory } from '@sotto/client';
import type { AccountPorts, OpenAccount, PasskeyAuthenticator } from '@sotto/client/accounts';
import { createRecoveryCode, renewUnlocked, rewrapPassphrase, type TakingTurns } from '@sotto/client/accounts';
import * as epochs from '@sotto/client/epochs';
import type { DeviceStore } from '@sotto/ports';
import type { LocksSession } from './types.ts';

export interface LocksPorts extends AccountPorts {
  readonly passkeys: PasskeyAuthenticator;
  /** Erases for good what is deleted in it. */
  readonly erasable: DeviceStore;
  readonly takingTurns: TakingTurns;
}

type Account = OpenAccount & { readonly epochs: epochs.AccountEpochs };

export function createLocksSession(ports: LocksPorts, account: OpenAccount, history: ClientHistory): LocksSession {
  const open = assertOpen(account);
  const { random, passkeys } = ports;
  /** Goes on with the next visit where it is stopped. */
  const sealOlder = () => epochs.sealOlder(history, ports.clock).catch(() => undefined);
  return {
    read: () => epochs.locksAndDevices(ports, open, history),
    addPasskey: () => epochs.addPasskeyLock(ports, passkeys, open, history),
    draftRecovery: async (kind) => {
      if (kind === 'recovery-code') return createRecoveryCode(random).code;
      return (await import('@sotto/vault/phrase')).createRecoveryPhrase(random);
    },
    addRecovery: (kind, text) => epochs.addRecovery(ports, open, history, kind, text),
    renameLock: (lockId, name) => epochs.renameLock(history, lockId, name),
    renameDevice: (deviceId, name) => epochs.renameDevice(history, deviceId, name),
    rotate: async (plan) => {
      await epochs.rotate(ports, open, history, plan);
      void sealOlder();
    },
  };
}

/** Goes on behind an account that was opened. Never rejects: the panel says what is wrong to whoever looks. */
export async function attendLocks(ports: LocksPorts, account: OpenAccount, history: ClientHistory): Promise<void> {
  const open = assertOpen(account);
  open.epochs.onAdopted(async () => {
    await rewrapPassphrase(ports, open);
    await renewUnlocked(ports, open);
  });
  try {
    await history.settled();
    await epochs.sendUnsent(ports, open, history);
    await epochs.stateLocks(open, history, ports.clock);
    await nameDevice(open, history);
    await epochs.checkLocks(ports, open, history);
    await epochs.sealOlder(history, ports.clock);
  } catch (error) {
    if (!(error instanceof SottoError)) throw error;
  }
}

/** Of what the person may recognise the device by; it is sealed like everything else. */
async function nameDevice({ device }: Account, history: ClientHistory): Promise<void> {
  const deviceId = [...device.deviceId].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  if (epochs.namesOf(history, 'device-name').has(deviceId)) return;
  await epochs.renameDevice(history, deviceId, deviceName(navigator.userAgent));
}

export function deviceName(userAgent: string): string {
  const found = (names: readonly (readonly [RegExp, string])[]) => names.find(([form]) => form.test(userAgent))?.[1];
  const browser = found([
    [/Edg\//, 'Edge'],
    [/OPR\//, 'Opera'],
    [/Firefox\//, 'Firefox'],
    [/Chrom(e|ium)\//, 'Chrome'],
    [/Safari\//, 'Safari'],
  ]);
  const system = found([
    [/Android/, 'Android'],
    [/iPhone/, 'iPhone'],
    [/iPad/, 'iPad'],
    [/Windows/, 'Windows'],
    [/Mac OS X/, 'Mac'],
    [/CrOS/, 'ChromeOS'],
    [/Linux/, 'Linux'],
  ]);
  return [browser ?? 'Browser', ...(system === undefined ? [] : [system])].join(' on ');
}

function assertOpen(account: OpenAccount): Account {
  if (!isOpen(account)) throw new Error('the account is not open');
  return account;
}

function isOpen(account: OpenAccount): account is Account {
  return account.epochs !== undefined;
}
