import { useEffect } from 'react';
import type { App } from './app.ts';

/** The keys that work anywhere. Esc closes what opened last; dialogs see to themselves. */
export function useShortcuts(app: App): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const isLock = event.key.toLowerCase() === 'l' && event.shiftKey && (event.ctrlKey || event.metaKey);
      if (event.defaultPrevented || (!isLock && document.querySelector('dialog[open], :popover-open') !== null)) return;
      if (event.key === 'Escape') {
        if (app.chat.state.get().turn !== undefined) app.chat.stop();
        else if (app.operator.state.get().open) app.operator.close();
        else if (app.panels.get().proof) app.panels.patch({ proof: false });
        else return;
        app.composer.focus();
        event.preventDefault();
      } else if (event.key.toLowerCase() === 'o' && event.shiftKey && (event.ctrlKey || event.metaKey)) {
        app.newChat();
        event.preventDefault();
      } else if (isLock) {
        if (app.who.get().who !== 'account') return;
        void app.lock();
        event.preventDefault();
      } else if (event.key.toLowerCase() === 'k' && !event.shiftKey && (event.ctrlKey || event.metaKey)) {
        app.panels.patch({ searching: true });
        event.preventDefault();
      } else if (event.key === '?' && !isWriting(event.target)) {
        app.panels.patch({ help: true });
        event.preventDefault();
      }
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [app]);
}

/** A `?` in a message box may begin a sentence: there it asks for nothing. */
function isWriting(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches('input, textarea, select, [contenteditable]');
}
