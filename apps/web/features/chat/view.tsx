import { memo, useEffect } from 'react';
import type { ThreadMessage } from '../../shell/services.ts';
import { t } from '../../shell/words.ts';
import { useApp } from '../../ui/app-context.ts';
import { ArrowDown } from '../../ui/icons.tsx';
import { useStickToBottom } from '../../ui/use-stick-to-bottom.ts';
import { useStore } from '../../ui/use-store.ts';
import { Message } from './message.tsx';
import { NoticeView } from './notice.tsx';
import type { ChatState } from './state.ts';
import { TurnView } from './turn-view.tsx';

/** The messages of the open chat, and what is on its way. */
export function Conversation() {
  const { chat } = useApp();
  const state = useStore(chat.state);
  const { scroller, content, atEnd, toEnd } = useStickToBottom(state.conversationId);
  const { turn, pending } = state;
  const asking = pending !== undefined || turn?.phase === 'thinking';
  useEffect(() => {
    if (asking) toEnd();
  }, [asking, toEnd]);

  return (
    <div className="conversation">
      <div className="scroller" ref={scroller}>
        <div className="thread" ref={content}>
          {state.leftOut > 0 && <p className="note">{t('chat.leftOut', { count: state.leftOut })}</p>}
          {state.fileNotes.map((note) => (
            <p key={note} className="note">
              {note}
            </p>
          ))}
          <Messages messages={state.messages} busy={turn !== undefined} growing={turn?.messageId} />
          {pending !== undefined && (
            <article className="message mine" aria-label={t('chat.you')}>
              <p className="words">{pending}</p>
            </article>
          )}
          {turn !== undefined && <TurnView turn={turn} />}
          {state.notice !== undefined && <NoticeView notice={state.notice} messages={state.messages} />}
        </div>
      </div>
      {!atEnd && (
        <button type="button" className="to-end icon-button" aria-label={t('chat.toBottom')} onClick={toEnd}>
          <ArrowDown />
        </button>
      )}
      <Announcer announcement={state.announcement} />
    </div>
  );
}

const Messages = memo(function Messages(props: {
  messages: readonly ThreadMessage[];
  busy: boolean;
  growing: string | undefined;
}) {
  const { messages, busy, growing } = props;
  return messages
    .filter((message) => message.messageId !== growing)
    .map((message) => (
      <Message key={message.messageId} message={message} busy={busy} last={message === messages.at(-1)} />
    ));
});

/** The one live region: the beginning, then the whole answer, never its pieces. */
export function Announcer({ announcement }: { announcement: ChatState['announcement'] }) {
  const { kind, text } = announcement;
  return (
    <p className="hidden" aria-live="polite" role="status">
      {kind === 'none' ? '' : t(`chat.said.${kind}`, { text })}
    </p>
  );
}
