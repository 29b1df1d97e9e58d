/** "Keep my chats": from a guest of this browser to an account that only a recovery code or passkey opens. */
import { SottoError } from '@sotto/bytes';
import type { Accounts, History, Page, Preferences } from '../../shell/services.ts';
import { createStore, type ReadableStore } from '../../shell/store.ts';

export type KeepStep = 'closed' | 'code' | 'confirm' | 'moving' | 'passkey' | 'passkey-running' | 'done';

export interface KeepState {
  readonly step: KeepStep;
  /** Shown once, held in memory only, forgotten when the flow ends. */
  readonly code: string;
  readonly passkeysAvailable: boolean;
  readonly passkey: 'none' | 'opens-chats' | 'signs-in-only';
  readonly error: string | undefined;
}

export interface KeepModel {
  readonly state: ReadableStore<KeepState>;
  start(): Promise<void>;
  copyCode(): Promise<void>;
  downloadCode(fileText: string): void;
  printCode(): void;
  written(): void;
  back(): void;
  /** @param lastGroup the last group of the code, typed by the person */
  confirm(lastGroup: string): Promise<void>;
  addPasskey(): Promise<void>;
  close(): void;
}

export interface KeepPorts {
  readonly accounts: Accounts;
  readonly page: Page;
  readonly preferences: Preferences;
  /** Stops whatever still writes into the guest's chats. */
  readonly settle: () => Promise<void>;
  readonly onKept: (history: History) => void;
}

export function createKeepModel({ accounts, page, preferences, settle, onKept }: KeepPorts): KeepModel {
  const closed: KeepState = { step: 'closed', code: '', passkeysAvailable: false, passkey: 'none', error: undefined };
  const state = createStore<KeepState>(closed);

  return {
    state,
    start: async () =>
      state.set({
        ...closed,
        step: 'code',
        code: await accounts.createRecoveryCode(),
        passkeysAvailable: accounts.passkeysAvailable(),
      }),
    copyCode: () => page.copy(state.get().code).catch(() => {}),
    downloadCode: (fileText) => page.download('sotto-recovery-code.txt', fileText),
    printCode: () => page.print(),
    written: () => state.patch({ step: 'confirm', error: undefined }),
    back: () => state.patch({ step: 'code', error: undefined }),
    confirm: async (lastGroup) => {
      const { code, passkeysAvailable } = state.get();
      if (plain(lastGroup) !== plain(lastGroupOf(code))) return state.patch({ error: 'group-differs' });
      state.patch({ step: 'moving', error: undefined });
      try {
        await settle();
        const history = await accounts.keep(code);
        preferences.set('has-account', '1');
        onKept(history);
        state.patch({ step: passkeysAvailable ? 'passkey' : 'done', code: '' });
      } catch (cause) {
        state.patch({ step: 'confirm', error: codeOf(cause) });
      }
    },
    addPasskey: async () => {
      state.patch({ step: 'passkey-running', error: undefined });
      try {
        state.patch({ step: 'done', passkey: await accounts.addPasskey() });
      } catch (cause) {
        state.patch({ step: 'passkey', error: codeOf(cause) });
      }
    },
    close: () => {
      // Once the move has begun the code is the only lock: the flow must not lose it half-way.
      if (state.get().step !== 'moving') state.set(closed);
    },
  };
}

export function lastGroupOf(code: string): string {
  return code.split('-').at(-1) ?? '';
}

/** The letters people confuse, made equal, as the code's own alphabet does. */
export function plain(text: string): string {
  return text
    .toUpperCase()
    .replace(/[^0-9A-Z]/g, '')
    .replace(/[IL]/g, '1')
    .replace(/O/g, '0')
    .replace(/U/g, 'V');
}

export function codeOf(cause: unknown): string {
  return cause instanceof SottoError ? cause.code : 'unexpected';
}
