/** One folder: its name, its instructions, where it stands, and deleting it. */
import { INSTRUCTIONS_LIMIT, NAME_LIMIT } from '@sotto/client/order';
import { useState } from 'react';
import { errorWords } from '../../shell/words.ts';
import { useApp } from '../../ui/app-context.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { useStore } from '../../ui/use-store.ts';
import type { OrderModel } from './model.ts';
import { w } from './words.ts';

interface PanelProps {
  readonly model: OrderModel;
  /** Undefined for one that is to be made. */
  readonly folderId: string | undefined;
  readonly onClose: () => void;
}

export function FolderPanel({ model, folderId, onClose }: PanelProps) {
  const { newChat } = useApp();
  const { folders, all, error } = useStore(model.state);
  const folder = folders.find((one) => one.folder.folderId === folderId)?.folder;
  const [name, setName] = useState(folder?.name ?? '');
  const [instructions, setInstructions] = useState(folder?.instructions ?? '');
  const [isDeleting, setDeleting] = useState(false);
  const count = all.filter((chat) => folderId !== undefined && chat.folderId === folderId).length;
  const save = () =>
    model.attempt(async (order) => {
      if (folderId === undefined) await order.createFolder({ name, instructions });
      else await order.changeFolder(folderId, { name, instructions });
      onClose();
    });
  const remove = (withChats: boolean) => {
    onClose();
    if (folderId !== undefined) void model.attempt((order) => order.deleteFolder(folderId, withChats));
  };
  return (
    <Dialog title={folderId === undefined ? w('folder.new') : w('folder.title')} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <label>
          {w('folder.name')}
          <input
            autoComplete="off"
            className="field"
            autoFocus
            value={name}
            maxLength={NAME_LIMIT}
            onChange={({ target }) => setName(target.value)}
          />
        </label>
        <label>
          {w('folder.instructions')}
          <textarea
            autoComplete="off"
            className="field"
            rows={5}
            value={instructions}
            maxLength={INSTRUCTIONS_LIMIT}
            onChange={({ target }) => setInstructions(target.value)}
          />
          <span className="note">{w('folder.instructionsNote')}</span>
        </label>
        {folderId !== undefined && <Place model={model} folderId={folderId} />}
        {error !== undefined && (
          <p className="alarm" role="alert">
            {errorWords(error)}
          </p>
        )}
        <div className="row end">
          {folderId !== undefined && (
            <>
              <button type="button" className="quiet" onClick={() => setDeleting(true)}>
                {w('folder.delete')}
              </button>
              <button
                type="button"
                className="button"
                onClick={() => {
                  onClose();
                  newChat(folderId);
                }}
              >
                {w('folder.newChat')}
              </button>
            </>
          )}
          <button type="submit" className="button primary" disabled={name.trim() === ''}>
            {w('folder.save')}
          </button>
        </div>
      </form>
      {isDeleting && (
        <section className="stack">
          <p>{w('folder.deleteNote')}</p>
          <div className="row end">
            <button type="button" className="button" onClick={() => remove(false)}>
              {w('folder.deleteKeep', { count })}
            </button>
            <button type="button" className="button danger" onClick={() => remove(true)}>
              {w('folder.deleteAll')}
            </button>
          </div>
        </section>
      )}
    </Dialog>
  );
}

/** In which folder it stands, and before which: what dragging does. */
function Place({ model, folderId }: { model: OrderModel; folderId: string }) {
  const { folders } = useStore(model.state);
  const own = folders.find(({ folder }) => folder.folderId === folderId)?.folder;
  if (own === undefined) return null;
  const beside = folders.filter(({ folder }) => folder.parentId === own.parentId);
  const place = beside.findIndex(({ folder }) => folder.folderId === folderId);
  const name = own.name || w('folder.unnamed');
  const move = (to: number) =>
    model.attempt(
      (order) => order.moveFolder(folderId, own.parentId, to),
      w('folder.moved', { name, place: to + 1, count: beside.length }),
    );
  return (
    <>
      <label>
        {w('folder.parent')}
        <select
          value={own.parentId ?? ''}
          onChange={({ target }) =>
            void model.attempt((order) => order.moveFolder(folderId, target.value || undefined, folders.length))
          }
        >
          <option value="">{w('folder.top')}</option>
          {folders
            .filter(({ folder }) => folder.folderId !== folderId)
            .map(({ folder, depth }) => (
              <option key={folder.folderId} value={folder.folderId}>
                {`${'\u2003'.repeat(depth)}${folder.name || w('folder.unnamed')}`}
              </option>
            ))}
        </select>
      </label>
      <div className="row">
        <button type="button" className="quiet" disabled={place === 0} onClick={() => void move(place - 1)}>
          {w('folder.up')}
        </button>
        <button
          type="button"
          className="quiet"
          disabled={place === beside.length - 1}
          onClick={() => void move(place + 1)}
        >
          {w('folder.down')}
        </button>
      </div>
    </>
  );
}
