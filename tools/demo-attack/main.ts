/**
 * `npm run demo:attack`: an evil operator against the real programs. A line per attack: what was tried, which rule refused it,
 * what the person saw, how many bytes of theirs the attacker could read. With `-- --disable RULE` that rule is switched off
 * in the victim's client, and its line says FAILED. With `-- --json` the rows are printed as JSON.
 */
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type System, startSystem } from '../harness/system.ts';
import { findMutants } from '../mutants/find-mutants.ts';
import { ATTACKS, type Attack } from './attacks.ts';
import { startEvilOperator } from './evil-operator.ts';
import { FILE_ATTACKS } from './file-attacks.ts';
import { FORK_ATTACKS } from './fork-attacks.ts';
import { HARDWARE_ATTACKS } from './hardware-attacks.ts';
import { LINK_ATTACKS } from './link-attacks.ts';
import { SHARE_ATTACKS } from './share-attacks.ts';
import { SYNC_ATTACKS } from './sync-attacks.ts';
import type { Outcome, VictimTask } from './victim.ts';

export const ALL_ATTACKS: readonly Attack[] = [
  ...ATTACKS,
  ...FILE_ATTACKS,
  ...FORK_ATTACKS,
  ...HARDWARE_ATTACKS,
  ...LINK_ATTACKS,
  ...SHARE_ATTACKS,
  ...SYNC_ATTACKS,
];
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const VICTIM_LIMIT_MS = 30_000;
/** With a rule switched off a client may wait for what never comes, and that is what is shown. */
const SILENCE_LIMIT_MS = 20_000;

export interface Row {
  readonly attack: string;
  readonly tried: string;
  readonly verdict: 'REFUSED' | 'FAILED' | 'NOT DETECTED';
  /** The rule that refused it, or the one that should have. */
  readonly rule: string;
  readonly saw: string;
  readonly bytesRead: number;
}

/** Runs every attack once. @param disabledRule switched off in the victim's client */
async function runAttacks(disabledRule: string | undefined, onRow: (row: Row) => void): Promise<Row[]> {
  const system = await startSystem();
  const rows: Row[] = [];
  // Two victims at a time: each is a process of its own, and mostly waits.
  let running: Promise<Row>[] = [];
  try {
    for (let next = 0; rows.length < ALL_ATTACKS.length; ) {
      for (; running.length < 2 && next < ALL_ATTACKS.length; next++) {
        running.push(runAttack(system, ALL_ATTACKS[next] as Attack, disabledRule));
      }
      const [row, ...others] = [await (running[0] as Promise<Row>), ...running.slice(1)];
      running = others;
      rows.push(row);
      onRow(row);
    }
  } finally {
    await Promise.allSettled(running);
    await system.stop();
  }
  return rows;
}

/** Mounts one attack and judges what came of it. */
export async function runAttack(system: System, attack: Attack, disabledRule?: string): Promise<Row> {
  const patches = disabledRule === undefined ? [] : patchesOf(disabledRule, attack);
  const operator = await startEvilOperator(system.url);
  try {
    const stage = {
      operator,
      nodeId: system.nodeId,
      fingerprint: system.devFingerprint,
      enclaveDataDir: system.enclaveDataDir,
    };
    const mounted = await attack.mount(stage);
    const words = attack.words ?? `my secret ${randomBytes(6).toString('hex')}`;
    const task: VictimTask = {
      kind: attack.task,
      url: operator.url,
      pinned: system.devFingerprint,
      offered: mounted.offered ?? system.devFingerprint,
      ...(mounted.evidence === undefined ? {} : { evidence: mounted.evidence }),
      words,
    };
    const outcome = await runVictim(task, patches, (told) => mounted.onWritten?.(told));
    const bytesRead = mounted.evilNode?.bytesRead() ?? 0;
    mounted.evilNode?.close();
    return judge(attack, outcome, bytesRead);
  } finally {
    await operator.close();
  }
}

