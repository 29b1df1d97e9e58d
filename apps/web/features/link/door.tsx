import { useApp } from '../../ui/app-context.ts';
import { dialogOnDemand } from '../../ui/on-demand.tsx';
import { useStore } from '../../ui/use-store.ts';

/** Few people come here, and rarely: what is behind the door is fetched when it is opened. */
const LinkDialog = dialogOnDemand('link.open', () => import('./view.tsx').then((view) => view.default));

/** Linking a device, where it was asked for. */
export function LinkDoor() {
  const { panels } = useApp();
  const { linking } = useStore(panels);
  return linking !== undefined && <LinkDialog side={linking} onClose={() => panels.patch({ linking: undefined })} />;
}
