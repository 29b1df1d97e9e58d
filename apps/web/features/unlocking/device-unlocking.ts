/** `DeviceUnlocking` over `@sotto/client`: loaded with the screen that unlocks, and with the settings. */
import * as client from '@sotto/client/accounts';
import type { DeviceUnlocking, History, Preferences } from '../../shell/services.ts';
import { stretchPassphrase } from './stretch.ts';

export interface DeviceUnlockingPorts
  extends client.AccountPorts,
    Omit<client.PassphrasePorts, 'stretch' | keyof client.AccountPorts> {
  readonly takingTurns: client.TakingTurns;
  readonly preferences: Preferences;
  /** The open account. */
  readonly account: () => client.OpenAccount | undefined;
  readonly opened: (account: client.OpenAccount) => Promise<History>;
}

export function createDeviceUnlocking(given: DeviceUnlockingPorts): DeviceUnlocking {
  const ports = { ...given, stretch: stretchPassphrase };
  const { device, sealed, preferences, opened } = ports;
  /** The account that was opened last in this browser. */
  const accountHere = () => device.get('account');
  const openAccount = (): client.OpenAccount => {
    const account = ports.account();
    if (account === undefined) throw new Error('no account is open');
    return account;
  };

  return {
    standing: async () => {
      const accountId = await accountHere();
      const staysUnlocked = await client.staysUnlocked(ports);
      if (accountId === undefined) return { passphrase: false, notBeforeMs: 0, staysUnlocked };
      const [passphrase, { notBeforeMs }] = await Promise.all([
        client.hasPassphrase(ports, accountId),
        client.passphraseTries(ports, accountId),
      ]);
      return { passphrase, notBeforeMs, staysUnlocked };
    },
    unlockWithPassphrase: async (passphrase) => {
      const accountId = await accountHere();
      if (accountId === undefined) throw new client.ClientError('passphrase-missing');
      return opened(client.signingInLater(ports, await client.unlockWithPassphrase(ports, accountId, passphrase)));
    },
    setPassphrase: (passphrase) => client.setPassphrase(ports, openAccount(), passphrase),
    removePassphrase: () => client.removePassphrase(ports, openAccount().accountId),
    setStaysUnlocked: async (stays) => {
      if (stays) await client.stayUnlocked(ports, openAccount());
      else await client.forgetUnlocked(ports);
      preferences.set('stays-unlocked', stays ? '1' : undefined);
    },
    forget: async () => {
      const accountId = await accountHere();
      if (accountId === undefined) return;
      await client.removePassphrase(ports, accountId);
      await client.forgetDevice(ports, accountId);
      if (sealed !== undefined) await client.forgetAccount(sealed, accountId);
      await device.delete('account');
      preferences.set('has-account', undefined);
    },
  };
}
