/**
 * Verifpal, the prover: found in the user's cache folder, or compiled there once from the Rust registry by `cargo`, version
 * pinned and dependencies as its own lockfile names them. It is a tool beside the product: nothing of ours contains it.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { type Finished, runProcess } from '../test/processes.ts';

/** All of its versions ask for a later compiler; this one compiles it. */
const OLDEST_CARGO = [1, 95] as const;
const INSTALL_LIMIT_MS = 45 * 60_000;
/** Compiles seven times faster; runs a quarter slower. */
const QUICK_BUILD = {
  CARGO_PROFILE_RELEASE_LTO: 'off',
  CARGO_PROFILE_RELEASE_CODEGEN_UNITS: '16',
  CARGO_PROFILE_RELEASE_OPT_LEVEL: '2',
};

/** The program, or why it cannot be had on this machine. */
export type Prover = { kind: 'ready'; program: string } | { kind: 'absent'; reason: string };

/** @returns why this cargo will not do, or undefined; `version` is what `cargo --version` printed, undefined if nothing */
export function cargoFault(version: string | undefined): string | undefined {
  const wanted = OLDEST_CARGO.join('.');
  const [, major, minor] = /^cargo (\d+)\.(\d+)\./.exec(version ?? '') ?? [];
  if (major === undefined) return `cargo ${wanted} or later is needed to compile Verifpal, and there is none`;
  const newEnough = Number(major) > OLDEST_CARGO[0] || Number(minor) >= OLDEST_CARGO[1];
  return newEnough ? undefined : `cargo ${wanted} or later is needed to compile Verifpal; this is ${major}.${minor}`;
}

/** Finds the prover or compiles it. @param version exact, as the registry names it */
export async function bringProver(version: string, say: (text: string) => void): Promise<Prover> {
  const cache = process.env['XDG_CACHE_HOME'] || path.join(homedir(), '.cache');
  const root = path.join(cache, 'sotto', `verifpal-${version}`);
  const program = path.join(root, 'bin', process.platform === 'win32' ? 'verifpal.exe' : 'verifpal');
  if (existsSync(program)) return { kind: 'ready', program };
  const asked = await runProcess('cargo', ['--version'], { cwd: tmpdir(), timeoutMs: 20_000 });
  const fault = cargoFault(asked.code === 0 ? asked.output : undefined);
  if (fault !== undefined) return { kind: 'absent', reason: fault };
  say(`compiling Verifpal ${version}, once; two minutes on a quiet machine`);
  const args = ['install', `verifpal@${version}`, '--locked', '--ignore-rust-version', '--root', root];
  const built = await runProcess('cargo', args, { cwd: tmpdir(), timeoutMs: INSTALL_LIMIT_MS, env: QUICK_BUILD });
  if (built.code === 0 && existsSync(program)) return { kind: 'ready', program };
  throw new Error(`Verifpal did not compile:\n${built.output.slice(-3000)}`);
}

/** Judges one model; its JSON report is in `output`. */
export async function verify(
  program: string,
  id: string,
  source: string,
  sessions: 1 | 2,
  timeoutMs: number,
): Promise<Finished> {
  const folder = mkdtempSync(path.join(tmpdir(), 'sotto-model-'));
  try {
    writeFileSync(path.join(folder, `${id}.vp`), source);
    const args = ['verify', `${id}.vp`, '--sessions', `${sessions}`, '--format', 'json'];
    return await runProcess(program, args, { cwd: folder, timeoutMs });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
