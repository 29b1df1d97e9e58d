import { useApp } from '../../ui/app-context.ts';
import { dialogOnDemand } from '../../ui/on-demand.tsx';
import { useStore } from '../../ui/use-store.ts';

/** Few people come here: what is behind the door is fetched when it is opened. */
const BreakDialog = dialogOnDemand('proof.break', () => import('./view.tsx').then((view) => view.default));

/** "Try to break it", where it was asked for. */
export function BreakDoor() {
  const { panels } = useApp();
  return useStore(panels).breaking && <BreakDialog onClose={() => panels.patch({ breaking: false })} />;
}
