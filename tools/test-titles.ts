/** Reads which tests a file declares, without running it, and which rules their titles name. */
import { isNode, literalText, type Node, type SourceModule, walk } from './modules.ts';

export interface TestTitle {
  title: string;
  line: number;
  /** Declared as `skip` or `todo`: it shows nothing. */
  idle: boolean;
}

const DECLARES = new Set(['test', 'it', 'describe', 'suite']);

/** Every literal title given to `test`, `it`, `describe` or `suite`; of a template, the text up to its first hole. */
export function testTitles(module: SourceModule): TestTitle[] {
  const titles: TestTitle[] = [];
  walk(module.program, (node) => {
    if (node.type !== 'CallExpression') return;
    const words = calleeWords(node.callee);
    const last = words.at(-1) ?? '';
    const modified = ['skip', 'todo', 'only'].includes(last);
    if (!DECLARES.has((modified ? words.at(-2) : last) ?? '')) return;
    const [first, second] = node.arguments as Node[];
    const title = literalText(first) ?? templateStart(first);
    if (title === undefined) return;
    titles.push({
      title,
      line: module.lineOf(node.start),
      idle: (modified && last !== 'only') || isIdleOption(second),
    });
  });
  return titles;
}

function calleeWords(callee: unknown): string[] {
  if (!isNode(callee)) return [];
  if (callee.type === 'Identifier') return [String(callee.name)];
  if (callee.type !== 'MemberExpression') return [];
  return [...calleeWords(callee.object), String((callee.property as Node).name)];
}

function templateStart(node: Node | undefined): string | undefined {
  if (node?.type !== 'TemplateLiteral') return undefined;
  return ((node.quasis as Node[])[0]?.value as { cooked: string } | undefined)?.cooked;
}

/** `{ skip: true }`, `{ skip: 'reason' }`: only what is certain; a computed skip is judged when the test runs. */
function isIdleOption(options: Node | undefined): boolean {
  if (options?.type !== 'ObjectExpression') return false;
  return (options.properties as Node[]).some((property) => {
    const name = (property.key as Node | undefined)?.name;
    const value = property.value as Node | undefined;
    return (name === 'skip' || name === 'todo') && value?.type === 'Literal' && Boolean(value.value);
  });
}

const ID = /[A-Z]{2}-\d+/g;

/** Rule ids at the start of a title (`CH-07 …`, `CH-07, CH-08: …`) or in brackets anywhere in it (`… [CH-07]`). */
export function rulesInTitle(title: string): string[] {
  const start = title.match(/^(?:[A-Z]{2}-\d+(?:,? and |[,:/+]? ?|$))+/)?.[0] ?? '';
  const brackets = title.match(/[[(][A-Z]{2}-\d+(?:[^\])]*)[\])]/g) ?? [];
  return [...new Set([start, ...brackets].flatMap((part) => part.match(ID) ?? []))];
}