function judge(attack: Attack, outcome: Outcome, bytesRead: number): Row {
  const { name, tried, refusedBy } = attack;
  const row = { attack: name, tried, saw: outcome.saw, bytesRead };
  if (refusedBy === undefined) {
    const noticed = outcome.kind === 'refused';
    return { ...row, verdict: noticed ? 'REFUSED' : 'NOT DETECTED', rule: noticed ? outcome.rule : 'in this version' };
  }
  const held =
    outcome.kind === 'refused' && outcome.rule === (attack.seenAs ?? refusedBy) && (bytesRead === 0 || attack.mayRead);
  return { ...row, verdict: held ? 'REFUSED' : 'FAILED', rule: held ? refusedBy : `${refusedBy} did not refuse it` };
}

function runVictim(
  task: VictimTask,
  patches: readonly unknown[],
  onWritten: (told: unknown) => void,
): Promise<Outcome> {
  const limitMs = patches.length > 0 ? SILENCE_LIMIT_MS : VICTIM_LIMIT_MS;
  const victim = fork(join(ROOT, 'tools/demo-attack/victim.ts'), [JSON.stringify(task)], {
    execArgv: ['--import', join(ROOT, 'tools/mutants/loader.ts')],
    env: { ...process.env, SOTTO_MUTANT: JSON.stringify(patches) },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    timeout: limitMs,
  });
  return new Promise((resolve, reject) => {
    let printed = '';
    let complained = '';
    victim.stdout?.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
    });
    victim.stderr?.on('data', (chunk: Buffer) => {
      complained += chunk.toString();
    });
    victim.on('message', (told) => {
      onWritten(told);
      victim.send('go on');
    });
    victim.on('exit', (_, signal) => {
      const line = printed.trim().split('\n').at(-1) ?? '';
      if (line.startsWith('{')) resolve(JSON.parse(line) as Outcome);
      else if (signal === 'SIGTERM') resolve(silence(limitMs));
      else reject(new Error(`the victim's client broke down:\n${complained}`));
    });
  });
}

function silence(limitMs: number): Outcome {
  const saw = `nothing: no answer and no warning within ${limitMs / 1000} seconds`;
  return { kind: 'answered', code: '', rule: '', saw };
}

function patchesOf(rule: string, { checkIn, besides = [], refusedBy }: Attack): readonly unknown[] {
  const all = findMutants(ROOT).mutants.filter((mutant) => mutant.rules.includes(rule));
  const found = all.filter(({ file }) => checkIn === undefined || file === checkIn);
  if (all.length === 0) throw new Error(`there is no check of rule ${rule} to switch off`);
  const more = (rule === refusedBy ? besides : []).map(({ file, find, replace }) => {
    const start = readFileSync(join(ROOT, file), 'utf8').indexOf(find);
    if (start < 0) throw new Error(`${file} does not hold what is to be switched off`);
    return { file, start, end: start + find.length, replacement: replace };
  });
  return [...found, ...more].map(({ file, start, end, replacement }) => ({
    file: join(ROOT, file),
    start,
    end,
    replacement,
  }));
}

function print(row: Row): void {
  const read = row.bytesRead === 0 ? 'nothing of theirs was read' : `${row.bytesRead} bytes of theirs were read`;
  process.stdout.write(
    `${row.verdict.padEnd(12)} ${row.attack}\n` +
      `             tried   ${row.tried}\n` +
      `             rule    ${row.rule}\n` +
      `             saw     ${row.saw.slice(0, 150)}\n` +
      `             read    ${read}\n`,
  );
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { disable: { type: 'string' }, json: { type: 'boolean', default: false } } });
  const rows = await runAttacks(values.disable, values.json ? () => {} : print);
  if (values.json) process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
  const count = (verdict: Row['verdict']) => rows.filter((row) => row.verdict === verdict).length;
  const summary = `${count('REFUSED')} refused, ${count('NOT DETECTED')} not detected in this version, ${count('FAILED')} failed`;
  process.stderr.write(`\n${summary}\n`);
  process.exitCode = count('FAILED') > 0 ? 1 : 0;
}
