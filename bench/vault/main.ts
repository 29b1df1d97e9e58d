/**
 * What the vault may cost, part by part: opening a history of years, syncing it, searching it, and stretching a passphrase. Each
 * part is a program of its own, prints its figures beside the machine's load, and fails when a budget is missed.
 *
 *   npm run bench:vault [-- --only opening,sync,search,argon2]
 *
 * Exit code 1 when a part failed.
 */
import { spawn } from 'node:child_process';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const PARTS = {
  opening: 'opening-main.ts',
  sync: 'sync.ts',
  search: 'search/main.ts',
  argon2: 'argon2.ts',
};

const { values: flags } = parseArgs({ options: { only: { type: 'string' } } });
const only = new Set(flags.only?.split(',') ?? Object.keys(PARTS));

function run(program: string): Promise<number> {
  const args = ['--expose-gc', join(import.meta.dirname, program)];
  const child = spawn(process.execPath, args, { stdio: 'inherit' });
  return new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
}

const failed: string[] = [];
for (const [name, program] of Object.entries(PARTS)) {
  if (!only.has(name)) continue;
  console.log(
    `\n${name} (load ${loadavg()
      .map((load) => load.toFixed(1))
      .join(', ')})`,
  );
  if ((await run(program)) !== 0) failed.push(name);
}
console.log(failed.length === 0 ? '\nEvery budget was kept.' : `\nOver budget or not measured: ${failed.join(', ')}.`);
process.exit(failed.length === 0 ? 0 : 1);
