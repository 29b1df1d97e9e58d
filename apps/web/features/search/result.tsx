import type { SnippetPart } from '@sotto/client/search';
import type { Row } from './model.ts';
import { w } from './words.ts';

const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const SPEAKERS = { user: 'you', assistant: 'answer', system: 'system', title: 'chatTitle' } as const;

/** One thing that was found. It is chosen from the field above; a pointer may open it as well. */
export function Result(props: { id: string; row: Row; isChosen: boolean; onPoint: () => void; onOpen: () => void }) {
  const { id, row, isChosen, onPoint, onOpen } = props;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the field above
    // biome-ignore lint/a11y/useFocusableInteractive: the focus stays in the field above, which names the chosen one
    <div
      id={id}
      role="option"
      aria-selected={isChosen}
      className="search-result"
      onPointerMove={isChosen ? undefined : onPoint}
      onClick={onOpen}
    >
      <span className="search-title">{row.title.length === 0 ? w('untitled') : <Marked parts={row.title} />}</span>
      <span className="search-facts">
        {w(SPEAKERS[row.kind])}, <time dateTime={dayOf(row.createdAtMs)}>{DAY.format(row.createdAtMs)}</time>
      </span>
      {row.fileNames.length > 0 && (
        <span className="search-file">
          <Marked parts={row.fileNames} />
        </span>
      )}
      <span className="search-snippet">
        <Marked parts={row.snippet} />
      </span>
    </div>
  );
}

function Marked({ parts }: { parts: readonly SnippetPart[] }) {
  // biome-ignore lint/suspicious/noArrayIndexKey: a text in pieces has nothing but their order
  return parts.map(({ text, isMarked }, index) => (isMarked ? <mark key={index}>{text}</mark> : text));
}

/** A time that no calendar knows is written by a clock that was wrong by millennia. */
function dayOf(timeMs: number): string {
  const date = new Date(timeMs);
  return Number.isNaN(date.getTime()) ? '' : date.toISOString().slice(0, 10);
}
