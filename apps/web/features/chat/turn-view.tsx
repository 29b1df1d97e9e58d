import { useEffect, useState } from 'react';
import { t } from '../../shell/words.ts';
import { useApp } from '../../ui/app-context.ts';
import { Markdown } from './markdown-door.tsx';
import type { Turn } from './state.ts';

/** The answer on its way: a word about what happens until the first word of the answer is there. */
export function TurnView({ turn }: { turn: Turn }) {
  const { operator } = useApp();
  return (
    <article
      className="message answer running"
      aria-label={t('chat.answer')}
      aria-busy="true"
      onPointerEnter={() => operator.mark(turn.messageId)}
      onPointerLeave={() => operator.mark(undefined)}
    >
      {turn.shown !== '' && <Markdown text={turn.shown} />}
      {turn.phase !== 'streaming' && <Phase phase={turn.phase} sinceMs={turn.sinceMs} />}
    </article>
  );
}

function Phase({ phase, sinceMs }: { phase: Exclude<Turn['phase'], 'streaming'>; sinceMs: number }) {
  const seconds = useElapsedSeconds(sinceMs);
  return (
    <p className="phase">
      {t(`chat.${phase}`)}
      {seconds >= 3 && phase !== 'unsaved' && <span className="elapsed"> {t('chat.seconds', { seconds })}</span>}
    </p>
  );
}

function useElapsedSeconds(sinceMs: number): number {
  const [nowMs, setNowMs] = useState(sinceMs);
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), 250);
    return () => clearInterval(timer);
  }, []);
  return Math.max(0, Math.floor((nowMs - sinceMs) / 1000));
}
