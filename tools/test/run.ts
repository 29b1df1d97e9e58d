/**
 * Runs the tests.
 *
 *   npm test                     everything: checks, unit tests, then the browser part
 *   npm run check                all but the browser part
 *   npm test -- PATH…            the tests whose path begins with, or contains, one of the words
 *
 * It never installs anything. Without Chromium it says the one command that brings it, runs all the rest, and ends with
 * exit code 1. The last line is always `N passed, N failed, N skipped`.
 */
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { isTest, listSources } from '../modules.ts';
import { findPostgres } from '../postgres/server.ts';
import { type NodeTestOptions, runNodeTests } from './node-test.ts';
import { inParallel, runProcess, stopCleanly } from './processes.ts';
import type { TestOutcome } from './reporter.ts';
import { allowSkip, readSkips, type SkipEntry } from './skips.ts';

const root = path.join(import.meta.dirname, '..', '..');
const say = (text: string): boolean => process.stdout.write(`${text}\n`);

interface LaneResult {
  name: string;
  passed: number;
  failed: number;
  skips: { title: string; file: string; entry: SkipEntry | undefined; said: string }[];
  tookMs: number;
}

// --- what this machine has ---------------------------------------------------------------------------------------------

const chromiumPlaces = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const chromium = process.env.SOTTO_CHROMIUM ?? chromiumPlaces.find((place) => existsSync(place));
const vectorsFolder = path.resolve(root, process.env.SOTTO_VECTORS ?? '../shared/vectors');
const hasVectors = existsSync(vectorsFolder) && readdirSync(vectorsFolder).length > 0;
const absent = new Set<string>();
if (chromium === undefined) absent.add('chromium-absent');
if (!hasVectors) absent.add('vectors-absent');
if (findPostgres() === undefined) absent.add('postgres-absent');
const dataFolder = process.env.XDG_DATA_HOME ?? path.join(homedir(), '.local/share');
const starter = path.join(dataFolder, 'sotto/models/SmolLM2-135M-Instruct.Q4_1.gguf');
if (!existsSync(process.env.SOTTO_MODEL_FILE ?? starter)) absent.add('model-absent');
const env: Record<string, string> = {
  ...(chromium === undefined ? {} : { SOTTO_CHROMIUM: chromium }),
  ...(hasVectors ? { SOTTO_VECTORS: vectorsFolder } : {}),
};

// --- lanes -------------------------------------------------------------------------------------------------------------

const skips = readSkips(root);
const usedSkips = new Set<SkipEntry>();
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** A lane that is one command: it counts as one test. */
async function commandLane(name: string, args: readonly string[]): Promise<LaneResult> {
  const binary = path.join(root, 'node_modules', '.bin', args[0] ?? '');
  const [command, rest] = args[0] === 'node' ? [process.execPath, args.slice(1)] : [binary, args.slice(1)];
  const { code, output, timedOut, tookMs } = await runProcess(command, rest, { cwd: root, timeoutMs: 120_000, env });
  const good = code === 0;
  if (!good) say(indent(timedOut ? `${output}\nstopped after ${seconds(tookMs)}` : output));
  const summary = good ? (output.trim().split('\n').at(-1) ?? '') : `failed: ${args.join(' ')}`;
  sayLane(name, tookMs, summary, good);
  return { name, passed: good ? 1 : 0, failed: good ? 0 : 1, skips: [], tookMs };
}

function vectorsLane(): LaneResult {
  const required = process.env.SOTTO_REQUIRE_VECTORS === '1';
  const own = existsSync(path.join(root, 'vectors'))
    ? readdirSync(path.join(root, 'vectors'), { recursive: true }).length
    : 0;
  const foreign = hasVectors ? readdirSync(vectorsFolder, { recursive: true }).length : 0;
  const good = hasVectors || !required;
  const where = hasVectors
    ? `${foreign} published ones`
    : 'the published ones are not here; tests that need them are skipped';
  sayLane(
    'vectors',
    0,
    good ? `${own} of our own, ${where}` : 'SOTTO_REQUIRE_VECTORS is set and SOTTO_VECTORS is not there',
    good,
  );
  return { name: 'vectors', passed: good ? 1 : 0, failed: good ? 0 : 1, skips: [], tookMs: 0 };
}

