import { lazy, Suspense } from 'react';
import { errorWords, t } from '../../shell/words.ts';
import { useApp } from '../../ui/app-context.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { useStore } from '../../ui/use-store.ts';

/** Few people come here, and rarely: what is behind the door is fetched when it is opened. */
const LocksDialog = lazy(() => import('./view.tsx').catch(() => ({ default: Unreachable })));

/** Locks and devices of an open account, where they were asked for. */
export function LocksDoor() {
  const { panels, who } = useApp();
  const { locks } = useStore(panels);
  const isAccount = useStore(who).who === 'account';
  if (!locks || !isAccount) return null;
  return (
    <Suspense fallback={null}>
      <LocksDialog onClose={() => panels.patch({ locks: false })} />
    </Suspense>
  );
}

/** The way in, in the foot of the places. */
export function LocksButton({ onChosen }: { onChosen: () => void }) {
  const { panels } = useApp();
  return (
    <button
      type="button"
      className="quiet"
      onClick={() => {
        onChosen();
        panels.patch({ locks: true });
      }}
    >
      {t('locks.open')}
    </button>
  );
}

function Unreachable({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title={t('locks.open')} onClose={onClose}>
      <p>{errorWords('network-unreachable')}</p>
    </Dialog>
  );
}
