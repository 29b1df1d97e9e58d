import { lazy, Suspense } from 'react';
import { errorWords, t } from '../../shell/words.ts';
import { useApp } from '../../ui/app-context.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { useStore } from '../../ui/use-store.ts';

/** Few people come here, and rarely: what is behind the door is fetched when it is opened. */
const LinkDialog = lazy(() => import('./view.tsx').catch(() => ({ default: Unreachable })));

/** Linking a device, where it was asked for. */
export function LinkDoor() {
  const { panels } = useApp();
  const { linking } = useStore(panels);
  if (linking === undefined) return null;
  return (
    <Suspense fallback={null}>
      <LinkDialog side={linking} onClose={() => panels.patch({ linking: undefined })} />
    </Suspense>
  );
}

function Unreachable({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title={t('link.open')} onClose={onClose}>
      <p>{errorWords('network-unreachable')}</p>
    </Dialog>
  );
}
