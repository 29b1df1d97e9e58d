import { lazy, Suspense } from 'react';
import { errorWords, t } from '../../shell/words.ts';
import { useApp } from '../../ui/app-context.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { useStore } from '../../ui/use-store.ts';

/** Few people come here: what is behind the door is fetched when it is opened. */
const BreakDialog = lazy(() => import('./view.tsx').catch(() => ({ default: Unreachable })));

/** "Try to break it", where it was asked for. */
export function BreakDoor() {
  const { panels } = useApp();
  if (!useStore(panels).breaking) return null;
  return (
    <Suspense fallback={null}>
      <BreakDialog onClose={() => panels.patch({ breaking: false })} />
    </Suspense>
  );
}

function Unreachable({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title={t('proof.break')} onClose={onClose}>
      <p>{errorWords('network-unreachable')}</p>
    </Dialog>
  );
}
