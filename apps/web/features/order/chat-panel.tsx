/** Where one chat stands: everything that dragging does, by keyboard. */
import { useState } from 'react';
import { errorWords } from '../../shell/words.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { useStore } from '../../ui/use-store.ts';
import { ShareSection } from '../share/section.tsx';
import type { OrderModel } from './model.ts';
import { daysWords, w } from './words.ts';

export const DAYS = [0, 7, 30, 90, 365] as const;
const NEW = 'new';

interface PanelProps {
  readonly model: OrderModel;
  readonly conversationId: string;
  readonly onClose: () => void;
}

export function ChatPanel({ model, conversationId, onClose }: PanelProps) {
  const { all, folders, pinned, retentionDays, error } = useStore(model.state);
  const [folderName, setFolderName] = useState<string>();
  const chat = all.find((one) => one.conversationId === conversationId);
  if (chat === undefined) return null;
  const place = pinned.findIndex((one) => one.conversationId === conversationId);
  const isHere = folders.some(({ folder }) => folder.folderId === chat.folderId);
  const makeFolder = (name: string) =>
    model.attempt(async (order) => order.moveChat(conversationId, await order.createFolder({ name })));
  return (
    <Dialog title={w('chat.title', { title: chat.title })} onClose={onClose}>
      <div className="stack">
        <label>
          {w('chat.folder')}
          <select
            value={folderName === undefined ? (isHere ? chat.folderId : '') : NEW}
            onChange={({ target }) => {
              setFolderName(target.value === NEW ? '' : undefined);
              if (target.value !== NEW) {
                void model.attempt((order) => order.moveChat(conversationId, target.value || undefined));
              }
            }}
          >
            <option value="">{w('chat.noFolder')}</option>
            {folders.map(({ folder, depth }) => (
              <option key={folder.folderId} value={folder.folderId}>
                {`${'\u2003'.repeat(depth)}${folder.name || w('folder.unnamed')}`}
              </option>
            ))}
            <option value={NEW}>{w('chat.newFolder')}</option>
          </select>
        </label>
        {folderName !== undefined && (
          <form
            onSubmit={(event) => {
              event.preventDefault();
              setFolderName(undefined);
              void makeFolder(folderName);
            }}
          >
            <label>
              {w('folder.name')}
              <input
                autoComplete="off"
                className="field"
                autoFocus
                value={folderName}
                maxLength={120}
                onChange={({ target }) => setFolderName(target.value)}
              />
            </label>
            <button type="submit" className="button" disabled={folderName.trim() === ''}>
              {w('folder.save')}
            </button>
          </form>
        )}
        <label className="line">
          <input
            type="checkbox"
            checked={place >= 0 || chat.pin !== undefined}
            onChange={({ target }) =>
              void model.attempt((order) => (target.checked ? order.pin(conversationId) : order.unpin(conversationId)))
            }
          />
          {w('chat.pin')}
        </label>
        {place >= 0 && pinned.length > 1 && (
          <div className="row">
            <button
              type="button"
              className="quiet"
              disabled={place === 0}
              onClick={() => void model.attempt((order) => order.pin(conversationId, place - 1))}
            >
              {w('chat.pinUp')}
            </button>
            <button
              type="button"
              className="quiet"
              disabled={place === pinned.length - 1}
              onClick={() => void model.attempt((order) => order.pin(conversationId, place + 1))}
            >
              {w('chat.pinDown')}
            </button>
          </div>
        )}
        <label className="line">
          <input
            type="checkbox"
            checked={chat.archived}
            onChange={({ target }) => void model.attempt((order) => order.archive(conversationId, target.checked))}
          />
          {w('chat.archive')}
        </label>
        <Tags model={model} conversationId={conversationId} tags={chat.tags} />
        <label>
          {w('chat.goes')}
          <select
            value={chat.retention?.days ?? ''}
            onChange={({ target }) => {
              const days = target.value === '' ? undefined : Number(target.value);
              void model.attempt((order) => order.setChatRetention(conversationId, days));
            }}
          >
            <option value="">{w('chat.goesAccount', { days: daysWords(retentionDays) })}</option>
            {DAYS.map((days) => (
              <option key={days} value={days}>
                {daysWords(days)}
              </option>
            ))}
          </select>
          {chat.pin !== undefined && <span className="note">{w('chat.pinnedStays')}</span>}
        </label>
        <ShareSection model={model} conversationId={conversationId} />
      </div>
      {error !== undefined && (
        <p className="alarm" role="alert">
          {errorWords(error)}
        </p>
      )}
      <div className="row end">
        <button type="button" className="button primary" onClick={onClose}>
          {w('chat.done')}
        </button>
      </div>
    </Dialog>
  );
}

function Tags({ model, conversationId, tags }: Omit<PanelProps, 'onClose'> & { tags: readonly string[] }) {
  const { tags: known } = useStore(model.state);
  const [text, setText] = useState('');
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        setText('');
        void model.attempt((order) => order.tag(conversationId, text));
      }}
    >
      <div className="tags">
        {tags.map((tag) => (
          <button
            key={tag}
            type="button"
            className="tag"
            aria-label={w('chat.removeTag', { tag })}
            onClick={() => void model.attempt((order) => order.untag(conversationId, tag))}
          >
            {tag} ×
          </button>
        ))}
      </div>
      <label>
        {w('chat.addTag')}
        <input
          autoComplete="off"
          className="field"
          list="known-tags"
          value={text}
          maxLength={40}
          onChange={({ target }) => setText(target.value)}
        />
      </label>
      <datalist id="known-tags">
        {known
          .filter((tag) => !tags.includes(tag))
          .map((tag) => (
            <option key={tag} value={tag} />
          ))}
      </datalist>
      <div className="row end">
        <button type="submit" className="button" disabled={text.trim() === ''}>
          {w('chat.add')}
        </button>
      </div>
    </form>
  );
}
