/** What is open above the page: where a chat stands, a folder, what goes, and the time to undo. */
import { useApp } from '../../ui/app-context.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { useStore } from '../../ui/use-store.ts';
import { ChatPanel } from './chat-panel.tsx';
import { FolderPanel } from './folder-panel.tsx';
import { ManagePanel } from './manage-panel.tsx';
import { type OrderModel, orderOf } from './model.ts';
import { w } from './words.ts';

export default function OrderPanels() {
  const { ordering, panels, who } = useApp();
  const { leaving } = useStore(panels);
  const isOpen = ['guest', 'account'].includes(useStore(who).who);
  return (
    <>
      {leaving !== undefined && <LeaveDialog leave={leaving} />}
      {isOpen && ordering.model !== undefined && <Panels model={orderOf(ordering)} />}
    </>
  );
}

function Panels({ model }: { model: OrderModel }) {
  const { panel } = useStore(model.state);
  const close = () => model.open(undefined);
  return (
    <>
      {panel?.kind === 'chat' && (
        <ChatPanel key={panel.conversationId} model={model} conversationId={panel.conversationId} onClose={close} />
      )}
      {panel?.kind === 'folder' && (
        <FolderPanel key={panel.folderId} model={model} folderId={panel.folderId} onClose={close} />
      )}
      {panel?.kind === 'manage' && <ManagePanel model={model} onClose={close} />}
      <Toast model={model} />
    </>
  );
}

/** Of what was just deleted, or goes by its age. It stays until it is answered or over. */
function Toast({ model }: { model: OrderModel }) {
  const { who } = useApp();
  const { removed, notice } = useStore(model.state);
  const isAccount = useStore(who).who === 'account';
  if (removed.length > 0) {
    return (
      <div className="toast" role="status">
        <div className="row between">
          <span>{removed.length === 1 ? w('removed.one') : w('removed.some', { count: removed.length })}</span>
          <button type="button" className="pill" onClick={() => void model.undo()}>
            {w('removed.undo')}
          </button>
        </div>
        {isAccount && <p className="note">{w('removed.account')}</p>}
      </div>
    );
  }
  if (notice === undefined) return null;
  const count = 'count' in notice ? notice.count : 0;
  const date = new Date(model.nowMs()).toLocaleDateString('en', { dateStyle: 'long' });
  return (
    <div className="toast" role="status">
      <span>{w(`notice.${notice.kind}`, { count, date })}</span>
      <div className="row end">
        {notice.kind === 'ask' && (
          <button type="button" className="pill" onClick={() => void model.removeDue()}>
            {w('notice.remove')}
          </button>
        )}
        {notice.kind !== 'done' && (
          <button type="button" className="quiet" onClick={() => model.open({ kind: 'manage' })}>
            {w('notice.look')}
          </button>
        )}
        <button type="button" className="quiet" onClick={model.dismissNotice}>
          {w('notice.dismiss')}
        </button>
      </div>
    </div>
  );
}

function LeaveDialog({ leave }: { leave: () => void }) {
  const { panels } = useApp();
  const stay = () => panels.patch({ leaving: undefined });
  return (
    <Dialog title={w('temporary.leaveTitle')} onClose={stay}>
      <p>{w('temporary.leaveBody')}</p>
      <div className="row end">
        <button type="button" className="button" onClick={stay}>
          {w('temporary.stay')}
        </button>
        <button type="button" className="button danger" onClick={leave}>
          {w('temporary.leave')}
        </button>
      </div>
    </Dialog>
  );
}
