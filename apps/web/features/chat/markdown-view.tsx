/**
 * Draws tokens as React elements, so that no HTML of an answer ever reaches the page: tags are shown as text, images as
 * links (loading one would tell its host that you read this), links only with schemes that cannot run code.
 */
import type { Token, Tokens } from 'marked';
import { createElement, Fragment, memo, type ReactNode, useMemo, useRef } from 'react';
import { t } from '../../shell/words.ts';
import { CodeBlock } from './code-block.tsx';
import { createMarkdownStream } from './markdown.ts';
import { decodeEntities, safeHref } from './safe-text.ts';

/** @param text the whole text so far; settled blocks are not drawn again as it grows */
export function Markdown({ text }: { text: string }) {
  const stream = useRef(createMarkdownStream());
  const { tokens } = useMemo(() => stream.current.update(text), [text]);
  return (
    <div className="prose">
      {tokens.map((token, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: blocks only ever grow at the end
        <Block key={index} token={token} />
      ))}
    </div>
  );
}

const Block = memo(function Block({ token }: { token: Token }): ReactNode {
  const one = token as Tokens.Generic;
  switch (one.type) {
    case 'heading':
      // The page has its own h1 and h2.
      return createElement(`h${Math.min(6, (one as Tokens.Heading).depth + 2)}`, null, inline(one.tokens));
    case 'paragraph':
      return <p>{inline(one.tokens)}</p>;
    case 'code':
      return <CodeBlock code={(one as Tokens.Code).text} language={(one as Tokens.Code).lang ?? ''} />;
    case 'blockquote':
      return <blockquote>{blocks(one.tokens)}</blockquote>;
    case 'list':
      return <List list={one as Tokens.List} />;
    case 'table':
      return <Table table={one as Tokens.Table} />;
    case 'hr':
      return <hr />;
    case 'checkbox':
      return inlineOne(one);
    case 'space':
    case 'def':
      return null;
    case 'text':
      return one.tokens ? inline(one.tokens) : decodeEntities(one.text);
    default:
      return <p className="as-written">{one.raw}</p>;
  }
});

function blocks(tokens: readonly Token[] | undefined): ReactNode {
  // biome-ignore lint/suspicious/noArrayIndexKey: see above
  return tokens?.map((token, index) => <Block key={index} token={token} />);
}

function List({ list }: { list: Tokens.List }) {
  const items = list.items.map((item, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: see above
    <li key={index} className={item.task ? 'task' : undefined}>
      {blocks(item.tokens)}
    </li>
  ));
  return list.ordered ? <ol start={list.start === '' ? 1 : list.start}>{items}</ol> : <ul>{items}</ul>;
}

function Table({ table }: { table: Tokens.Table }) {
  const cells = (row: Tokens.TableCell[], cell: 'th' | 'td') =>
    row.map((one, index) =>
      createElement(cell, { key: index, className: `align-${one.align ?? 'left'}` }, inline(one.tokens)),
    );
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table must be scrollable by keyboard
    <div className="table-scroll" tabIndex={0}>
      <table>
        <thead>
          <tr>{cells(table.header, 'th')}</tr>
        </thead>
        <tbody>
          {table.rows.map((row, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: see above
            <tr key={index}>{cells(row, 'td')}</tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function inline(tokens: readonly Token[] | undefined): ReactNode {
  // biome-ignore lint/suspicious/noArrayIndexKey: see above
  return tokens?.map((token, index) => <Fragment key={index}>{inlineOne(token as Tokens.Generic)}</Fragment>);
}

function inlineOne(one: Tokens.Generic): ReactNode {
  switch (one.type) {
    case 'strong':
      return <strong>{inline(one.tokens)}</strong>;
    case 'em':
      return <em>{inline(one.tokens)}</em>;
    case 'del':
      return <del>{inline(one.tokens)}</del>;
    case 'codespan':
      return <code>{one.text}</code>;
    case 'br':
      return <br />;
    case 'link':
      return <Link href={one.href}>{inline(one.tokens)}</Link>;
    case 'image':
      return <Link href={one.href}>{t('chat.image', { name: one.text || one.href })}</Link>;
    case 'checkbox':
      return <input type="checkbox" checked={one.checked === true} readOnly disabled aria-label={t('chat.answer')} />;
    case 'escape':
      return one.text;
    case 'text':
      return one.tokens ? inline(one.tokens) : decodeEntities(one.text);
    default:
      return one.raw;
  }
}

function Link({ href, children }: { href: string; children: ReactNode }) {
  const safe = safeHref(href);
  if (safe === undefined) return <>{children}</>;
  return (
    <a href={safe} target="_blank" rel="noopener noreferrer" title={safe}>
      {children}
    </a>
  );
}
