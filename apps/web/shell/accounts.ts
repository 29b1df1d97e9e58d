/**
 * The `Accounts` port over `@sotto/client`: who this browser is, from a guest to an unlocked account. Keys are held here,
 * in memory; only a guest's lies in the browser, and the app says so.
 */
import { ClientError, eraseGuest, ForgettingStore, loadGuest, openHistory } from '@sotto/client';
import type { AccountPorts, Keeper, OpenAccount, PasskeyAuthenticator } from '@sotto/client/accounts';
import type { DeviceStore, Fetch, RecordStore, SealedStore } from '@sotto/ports';
import { createFilesOf } from './files-of.ts';
import type { Accounts, History, Preferences } from './services.ts';

export interface AccountsPorts extends AccountPorts {
  /** Runs work while no other tab does: two tabs that start together must not make two guests. */
  readonly takingTurns: <Result>(name: string, work: () => Promise<Result>) => Promise<Result>;
  /** Holds what can be erased for good: a guest's key, a passphrase's lock, an account that stays unlocked. */
  readonly erasable: DeviceStore;
  readonly sealed: SealedStore;
  /** The guest's sealed records in this browser. */
  readonly records: RecordStore & { erase(): Promise<void> };
  readonly passkeys: PasskeyAuthenticator;
  /** The way to the server's mailboxes. */
  readonly fetch: Fetch;
  readonly preferences: Preferences;
}

type ClientHistory = Awaited<ReturnType<typeof openHistory>>;

/** How long leaving waits for what is still to be sent. */
const LEAVING_MS = 3000;

/** A guest needs nothing of it. */
const load = () => import('@sotto/client/accounts');
const loadLink = () => import('@sotto/client/link');
const loadLocks = () => import('../features/locks/session.ts');

