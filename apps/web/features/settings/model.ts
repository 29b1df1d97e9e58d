/** The theme and how the line is shaped: all that is remembered in clear text. */
import { PROFILES, type Profile } from '@sotto/client';
import type { Page, Preferences, Theme } from '../../shell/services.ts';
import { createStore, type ReadableStore } from '../../shell/store.ts';

export interface SettingsModel {
  readonly state: ReadableStore<{ readonly theme: Theme; readonly profile: Profile }>;
  setTheme(theme: Theme): void;
  /** From the next connection on. */
  setProfile(profile: Profile): void;
}

/** What was chosen on this device, or what is best for most. */
export function profileOf(preferences: Preferences): Profile {
  const kept = preferences.get('profile');
  return PROFILES.find((profile) => profile === kept) ?? 'balanced';
}

export function createSettingsModel({ page, preferences }: { page: Page; preferences: Preferences }): SettingsModel {
  const kept = preferences.get('theme');
  const theme: Theme = kept === 'light' || kept === 'dark' ? kept : 'system';
  const state = createStore({ theme, profile: profileOf(preferences) });
  page.setTheme(theme);
  return {
    state,
    setTheme: (next) => {
      preferences.set('theme', next === 'system' ? undefined : next);
      page.setTheme(next);
      state.set({ ...state.get(), theme: next });
    },
    setProfile: (profile) => {
      preferences.set('profile', profile === 'balanced' ? undefined : profile);
      state.set({ ...state.get(), profile });
    },
  };
}
