/**
 * The `Accounts` port over `@sotto/client`: who this browser is, from a guest to an unlocked account. Keys are held here,
 * in memory; only a guest's lies in the browser, and the app says so.
 */
import { eraseGuest, loadGuest, openHistory } from '@sotto/client';
import type { AccountPorts, Keeper, OpenAccount, PasskeyAuthenticator } from '@sotto/client/accounts';
import type { DeviceStore, RecordStore } from '@sotto/ports';
import type { Accounts, History, Preferences } from './services.ts';

export interface AccountsPorts extends AccountPorts {
  /** Runs work while no other tab does: two tabs that start together must not make two guests. */
  readonly takingTurns: <Result>(name: string, work: () => Promise<Result>) => Promise<Result>;
  /** Holds the guest's key, so that erasing it erases the guest. */
  readonly guestKey: DeviceStore;
  /** The guest's sealed records in this browser. */
  readonly records: RecordStore & { erase(): Promise<void> };
  readonly passkeys: PasskeyAuthenticator;
  readonly preferences: Preferences;
}

type ClientHistory = Awaited<ReturnType<typeof openHistory>>;

/** A guest needs nothing of it. */
const load = () => import('@sotto/client/accounts');

export function createAccounts(ports: AccountsPorts): Accounts {
  const { api, clock, random, guestKey, takingTurns, records, passkeys, preferences } = ports;
  let keeper: Keeper | undefined;
  let guestHistory: ClientHistory | undefined;
  let account: OpenAccount | undefined;
  /** The server may still hold a session from an earlier visit; no script can see its cookie. */
  let maySignOut = true;

  const openGuest = async (): Promise<History> => {
    const guest = await takingTurns('guest', () => loadGuest(guestKey, random));
    guestHistory = await openHistory({ ...guest, store: records, clock, random });
    return guestHistory;
  };
  const opened = async (unlocked: OpenAccount): Promise<History> => {
    account = unlocked;
    maySignOut = true;
    return (await load()).openAccountHistory(ports, unlocked);
  };
  const eraseGuestChats = async () => {
    await eraseGuest(guestKey);
    await records.erase();
    guestHistory = undefined;
  };

  return {
    resume: async () => {
      if (preferences.get('has-account') !== undefined) return { kind: 'locked' };
      return { kind: 'guest', history: await openGuest() };
    },
    startAsGuest: async () => {
      preferences.set('has-account', undefined);
      account = undefined;
      if (maySignOut) await api.signOut().catch(() => {});
      return openGuest();
    },
    passkeysAvailable: () => passkeys.isAvailable(),
    createRecoveryCode: async () => (await load()).createRecoveryCode(random).code,
    keep: async (code) => {
      const guest =
        guestHistory ?? (await openHistory({ ...(await loadGuest(guestKey, random)), store: records, clock, random }));
      keeper ??= new (await load()).Keeper(ports);
      const kept = await keeper.keep(code, guest, eraseGuestChats);
      account = kept.account;
      return kept.history;
    },
    addPasskey: async () => {
      if (account === undefined) throw new Error('no account is open');
      return (await load()).addPasskey(ports, passkeys, account);
    },
    unlockWithRecoveryCode: async (code) => opened(await (await load()).unlockWithRecoveryCode(ports, code)),
    unlockWithPasskey: async () => opened(await (await load()).unlockWithPasskey(ports, passkeys)),
    signOut: async () => {
      account = undefined;
      await api.signOut();
      maySignOut = false;
    },
  };
}
