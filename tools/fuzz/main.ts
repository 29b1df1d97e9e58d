/**
 * Feeds mutated inputs to every parser and session that takes bytes from somebody else.
 *
 *   npm run fuzz -- [--seconds N] [--seed S] [--target WORD] [--inputs N] [--index I]
 *
 * It takes N seconds in all (60), or N inputs of each target; `--index` repeats one input of one target. Exit code 1: a
 * crash, or a target that took no input. What counts as a crash: an error outside the target's own classes, more than a
 * second of CPU, a promise that does not settle, memory beyond the cap, or something forged that was taken for genuine.
 */
import { parseArgs } from 'node:util';
import { DEFAULT_RUN, type RunLimits } from './engine.ts';
import { formatCrashes, formatRow, isGood, TABLE_HEAD } from './report.ts';
import { fuzz } from './run.ts';
import { targets } from './targets/all.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: `${Date.now() % 1_000_000_000}` },
    target: { type: 'string', default: '' },
    inputs: { type: 'string' },
    index: { type: 'string' },
  },
});
const say = (text: string) => process.stdout.write(`${text}\n`);
const names = targets.map(({ name }) => name).filter((name) => name.includes(values.target));
const limits: RunLimits = {
  ...DEFAULT_RUN,
  seed: values.seed,
  inputs: values.inputs === undefined ? Number.POSITIVE_INFINITY : Number(values.inputs),
  milliseconds: values.inputs === undefined ? (Number(values.seconds) * 1000) / names.length : Number.POSITIVE_INFINITY,
  ...(values.index === undefined ? {} : { only: Number(values.index) }),
};
say(`seed ${values.seed}, ${names.length} targets`);
say(TABLE_HEAD);
const results = await fuzz({
  module: new URL('./targets/all.ts', import.meta.url).href,
  names,
  limits,
  onResult: (result) => say(formatRow(result)),
});
const crashes = formatCrashes(results, values.seed);
if (crashes !== '') say(crashes);
const total = results.reduce((sum, { inputs }) => sum + inputs, 0);
const found = results.reduce((sum, result) => sum + result.crashes.length, 0);
say(`${total} inputs, ${results.length} targets, ${found} crashes, seed ${values.seed}`);
process.exitCode = names.length > 0 && isGood(results, names.length) ? 0 : 1;
