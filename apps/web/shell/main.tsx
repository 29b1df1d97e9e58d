/** The page's beginning: builds the real services, then the app. */

import { createSettingsModel } from '../features/settings/model.ts';
import { createApp } from './app.ts';
import { createBrowserServices } from './browser-services.ts';
import { browserPage, browserPreferences } from './page.ts';
import { render, renderUnavailable } from './render.tsx';

// The theme first: a white flash in a dark room is the first impression.
createSettingsModel({ page: browserPage, preferences: browserPreferences });
createBrowserServices().then(
  (services) => render(createApp(services)),
  () => renderUnavailable(),
);
