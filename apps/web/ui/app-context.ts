import { createContext, useContext } from 'react';
import type { App } from '../shell/app.ts';

export const AppContext = createContext<App | undefined>(undefined);

/** The app whose models this view shows. */
export function useApp(): App {
  const app = useContext(AppContext);
  if (app === undefined) throw new Error('a view was rendered outside the app');
  return app;
}
