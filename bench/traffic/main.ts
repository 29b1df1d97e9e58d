/**
 * The attack on our own traffic: what does somebody who sees sizes and times learn of what is said (spec/shaping.md)?
 *
 *   npm run bench:traffic                      the long run: 2,000 streams a profile; half an hour
 *   npm run bench:traffic -- --short           200 streams, no sockets: does it work at all?
 *   npm run bench:traffic -- --profiles balanced --trials 4 --one-in 1     200 streams over real sockets
 *   … --json FILE, --plot FILE, --no-sockets
 *
 * Scripted conversations go through the real channel and the real enclave's API in virtual time; one in twenty again over
 * real sockets. Classifiers are trained on each profile's own traffic. Prints tables, writes every figure as JSON and the
 * eavesdropper's plot as SVG; exits with 1 when a budget is broken.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { PROFILE_COSTS, PROFILES, type Profile } from '@sotto/channel/shaping';
import { type AttackJob, type AttackResult, attack, bringClassifiers } from './classifiers.ts';
import { type Conversation, createCorpus } from './corpus.ts';
import { type CostFigures, costsOf } from './costs.ts';
import { featuresOf } from './features.ts';
import { compareWithSockets, type SocketFigures } from './matching.ts';
import { type Observation, play, playUnshaped } from './play.ts';
import { drawPlot, isTelling } from './plot.ts';
import { formatAreas, formatTable, judgeTraffic } from './report.ts';
import { type Reconstruction, reconstruct } from './sequence.ts';
import { jobsOf, whisperJobsOf } from './targets.ts';
import { readWhispers } from './whisperleak.ts';

export const SHAPES = ['unshaped', ...PROFILES] as const;
export type Shape = (typeof SHAPES)[number];

const ROOT = path.join(import.meta.dirname, '..', '..');
const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;
const { values: flags } = parseArgs({
  options: { short: flag, trials: text, profiles: text, json: text, 'no-sockets': flag, 'one-in': text, plot: text },
});
const trials = Number(flags.trials ?? (flags.short === true ? 4 : 40));
const shapes = (flags.profiles?.split(',') ?? SHAPES) as Shape[];
const say = (line: string): boolean => process.stdout.write(`${line}\n`);

async function playAll(conversations: readonly Conversation[], shape: Shape): Promise<Observation[]> {
  const observations: Observation[] = [];
  for (const conversation of conversations) {
    observations.push(shape === 'unshaped' ? playUnshaped(conversation) : await play(conversation, shape as Profile));
  }
  return observations;
}

const corpus = createCorpus(trials);
const tables: Record<string, (readonly number[])[]> = {};
const jobs: AttackJob[] = [];
const costs: Partial<Record<Shape, CostFigures>> = {};
const sequences: Partial<Record<Shape, Reconstruction>> = {};
const observedBy: Partial<Record<Shape, Observation[]>> = {};

say(`${corpus.length} streams a profile`);
for (const shape of shapes) {
  const startMs = performance.now();
  const observations = await playAll(corpus, shape);
  observedBy[shape] = observations;
  const features = observations.map(({ seen }) => featuresOf(seen));
  tables[shape] = features.map(({ values }) => values);
  jobs.push(...jobsOf(shape, corpus, features));
  costs[shape] = costsOf(corpus, observations);
  sequences[shape] = reconstruct(
    corpus,
    observations.map(({ seen }) => seen),
  );
  say(`${shape}: ${Math.round((performance.now() - startMs) / 1000)} s`);
}

const whispers = readWhispers();
if (whispers !== undefined) {
  for (const shape of shapes) {
    const observed =
      shape === 'unshaped' ? whispers.recorded : (await playAll(whispers.conversations, shape)).map(({ seen }) => seen);
    const features = observed.map((seen) => featuresOf(seen));
    tables[`whispers ${shape}`] = features.map(({ values }) => values);
    jobs.push(...whisperJobsOf(shape, whispers.conversations, features));
  }
}

let sockets: SocketFigures | undefined;
const balanced = observedBy.balanced;
if (balanced !== undefined && flags['no-sockets'] !== true && flags.short !== true) {
  const run = await compareWithSockets(corpus, balanced, Number(flags['one-in'] ?? 20));
  sockets = run.figures;
  const features = run.seen.map((seen) => featuresOf(seen));
  tables['sockets balanced'] = features.map(({ values }) => values);
  const chosen = run.chosen.map((index) => corpus[index] as Conversation);
  jobs.push(...jobsOf('sockets balanced', chosen, features).filter(({ kind }) => kind === 'two'));
}

const classifiers = await bringClassifiers(say);
let areas: AttackResult[] = [];
if (classifiers.kind === 'absent') say(`no classifiers: ${classifiers.reason}`);
else areas = await attack(classifiers.python, tables, jobs, (result) => say(formatAreas([result])));

const example = corpus.findIndex(isTelling);
const [before, after] = [playUnshaped(corpus[example] as Conversation), observedBy.balanced?.[example]];
if (after !== undefined)
  writeFileSync(flags.plot ?? path.join(ROOT, 'docs/eavesdropper.svg'), drawPlot(before.seen, after.seen));

const lines = judgeTraffic(areas, costs);
say(`\n${formatTable(PROFILE_COSTS, costs, sequences)}\n`);
if (sockets !== undefined) say(`${JSON.stringify(sockets)}\n`);
say(formatAreas(areas));
say(lines.map(({ name, value, budget, verdict }) => `${verdict.padEnd(12)} ${name}: ${value} (${budget})`).join('\n'));
if (flags.json !== undefined || flags.short !== true) {
  const file = flags.json ?? path.join(ROOT, 'bench/results/traffic.json');
  mkdirSync(path.dirname(file), { recursive: true });
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };
  const report = {
    at: new Date().toISOString(),
    machine,
    streams: corpus.length,
    lines,
    costs,
    sequences,
    sockets,
    areas,
  };
  writeFileSync(file, `${JSON.stringify(report, null, 1)}\n`);
}
process.exitCode = lines.some(({ verdict }) => verdict === 'OVER') ? 1 : 0;
