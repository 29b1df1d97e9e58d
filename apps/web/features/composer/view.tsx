import { type KeyboardEvent, useEffect, useRef } from 'react';
import { t } from '../../shell/words.ts';
import { useApp } from '../../ui/app-context.ts';
import { ArrowUp, Square } from '../../ui/icons.tsx';
import { useStore } from '../../ui/use-store.ts';
import { AttachButton, AttachChips } from '../attachments/door-view.tsx';

/** Where the person writes. */
export function Composer() {
  const { composer, chat, proof, attach, editLast } = useApp();
  const files = useStore(attach.state);
  const { text, verdict, editing, focusCount } = useStore(composer.state);
  const { turn } = useStore(chat.state);
  const { list } = useStore(proof.models);
  const area = useRef<HTMLTextAreaElement>(null);
  const empty = text.trim() === '' && files.ready === 0;

  // biome-ignore lint/correctness/useExhaustiveDependencies: each new count asks for the focus once
  useEffect(() => {
    area.current?.focus();
  }, [focusCount]);

  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      void composer.submit();
    } else if (event.key === 'ArrowUp' && text === '') {
      event.preventDefault();
      editLast();
    } else if (event.key === 'Escape' && editing !== undefined && turn === undefined) {
      event.preventDefault();
      event.stopPropagation();
      composer.cancelEdit();
    }
  };

  return (
    <form
      className="composer"
      onDragOver={(event) => {
        if (event.dataTransfer.types.includes('Files')) event.preventDefault();
      }}
      onDrop={(event) => {
        if (event.dataTransfer.files.length === 0) return;
        event.preventDefault();
        void attach.add([...event.dataTransfer.files]);
      }}
      onPaste={(event) => {
        if (event.clipboardData.files.length === 0) return;
        event.preventDefault();
        void attach.add([...event.clipboardData.files]);
      }}
      onSubmit={(event) => {
        event.preventDefault();
        void composer.submit();
      }}
    >
      {editing !== undefined && (
        <div className="editing">
          <span>{t('composer.editing')}</span>
          <button type="button" className="quiet" onClick={composer.cancelEdit}>
            {t('app.cancel')}
          </button>
        </div>
      )}
      <AttachChips />
      <textarea
        autoComplete="off"
        id="composer"
        ref={area}
        value={text}
        rows={1}
        placeholder={t('composer.placeholder')}
        aria-label={t('composer.label')}
        aria-describedby="composer-problem"
        aria-invalid={verdict.kind === 'too-long'}
        enterKeyHint="send"
        onChange={(event) => composer.setText(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <div className="composer-foot">
        <AttachButton />
        <p id="composer-problem" className="problem" aria-live="polite">
          {verdict.kind === 'too-long' &&
            t('composer.tooLong', {
              model: list[0]?.label ?? t('composer.thisModel'),
              limit: verdict.limitWords.toLocaleString('en'),
              words: verdict.words.toLocaleString('en'),
            })}
        </p>
        {turn !== undefined && turn.phase !== 'unsaved' ? (
          <button type="button" className="send halt" aria-label={t('composer.stop')} onClick={chat.stop}>
            <Square />
          </button>
        ) : (
          <button
            type="submit"
            className="send"
            aria-label={t('composer.send')}
            disabled={empty || files.busy || verdict.kind === 'too-long'}
          >
            <ArrowUp />
          </button>
        )}
      </div>
    </form>
  );
}
