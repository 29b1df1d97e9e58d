import { useEffect, useState } from 'react';
import { useApp } from '../../ui/app-context.ts';
import { Dialog } from '../../ui/dialog.tsx';
import './files.css';
import { lookAtRoom, type RoomReport } from './usage.ts';
import { reasonOf, sizeWords, w } from './words.ts';

/** How full it is, and which chats take the room. */
export default function RoomDialog({ onClose }: { onClose: () => void }) {
  const { files, transferable, openChat } = useApp();
  const [report, setReport] = useState<RoomReport | string | undefined>();
  useEffect(() => {
    let isOpen = true;
    const show = (found: RoomReport | string) => isOpen && setReport(found);
    const fail = (cause: unknown) => show(w('usage.failed', { reason: reasonOf(cause) }));
    void files()
      .then((opened) => lookAtRoom(transferable.history(), opened))
      .then(show, fail);
    return () => {
      isOpen = false;
    };
  }, [files, transferable]);
  return (
    <Dialog title={w('usage.title')} onClose={onClose}>
      <div role="status">
        {report === undefined && <p>{w('usage.looking')}</p>}
        {typeof report === 'string' && <p className="problem">{report}</p>}
        {typeof report === 'object' && <Report report={report} />}
      </div>
      {typeof report === 'object' && report.chats.length > 0 && (
        <>
          <h3>{w('usage.biggest')}</h3>
          <ul className="room-chats">
            {report.chats.map(({ conversationId, title, bytes, files: count }) => (
              <li key={conversationId}>
                <span>{w('usage.chat', { title, size: sizeWords(bytes), count })}</span>
                <button
                  type="button"
                  className="quiet"
                  onClick={() => {
                    onClose();
                    openChat(conversationId);
                  }}
                >
                  {w('usage.open')}
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
    </Dialog>
  );
}

function Report({ report: { server, bytes, waiting, lost, problem, chats } }: { report: RoomReport }) {
  const { files } = useApp();
  return (
    <>
      {server === undefined ? (
        <p>{w('usage.guest', { used: sizeWords(bytes) })}</p>
      ) : (
        <>
          <p>{w('usage.used', { used: sizeWords(server.usedBytes), allowed: sizeWords(server.allowedBytes) })}</p>
          <meter
            className="room"
            min={0}
            max={server.allowedBytes}
            high={server.allowedBytes * 0.9}
            value={server.usedBytes}
            aria-label={w('usage.title')}
          />
        </>
      )}
      {waiting > 0 && <p>{w('usage.waiting', { count: waiting })}</p>}
      {lost > 0 && <p className="problem">{w('usage.lost', { count: lost })}</p>}
      {problem !== undefined && (
        <p className="problem">
          {w('usage.problem', { reason: reasonOf(problem) })}{' '}
          <button type="button" className="quiet" onClick={() => void files().then((open) => open.wake())}>
            {w('usage.again')}
          </button>
        </p>
      )}
      {chats.length === 0 && <p>{w('usage.none')}</p>}
    </>
  );
}
