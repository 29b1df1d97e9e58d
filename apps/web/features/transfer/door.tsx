import { lazy, Suspense } from 'react';
import { errorWords, t } from '../../shell/words.ts';
import { useApp } from '../../ui/app-context.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { useStore } from '../../ui/use-store.ts';

type Kind = 'export' | 'import';

/** Few people come here, and rarely: what is behind the door is fetched when it is opened. */
const TransferDialog = lazy(() => import('./view.tsx').catch(() => ({ default: Unreachable })));

/** Exporting or importing chats, where it was asked for. */
export function TransferDoor() {
  const { panels } = useApp();
  const { transfer } = useStore(panels);
  if (transfer === undefined) return null;
  return (
    <Suspense fallback={null}>
      <TransferDialog kind={transfer} onClose={() => panels.patch({ transfer: undefined })} />
    </Suspense>
  );
}

/** The two ways in, in the foot of the places. */
export function TransferButtons({ onChosen }: { onChosen: () => void }) {
  const { panels } = useApp();
  const open = (transfer: Kind) => () => {
    onChosen();
    panels.patch({ transfer });
  };
  return (
    <div className="row between">
      <button type="button" className="quiet" onClick={open('export')}>
        {t('transfer.export')}
      </button>
      <button type="button" className="quiet" onClick={open('import')}>
        {t('transfer.import')}
      </button>
    </div>
  );
}

function Unreachable({ kind, onClose }: { kind: Kind; onClose: () => void }) {
  return (
    <Dialog title={t(`transfer.${kind}`)} onClose={onClose}>
      <p>{errorWords('network-unreachable')}</p>
    </Dialog>
  );
}
