/** All chats at once: when they go by themselves, deleting several, deleting everything. */
import { SottoError } from '@sotto/bytes';
import { useState } from 'react';
import { errorWords } from '../../shell/words.ts';
import { useApp } from '../../ui/app-context.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { useStore } from '../../ui/use-store.ts';
import { LinkList } from '../share/section.tsx';
import { DAYS } from './chat-panel.tsx';
import type { OrderModel } from './model.ts';
import { daysWords, w } from './words.ts';

const SHOWN_AT_ONCE = 200;

export function ManagePanel({ model, onClose }: { model: OrderModel; onClose: () => void }) {
  const { retentionDays, soon, error, progress } = useStore(model.state);
  return (
    <Dialog title={w('manage.title')} onClose={onClose} dismissible={progress === undefined}>
      <div className="stack">
        <button type="button" className="button" onClick={() => model.open({ kind: 'folder', folderId: undefined })}>
          {w('folder.new')}
        </button>
        <label>
          {w('manage.goes')}
          <select
            value={retentionDays}
            onChange={({ target }) => void model.attempt((order) => order.setRetention(Number(target.value)))}
          >
            {DAYS.map((days) => (
              <option key={days} value={days}>
                {daysWords(days)}
              </option>
            ))}
          </select>
          <span className="note">{w('manage.goesNote')}</span>
        </label>
        {soon.length > 0 && (
          <section>
            <p>{w('manage.soon')}</p>
            <ul className="choose">
              {soon.slice(0, SHOWN_AT_ONCE).map(({ conversationId, title }) => (
                <li key={conversationId}>{title}</li>
              ))}
            </ul>
          </section>
        )}
        <LinkList model={model} />
        <Memories model={model} />
        <Several model={model} />
        <Everything model={model} onClose={onClose} />
        <Account />
        {error !== undefined && (
          <p className="alarm" role="alert">
            {errorWords(error)}
          </p>
        )}
      </div>
    </Dialog>
  );
}

/** Imported texts: to be read, and taken away; no model is told them. */
function Memories({ model }: { model: OrderModel }) {
  const { memories } = useStore(model.state);
  if (memories.length === 0) return null;
  return (
    <details>
      <summary>{w('memory.title', { count: memories.length })}</summary>
      <p className="note">{w('memory.note')}</p>
      {memories.map(({ name, source, text }) => (
        <section key={name} className="stack">
          <h3>{w(source === 'chatgpt' || source === 'claude' ? `memory.${source}` : 'memory.sotto')}</h3>
          <p className="words">{text}</p>
          <div className="row end">
            <button
              type="button"
              className="quiet"
              onClick={() => void model.attempt((order) => order.setSetting(name, null))}
            >
              {w('memory.remove')}
            </button>
          </div>
        </section>
      ))}
    </details>
  );
}

function Several({ model }: { model: OrderModel }) {
  const { removeChats } = useApp();
  const { all } = useStore(model.state);
  const [text, setText] = useState('');
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const wanted = text.trim().toLowerCase();
  const shown = all.filter(({ title }) => title.toLowerCase().includes(wanted)).slice(0, SHOWN_AT_ONCE);
  const choose = (ids: readonly string[], isChosen: boolean) => {
    const next = new Set(chosen);
    for (const id of ids) isChosen ? next.add(id) : next.delete(id);
    setChosen(next);
  };
  const shownIds = shown.map(({ conversationId }) => conversationId);
  return (
    <details>
      <summary>{w('manage.select')}</summary>
      <div className="stack">
        <label>
          {w('manage.filter')}
          <input autoComplete="off" className="field" value={text} onChange={({ target }) => setText(target.value)} />
        </label>
        <label className="line">
          <input
            type="checkbox"
            checked={shownIds.length > 0 && shownIds.every((id) => chosen.has(id))}
            onChange={({ target }) => choose(shownIds, target.checked)}
          />
          {w('manage.selectAll')}
        </label>
        <ul className="choose">
          {shown.map(({ conversationId, title }) => (
            <li key={conversationId}>
              <label className="line">
                <input
                  type="checkbox"
                  checked={chosen.has(conversationId)}
                  onChange={({ target }) => choose([conversationId], target.checked)}
                />
                {title}
              </label>
            </li>
          ))}
        </ul>
        <div className="row end">
          <button
            type="button"
            className="button danger"
            disabled={chosen.size === 0}
            onClick={() => {
              setChosen(new Set());
              model.open(undefined);
              void removeChats([...chosen]);
            }}
          >
            {w('manage.selected', { count: chosen.size })}
          </button>
        </div>
      </div>
    </details>
  );
}

/** The one thing that needs typing. */
function Everything({ model, onClose }: { model: OrderModel; onClose: () => void }) {
  const { who, removeEverything } = useApp();
  const isAccount = useStore(who).who === 'account';
  const { progress } = useStore(model.state);
  const [text, setText] = useState('');
  const [isGone, setGone] = useState(false);
  const word = w('manage.word');
  if (isGone) {
    return (
      <p role="status">
        {w('manage.gone')}{' '}
        <button type="button" className="quiet" onClick={onClose}>
          {w('chat.done')}
        </button>
      </p>
    );
  }
  return (
    <details>
      <summary>{w('manage.everything')}</summary>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          setText('');
          void removeEverything().then(setGone);
        }}
      >
        <p>{w(isAccount ? 'manage.everythingNote' : 'manage.everythingGuest')}</p>
        <label>
          {w('manage.type', { word })}
          <input className="field" value={text} autoComplete="off" onChange={({ target }) => setText(target.value)} />
        </label>
        {progress !== undefined && (
          <p role="status">{w('manage.progress', { done: progress.done, count: progress.of })}</p>
        )}
        <div className="row end">
          <button
            type="submit"
            className="button danger"
            disabled={progress !== undefined || text.trim().toLowerCase() !== word}
          >
            {w('manage.everything')}
          </button>
        </div>
      </form>
    </details>
  );
}

/** An unlocked page in other hands must not be enough: one of the locks is asked for. */
function Account() {
  const { who, removeAccount, linkable } = useApp();
  const isAccount = useStore(who).who === 'account';
  const [code, setCode] = useState('');
  const [error, setError] = useState<string>();
  const [isWorking, setWorking] = useState(false);
  if (!isAccount) return null;
  const remove = async (lock: Parameters<typeof removeAccount>[0]) => {
    setWorking(true);
    try {
      await removeAccount(lock);
    } catch (cause) {
      setError(cause instanceof SottoError ? cause.code : 'unexpected');
    }
    setWorking(false);
  };
  return (
    <details>
      <summary>{w('account.delete')}</summary>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void remove({ code });
        }}
      >
        <p>{w('account.note')}</p>
        <label>
          {w('account.code')}
          <input
            className="field"
            value={code}
            autoComplete="off"
            spellCheck={false}
            onChange={({ target }) => setCode(target.value)}
          />
        </label>
        {error !== undefined && (
          <p className="alarm" role="alert">
            {errorWords(error)}
          </p>
        )}
        {isWorking && <p role="status">{w('account.working')}</p>}
        <div className="row end">
          {linkable.accounts.passkeysAvailable() && (
            <button type="button" className="button danger" disabled={isWorking} onClick={() => void remove('passkey')}>
              {w('account.withPasskey')}
            </button>
          )}
          <button type="submit" className="button danger" disabled={isWorking || code.trim() === ''}>
            {w('account.withCode')}
          </button>
        </div>
      </form>
    </details>
  );
}
