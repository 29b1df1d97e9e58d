/** "Locks and devices": the list, one thing at a time being added, renamed or removed, and what went wrong. */

import { LockKeyMissing, type LocksAndDevices, type RotationPlan } from '@sotto/client/epochs';
import { createStore, type ReadableStore } from '../../shell/store.ts';
import { codeOf, plain } from '../keep/model.ts';
import type { LocksSession } from './types.ts';

export type RecoveryKind = 'recovery-code' | 'recovery-phrase';

export type LocksStep =
  | { readonly kind: 'loading' }
  | { readonly kind: 'list' }
  /** A code or phrase is shown, in memory only. */
  | { readonly kind: 'writing'; readonly recovery: RecoveryKind; readonly text: string }
  | { readonly kind: 'confirming'; readonly recovery: RecoveryKind; readonly text: string; readonly differs: boolean }
  | { readonly kind: 'renaming'; readonly what: 'lock' | 'device'; readonly id: string; readonly name: string }
  /** Asked before anything is done. `missing`: locks that would have to go too. */
  | { readonly kind: 'asking'; readonly what: Removal; readonly missing: readonly string[] }
  | { readonly kind: 'working' };

/** What is to be removed; `key` alone changes the key. */
export type Removal = { readonly kind: 'lock' | 'device' | 'passkey'; readonly id: string } | { readonly kind: 'key' };

export interface LocksState {
  readonly step: LocksStep;
  readonly data: LocksAndDevices | undefined;
  /** The code of what went wrong last. */
  readonly error: string | undefined;
  /** Said once, after something was done. */
  readonly said: 'add.added' | 'add.signsInOnly' | 'remove.done' | undefined;
}

export interface LocksModel {
  readonly state: ReadableStore<LocksState>;
  load(): Promise<void>;
  addPasskey(): Promise<void>;
  addRecovery(kind: RecoveryKind): Promise<void>;
  written(): void;
  /** @param typed the last group of the code, or the last word of the phrase */
  confirm(typed: string): Promise<void>;
  startRename(what: 'lock' | 'device', id: string, name: string): void;
  rename(name: string): Promise<void>;
  ask(what: Removal): void;
  /** Does what was asked, with the locks that cannot be carried over where they were named. */
  doIt(): Promise<void>;
  back(): void;
}

const LIST = { kind: 'list' } as const;

export function createLocksModel(open: () => Promise<LocksSession>): LocksModel {
  const state = createStore<LocksState>({
    step: { kind: 'loading' },
    data: undefined,
    error: undefined,
    said: undefined,
  });
  let session: LocksSession | undefined;
  const ready = async () => {
    session ??= await open();
    return session;
  };
  /** Runs what may be refused; the list is read again after it. */
  const attempt = async (work: (session: LocksSession) => Promise<LocksState['said']>, stay?: LocksStep) => {
    const before = stay ?? state.get().step;
    state.patch({ step: { kind: 'working' }, error: undefined, said: undefined });
    try {
      const said = await work(await ready());
      state.patch({ step: LIST, data: await (await ready()).read(), said });
    } catch (cause) {
      const isMissing = cause instanceof LockKeyMissing && before.kind === 'asking';
      const step = isMissing ? { ...before, missing: cause.lockIds } : before;
      state.patch({ step, error: isMissing ? undefined : codeOf(cause) });
    }
  };

  return {
    state,
    load: () => attempt(async () => undefined, LIST),
    addPasskey: () =>
      attempt(async (locks) => ((await locks.addPasskey()) === 'opens-chats' ? 'add.added' : 'add.signsInOnly'), LIST),
    addRecovery: async (recovery) => {
      try {
        const text = await (await ready()).draftRecovery(recovery);
        state.patch({ step: { kind: 'writing', recovery, text }, error: undefined, said: undefined });
      } catch (cause) {
        state.patch({ error: codeOf(cause) });
      }
    },
    written: () => {
      const { step } = state.get();
      if (step.kind === 'writing') state.patch({ step: { ...step, kind: 'confirming', differs: false } });
    },
    confirm: async (typed) => {
      const { step } = state.get();
      if (step.kind !== 'confirming') return;
      const isIt = plain(typed) === plain(step.text.split(/[-\s]/).at(-1) ?? '');
      if (!isIt) return state.patch({ step: { ...step, differs: true } });
      await attempt(async (locks) => {
        await locks.addRecovery(step.recovery, step.text);
        return 'add.added';
      });
    },
    startRename: (what, id, name) => state.patch({ step: { kind: 'renaming', what, id, name }, said: undefined }),
    rename: async (name) => {
      const { step } = state.get();
      if (step.kind !== 'renaming') return;
      await attempt(async (locks) => {
        await (step.what === 'lock' ? locks.renameLock(step.id, name) : locks.renameDevice(step.id, name));
        return undefined;
      });
    },
    ask: (what) => state.patch({ step: { kind: 'asking', what, missing: [] }, error: undefined, said: undefined }),
    doIt: async () => {
      const { step } = state.get();
      if (step.kind !== 'asking') return;
      await attempt(async (locks) => {
        await locks.rotate(planOf(step.what, step.missing));
        return 'remove.done';
      });
    },
    back: () => state.patch({ step: state.get().data === undefined ? { kind: 'loading' } : LIST, error: undefined }),
  };
}

function planOf(what: Removal, missing: readonly string[]): RotationPlan {
  const idsOf = (kind: Removal['kind']) => (what.kind === kind && what.kind !== 'key' ? [what.id] : []);
  return {
    removeLocks: new Set([...idsOf('lock'), ...missing]),
    removeDevices: new Set(idsOf('device')),
    removePasskeys: new Set(idsOf('passkey')),
  };
}
