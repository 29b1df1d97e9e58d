import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { AppContext } from '../ui/app-context.ts';
import type { App } from './app.ts';
import { Root } from './root.tsx';
import '../styles/index.css';

/** Draws the app into the page and starts it. */
export function render(app: App): void {
  const place = document.getElementById('root');
  if (place === null) throw new Error('the page has no place for the app');
  createRoot(place).render(
    <StrictMode>
      <AppContext value={app}>
        <Root />
      </AppContext>
    </StrictMode>,
  );
  void app.start();
}