/** A lane of test files. With isolation `none` a run that did not come to its end is repeated with a process a file. */
async function testLane(
  name: string,
  files: readonly string[],
  settings: Pick<NodeTestOptions, 'isolation' | 'concurrency' | 'testTimeoutMs' | 'timeoutMs'>,
): Promise<LaneResult> {
  const lane: LaneResult = { name, passed: 0, failed: 0, skips: [], tookMs: 0 };
  if (files.length === 0) {
    sayLane(name, 0, 'no test files found', false);
    lane.failed = 1;
    return lane;
  }
  const onOutcome = (outcome: TestOutcome): void => {
    if (outcome.kind === 'fail') say(indent(`✖ ${relative(outcome.file)}: ${outcome.name}\n${indent(outcome.text)}`));
  };
  let result = await runNodeTests({ root, files, env, onOutcome, ...settings });
  lane.tookMs = result.tookMs;
  if (!result.complete && settings.isolation === 'none') {
    say(
      indent(
        `${name}: the shared process ended early; once more with a process for each file\n${result.printed.slice(-4000)}`,
      ),
    );
    result = await runNodeTests({ root, files, env, onOutcome, ...settings, isolation: 'process', concurrency: 2 });
    lane.tookMs += result.tookMs;
  }
  for (const outcome of result.outcomes) {
    const file = relative(outcome.file);
    if (outcome.kind === 'pass') lane.passed++;
    else if (outcome.kind === 'fail') lane.failed++;
    else if (outcome.kind === 'empty') {
      lane.failed++;
      say(indent(`✖ ${file}: holds no test`));
    } else if (outcome.kind === 'skip') {
      const entry = allowSkip(skips, outcome, file, absent);
      if (entry !== undefined) usedSkips.add(entry);
      else lane.failed++;
      if (entry === undefined)
        say(indent(`✖ ${file}: ${outcome.name}: skipped, but not listed in tools/test/skips.json`));
      else lane.skips.push({ title: outcome.name, file, entry, said: outcome.text });
    }
  }
  const failedFiles = new Set(result.outcomes.flatMap((o) => (o.kind === 'fail' ? o.file : [])));
  for (const { kind, file, text } of result.outcomes) {
    if (kind === 'output' && failedFiles.has(file)) say(indent(`${relative(file)} printed: ${text.trimEnd()}`));
  }
  if (!result.complete || (result.code !== 0 && lane.failed === 0)) {
    lane.failed++;
    const how = result.timedOut ? `stopped after ${seconds(result.tookMs)}` : `ended with ${result.code ?? 'a signal'}`;
    say(indent(`✖ ${name}: ${how}\n${result.printed.slice(-4000)}`));
  }
  const skipped = lane.skips.length > 0 ? `, ${lane.skips.length} skipped` : '';
  sayLane(
    name,
    lane.tookMs,
    `${lane.passed} passed, ${lane.failed} failed${skipped} in ${files.length} files`,
    lane.failed === 0,
  );
  return lane;
}

function sayLane(name: string, tookMs: number, text: string, good: boolean): void {
  say(`${good ? '✔' : '✖'} ${name.padEnd(12)} ${seconds(tookMs).padStart(8)}  ${text}`);
}
function indent(text: string): string {
  return text.replace(/^/gm, '    ');
}
function relative(file: string): string {
  return path.relative(root, file);
}

// --- the run -----------------------------------------------------------------------------------------------------------

const FAST = { isolation: 'none', timeoutMs: 480_000, testTimeoutMs: 60_000 } as const;
const APART = { isolation: 'process', concurrency: 2, timeoutMs: 600_000, testTimeoutMs: 120_000 } as const;
const BROWSER = { isolation: 'process', concurrency: 1, timeoutMs: 1_500_000, testTimeoutMs: 300_000 } as const;

