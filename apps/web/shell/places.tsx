import { RoomButton } from '../features/attachments/door-view.tsx';
import { ConversationList } from '../features/conversations/view.tsx';
import { LocksButton } from '../features/locks/door.tsx';
import { OrderButtons } from '../features/order/door.tsx';
import { SearchButton } from '../features/search/door.tsx';
import { ProfileChoice, ThemeChoice } from '../features/settings/view.tsx';
import { SyncLine } from '../features/sync/door.tsx';
import { TransferButtons } from '../features/transfer/door.tsx';
import { UnlockingButton } from '../features/unlocking/door.tsx';
import { useApp } from '../ui/app-context.ts';
import { useStore } from '../ui/use-store.ts';
import { t } from './words.ts';

/** The left column: new chat, the list, and what to do with the whole of it. */
export function Places({ onChosen }: { onChosen: () => void }) {
  const { newChat, keep, who, lock, panels } = useApp();
  const isAccount = useStore(who).who === 'account';
  const choose = (open: () => void) => {
    onChosen();
    open();
  };
  return (
    <div className="places">
      <button
        type="button"
        className="new-chat"
        onClick={() => {
          newChat();
          onChosen();
        }}
      >
        {t('chat.new')}
      </button>
      <SearchButton onChosen={onChosen} />
      <ConversationList onChosen={onChosen} />
      <div className="places-foot">
        {isAccount && <SyncLine />}
        <div className="row between">
          {isAccount ? (
            <button type="button" className="pill" onClick={() => void lock()}>
              {t('keep.lock')}
            </button>
          ) : (
            <button type="button" className="pill" onClick={() => choose(() => void keep.start())}>
              {t('keep.offer')}
            </button>
          )}
          <button
            type="button"
            className="quiet"
            aria-label={t('help.open')}
            onClick={() => panels.patch({ help: true })}
          >
            ?
          </button>
        </div>
        {!isAccount && (
          <button type="button" className="quiet" onClick={() => choose(() => panels.patch({ unlocking: true }))}>
            {t('unlock.guest')}
          </button>
        )}
        <OrderButtons onChosen={onChosen} />
        <details className="more">
          <summary>{t('places.more')}</summary>
          <div className="more-rows">
            {isAccount && (
              <>
                <LocksButton onChosen={onChosen} />
                <UnlockingButton onChosen={onChosen} />
                <button type="button" className="quiet" onClick={() => choose(() => panels.patch({ linking: 'open' }))}>
                  {t('link.open')}
                </button>
              </>
            )}
            <TransferButtons onChosen={onChosen} />
            <RoomButton onChosen={onChosen} />
            <ProfileChoice />
            <ThemeChoice />
          </div>
        </details>
      </div>
    </div>
  );
}
