/**
 * Every rule of the specification has a test that names it, and every name leads to a rule.
 *
 *   node tools/spec-coverage.ts
 *
 * A rule is a line `- **CH-07** …` in spec/*.md. A test names it at the start of its title (`test('CH-07 …')`) or in
 * brackets. A check in the source names it in a comment `// CH-07: why`. A rule whose text contains `(informative)`
 * needs no test.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { isTest, listSources, readModule } from './modules.ts';
import { rulesInTitle, testTitles } from './test-titles.ts';

export interface Rule {
  id: string;
  /** The whole text, further lines included. */
  text: string;
  file: string;
  line: number;
}

export const CODE_FOLDERS = ['packages', 'adapters', 'apps', 'tools', 'e2e', 'bench', 'examples', 'image'];

/** The rules of spec/*.md in the order in which they stand. */
export function readRules(root: string): Rule[] {
  const rules: Rule[] = [];
  const folder = path.join(root, 'spec');
  if (!existsSync(folder)) return rules;
  for (const name of readdirSync(folder).sort()) {
    if (!name.endsWith('.md')) continue;
    let open: Rule | undefined;
    for (const [index, line] of readFileSync(path.join(folder, name), 'utf8').split('\n').entries()) {
      const found = line.match(/^- \*\*([A-Z]{2}-\d+)\*\*\s*(.*)$/);
      if (found) {
        open = { id: found[1] ?? '', text: found[2] ?? '', file: `spec/${name}`, line: index + 1 };
        rules.push(open);
      } else if (open !== undefined && /^\s+\S/.test(line)) open.text += ` ${line.trim()}`;
      else open = undefined;
    }
  }
  return rules;
}

/** Ids of comments `// CH-07: why` or `// CH-07, CH-08: why`. */
export function rulesInComment(line: string): string[] {
  const found = line.match(/^\s*\/\/ ((?:[A-Z]{2}-\d+(?:, ?)?)+):/);
  return found?.[1]?.match(/[A-Z]{2}-\d+/g) ?? [];
}

export interface CoverageReport {
  faults: string[];
  rules: number;
  tests: number;
  files: number;
}

/** Compares the rules with the tests and the comments of a tree. */
export function checkCoverage(root: string): CoverageReport {
  const faults: string[] = [];
  const rules = readRules(root);
  const known = new Map<string, Rule>();
  for (const rule of rules) {
    const first = known.get(rule.id);
    if (first) faults.push(`${rule.file}:${rule.line}: ${rule.id} stands already at ${first.file}:${first.line}`);
    else known.set(rule.id, rule);
    if (rule.text === '') faults.push(`${rule.file}:${rule.line}: ${rule.id} says nothing`);
  }
  const tested = new Set<string>();
  let tests = 0;
  const files = listSources(root, CODE_FOLDERS);
  for (const file of files) {
    const module = readModule(path.join(root, file));
    const unknown = (id: string, line: number): void => {
      if (!known.has(id)) faults.push(`${file}:${line}: ${id} is no rule of the specification`);
    };
    for (const [index, line] of module.text.split('\n').entries()) {
      for (const id of rulesInComment(line)) unknown(id, index + 1);
    }
    if (!isTest(file)) continue;
    for (const { title, line, idle } of testTitles(module)) {
      tests++;
      for (const id of rulesInTitle(title)) {
        unknown(id, line);
        if (!idle) tested.add(id);
      }
    }
  }
  for (const rule of known.values()) {
    if (tested.has(rule.id) || rule.text.includes('(informative)')) continue;
    faults.push(`${rule.file}:${rule.line}: no test is titled ${rule.id}`);
  }
  return { faults, rules: rules.length, tests, files: files.length };
}

function main(): void {
  const report = checkCoverage(path.join(import.meta.dirname, '..'));
  for (const fault of report.faults) console.error(fault);
  console.log(
    `spec: ${report.rules} rules, ${report.files} files, ${report.tests} test titles searched, ${report.faults.length} faults`,
  );
  if (report.rules === 0 || report.tests === 0 || report.faults.length > 0) process.exitCode = 1;
}

if (import.meta.main) main();
