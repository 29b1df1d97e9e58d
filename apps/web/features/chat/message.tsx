import { memo } from 'react';
import type { ThreadMessage } from '../../shell/services.ts';
import { t } from '../../shell/words.ts';
import { useApp } from '../../ui/app-context.ts';
import { Left, Right } from '../../ui/icons.tsx';
import { MessageFiles } from '../attachments/door-view.tsx';
import { CopyButton } from './copy-button.tsx';
import { Markdown } from './markdown-door.tsx';

export interface MessageProps {
  readonly message: ThreadMessage;
  /** An answer is on its way: nothing may be changed meanwhile. */
  readonly busy: boolean;
  readonly last: boolean;
}

/** One message with what can be done about it. Drawn again only when it changes. */
export const Message = memo(function Message({ message, busy, last }: MessageProps) {
  const { chat, composer, operator } = useApp();
  const mine = message.role === 'user';
  const cut = !mine && message.status !== 'complete';
  return (
    <article
      // Where a search leads to.
      id={`message-${message.messageId}`}
      tabIndex={-1}
      className={mine ? 'message mine' : 'message answer'}
      aria-label={t(mine ? 'chat.you' : 'chat.answer')}
      onPointerEnter={() => operator.mark(message.messageId)}
      onPointerLeave={() => operator.mark(undefined)}
      onFocus={() => operator.mark(message.messageId)}
    >
      <MessageFiles files={message.attachments} />
      {mine ? message.text !== '' && <p className="words">{message.text}</p> : <Markdown text={message.text} />}
      {cut && (
        <p className="cut">
          <span>{t('chat.interrupted')}</span>
          {last && !busy && (
            <button type="button" className="pill" onClick={() => void chat.continueAnswer(message.messageId)}>
              {t('chat.continue')}
            </button>
          )}
        </p>
      )}
      <div className="actions">
        <Branches message={message} busy={busy} />
        <CopyButton text={message.text} />
        {mine ? (
          <button
            type="button"
            className="quiet"
            disabled={busy}
            onClick={() => composer.edit(message.messageId, message.text)}
          >
            {t('chat.edit')}
          </button>
        ) : (
          <button
            type="button"
            className="quiet"
            disabled={busy}
            onClick={() => void chat.regenerate(message.messageId)}
          >
            {t('chat.regenerate')}
          </button>
        )}
        {!mine && message.model !== undefined && <span className="model">{message.model}</span>}
      </div>
    </article>
  );
});

function Branches({ message, busy }: { message: ThreadMessage; busy: boolean }) {
  const { chat } = useApp();
  const { siblings, messageId } = message;
  if (siblings.length < 2) return null;
  const at = siblings.indexOf(messageId);
  const step = (by: number, label: 'chat.branchBefore' | 'chat.branchAfter') => {
    const target = siblings[at + by];
    return (
      <button
        type="button"
        className="icon-button small"
        aria-label={t(label)}
        disabled={busy || target === undefined}
        onClick={() => target !== undefined && chat.showBranch(target)}
      >
        {by < 0 ? <Left /> : <Right />}
      </button>
    );
  };
  return (
    <span className="branches">
      {step(-1, 'chat.branchBefore')}
      <span title={t('chat.branch', { at: at + 1, count: siblings.length })}>
        {at + 1}/{siblings.length}
      </span>
      {step(1, 'chat.branchAfter')}
    </span>
  );
}
