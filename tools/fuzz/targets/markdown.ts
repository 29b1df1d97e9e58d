/** The reading of an answer's Markdown while it streams: what a model writes must not stop the page. */
import { encodeUtf8 } from '@sotto/bytes';
import { createMarkdownStream, lexMarkdown } from '../../../apps/web/features/chat/markdown.ts';
import { lossyText } from '../corpus.ts';
import { insist, type Target } from '../target.ts';

/** Longer than answers are; a reader in quadratic time shows itself long before. */
const TEXT_LIMIT = 8000;

const SAMPLES = [
  '# Title\n\nSome *text* with **bold**, `code` and [a link](https://a.example).\n\n- one\n  - two\n- three\n',
  '```ts\nconst a = 1;\n```\n\n> quote\n> > deeper\n\n| a | b |\n|---|---|\n| 1 | 2 |\n',
  '[a]: https://b.example\n\n[a] and ![i](x) <div>html</div> &amp; https://c.example\n',
  '1. a\n\n2. b\n\n   c\n\nSetext\n===\n\n---\n\n- [ ] todo\n- [x] done\n',
  '***a __b `c` d__ e***\n<!-- c -->\n\\* ~~x~~ a@b.example\n',
];

export const markdownTargets: readonly Target[] = [
  {
    // The parts are the pieces in which the answer arrives.
    name: 'web/markdown',
    errors: [],
    corpus: () => [...SAMPLES.map((text) => [encodeUtf8(text)]), SAMPLES.map((text) => encodeUtf8(`${text}\n`))],
    run(input) {
      const stream = createMarkdownStream();
      let text = '';
      for (const part of input) {
        text = (text + lossyText(part)).slice(0, TEXT_LIMIT);
        stream.update(text);
      }
      // As text: the list of a whole reading carries the links besides, which no view looks at.
      const isSame = JSON.stringify(stream.update(text).tokens) === JSON.stringify(lexMarkdown(text));
      insist(isSame, 'the answer reads otherwise when it comes in pieces');
    },
  },
];
