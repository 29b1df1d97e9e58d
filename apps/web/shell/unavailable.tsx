import { t } from './words.ts';

/** Nothing can be kept here, not even a guest's chats. */
export function Unavailable() {
  return (
    <main className="stop">
      <h1 className="voice">{t('app.unavailable.title')}</h1>
      <p>{t('app.unavailable.body')}</p>
    </main>
  );
}
