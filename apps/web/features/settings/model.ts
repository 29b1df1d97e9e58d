/** The theme: the only thing remembered in clear text. */
import type { Page, Preferences, Theme } from '../../shell/services.ts';
import { createStore, type ReadableStore } from '../../shell/store.ts';

export interface SettingsModel {
  readonly state: ReadableStore<{ readonly theme: Theme }>;
  setTheme(theme: Theme): void;
}

export function createSettingsModel({ page, preferences }: { page: Page; preferences: Preferences }): SettingsModel {
  const kept = preferences.get('theme');
  const theme: Theme = kept === 'light' || kept === 'dark' ? kept : 'system';
  const state = createStore({ theme });
  page.setTheme(theme);
  return {
    state,
    setTheme: (next) => {
      preferences.set('theme', next === 'system' ? undefined : next);
      page.setTheme(next);
      state.set({ theme: next });
    },
  };
}
