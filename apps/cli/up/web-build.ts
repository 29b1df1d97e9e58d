/**
 * Builds the web app when its sources changed since the last build. The digest of everything that goes into the bundle
 * is written beside it, last of all: an interrupted build is never taken for a finished one.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { EXIT, explainWriteError, PlainError } from '../plain-error.ts';

const INPUTS = ['apps/web', 'packages', 'adapters/browser', 'package-lock.json', 'tsconfig.base.json'];
const SKIPPED = /(^|\/)(node_modules|dist)$|\.test\.tsx?$|(^|\/)\./;

/** SHA-256 over the names and bytes of all inputs, in a fixed order. */
export async function digestWebSources(root: string): Promise<string> {
  const files: string[] = [];
  for (const input of INPUTS) await collect(join(root, input), root, files);
  const hash = createHash('sha256');
  for (const file of files.sort()) {
    const bytes = await readFile(join(root, file));
    hash.update(`${file}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest('hex');
}

/**
 * Brings `apps/web/dist` up to date.
 *
 * @param root the repository
 * @returns whether it had to build
 * @throws PlainError when the build fails or the disk is full
 */
export async function buildWebIfStale(root: string, signal: AbortSignal, onBuild: () => void): Promise<boolean> {
  const dist = join(root, 'apps/web/dist');
  const stamp = join(dist, '.sources');
  const digest = await digestWebSources(root);
  const built = await readFile(stamp, 'utf8').catch(() => '');
  if (built === digest) return false;
  onBuild();
  await rm(stamp, { force: true });
  await runVite(root, signal);
  try {
    await writeFile(stamp, digest);
  } catch (error) {
    throw explainWriteError(error, dist);
  }
  return true;
}

async function runVite(root: string, signal: AbortSignal): Promise<void> {
  const vite = join(dirname(createRequire(join(root, 'package.json')).resolve('vite/package.json')), 'bin/vite.js');
  const child = spawn(process.execPath, [vite, 'build', 'apps/web', '--logLevel', 'error'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    signal,
    env: { ...process.env, NODE_ENV: 'production' },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-4_000);
    });
  }
  const code = await new Promise<number | null>((resolve, reject) =>
    child.once('error', reject).once('close', resolve),
  );
  if (code === 0) return;
  if (/ENOSPC/.test(said)) throw explainWriteError(Object.assign(new Error('full'), { code: 'ENOSPC' }), root);
  throw new PlainError(`The web app could not be built:\n${said.trim()}`, 'Run `npm ci` and start again.', EXIT.failed);
}

async function collect(path: string, root: string, into: string[]): Promise<void> {
  const name = relative(root, path).replaceAll('\\', '/');
  if (SKIPPED.test(name)) return;
  let entries: string[];
  try {
    entries = await readdir(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') into.push(name);
    return;
  }
  for (const entry of entries) await collect(join(path, entry), root, into);
}
