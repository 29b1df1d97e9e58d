/** Sharing one chat, and the list of links: parts of the panels of features/order. */
import { SottoError } from '@sotto/bytes';
import type { SharedLink } from '@sotto/client/share';
import type { SharedChat } from '@sotto/vault/share';
import { useEffect, useState } from 'react';
import type { Sharing } from '../../shell/services.ts';
import { errorWords } from '../../shell/words.ts';
import { useApp } from '../../ui/app-context.ts';
import { useStore } from '../../ui/use-store.ts';
import type { OrderModel } from '../order/model.ts';
import { dateWords, w } from './words.ts';

const DAYS = [1, 7, 30, 90] as const;
const DAY_MS = 86_400_000;

/** Who will be able to read what, before there is a link. */
export function ShareSection({ model, conversationId }: { model: OrderModel; conversationId: string }) {
  const { who, page } = useApp();
  const isAccount = useStore(who).who === 'account';
  const [preview, setPreview] = useState<SharedChat>();
  const [days, setDays] = useState<number>(7);
  const [link, setLink] = useState<SharedLink>();
  const [error, setError] = useState<string>();
  const attempt = async (work: (sharing: Sharing) => Promise<void>) => {
    try {
      await work(await model.sharing());
      setError(undefined);
    } catch (cause) {
      setError(cause instanceof SottoError ? cause.code : 'unexpected');
    }
  };
  const begin = () => attempt(async (sharing) => setPreview(await sharing.preview(conversationId)));
  const make = () =>
    attempt(async (sharing) => {
      setLink(await sharing.share(conversationId, days));
      model.reload();
    });
  const date = dateWords(model.nowMs() + days * DAY_MS);
  return (
    <details onToggle={({ currentTarget }) => void (currentTarget.open && isAccount && begin())}>
      <summary>{w('share.open')}</summary>
      {!isAccount && <p>{w('share.account')}</p>}
      {preview?.messages.length === 0 && <p>{w('share.empty')}</p>}
      {preview !== undefined && preview.messages.length > 0 && link === undefined && (
        <div className="stack">
          <p>{w('share.audience', { count: preview.messages.length, date })}</p>
          <p className="note">{w('share.first', { text: preview.messages[0]?.text.slice(0, 120) ?? '' })}</p>
          <label>
            {w('share.days')}
            <select value={days} onChange={({ target }) => setDays(Number(target.value))}>
              {DAYS.map((each) => (
                <option key={each} value={each}>
                  {w('share.day', { days: each })}
                </option>
              ))}
            </select>
          </label>
          <div className="row end">
            <button type="button" className="button" onClick={() => void make()}>
              {w('share.make')}
            </button>
          </div>
        </div>
      )}
      {link !== undefined && (
        <div className="stack" role="status">
          <p>{w('share.made')}</p>
          <input autoComplete="off" className="field" readOnly value={link.url} aria-label={w('share.open')} />
          <div className="row end">
            <button type="button" className="button" onClick={() => void page.copy(link.url)}>
              {w('share.copy')}
            </button>
          </div>
        </div>
      )}
      {error !== undefined && (
        <p className="alarm" role="alert">
          {errorWords(error)}
        </p>
      )}
    </details>
  );
}

/** Every link that is open, whichever device made it. */
export function LinkList({ model }: { model: OrderModel }) {
  const { page, who } = useApp();
  const isAccount = useStore(who).who === 'account';
  const [sharing, setSharing] = useState<Sharing>();
  const [error, setError] = useState<string>();
  useStore(model.state);
  useEffect(() => {
    if (isAccount) model.sharing().then(setSharing, () => setError('network-unreachable'));
  }, [isAccount, model]);
  const links = sharing?.links() ?? [];
  if (links.length === 0) return null;
  return (
    <details>
      <summary>{w('links.title', { count: links.length })}</summary>
      <p className="note">{w('links.note')}</p>
      <ul className="choose">
        {links.map(({ shareId, title, messages, expiresAtMs, url }) => (
          <li key={shareId}>
            {title} <span className="note">{w('links.line', { count: messages, date: dateWords(expiresAtMs) })}</span>
            <div className="row end">
              <button type="button" className="quiet" onClick={() => void page.copy(url)}>
                {w('share.copy')}
              </button>
              <button
                type="button"
                className="quiet"
                aria-label={w('links.takeBack', { title })}
                onClick={() =>
                  void sharing
                    ?.takeBack(shareId)
                    .then(model.reload, (cause) => setError(cause instanceof SottoError ? cause.code : 'unexpected'))
                }
              >
                {w('links.takeBack', { title })}
              </button>
            </div>
          </li>
        ))}
      </ul>
      {error !== undefined && (
        <p className="alarm" role="alert">
          {errorWords(error)}
        </p>
      )}
    </details>
  );
}
