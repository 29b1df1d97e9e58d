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
