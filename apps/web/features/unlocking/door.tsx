import { useEffect } from 'react';
import { errorWords, t } from '../../shell/words.ts';
import { useApp } from '../../ui/app-context.ts';
import { dialogOnDemand, onDemand } from '../../ui/on-demand.tsx';
import { useStore } from '../../ui/use-store.ts';

const view = () => import('./unlock-view.tsx');
const Guard = onDemand(
  () => import('./guard-view.tsx').then((found) => found.default),
  () => null,
);
const UnlockSettings = dialogOnDemand('unlock.settings', () =>
  import('./settings-view.tsx').then((found) => found.default),
);
const UnlockDialog = dialogOnDemand('unlock.title', () => view().then((found) => found.UnlockDialog));

/** The whole screen of a browser whose chats are locked. */
export const UnlockScreen = onDemand(() => view().then((found) => found.UnlockScreen), Unavailable);

/** For a guest who has kept chats elsewhere. */
export function UnlockDoor() {
  const { panels } = useApp();
  const { unlocking } = useStore(panels);
  return unlocking && <UnlockDialog onClose={() => panels.patch({ unlocking: false })} />;
}

/** What an open account needs of unlocking: somebody who watches over it, and the settings where they were asked for. */
export function UnlockingDoor() {
  const { panels, who } = useApp();
  return useStore(who).who === 'account' && <OfAccount panels={panels} />;
}

function OfAccount({ panels }: Pick<ReturnType<typeof useApp>, 'panels'>) {
  const { unlockSettings } = useStore(panels);
  // Fetched while there is a connection: it may lock without one.
  useEffect(() => void view().catch(() => {}), []);
  return (
    <>
      <Guard />
      {unlockSettings && <UnlockSettings onClose={() => panels.patch({ unlockSettings: false })} />}
    </>
  );
}

/** The way in, in the foot of the places. */
export function UnlockingButton({ onChosen }: { onChosen: () => void }) {
  const { panels } = useApp();
  return (
    <button
      type="button"
      className="quiet"
      onClick={() => {
        onChosen();
        panels.patch({ unlockSettings: true });
      }}
    >
      {t('unlock.settings')}
    </button>
  );
}

function Unavailable() {
  return (
    <main className="stop">
      <h1 className="voice">{t('unlock.title')}</h1>
      <p>{errorWords('network-unreachable')}</p>
      <button type="button" className="button primary" onClick={() => location.reload()}>
        {t('app.again')}
      </button>
    </main>
  );
}
