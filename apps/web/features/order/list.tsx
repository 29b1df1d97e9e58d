/** The list of chats of somebody who has folders, pins or tags: the same items, in the order that was chosen. */
import { type DragEvent, type ReactNode, useState } from 'react';
import type { ConversationSummary } from '../../shell/services.ts';
import { errorWords } from '../../shell/words.ts';
import { useApp } from '../../ui/app-context.ts';
import { Dots } from '../../ui/icons.tsx';
import { useStore } from '../../ui/use-store.ts';
import { Days, Item } from '../conversations/items.tsx';
import { type Dragged, type FolderRow, type OrderModel, orderOf } from './model.ts';
import { w } from './words.ts';

export default function OrderedList({ onChosen }: { onChosen: () => void }) {
  const { ordering } = useApp();
  const model = orderOf(ordering);
  const state = useStore(model.state);
  const { rows, pinned, groups, archived, tags, tag, tagged, showsArchive, error, said } = state;
  if (showsArchive) {
    return (
      <>
        <button type="button" className="quiet" onClick={() => model.showArchive(false)}>
          {w('list.archiveBack')}
        </button>
        <Section id="archive" title={w('list.archiveTitle')} chats={archived} onChosen={onChosen} />
        {archived.length === 0 && <p className="note">{w('list.archiveEmpty')}</p>}
      </>
    );
  }
  return (
    <>
      {tags.length > 0 && (
        <fieldset className="tags" aria-label={w('list.tags')}>
          {tags.map((each) => (
            <button
              key={each}
              type="button"
              className="tag"
              aria-pressed={each === tag}
              onClick={() => model.showTag(each === tag ? undefined : each)}
            >
              {each}
            </button>
          ))}
        </fieldset>
      )}
      {tag === undefined ? (
        <>
          {pinned.length > 0 && (
            <Section id="pinned" title={w('list.pinned')} chats={pinned} onChosen={onChosen} pins />
          )}
          <section aria-labelledby="folders">
            <div className="row between">
              <h2 id="folders">{w('list.folders')}</h2>
              <button
                type="button"
                className="quiet"
                onClick={() => model.open({ kind: 'folder', folderId: undefined })}
              >
                {w('folder.new')}
              </button>
            </div>
            {rows.map((row) => (
              <FolderItem key={row.folder.folderId} row={row} model={model} onChosen={onChosen} />
            ))}
          </section>
          <DropPlace label={w('list.chats')} onDrop={(from) => drop(model, from, undefined)}>
            {groups.length > 0 ? (
              <Days groups={groups} Item={DraggableItem} onChosen={onChosen} />
            ) : (
              <p className="note">{w('list.chatsEmpty')}</p>
            )}
          </DropPlace>
        </>
      ) : (
        <Section id="tagged" title={w('list.tagged', { tag })} chats={tagged} onChosen={onChosen} />
      )}
      {archived.length > 0 && (
        <button type="button" className="quiet" onClick={() => model.showArchive(true)}>
          {w('list.archive', { count: archived.length })}
        </button>
      )}
      {error !== undefined && <p className="note alarm">{errorWords(error)}</p>}
      <p className="hidden" role="status">
        {said}
      </p>
    </>
  );
}

interface SectionProps {
  readonly id: string;
  readonly title: string;
  readonly chats: readonly ConversationSummary[];
  readonly onChosen: () => void;
  /** A chat that is dropped on another takes its place. */
  readonly pins?: boolean;
}

function Section({ id, title, chats, onChosen, pins = false }: SectionProps) {
  const { ordering } = useApp();
  const model = orderOf(ordering);
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      <ul>
        {chats.map((chat, place) => (
          <DraggableItem
            key={chat.conversationId}
            conversation={chat}
            onChosen={onChosen}
            {...(pins ? { onDropped: (id: string) => void model.attempt((order) => order.pin(id, place)) } : {})}
          />
        ))}
      </ul>
    </section>
  );
}

