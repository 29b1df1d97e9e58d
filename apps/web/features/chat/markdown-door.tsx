import { onDemand } from '../../ui/on-demand.tsx';

interface Words {
  readonly text: string;
}

/** Begun with the page, beside it: nobody waits for it before the first question. */
const loading = import('./markdown-view.tsx');
loading.catch(() => {});

/** An answer's text: plain until what draws it is there, and where it cannot be fetched. */
export const Markdown = onDemand<Words>(() => loading.then((view) => view.Markdown), Plain, Plain);

function Plain({ text }: Words) {
  return <p className="words">{text}</p>;
}
