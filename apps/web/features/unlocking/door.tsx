import { lazy, Suspense } from 'react';
import { errorWords, t } from '../../shell/words.ts';
import { useApp } from '../../ui/app-context.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { useStore } from '../../ui/use-store.ts';

const view = () => import('./unlock-view.tsx');
const UnlockScreen = lazy(() =>
  view()
    .then(({ UnlockScreen: found }) => ({ default: found }))
    .catch(() => ({ default: Unavailable })),
);
const UnlockDialog = lazy(() =>
  view()
    .then(({ UnlockDialog: found }) => ({ default: found }))
    .catch(() => ({ default: Unreachable })),
);
const Guard = lazy(() => import('./guard-view.tsx').catch(() => ({ default: () => null })));
const UnlockSettings = lazy(() => import('./settings-view.tsx').catch(() => ({ default: Unreachable })));

/** The whole screen of a browser whose chats are locked. */
export function LockedDoor() {
  return (
    <Suspense fallback={null}>
      <UnlockScreen />
    </Suspense>
  );
}

/** For a guest who has kept chats elsewhere. */
export function UnlockDoor() {
  const { panels } = useApp();
  return (
    <Suspense fallback={null}>
      <UnlockDialog onClose={() => panels.patch({ unlocking: false })} />
    </Suspense>
  );
}

/** What an open account needs of unlocking: somebody who watches over it, and the settings where they were asked for. */
export function UnlockingDoor() {
  const { panels, who } = useApp();
  const { unlockSettings } = useStore(panels);
  if (useStore(who).who !== 'account') return null;
  return (
    <Suspense fallback={null}>
      <Guard />
      {unlockSettings && <UnlockSettings onClose={() => panels.patch({ unlockSettings: false })} />}
    </Suspense>
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

function Unreachable({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title={t('unlock.settings')} onClose={onClose}>
      <p>{errorWords('network-unreachable')}</p>
    </Dialog>
  );
}
