/**
 * The classifiers: scikit-learn, pinned, in a virtual environment in the user's cache folder, made once from the Python
 * index. It is a tool beside the product: nothing of ours contains it, and where it cannot be had the attack says so.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { runProcess } from '../../tools/test/processes.ts';

const PACKAGES = ['scikit-learn==1.9.1', 'numpy==2.4.6', 'scipy==1.17.1', 'joblib==1.6.0', 'threadpoolctl==3.8.0'];
const INSTALL_LIMIT_MS = 10 * 60_000;

/** The interpreter, or why there is none on this machine. */
export type Classifiers =
  | { readonly kind: 'ready'; readonly python: string }
  | { readonly kind: 'absent'; readonly reason: string };

/** Finds the environment or makes it. */
export async function bringClassifiers(say: (text: string) => void): Promise<Classifiers> {
  const cache = process.env['XDG_CACHE_HOME'] || path.join(homedir(), '.cache');
  const folder = path.join(cache, 'sotto', PACKAGES[0]?.replace('==', '-') ?? '');
  const python = path.join(folder, 'bin', 'python3');
  const isReady = path.join(folder, 'ready');
  if (existsSync(isReady)) return { kind: 'ready', python };
  const absent = (why: string): Classifiers => ({ kind: 'absent', reason: why });
  rmSync(folder, { recursive: true, force: true });
  const made = await runProcess('python3', ['-m', 'venv', folder], { cwd: tmpdir(), timeoutMs: 120_000 });
  if (made.code !== 0) return absent('python3 with its module venv is needed for the classifiers');
  say(`fetching ${PACKAGES[0]} into ${folder}, once`);
  const args = ['-m', 'pip', 'install', '--only-binary', ':all:', ...PACKAGES];
  const fetched = await runProcess(python, args, { cwd: tmpdir(), timeoutMs: INSTALL_LIMIT_MS });
  if (fetched.code !== 0) return absent('the Python index did not give scikit-learn for this machine');
  writeFileSync(isReady, '');
  return { kind: 'ready', python };
}

export interface AttackJob {
  readonly profile: string;
  readonly target: string;
  /** Two classes, trained and tested on different prompts; or many, on different answers. */
  readonly kind: 'two' | 'many';
  /** Rows of the table, with the class, the prompt and the baseline's feature of each. */
  readonly rows: readonly number[];
  readonly label: readonly number[];
  readonly group: readonly number[];
  readonly duration: readonly number[];
}

export interface Area {
  readonly auc: number;
  /** 95 % of resamples lie within. */
  readonly interval: readonly [number, number];
}

export interface AttackResult {
  readonly profile: string;
  readonly target: string;
  readonly streams: number;
  readonly result: Readonly<Record<string, Area>>;
}

/** Trains and tests; one result a job, in their order, each said when it is there. */
export async function attack(
  python: string,
  tables: Readonly<Record<string, readonly (readonly number[])[]>>,
  jobs: readonly AttackJob[],
  onResult: (result: AttackResult) => void,
): Promise<AttackResult[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'sotto-traffic-'));
  try {
    for (const [profile, rows] of Object.entries(tables)) {
      writeFileSync(path.join(folder, profile), new Uint8Array(Float64Array.from(rows.flat()).buffer));
    }
    // Threads that wait for each other on a busy machine make it ten times as long.
    const env = { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' };
    const script = path.join(import.meta.dirname, 'attack.py');
    const child = spawn(python, [script], { stdio: ['pipe', 'pipe', 'inherit'], env });
    const exited = once(child, 'exit');
    for (const job of jobs) {
      const columns = tables[job.profile]?.[0]?.length ?? 0;
      child.stdin.write(`${JSON.stringify({ ...job, file: path.join(folder, job.profile), columns })}\n`);
    }
    child.stdin.end();
    const results: AttackResult[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      const result = JSON.parse(line) as AttackResult;
      results.push(result);
      onResult(result);
    }
    const [code] = await exited;
    if (code !== 0) throw new Error(`the classifiers ended with ${code}`);
    return results;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
