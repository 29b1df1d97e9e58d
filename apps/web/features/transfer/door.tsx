import { t } from '../../shell/words.ts';
import { useApp } from '../../ui/app-context.ts';
import { dialogOnDemand } from '../../ui/on-demand.tsx';
import { useStore } from '../../ui/use-store.ts';

type Kind = 'export' | 'import';

/** Few people come here, and rarely: what is behind the door is fetched when it is opened. */
const load = () => import('./view.tsx').then((view) => view.default);
const Dialogs = { export: dialogOnDemand('transfer.export', load), import: dialogOnDemand('transfer.import', load) };

/** Exporting or importing chats, where it was asked for. */
export function TransferDoor() {
  const { panels } = useApp();
  const { transfer } = useStore(panels);
  if (transfer === undefined) return null;
  const TransferDialog = Dialogs[transfer];
  return <TransferDialog kind={transfer} onClose={() => panels.patch({ transfer: undefined })} />;
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
