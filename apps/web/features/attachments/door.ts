/** The way to attach files: a button, and what is dropped or pasted. What is behind it is loaded with the first file. */
import type { JsonValue } from '@sotto/vault';
import type { Services } from '../../shell/services.ts';
import { createStore, type ReadableStore } from '../../shell/store.ts';
import type { AttachModel } from './model.ts';

export interface AttachDoor {
  /** `ready`: files that a message would take along. */
  readonly state: ReadableStore<{
    readonly model: AttachModel | undefined;
    readonly ready: number;
    readonly busy: boolean;
  }>;
  add(files: readonly File[]): Promise<void>;
  keep(conversationId: string, textBytes: number): Promise<JsonValue | undefined>;
  sent(): void;
  clear(): void;
}

export interface AttachDoorPorts extends Pick<Services, 'accounts'> {
  readonly isTemporary: () => boolean;
}

export function createAttachDoor({ accounts, isTemporary }: AttachDoorPorts): AttachDoor {
  const state = createStore<ReturnType<AttachDoor['state']['get']>>({ model: undefined, ready: 0, busy: false });
  let loading: Promise<AttachModel> | undefined;
  const load = async () => {
    const [{ createAttachModel }, { redraw }] = await Promise.all([import('./model.ts'), import('./picture.ts')]);
    const model = createAttachModel({ files: accounts.files, redraw });
    const follow = () => {
      const { chips } = model.state.get();
      const ready = chips.filter(({ step }) => step === 'ready').length;
      state.set({ model, ready, busy: chips.some(({ step }) => step === 'sealing') });
    };
    model.state.subscribe(follow);
    follow();
    return model;
  };
  return {
    state,
    add: async (files) => {
      loading ??= load();
      loading.catch(() => {
        loading = undefined;
      });
      const model = await loading;
      if (isTemporary()) model.refuseTemporary();
      else await model.add(files);
    },
    keep: async (conversationId, textBytes) => state.get().model?.keep(conversationId, textBytes),
    sent: () => state.get().model?.sent(),
    clear: () => void state.get().model?.clear(),
  };
}
