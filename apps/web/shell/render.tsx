import { type ReactNode, StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { AppContext } from '../ui/app-context.ts';
import type { App } from './app.ts';
import { Root } from './root.tsx';
import { Unavailable } from './unavailable.tsx';
import '../styles/index.css';

/** Draws the app into the page and starts it. */
export function render(app: App): void {
  draw(
    <AppContext value={app}>
      <Root />
    </AppContext>,
  );
  addEventListener('focus', () => void app.returned());
  addEventListener('storage', () => void app.returned());
  addEventListener('hashchange', () => void app.linkOpened());
  void app.start();
}

/** For a browser that keeps nothing for the site. */
export function renderUnavailable(): void {
  draw(<Unavailable />);
}

function draw(content: ReactNode): void {
  const place = document.getElementById('root');
  if (place === null) throw new Error('the page has no place for the app');
  createRoot(place).render(<StrictMode>{content}</StrictMode>);
}
