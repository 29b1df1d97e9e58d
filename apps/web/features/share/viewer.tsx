/** What a link to a shared chat shows. It opens no history and keeps nothing; the key never leaves the address's fragment. */
import { browserFetch } from '@sotto/adapters-browser';
import { SottoError } from '@sotto/bytes';
import { ServerApi } from '@sotto/client';
import { openShared, SHARE_FRAGMENT } from '@sotto/client/share';
import type { SharedChat } from '@sotto/vault/share';
import { StrictMode, useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import type { App } from '../../shell/app.ts';
import { browserPage } from '../../shell/page.ts';
import { errorWords } from '../../shell/words.ts';
import '../../styles/index.css';
import { AppContext } from '../../ui/app-context.ts';
import { Markdown } from '../chat/markdown-view.tsx';
import { dateWords, w } from './words.ts';

export function openViewer(): void {
  const place = document.getElementById('root');
  if (place === null) throw new Error('the page has no place for the app');
  const api = new ServerApi(browserFetch, location.origin);
  const chat = openShared(api, browserPage.fragment().slice(SHARE_FRAGMENT.length));
  // All that an answer needs of the app is the way to copy from it.
  const app = { page: browserPage } as App;
  createRoot(place).render(
    <StrictMode>
      <AppContext value={app}>
        <Viewer chat={chat} />
      </AppContext>
    </StrictMode>,
  );
  // Another link in this very tab: the page begins anew.
  addEventListener('hashchange', () => location.reload());
}

function Viewer({ chat }: { chat: Promise<SharedChat> }) {
  const [shown, setShown] = useState<SharedChat>();
  const [error, setError] = useState<string>();
  useEffect(() => {
    chat.then(setShown, (cause) => setError(cause instanceof SottoError ? cause.code : 'unexpected'));
  }, [chat]);
  useEffect(() => {
    if (shown !== undefined) document.title = shown.title;
  }, [shown]);
  if (error !== undefined) {
    return (
      <main className="stop">
        <h1 className="voice">{w('view.failed')}</h1>
        <p role="alert">{errorWords(error)}</p>
        <a href="/">{w('view.start')}</a>
      </main>
    );
  }
  if (shown === undefined) return null;
  return (
    <main className="shared">
      <h1 className="voice">{shown.title || w('view.title')}</h1>
      <p className="note">{w('view.lead')}</p>
      <p className="note">{w('view.at', { date: dateWords(shown.sharedAtMs) })}</p>
      {shown.messages.map(({ role, text }, place) =>
        role === 'user' ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: the list does not change
          <article key={place} className="message mine" aria-label={w('view.you')}>
            <p className="words">{text}</p>
          </article>
        ) : (
          // biome-ignore lint/suspicious/noArrayIndexKey: the list does not change
          <article key={place} className="answer" aria-label={w('view.answer')}>
            <Markdown text={text} />
          </article>
        ),
      )}
      <a href="/">{w('view.start')}</a>
    </main>
  );
}
