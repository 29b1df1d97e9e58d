import { errorWords, t } from '../../shell/words.ts';
import { useApp } from '../../ui/app-context.ts';
import { onDemand } from '../../ui/on-demand.tsx';

/** What the operator sees, fetched when it is opened. */
export const Ledger = onDemand(() => import('./view.tsx').then((view) => view.Ledger), Unreachable);

function Unreachable() {
  const { operator } = useApp();
  return (
    <aside className="ledger">
      <p className="alarm">{errorWords('network-unreachable')}</p>
      <button type="button" className="pill" onClick={operator.close}>
        {t('operator.close')}
      </button>
    </aside>
  );
}
