/** Opening a kept account again: passkey or recovery code. A wrong code leaves the text where it is. */
import type { Accounts, History, Preferences } from '../../shell/services.ts';
import { createStore, type ReadableStore } from '../../shell/store.ts';
import { codeOf } from './model.ts';

export interface UnlockState {
  readonly text: string;
  readonly busy: 'no' | 'passkey' | 'code';
  readonly passkeysAvailable: boolean;
  readonly error: string | undefined;
}

export interface UnlockModel {
  readonly state: ReadableStore<UnlockState>;
  setText(text: string): void;
  withCode(): Promise<void>;
  withPasskey(): Promise<void>;
}

export interface UnlockPorts {
  readonly accounts: Accounts;
  readonly preferences: Preferences;
  readonly onUnlocked: (history: History) => void;
}

export function createUnlockModel({ accounts, preferences, onUnlocked }: UnlockPorts): UnlockModel {
  const state = createStore<UnlockState>({
    text: '',
    busy: 'no',
    passkeysAvailable: accounts.passkeysAvailable(),
    error: undefined,
  });

  const unlock = async (busy: 'passkey' | 'code', open: () => Promise<History>) => {
    if (state.get().busy !== 'no') return;
    state.patch({ busy, error: undefined });
    try {
      const history = await open();
      preferences.set('has-account', '1');
      state.patch({ busy: 'no', text: '' });
      onUnlocked(history);
    } catch (cause) {
      state.patch({ busy: 'no', error: codeOf(cause) });
    }
  };

  return {
    state,
    setText: (text) => state.patch({ text, error: undefined }),
    withCode: async () => {
      const { text } = state.get();
      if (text.trim() !== '') await unlock('code', () => accounts.unlockWithRecoveryCode(text));
    },
    withPasskey: () => unlock('passkey', () => accounts.unlockWithPasskey()),
  };
}
