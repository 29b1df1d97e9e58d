/** What the person is writing. The text lives here, is never written to disk, and is only taken away once it was sent. */
import type { ModelInfo } from '../../shell/services.ts';
import { createStore, type ReadableStore } from '../../shell/store.ts';
import { judgeLength, type LengthVerdict } from '../chat/context.ts';

export interface ComposerState {
  readonly text: string;
  readonly verdict: LengthVerdict;
  /** The own message that is being edited, if any. */
  readonly editing: string | undefined;
  /** Raised to ask the view for the focus. */
  readonly focusCount: number;
}

export interface ComposerModel {
  readonly state: ReadableStore<ComposerState>;
  setText(text: string): void;
  edit(messageId: string, text: string): void;
  cancelEdit(): void;
  submit(): Promise<void>;
  focus(): void;
  /** Forgets what was typed: someone else may be next. */
  clear(): void;
}

export interface ComposerPorts {
  readonly model: () => ModelInfo | undefined;
  readonly busy: () => boolean;
  /** A message may be files alone. */
  readonly hasFiles?: () => boolean;
  readonly send: (text: string) => Promise<boolean>;
  readonly sendEdit: (messageId: string, text: string) => Promise<boolean>;
}

export function createComposerModel(ports: ComposerPorts): ComposerModel {
  const state = createStore<ComposerState>({ text: '', verdict: { kind: 'fits' }, editing: undefined, focusCount: 0 });
  let draft = '';

  const setText = (text: string) => state.patch({ text, verdict: judgeLength(text, ports.model()?.contextTokens) });
  const focus = () => state.patch({ focusCount: state.get().focusCount + 1 });

  return {
    state,
    setText,
    focus,
    clear: () => {
      draft = '';
      state.patch({ editing: undefined });
      setText('');
    },
    edit: (messageId, text) => {
      if (state.get().editing === undefined) draft = state.get().text;
      state.patch({ editing: messageId });
      setText(text);
      focus();
    },
    cancelEdit: () => {
      state.patch({ editing: undefined });
      setText(draft);
      draft = '';
      focus();
    },
    submit: async () => {
      const { text, editing } = state.get();
      if ((text.trim() === '' && !ports.hasFiles?.()) || ports.busy()) return;
      // The model's limit may have become known since the last keystroke.
      setText(text);
      if (state.get().verdict.kind === 'too-long') return;
      state.patch({ editing: undefined });
      setText('');
      const sent = editing === undefined ? await ports.send(text) : await ports.sendEdit(editing, text);
      if (!sent) {
        // Words typed meanwhile are not thrown away for those that come back.
        const meanwhile = state.get().text;
        state.patch({ editing });
        setText(meanwhile === '' ? text : `${text}\n${meanwhile}`);
        focus();
      } else if (editing !== undefined) {
        if (state.get().text === '') setText(draft);
        draft = '';
      }
    },
  };
}
