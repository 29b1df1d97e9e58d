/** The tables of spec/channel.md that say what an attacker gets: every cell leads to a test, a run of the model or a known gap. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { isTest, listSources, readModule } from './modules.ts';
import { CODE_FOLDERS } from './spec-coverage.ts';
import { rulesInTitle, testTitles } from './test-titles.ts';

const root = path.join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(path.join(root, file), 'utf8');
const spec = read('spec/channel.md');

/** The cells of the table under a heading, without its first row and column. */
function cellsUnder(heading: string): { where: string; text: string }[] {
  const section = spec.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).flatMap((row) => {
    const [name = '', ...cells] = row.split('|').slice(1, -1);
    return cells.map((text) => ({ where: name.trim(), text: text.trim() }));
  });
}

const linksOf = (text: string) => [...text.matchAll(/\[([^\]]+)\]/g)].map(([, link = '']) => link);

interface Run {
  readonly id: string;
  readonly code: string;
}

const tested = new Set<string>();
for (const file of listSources(root, CODE_FOLDERS).filter(isTest)) {
  for (const { title, idle } of testTitles(readModule(path.join(root, file)))) {
    if (!idle) for (const id of rulesInTitle(title)) tested.add(id);
  }
}
const runs = new Set((JSON.parse(read('spec/model/last-run-1.json')) as { runs: Run[] }).runs.map(({ id }) => id));
const gaps = read('docs/known-gaps.md').toLowerCase();

function assertLeadsSomewhere(link: string, where: string): void {
  const [kind = '', ...words] = link.split(' ');
  const rest = words.join(' ');
  if (kind === 'model') assert.ok(runs.has(rest), `${where}: no run of the model is called ${rest}`);
  else if (kind === 'gap:')
    assert.ok(gaps.includes(rest.toLowerCase()), `${where}: docs/known-gaps.md does not say: ${rest}`);
  else assert.ok(tested.has(link), `${where}: no test shows ${link}`);
}

test('every cell of the compromise table leads to a test, a run of the model or a known gap', () => {
  const cells = cellsUnder('Compromise');
  assert.ok(cells.length >= 33);
  for (const { where, text } of cells) {
    assert.ok(linksOf(text).length > 0, `${where}: “${text}” leads nowhere`);
    for (const link of linksOf(text)) assertLeadsSomewhere(link, where);
  }
});

test('every row of the downgrade table leads to a test or a run of the model', () => {
  const cells = cellsUnder('Negotiation and downgrade').filter((_, place) => place % 2 === 1);
  assert.ok(cells.length >= 8);
  for (const { where, text } of cells) {
    assert.ok(linksOf(text).length > 0, `${where} leads nowhere`);
    for (const link of linksOf(text)) assertLeadsSomewhere(link, where);
  }
});
