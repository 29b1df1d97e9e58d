import { RoomDoor } from '../features/attachments/door-view.tsx';
import { BreakDoor } from '../features/break/door.tsx';
import { NoticeView } from '../features/chat/notice.tsx';
import { StartView } from '../features/chat/start-view.tsx';
import { Conversation } from '../features/chat/view.tsx';
import { Composer } from '../features/composer/view.tsx';
import { KeepDoor } from '../features/keep/door.tsx';
import { LinkDoor } from '../features/link/door.tsx';
import { LocksDoor } from '../features/locks/door.tsx';
import { Ledger } from '../features/operator/door.tsx';
import { OrderDoor, OrderNote } from '../features/order/door.tsx';
import { Badge, standingOf } from '../features/proof/badge.tsx';
import { ProofPanel } from '../features/proof/panel.tsx';
import { StopView } from '../features/proof/stop-view.tsx';
import { SearchDoor } from '../features/search/door.tsx';
import { HelpDoor } from '../features/settings/door.tsx';
import { TransferDoor } from '../features/transfer/door.tsx';
import { UnlockDoor, UnlockingDoor, UnlockScreen } from '../features/unlocking/door.tsx';
import { useApp } from '../ui/app-context.ts';
import { Dialog } from '../ui/dialog.tsx';
import { Cross, Menu } from '../ui/icons.tsx';
import { MIDDLE, NARROW, useMedia } from '../ui/use-media.ts';
import { useStore } from '../ui/use-store.ts';
import { Places } from './places.tsx';
import { useShortcuts } from './shortcuts.ts';
import { Unavailable } from './unavailable.tsx';
import { t } from './words.ts';

/** The whole page, and what goes on while it changes: a device that is linked stands at its unlock screen first. */
export function Root() {
  return (
    <>
      <Standing />
      <LinkDoor />
    </>
  );
}

function Standing() {
  const { who, proof } = useApp();
  const { who: standing } = useStore(who);
  const proofKind = useStore(proof.state).kind;
  if (standing === 'starting') return null;
  if (standing === 'unavailable') return <Unavailable />;
  if (proofKind === 'no-link' || proofKind === 'machine-changed') return <StopView />;
  if (standing === 'locked') return <UnlockScreen />;
  return <Workspace />;
}

function Workspace() {
  const app = useApp();
  const panels = useStore(app.panels);
  const operatorOpen = useStore(app.operator.state).open;
  const standing = standingOf(useStore(app.proof.state));
  const narrow = useMedia(NARROW);
  const middle = useMedia(MIDDLE);
  useShortcuts(app);
  const closeProof = () => app.panels.patch({ proof: false });
  const closePlaces = () => app.panels.patch({ places: false });
  const split = operatorOpen ? ' split' : panels.proof && !middle ? ' with-proof' : '';

  return (
    <div className={`workspace${split}`} data-standing={standing}>
      <a className="skip" href="#composer">
        {t('app.skip')}
      </a>
      {!narrow && !operatorOpen && (
        <aside className="column-places">
          <p className="voice brand">{t('app.name')}</p>
          <p className="note tagline">{t('app.tagline')}</p>
          <Places onChosen={() => {}} />
        </aside>
      )}
      <MainColumn narrow={narrow || operatorOpen} />
      {operatorOpen && <Ledger />}
      {panels.proof && !middle && !operatorOpen && (
        <aside className="column-proof">
          <button type="button" className="icon-button close" aria-label={t('app.close')} onClick={closeProof}>
            <Cross />
          </button>
          <ProofPanel />
        </aside>
      )}
      {panels.proof && (middle || operatorOpen) && (
        <Dialog kind="sheet-right" title={t(`proof.title.${standing}`)} onClose={closeProof}>
          <ProofPanel heading={false} />
        </Dialog>
      )}
      {panels.places && (narrow || operatorOpen) && (
        <Dialog kind="sheet-left" title={t('app.name')} onClose={closePlaces}>
          <Places onChosen={closePlaces} />
        </Dialog>
      )}
      <UnlockDoor />
      <LocksDoor />
      <UnlockingDoor />
      <BreakDoor />
      <TransferDoor />
      <RoomDoor />
      <OrderDoor />
      <SearchDoor />
      <KeepDoor />
      <HelpDoor />
    </div>
  );
}

function MainColumn({ narrow }: { narrow: boolean }) {
  const { chat, panels } = useApp();
  const { title, messages, pending, turn, notice } = useStore(chat.state);
  const fresh = messages.length === 0 && pending === undefined && turn === undefined;
  return (
    <main className={fresh ? 'column-chat fresh' : 'column-chat'}>
      <header className="bar">
        {narrow && (
          <button
            type="button"
            className="icon-button"
            aria-label={t('app.places')}
            onClick={() => panels.patch({ places: true })}
          >
            <Menu />
          </button>
        )}
        {fresh ? <span className="chat-title" /> : <h1 className="chat-title">{title || t('chat.new')}</h1>}
        <Badge />
      </header>
      {fresh ? <StartView /> : <Conversation />}
      <div className="foot">
        {fresh && notice !== undefined && <NoticeView notice={notice} messages={messages} />}
        <OrderNote />
        <Composer />
        <PrivacyLine />
      </div>
    </main>
  );
}

/** One line that says what is private in this mode, and how far. */
function PrivacyLine() {
  const { proof, who, temporary } = useApp();
  const standing = standingOf(useStore(proof.state));
  const isAccount = useStore(who).who === 'account';
  const kept = useStore(temporary).on ? 'private.temporary' : isAccount ? 'private.account' : 'private.guest';
  const machine =
    standing === 'verified' ? t('private.verified') : standing === 'development' ? t('private.development') : '';
  return (
    <p className="private">
      {machine} {t(kept)}
    </p>
  );
}
