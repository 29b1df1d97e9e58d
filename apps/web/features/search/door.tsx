import { t } from '../../shell/words.ts';
import { useApp } from '../../ui/app-context.ts';
import { dialogOnDemand } from '../../ui/on-demand.tsx';
import { useStore } from '../../ui/use-store.ts';

/** What searches is fetched when somebody does. */
const SearchDialog = dialogOnDemand('search.open', () => import('./view.tsx').then((view) => view.default));

/** The search, where it was asked for. */
export function SearchDoor() {
  const { panels } = useApp();
  const { searching } = useStore(panels);
  if (!searching) return null;
  return <SearchDialog onClose={() => panels.patch({ searching: false })} />;
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
