/**
 * Opening a kept account again: by the passphrase of this browser, a passkey, or the recovery code. What was typed stays where
 * it is when it does not fit.
 */
import type { Clock } from '@sotto/ports';
import type { Accounts, DeviceUnlocking, History, Preferences } from '../../shell/services.ts';
import { createStore, type ReadableStore } from '../../shell/store.ts';
import { codeOf } from '../keep/model.ts';

export interface UnlockState {
  readonly text: string;
  readonly passphrase: string;
  readonly busy: 'no' | 'passkey' | 'code' | 'passphrase';
  readonly passkeysAvailable: boolean;
  /** Undefined until this browser was asked. */
  readonly hasPassphrase: boolean | undefined;
  /** Until the next try with a passphrase, as of the last one. */
  readonly waitSeconds: number;
  readonly error: string | undefined;
}

export interface UnlockModel {
  readonly state: ReadableStore<UnlockState>;
  /** Asks this browser what it has. */
  load(): Promise<void>;
  setText(text: string): void;
  setPassphrase(passphrase: string): void;
  withCode(): Promise<void>;
  withPasskey(): Promise<void>;
  withPassphrase(): Promise<void>;
}

export interface UnlockPorts {
  readonly accounts: Accounts;
  readonly clock: Clock;
  readonly preferences: Preferences;
  readonly onUnlocked: (history: History) => void;
}

export function createUnlockModel({ accounts, clock, preferences, onUnlocked }: UnlockPorts): UnlockModel {
  const state = createStore<UnlockState>({
    text: '',
    passphrase: '',
    busy: 'no',
    passkeysAvailable: accounts.passkeysAvailable(),
    hasPassphrase: undefined,
    waitSeconds: 0,
    error: undefined,
  });
  let device: Promise<DeviceUnlocking> | undefined;
  const unlocking = () => {
    device ??= accounts.unlocking().catch((cause) => {
      device = undefined;
      throw cause;
    });
    return device;
  };
  const look = async () => {
    const { passphrase, notBeforeMs } = await (await unlocking()).standing();
    const waitSeconds = Math.max(0, Math.ceil((notBeforeMs - clock.nowMs()) / 1000));
    state.patch({ hasPassphrase: passphrase, waitSeconds });
  };

  const unlock = async (busy: 'passkey' | 'code' | 'passphrase', open: () => Promise<History>) => {
    if (state.get().busy !== 'no') return;
    state.patch({ busy, error: undefined });
    try {
      const history = await open();
      preferences.set('has-account', '1');
      state.patch({ busy: 'no', text: '', passphrase: '' });
      onUnlocked(history);
    } catch (cause) {
      if (busy === 'passphrase') await look().catch(() => {});
      state.patch({ busy: 'no', error: codeOf(cause) });
    }
  };

  return {
    state,
    load: async () => {
      // A browser that cannot say has no passphrase: the other ways are there.
      await look().catch(() => state.patch({ hasPassphrase: false }));
    },
    setText: (text) => state.patch({ text, error: undefined }),
    setPassphrase: (passphrase) => state.patch({ passphrase, error: undefined }),
    withCode: async () => {
      const { text } = state.get();
      if (text.trim() !== '') await unlock('code', () => accounts.unlockWithRecoveryCode(text));
    },
    withPasskey: () => unlock('passkey', () => accounts.unlockWithPasskey()),
    withPassphrase: async () => {
      const { passphrase } = state.get();
      if (passphrase !== '') {
        await unlock('passphrase', async () => (await unlocking()).unlockWithPassphrase(passphrase));
      }
    },
  };
}
