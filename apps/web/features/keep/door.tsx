import { useApp } from '../../ui/app-context.ts';
import { dialogOnDemand } from '../../ui/on-demand.tsx';
import { useStore } from '../../ui/use-store.ts';

/** A person keeps their chats once. */
const KeepDialog = dialogOnDemand('keep.title', () => import('./view.tsx').then((view) => view.KeepDialog));

/** "Keep my chats", where it was asked for. */
export function KeepDoor() {
  const { keep } = useApp();
  return useStore(keep.state).step !== 'closed' && <KeepDialog onClose={keep.close} />;
}
