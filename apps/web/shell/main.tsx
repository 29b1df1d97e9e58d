/** The page's beginning: builds the real services, then the app. */

import { createSettingsModel } from '../features/settings/model.ts';
import { createApp } from './app.ts';
import { createBrowserServices } from './browser-services.ts';
import { browserPage, browserPreferences } from './page.ts';
import { render, renderUnavailable } from './render.tsx';

// The theme first: a white flash in a dark room is the first impression.
createSettingsModel({ page: browserPage, preferences: browserPreferences });
if (location.hash.startsWith('#share=')) {
  // Somebody else's chat: nothing of this browser's own is opened for it.
  import('../features/share/viewer.tsx').then(({ openViewer }) => openViewer(), renderUnavailable);
} else {
  createBrowserServices().then(
    (services) => render(createApp(services)),
    () => renderUnavailable(),
  );
}
