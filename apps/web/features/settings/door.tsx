import { useApp } from '../../ui/app-context.ts';
import { dialogOnDemand } from '../../ui/on-demand.tsx';
import { useStore } from '../../ui/use-store.ts';

const HelpSheet = dialogOnDemand('help.title', () => import('./help.tsx').then((view) => view.HelpSheet));

/** The keys, where they were asked for. */
export function HelpDoor() {
  const { panels } = useApp();
  return useStore(panels).help && <HelpSheet onClose={() => panels.patch({ help: false })} />;
}
