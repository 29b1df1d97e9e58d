/**
 * Finds the security checks of the source and makes one mutant of each: the same file with that check switched off.
 *
 * A check is a comment `// CH-07: why` (or `// CH-07, CH-08: why`, further `//` lines may follow) directly above an `if`;
 * the mutant's condition is `false`. Checks of another form stand in mutants.json as {rule, file, find, replace}.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { isTest, isTestSupport, listSources, type Node, readModule, walk } from '../modules.ts';
import { rulesInComment } from '../spec-coverage.ts';

export interface Mutant {
  /** The rules that the check keeps; a test of any of them may find the mutant. */
  rules: string[];
  file: string;
  line: number;
  /** Which characters of the file go, and what stands there instead. */
  start: number;
  end: number;
  replacement: string;
  /** What was switched off, for people. */
  was: string;
}

const PRODUCT_FOLDERS = ['packages', 'adapters', 'apps'];

interface ListedMutant {
  rule: string;
  file: string;
  find: string;
  replace: string;
}

/** All mutants of a tree, by file and line. */
export function findMutants(root: string): { mutants: Mutant[]; faults: string[]; files: number } {
  const mutants: Mutant[] = [];
  const faults: string[] = [];
  const files = listSources(root, PRODUCT_FOLDERS).filter((file) => !isTest(file) && !isTestSupport(file));
  for (const file of files) mutants.push(...mutantsOfFile(root, file));
  const list = path.join(root, 'tools/mutants/mutants.json');
  const listed = existsSync(list) ? (JSON.parse(readFileSync(list, 'utf8')) as ListedMutant[]) : [];
  for (const { rule, file, find, replace } of listed) {
    const text = existsSync(path.join(root, file)) ? readFileSync(path.join(root, file), 'utf8') : '';
    const start = text.indexOf(find);
    if (find === '' || start === -1 || text.indexOf(find, start + 1) !== -1) {
      faults.push(
        `mutants.json: ${rule} ${file}: ${JSON.stringify(find)} stands there ${start === -1 ? 'never' : 'more than once'}`,
      );
    } else {
      const line = text.slice(0, start).split('\n').length;
      mutants.push({
        rules: [rule],
        file,
        line,
        start,
        end: start + find.length,
        replacement: replace,
        was: `${find} → ${replace}`,
      });
    }
  }
  return { mutants, faults, files: files.length };
}

function mutantsOfFile(root: string, file: string): Mutant[] {
  const module = readModule(path.join(root, file));
  const lines = module.text.split('\n');
  const mutants: Mutant[] = [];
  walk(module.program, (node) => {
    if (node.type !== 'IfStatement') return;
    const line = module.lineOf(node.start);
    let top = line - 1;
    while (top > 0 && /^\s*\/\//.test(lines[top - 1] ?? '')) top--;
    // Lines are counted from 1: the comment block is lines top+1 … line-1. Its first line that names a rule counts.
    const rules = lines
      .slice(top, line - 1)
      .map(rulesInComment)
      .find((ids) => ids.length > 0);
    if (rules === undefined || !/^\s*if\b/.test(lines[line - 1] ?? '')) return;
    const { start, end } = node.test as Node;
    const was = module.text.slice(start, end);
    // Line breaks stay, so that positions in errors stay true.
    const replacement = `false${was.replace(/[^\n]/g, '')}`;
    mutants.push({ rules, file, line, start, end, replacement, was: was.replace(/\s+/g, ' ') });
  });
  return mutants;
}
