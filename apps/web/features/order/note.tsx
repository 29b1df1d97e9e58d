/** Above the composer: what goes with every question, or that nothing is kept. */
import { useEffect } from 'react';
import { useApp } from '../../ui/app-context.ts';
import { useStore } from '../../ui/use-store.ts';
import { orderOf } from './model.ts';
import { w } from './words.ts';

export default function Note() {
  const { temporary, ordering, who } = useApp();
  const isOpen = ['guest', 'account'].includes(useStore(who).who);
  if (useStore(temporary).on) return <TemporaryNote />;
  return isOpen && ordering.model !== undefined ? <ProjectNote /> : null;
}

function TemporaryNote() {
  const { chat } = useApp();
  const isEmpty = useStore(chat.state).messages.length === 0;
  useEffect(() => {
    if (isEmpty) return;
    // The browser asks in its own words.
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener('beforeunload', ask);
    return () => removeEventListener('beforeunload', ask);
  }, [isEmpty]);
  return (
    <p className="note" role="status">
      {w('temporary.note')}
    </p>
  );
}

function ProjectNote() {
  const { ordering, chat, folderOfNew } = useApp();
  const model = orderOf(ordering);
  const { folders } = useStore(model.state);
  const { conversationId } = useStore(chat.state);
  const folderId = model.folderOf(conversationId) ?? (conversationId === undefined ? folderOfNew() : undefined);
  const project = folders.find(({ folder }) => folder.folderId === folderId)?.folder;
  if (project === undefined || project.instructions === '') return null;
  return <p className="note">{w('project.note', { name: project.name || w('folder.unnamed') })}</p>;
}