export function createAccounts(given: AccountsPorts): Accounts {
  const sealed = new ForgettingStore(given.sealed);
  const ports = { ...given, sealed };
  const { api, clock, random, device, erasable, takingTurns, records, passkeys, preferences } = ports;
  let keeper: Keeper | undefined;
  let guestHistory: ClientHistory | undefined;
  let account: OpenAccount | undefined;
  let accountHistory: ClientHistory | undefined;
  /** The server may still hold a session from an earlier visit; no script can see its cookie. */
  let maySignOut = true;
  const filesOf = createFilesOf(ports);

  const openGuest = async (): Promise<History> => {
    const guest = await takingTurns('guest', () => loadGuest(erasable, random));
    guestHistory = await openHistory({ ...guest, store: records, clock, random });
    filesOf.follow(guestHistory, async () => ({ accountId: guest.accountId, key: guest.accountKey }), 'device');
    return guestHistory;
  };
  const remember = async (unlocked: OpenAccount): Promise<void> => {
    account = unlocked;
    maySignOut = true;
    sealed.recall(unlocked.accountId);
    await device.set('account', unlocked.accountId);
  };
  const opened = async (unlocked: OpenAccount): Promise<History> => {
    await remember(unlocked);
    return followAccount(unlocked, await (await load()).openAccountHistory(ports, unlocked));
  };
  const drop = () => {
    // CL-239: what is locked is no longer in memory
    accountHistory?.close();
    accountHistory = undefined;
    filesOf.leave();
    account = undefined;
    api.signsInWith(undefined);
  };
  const forgetUnlocked = async () => {
    preferences.set('stays-unlocked', undefined);
    await (await load()).forgetUnlocked(ports);
  };
  /** What this browser keeps of the account; not what waits to be sent, which is nowhere else. */
  const forgetKeptChats = async () => {
    const accountId = await device.get('account');
    if (accountId !== undefined) await (await load()).forgetKept(ports.sealed, accountId).catch(() => false);
  };
  const ownerOf = (unlocked: OpenAccount) => async () => (await load()).openLocalKey(ports, unlocked);
  const followAccount = (unlocked: OpenAccount, history: ClientHistory): History => {
    accountHistory?.close();
    accountHistory = history;
    filesOf.follow(history, ownerOf(unlocked), 'server');
    void loadLocks().then(({ attendLocks }) => attendLocks(ports, unlocked, history));
    return history;
  };
  const eraseGuestChats = async (unlocked: OpenAccount) => {
    // CL-279: what is erased here was nowhere else
    await filesOf.moveTo(ownerOf(unlocked));
    const { accountId } = await loadGuest(erasable, random);
    await (await load()).forgetAccount(ports.sealed, accountId);
    await eraseGuest(erasable);
    await records.erase();
    guestHistory = undefined;
  };

  const openLocks = async () => {
    if (account === undefined || accountHistory === undefined) throw new Error('no account is open');
    return (await loadLocks()).createLocksSession(ports, account, accountHistory);
  };

  return {
    resume: async () => {
      if (preferences.get('has-account') === undefined) return { kind: 'guest', history: await openGuest() };
      try {
        const { resumeUnlocked, signingInLater } = await load();
        const unlocked = await resumeUnlocked(ports);
        if (unlocked === undefined) return { kind: 'locked' };
        return { kind: 'account', history: await opened(signingInLater(ports, unlocked)) };
      } catch {
        // Whatever stands in the way of staying unlocked, the locks are still there.
        drop();
        return { kind: 'locked' };
      }
    },
    startAsGuest: async () => {
      preferences.set('has-account', undefined);
      drop();
      await forgetUnlocked();
      await forgetKeptChats();
      if (maySignOut) await api.signOut().catch(() => {});
      return openGuest();
    },
    passkeysAvailable: () => passkeys.isAvailable(),
    createRecoveryCode: async () => (await load()).createRecoveryCode(random).code,
    keep: async (code) => {
      const guest =
        guestHistory ?? (await openHistory({ ...(await loadGuest(erasable, random)), store: records, clock, random }));
      keeper ??= new (await load()).Keeper(ports);
      const kept = await keeper.keep(code, guest, eraseGuestChats);
      await remember(kept.account);
      return followAccount(kept.account, kept.history);
    },
    addPasskey: async () => (await openLocks()).addPasskey(),
    locks: () => openLocks(),
    unlockWithRecoveryCode: async (code) => opened(await (await load()).unlockWithRecoveryCode(ports, code)),
    unlockWithPasskey: async () => opened(await (await load()).unlockWithPasskey(ports, passkeys)),
    letIn: async (link) => {
      const { letDeviceIn, serverMailboxes } = await loadLink();
      if (account === undefined) throw new Error('no account is open');
      await letDeviceIn(ports, serverMailboxes(ports.fetch, api.origin), account, link);
    },
    join: async (link) => {
      const { joinByLink, serverMailboxes } = await loadLink();
      return opened(await joinByLink(ports, serverMailboxes(ports.fetch, api.origin), link));
    },
    unlocking: async () => {
      const { createDeviceUnlocking } = await import('../features/unlocking/device-unlocking.ts');
      return createDeviceUnlocking({ ...ports, account: () => account, opened });
    },
    files: filesOf.files,
    openSearch: async (history) => {
      const { openSearchSession } = await import('../features/search/session.ts');
      return openSearchSession(ports, history, account && (await ownerOf(account)()));
    },
    sharing: async (history) => {
      if (account === undefined) throw new ClientError('account-required');
      const { openSharing } = await import('../features/share/sharing.ts');
      return openSharing({ api, clock, random, history });
    },
    removeAccount: async (lock) => {
      if (account === undefined) throw new Error('no account is open');
      const { forgetAccount, removeAccount } = await load();
      const { accountId } = account;
      await removeAccount(ports, account, lock === 'passkey' ? { passkeys } : lock);
      drop();
      await forgetUnlocked();
      sealed.forget(accountId);
      await forgetAccount(sealed, accountId);
      await device.delete('account');
    },
    drop,
    lock: async () => {
      drop();
      await forgetUnlocked();
      await api.signOut();
      maySignOut = false;
    },
    signOut: async () => {
      // What waits is sent first, where the server answers soon.
      const sending = accountHistory?.settled().catch(() => undefined);
      if (sending !== undefined) await Promise.race([sending, clock.sleep(LEAVING_MS)]);
      drop();
      await forgetUnlocked();
      await forgetKeptChats();
      await api.signOut();
      maySignOut = false;
    },
  };
}
