import { type ComponentType, lazy, Suspense } from 'react';
import { t } from '../../shell/words.ts';
import { useApp } from '../../ui/app-context.ts';
import { useStore } from '../../ui/use-store.ts';

/** Most people have no folder yet: what shows one is fetched when there is one, or when somebody asks. */
const OrderPanels = lazy<ComponentType>(() => import('./panels.tsx').catch(() => ({ default: Nothing })));
const Note = lazy<ComponentType>(() => import('./note.tsx').catch(() => ({ default: Nothing })));

/** What is open above the page: where a chat stands, a folder, what is being deleted. */
export function OrderDoor() {
  const { panels } = useApp();
  const { ordering, leaving } = useStore(panels);
  if (!ordering && leaving === undefined) return null;
  return (
    <Suspense fallback={null}>
      <OrderPanels />
    </Suspense>
  );
}

/** Above the composer: that a project's instructions go with every question, or that the chat is kept nowhere. */
export function OrderNote() {
  const { panels } = useApp();
  if (!useStore(panels).ordering) return null;
  return (
    <Suspense fallback={null}>
      <Note />
    </Suspense>
  );
}

/** The ways in, in the foot of the places. */
export function OrderButtons({ onChosen }: { onChosen: () => void }) {
  const { arrange, newTemporaryChat } = useApp();
  return (
    <div className="row between">
      <button
        type="button"
        className="quiet"
        onClick={() => {
          onChosen();
          void newTemporaryChat();
        }}
      >
        {t('chat.newTemporary')}
      </button>
      <button
        type="button"
        className="quiet"
        onClick={() => {
          onChosen();
          void arrange({ kind: 'manage' });
        }}
      >
        {t('list.manage')}
      </button>
    </div>
  );
}

/** Where the server cannot be reached; what was asked for says so. */
function Nothing() {
  return null;
}