function DraggableItem(props: {
  conversation: ConversationSummary;
  onChosen: () => void;
  onDropped?: (conversationId: string) => void;
}) {
  const { conversation, onChosen, onDropped } = props;
  const { ordering } = useApp();
  const { drag } = orderOf(ordering);
  const accepts = () => onDropped !== undefined && drag.at?.kind === 'chat';
  return (
    <Item
      conversation={conversation}
      onChosen={onChosen}
      drag={{
        draggable: true,
        onDragStart: (event) => start(event, drag, { kind: 'chat', id: conversation.conversationId }),
        onDragEnd: () => end(drag),
        onDragOver: (event) => accepts() && event.preventDefault(),
        onDrop: (event) => {
          if (!accepts() || drag.at === undefined) return;
          event.stopPropagation();
          onDropped?.(drag.at.id);
        },
      }}
    />
  );
}

/** One folder: a heading that opens and closes, and its chats. */
function FolderItem({ row, model, onChosen }: { row: FolderRow; model: OrderModel; onChosen: () => void }) {
  const { folder, depth, isOpen, chats, place } = row;
  const name = folder.name || w('folder.unnamed');
  const listId = `folder-${folder.folderId}`;
  return (
    <DropPlace
      onDrop={(from) => {
        if (from.kind === 'chat') drop(model, from, folder.folderId);
        else void model.attempt((order) => order.moveFolder(from.id, folder.parentId, place));
      }}
    >
      {/* biome-ignore lint/a11y/noStaticElementInteractions: dragging has its twin in the folder's menu */}
      <div
        className="folder"
        data-depth={Math.min(depth, 6)}
        draggable
        onDragStart={(event) => start(event, model.drag, { kind: 'folder', id: folder.folderId })}
        onDragEnd={() => end(model.drag)}
      >
        <button
          type="button"
          className="chat-link"
          aria-expanded={isOpen}
          aria-controls={listId}
          onClick={() => model.toggle(folder.folderId)}
        >
          <span className="fold" aria-hidden="true" />
          {name} <span className="note">{chats.length}</span>
        </button>
        <button
          type="button"
          className="icon-button small"
          aria-label={w('folder.edit', { name })}
          onClick={() => model.open({ kind: 'folder', folderId: folder.folderId })}
        >
          <Dots />
        </button>
      </div>
      <ul id={listId} hidden={!isOpen} data-depth={Math.min(depth + 1, 7)}>
        {chats.map((chat) => (
          <DraggableItem key={chat.conversationId} conversation={chat} onChosen={onChosen} />
        ))}
        {isOpen && chats.length === 0 && <li className="note">{w('folder.empty')}</li>}
      </ul>
    </DropPlace>
  );
}

function DropPlace(props: { label?: string; onDrop: (from: Dragged) => void; children: ReactNode }) {
  const { ordering } = useApp();
  const { drag } = orderOf(ordering);
  const [over, setOver] = useState(false);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dragging has its twin in each item's menu
    <div
      className={over ? 'drop over' : 'drop'}
      title={over ? props.label : undefined}
      onDragOver={(event) => {
        if (drag.at === undefined) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        setOver(false);
        if (drag.at === undefined) return;
        event.preventDefault();
        props.onDrop(drag.at);
      }}
    >
      {props.children}
    </div>
  );
}

/** Another program is told nothing of what is dragged. */
function start(event: DragEvent, drag: OrderModel['drag'], from: Dragged): void {
  event.stopPropagation();
  event.dataTransfer.effectAllowed = 'move';
  event.dataTransfer.setData('text/plain', '');
  drag.at = from;
}

function end(drag: OrderModel['drag']): void {
  drag.at = undefined;
}

/** Into a folder, or out of every folder. */
function drop(model: OrderModel, from: Dragged, folderId: string | undefined): void {
  if (from.kind === 'chat') void model.attempt((order) => order.moveChat(from.id, folderId));
  else void model.attempt((order) => order.moveFolder(from.id, undefined, model.state.get().rows.length));
}
