import { t } from '../../shell/words.ts';
import { useApp } from '../../ui/app-context.ts';
import { dialogOnDemand } from '../../ui/on-demand.tsx';
import { useStore } from '../../ui/use-store.ts';

/** Few people come here, and rarely: what is behind the door is fetched when it is opened. */
const LocksDialog = dialogOnDemand('locks.open', () => import('./view.tsx').then((view) => view.default));

/** Locks and devices of an open account, where they were asked for. */
export function LocksDoor() {
  const { panels, who } = useApp();
  const { locks } = useStore(panels);
  const isAccount = useStore(who).who === 'account';
  if (!locks || !isAccount) return null;
  return <LocksDialog onClose={() => panels.patch({ locks: false })} />;
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