/** While people work, docs/audit-path.md is behind with every line: only the whole run asks whether it is current. */
function checkLanes(whole: boolean): (() => Promise<LaneResult>)[] {
  const tool =
    (name: string, ...args: string[]) =>
    (): Promise<LaneResult> =>
      commandLane(name, args);
  return [
    tool('types', 'tsc', '-b', ...['packages', 'node', 'browser', 'tests'].map((part) => `tsconfig.${part}.json`)),
    tool('lint', 'biome', 'check'),
    tool('imports', 'node', 'tools/check-imports.ts'),
    tool('spec', 'node', 'tools/spec-coverage.ts'),
    tool('lockfile', 'node', 'tools/lockfile.ts', '--check'),
    tool('closure', 'node', 'tools/check-closure.ts', '--quiet', ...(whole ? ['--current'] : [])),
    async () => vectorsLane(),
  ];
}

async function main(): Promise<void> {
  stopCleanly();
  const words = process.argv.slice(2).map((word) => word.replace(/^\.\//, ''));
  const checkOnly = words[0] === 'check';
  const filter = checkOnly ? words.slice(1) : words;
  const began = Date.now();
  const all = listSources(root, ['packages', 'adapters', 'apps', 'tools', 'bench', 'examples', 'image', 'e2e']).filter(
    isTest,
  );
  const chosen = all.filter((file) => filter.length === 0 || filter.some((word) => file.includes(word)));
  if (chosen.length === 0) {
    say(`No test file has ${filter.join(' or ')} in its path.`);
    process.exitCode = 1;
    return;
  }
  const under = (...folders: string[]): string[] =>
    chosen.filter((file) => folders.some((f) => file.startsWith(`${f}/`)));
  const lanes: [name: string, files: string[], settings: typeof FAST | typeof APART | typeof BROWSER][] = [
    ['packages', under('packages', 'adapters'), FAST],
    ['apps', under('apps'), APART],
    ['tools', under('tools', 'bench', 'examples', 'image'), FAST],
  ];
  const unit = lanes
    .filter(([, files]) => filter.length === 0 || files.length > 0)
    .map(
      ([name, files, settings]) =>
        (): Promise<LaneResult> =>
          testLane(name, files, settings),
    );
  const results = await inParallel([...(filter.length === 0 ? checkLanes(!checkOnly) : []), ...unit], 2);

  const browserFiles = under('e2e');
  let notRun = false;
  if (!checkOnly && (filter.length === 0 || browserFiles.length > 0)) {
    if (chromium !== undefined) results.push(await testLane('browser', browserFiles, BROWSER));
    else notRun = true;
  }
  finish(results, notRun ? browserFiles.length : 0, notRun, filter.length === 0 && !checkOnly, Date.now() - began);
}

function finish(results: LaneResult[], browserFiles: number, notRun: boolean, whole: boolean, tookMs: number): void {
  let failed = results.reduce((sum, lane) => sum + lane.failed, 0);
  const passed = results.reduce((sum, lane) => sum + lane.passed, 0);
  const skipped = results.flatMap((lane) => lane.skips);
  say('');
  say(`lane          passed  failed  skipped      time`);
  for (const lane of results) {
    const counts = [lane.passed, lane.failed, lane.skips.length].map((count, i) =>
      `${count}`.padStart([6, 6, 7][i] ?? 0),
    );
    say(`${lane.name.padEnd(13)} ${counts.join('  ')}  ${seconds(lane.tookMs).padStart(8)}`);
  }
  say(`all in ${seconds(tookMs)}`);
  if (skipped.length > 0) say('\nskipped:');
  for (const { title, file, entry } of skipped) say(`  ${file}: ${title}: ${entry?.reason} (since ${entry?.date})`);
  for (const entry of skips) {
    if (!whole || notRun || entry.when !== undefined || usedSkips.has(entry)) continue;
    failed++;
    say(`✖ skips.json lists ${entry.file}: ${entry.test}, which is not skipped any more: remove the entry`);
  }
  if (notRun) {
    const sudo = process.getuid?.() === 0 ? '' : 'sudo ';
    say(
      `\nbrowser part: not run (${browserFiles} files). No Chromium was found. To bring it, run this one command, then again:`,
    );
    say(`  ${sudo}apt-get update && ${sudo}apt-get install -y chromium`);
    say('Or name one you have: SOTTO_CHROMIUM=/path/to/chromium npm test');
  }
  say('');
  say(`${passed} passed, ${failed} failed, ${skipped.length} skipped`);
  process.exitCode = failed > 0 || notRun ? 1 : 0;
}

await main();
