import { lazy, Suspense } from 'react';
import { errorWords, t } from '../../shell/words.ts';
import { useApp } from '../../ui/app-context.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { useStore } from '../../ui/use-store.ts';

/** What searches is fetched when somebody does. */
const SearchDialog = lazy(() => import('./view.tsx').catch(() => ({ default: Unreachable })));

/** The search, where it was asked for. */
export function SearchDoor() {
  const { panels } = useApp();
  const { searching } = useStore(panels);
  if (!searching) return null;
  return (
    <Suspense fallback={null}>
      <SearchDialog onClose={() => panels.patch({ searching: false })} />
    </Suspense>
  );
}

/** The way in, above the list of chats. */
export function SearchButton({ onChosen }: { onChosen: () => void }) {
  const { panels } = useApp();
  return (
    <button
      type="button"
      className="quiet search-open"
      onClick={() => {
        onChosen();
        panels.patch({ searching: true });
      }}
    >
      {t('search.open')}
    </button>
  );
}

function Unreachable({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title={t('search.open')} onClose={onClose}>
      <p>{errorWords('network-unreachable')}</p>
    </Dialog>
  );
}
