import { PROFILE_COSTS, type Profile } from '@sotto/client';
import type { Theme } from '../../shell/services.ts';
import { t } from '../../shell/words.ts';
import { useApp } from '../../ui/app-context.ts';
import { useStore } from '../../ui/use-store.ts';

const THEMES: readonly Theme[] = ['system', 'light', 'dark'];

/** Light, dark, or as the system. */
export function ThemeChoice() {
  const { settings } = useApp();
  const { theme } = useStore(settings.state);
  return (
    <label className="theme">
      <span>{t('settings.theme')}</span>
      <select value={theme} onChange={(event) => settings.setTheme(event.target.value as Theme)}>
        {THEMES.map((one) => (
          <option key={one} value={one}>
            {t(`settings.theme.${one}`)}
          </option>
        ))}
      </select>
    </label>
  );
}

/** How much the line hides, and what that costs. */
export function ProfileChoice() {
  const { settings } = useApp();
  const { profile } = useStore(settings.state);
  const cost = PROFILE_COSTS.find((one) => one.profile === profile);
  return (
    <details className="profile">
      <summary>{t('settings.profile')}</summary>
      <select
        aria-label={t('settings.profile')}
        value={profile}
        onChange={(event) => settings.setProfile(event.target.value as Profile)}
      >
        {PROFILE_COSTS.map((one) => (
          <option key={one.profile} value={one.profile}>
            {t(`settings.profile.${one.profile}`)}
          </option>
        ))}
      </select>
      <small>{cost?.words}</small>
    </details>
  );
}
