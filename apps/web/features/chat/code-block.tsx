import { t } from '../../shell/words.ts';
import { CopyButton } from './copy-button.tsx';

/** A block of code as written, with its language and a way to copy it. */
export function CodeBlock({ code, language }: { code: string; language: string }) {
  return (
    <figure className="code">
      <figcaption>
        <span>{language.split(/\s/)[0]?.slice(0, 24)}</span>
        <CopyButton text={code} label={t('chat.copyCode')} />
      </figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: long lines must be scrollable by keyboard */}
      <pre tabIndex={0}>
        <code>{code}</code>
      </pre>
    </figure>
  );
}
