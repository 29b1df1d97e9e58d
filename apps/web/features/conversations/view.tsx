import { lazy, Suspense } from 'react';
import { errorWords, t } from '../../shell/words.ts';
import { useApp } from '../../ui/app-context.ts';
import { useStore } from '../../ui/use-store.ts';
import { Findings } from '../sync/door.tsx';
import { Days, Item } from './items.tsx';
import { ChatMenu } from './menu.tsx';

/** For somebody who has folders, pins or tags: fetched when there is one. */
const OrderedList = lazy(() => import('../order/list.tsx').catch(() => ({ default: PlainList })));

/** The chats, newest first, by day, or in the person's own order. */
export function ConversationList({ onChosen }: { onChosen: () => void }) {
  const { conversations } = useApp();
  const { isOrdered, damagedCount, findings, error } = useStore(conversations.state);
  return (
    <nav className="list" aria-label={t('app.places')}>
      {findings.length > 0 && <Findings findings={findings} />}
      {isOrdered ? (
        <Suspense fallback={<PlainList onChosen={onChosen} />}>
          <OrderedList onChosen={onChosen} />
        </Suspense>
      ) : (
        <PlainList onChosen={onChosen} />
      )}
      <ChatMenu />
      {damagedCount > 0 && <p className="note alarm">{t('list.damaged', { count: damagedCount })}</p>}
      {error !== undefined && <p className="note alarm">{errorWords(error)}</p>}
    </nav>
  );
}

function PlainList({ onChosen }: { onChosen: () => void }) {
  const { groups } = useStore(useApp().conversations.state);
  return <Days groups={groups} Item={Item} onChosen={onChosen} />;
}
