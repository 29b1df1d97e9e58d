/** The search dialog: a field, what narrows it down, and what was found. */
import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react';
import { useApp } from '../../ui/app-context.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { useStore } from '../../ui/use-store.ts';
import { Filters } from './filters.tsx';
import { createSearchModel, isReading, type Row, type SearchModel, type SearchState } from './model.ts';
import { Result } from './result.tsx';
import { reveal } from './reveal.ts';
import { w } from './words.ts';
import './search.css';

export default function SearchDialog({ onClose }: { onClose: () => void }) {
  const { search } = useApp();
  const [model, setModel] = useState<SearchModel>();
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    let made: SearchModel | undefined;
    let gone = false;
    search.open().then(
      (session) => {
        if (gone) return;
        made = createSearchModel({ ...search.ports(), session });
        setModel(made);
      },
      () => setFailed(true),
    );
    return () => {
      gone = true;
      made?.close();
    };
  }, [search]);
  return (
    <Dialog kind="dialog" title={w('title')} onClose={onClose}>
      <div className="search">
        {failed && <p className="note alarm">{w('failed')}</p>}
        {model !== undefined && <Search model={model} onClose={onClose} />}
      </div>
    </Dialog>
  );
}

function Search({ model, onClose }: { model: SearchModel; onClose: () => void }) {
  const app = useApp();
  const state = useStore(model.state);
  const listId = useId();
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);

  const open = (row: Row | undefined) => {
    if (row === undefined) return;
    onClose();
    app.openChat(row.conversationId);
    const isOpen = () => app.chat.state.get().conversationId === row.conversationId;
    if (row.messageId === undefined || !isOpen()) return;
    app.chat.showBranch(row.messageId);
    void reveal(row.messageId, isOpen);
  };
  const onKey = (event: KeyboardEvent) => {
    // A word that is being composed has its own Enter and arrows.
    if (event.nativeEvent.isComposing) return;
    if (event.key === 'ArrowDown') model.move(1);
    else if (event.key === 'ArrowUp') model.move(-1);
    else if (event.key === 'Enter') open(model.chosenRow());
    // The browser would only empty the field.
    else if (event.key === 'Escape') onClose();
    else return;
    event.preventDefault();
  };

  return (
    <>
      <input
        ref={field}
        className="field"
        type="search"
        role="combobox"
        aria-label={w('label')}
        aria-expanded={state.rows.length > 0}
        aria-controls={listId}
        aria-autocomplete="list"
        aria-activedescendant={state.rows.length > 0 ? `${listId}-${state.chosen}` : undefined}
        placeholder={w('label')}
        autoComplete="off"
        spellCheck={false}
        maxLength={1000}
        value={state.text}
        onChange={(event) => model.setText(event.target.value)}
        onKeyDown={onKey}
      />
      <Filters model={model} state={state} />
      <Standing state={state} />
      <Results model={model} state={state} listId={listId} onOpen={open} />
    </>
  );
}

/** One line that is always there, so that nothing below it jumps; a screen reader hears it when it changes. */
function Standing({ state }: { state: SearchState }) {
  const { progress, phase } = state;
  const reading =
    isReading(progress) && progress !== undefined
      ? w('indexing', { done: progress.done, total: progress.total })
      : undefined;
  return (
    <div className="search-standing">
      <p className="note" role="status" aria-live="polite">
        {countOf(state)}
      </p>
      {reading !== undefined && <p className="note">{reading}</p>}
      {reading === undefined && phase === 'none' && <p className="note">{w('hint')}</p>}
    </div>
  );
}

function countOf({ phase, total, rows, progress }: SearchState): string {
  if (phase === 'failed') return w('failed');
  if (phase === 'none' || (phase === 'searching' && rows.length === 0)) return '';
  if (total === 0) return w(isReading(progress) ? 'nothingYet' : 'nothing');
  if (total > rows.length) return w('shown', { shown: rows.length, count: total });
  return total === 1 ? w('foundOne') : w('found', { count: total });
}

function Results({
  model,
  state,
  listId,
  onOpen,
}: {
  model: SearchModel;
  state: SearchState;
  listId: string;
  onOpen: (row: Row) => void;
}) {
  const { rows, total, chosen } = state;
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    list.current?.children[chosen]?.scrollIntoView({ block: 'nearest' });
  }, [chosen]);
  return (
    <div className="search-results">
      <div ref={list} id={listId} role="listbox" aria-label={w('results')}>
        {rows.map((row, index) => (
          <Result
            key={row.key}
            id={`${listId}-${index}`}
            row={row}
            isChosen={index === chosen}
            onPoint={() => model.select(index)}
            onOpen={() => onOpen(row)}
          />
        ))}
      </div>
      {rows.length > 0 && total > rows.length && (
        <button type="button" className="quiet" onClick={() => model.showMore()}>
          {w('more')}
        </button>
      )}
    </div>
  );
}
