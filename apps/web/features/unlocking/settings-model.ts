/** The settings of unlocking in this browser: a passphrase, staying unlocked, when to lock, and leaving. */
import type { DeviceUnlocking, Preferences } from '../../shell/services.ts';
import { createStore, type ReadableStore } from '../../shell/store.ts';
import { codeOf } from '../keep/model.ts';
import { type IdleMinutes, idleMinutesOf, setIdleMinutes } from './guard.ts';

export interface UnlockSettingsState {
  /** Undefined until this browser was asked. */
  readonly hasPassphrase: boolean | undefined;
  readonly staysUnlocked: boolean;
  readonly idleMinutes: IdleMinutes;
  readonly busy: boolean;
  readonly said: 'passphrase.done' | 'passphrase.removed' | 'passphrase.differs' | undefined;
  readonly error: string | undefined;
}

export interface UnlockSettingsPorts {
  readonly unlocking: () => Promise<DeviceUnlocking>;
  readonly preferences: Preferences;
  /** Sends what waits, where the server answers soon, and locks the account in every tab. */
  readonly signOut: () => Promise<void>;
  /** Goes on without the account that was erased. */
  readonly leave: () => Promise<void>;
}

export interface UnlockSettingsModel {
  readonly state: ReadableStore<UnlockSettingsState>;
  load(): Promise<void>;
  /** @returns whether it was set */
  setPassphrase(passphrase: string, again: string): Promise<boolean>;
  removePassphrase(): Promise<void>;
  setStaysUnlocked(stays: boolean): Promise<void>;
  setIdleMinutes(minutes: IdleMinutes): void;
  forget(): Promise<void>;
}

export function createUnlockSettingsModel(ports: UnlockSettingsPorts): UnlockSettingsModel {
  const { unlocking, preferences, signOut, leave } = ports;
  const state = createStore<UnlockSettingsState>({
    hasPassphrase: undefined,
    staysUnlocked: false,
    idleMinutes: idleMinutesOf(preferences),
    busy: false,
    said: undefined,
    error: undefined,
  });
  const run = async (work: (device: DeviceUnlocking) => Promise<Partial<UnlockSettingsState>>): Promise<boolean> => {
    if (state.get().busy) return false;
    state.patch({ busy: true, said: undefined, error: undefined });
    try {
      state.patch({ ...(await work(await unlocking())), busy: false });
      return true;
    } catch (cause) {
      state.patch({ busy: false, error: codeOf(cause) });
      return false;
    }
  };

  return {
    state,
    load: async () => {
      await run(async (device) => {
        const { passphrase, staysUnlocked } = await device.standing();
        return { hasPassphrase: passphrase, staysUnlocked };
      });
    },
    setPassphrase: async (passphrase, again) => {
      if (passphrase !== again) {
        state.patch({ said: 'passphrase.differs', error: undefined });
        return false;
      }
      return run(async (device) => {
        await device.setPassphrase(passphrase);
        return { hasPassphrase: true, said: 'passphrase.done' };
      });
    },
    removePassphrase: async () => {
      await run(async (device) => {
        await device.removePassphrase();
        return { hasPassphrase: false, said: 'passphrase.removed' };
      });
    },
    setStaysUnlocked: async (stays) => {
      if (state.get().busy) return;
      state.patch({ staysUnlocked: stays });
      const isDone = await run(async (device) => {
        await device.setStaysUnlocked(stays);
        return {};
      });
      if (!isDone) state.patch({ staysUnlocked: !stays });
    },
    setIdleMinutes: (minutes) => {
      setIdleMinutes(preferences, minutes);
      state.patch({ idleMinutes: minutes });
    },
    forget: async () => {
      await run(async (device) => {
        await signOut();
        await device.forget();
        await leave();
        return {};
      });
    },
  };
}
