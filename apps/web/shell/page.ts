/** The `Page` port on a real page. Nothing a person wrote goes into the address or into web storage. */
import type { Page, Preferences } from './services.ts';

/** A frame that never comes (the tab is hidden) must not hold an answer back. */
const HIDDEN_FRAME_MS = 200;

export const browserPage: Page = {
  fragment: () => location.hash.slice(1),
  clearFragment: () => {
    if (location.hash !== '') history.replaceState(history.state, '', location.pathname + location.search);
  },
  openChat: () => {
    const state: unknown = history.state;
    const id = typeof state === 'object' && state !== null && 'chat' in state ? state.chat : undefined;
    return typeof id === 'string' && /^[0-9a-f]{32}$/.test(id) ? id : undefined;
  },
  setOpenChat: (conversationId) => history.replaceState({ chat: conversationId }, ''),
  copy: (text) => navigator.clipboard.writeText(text),
  download: (name, content) => {
    const url = URL.createObjectURL(new Blob([content]));
    const link = document.createElement('a');
    link.href = url;
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  },
  print: () => window.print(),
  nextFrame: (callback) => {
    let done = false;
    const once = () => {
      if (done) return;
      stop();
      callback();
    };
    const stop = () => {
      done = true;
      cancelAnimationFrame(frame);
      clearTimeout(timer);
    };
    const frame = requestAnimationFrame(once);
    const timer = setTimeout(once, HIDDEN_FRAME_MS);
    return stop;
  },
  setTheme: (theme) => {
    if (theme === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  },
};

/** A few words in web storage, none of them private. */
export const browserPreferences: Preferences = {
  get: (name) => {
    try {
      return localStorage.getItem(`sotto-${name}`) ?? undefined;
    } catch {
      return undefined;
    }
  },
  set: (name, value) => {
    try {
      if (value === undefined) localStorage.removeItem(`sotto-${name}`);
      else localStorage.setItem(`sotto-${name}`, value);
    } catch {
      // Without web storage the theme is forgotten at the end of the visit.
    }
  },
};
