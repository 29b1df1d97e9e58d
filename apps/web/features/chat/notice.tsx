import type { ThreadMessage } from '../../shell/services.ts';
import { errorWords, t } from '../../shell/words.ts';
import { useApp } from '../../ui/app-context.ts';
import type { Notice } from './state.ts';

/** What went wrong, in words, with what can be done about it. */
export function NoticeView({ notice, messages }: { notice: Notice; messages: readonly ThreadMessage[] }) {
  const { chat, composer, panels } = useApp();
  const mine = messages.findLast((message) => message.role === 'user');
  return (
    <div className="notice" role="alert">
      <p>{notice.unverified ? t('error.unverified') : errorWords(notice.code)}</p>
      <div className="row">
        {notice.unverified && (
          <button type="button" className="pill" onClick={() => panels.patch({ proof: true })}>
            {t('proof.open')}
          </button>
        )}
        {notice.offer === 'retry' && (
          <button type="button" className="pill" onClick={() => void chat.retry()}>
            {t('app.again')}
          </button>
        )}
        {notice.offer === 'edit' && mine !== undefined && (
          <button type="button" className="pill" onClick={() => composer.edit(mine.messageId, mine.text)}>
            {t('chat.edit')}
          </button>
        )}
        <button type="button" className="quiet" onClick={chat.dismissNotice}>
          {t('app.close')}
        </button>
      </div>
    </div>
  );
}
