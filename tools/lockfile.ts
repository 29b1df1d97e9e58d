/**
 * Completes package-lock.json so that `npm ci` works on every machine, and checks that it stays complete.
 *
 *   node tools/lockfile.ts           repairs the lockfile (run it after `npm install`, with Node 24 first on PATH)
 *   node tools/lockfile.ts --check   changes nothing; fails where a repair is needed
 *
 * Why: npm leaves out of the lockfile the optional packages of other platforms that a registry happens not to hold,
 * and then refuses its own lockfile ("Missing … from lock file"). The entries added here carry no integrity, because
 * nobody here has seen those packages: docs/known-gaps.md says so.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export interface LockEntry {
  version?: string;
  resolved?: string;
  integrity?: string;
  link?: boolean;
  dev?: boolean;
  optional?: boolean;
  os?: string | string[];
  cpu?: string | string[];
  libc?: string[];
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}
export interface Lockfile {
  packages: Record<string, LockEntry>;
}

const OS_WORDS: Record<string, string> = { mac: 'darwin', win: 'win32' };
const OS_NAMES = 'aix android darwin freebsd linux netbsd openbsd openharmony sunos win32'.split(' ');
const CPU_WORDS: Record<string, string> = { armv7l: 'arm', arm64: 'arm64', x64: 'x64', wasm32: 'wasm32' };
const CPU_NAMES = 'arm ia32 loong64 mips64el ppc64 riscv64 s390x'.split(' ');
const LIBC_WORDS: Record<string, string> = { musl: 'musl', gnu: 'glibc', glibc: 'glibc' };

/** Packages that exist for this platform but must not be installed: `os` or `cpu` is narrowed (see docs/dependencies.md). */
const NARROWED: Record<string, Pick<LockEntry, 'os' | 'cpu'>> = {
  '@node-llama-cpp/linux-x64-cuda': { os: ['none'] },
  '@node-llama-cpp/linux-x64-cuda-ext': { os: ['none'] },
  '@node-llama-cpp/linux-x64-vulkan': { os: ['none'] },
  '@node-llama-cpp/linux-arm64': { cpu: ['arm64'] },
  '@node-llama-cpp/linux-armv7l': { cpu: ['arm'] },
};

/** Reads the platform from the words of a package's name: `@x/cli-linux-arm64-musl` is linux, arm64, musl. */
export function platformOf(name: string): Pick<LockEntry, 'os' | 'cpu' | 'libc'> {
  const platform: Pick<LockEntry, 'os' | 'cpu' | 'libc'> = {};
  for (const word of name.split(/[/-]/)) {
    const os = OS_WORDS[word] ?? (OS_NAMES.includes(word) ? word : undefined);
    const cpu = CPU_WORDS[word] ?? (CPU_NAMES.includes(word) ? word : undefined);
    const libc = LIBC_WORDS[word];
    if (os !== undefined) platform.os = [os];
    if (cpu !== undefined) platform.cpu = [cpu];
    if (libc !== undefined) platform.libc = [libc];
  }
  return platform;
}

/** Where Node would find `name` from the package at `from`: the nearest `node_modules` going up, or undefined. */
function findEntry(lock: Lockfile, from: string, name: string): string | undefined {
  let at = from;
  for (;;) {
    const candidate = `${at === '' ? '' : `${at}/`}node_modules/${name}`;
    if (lock.packages[candidate] !== undefined) return candidate;
    if (at === '') return undefined;
    const cut = at.lastIndexOf('/node_modules/');
    at = cut === -1 ? '' : at.slice(0, cut);
  }
}

/**
 * Adds what is missing and narrows what must not be installed.
 * @param lock changed in place
 * @returns one line for each repair made, and one for each fault that no repair can mend
 */
export function repair(lock: Lockfile): { repairs: string[]; faults: string[]; searched: number } {
  const repairs: string[] = [];
  const faults: string[] = [];
  const entries = Object.entries(lock.packages);
  for (const [key, entry] of entries) {
    if (entry.resolved !== undefined && !entry.link) faults.push(`${key}: carries a download address`);
    if (key.includes('node_modules/') && !entry.link && entry.version === undefined) faults.push(`${key}: no version`);
    for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
      if (findEntry(lock, key, name) !== undefined) continue;
      const platform = platformOf(name);
      const here = platform.os?.includes('linux') && platform.libc?.[0] !== 'musl';
      if (platform.os === undefined && platform.cpu === undefined) {
        faults.push(`${key}: ${name} is missing and its name tells no platform`);
      } else if (here && (platform.cpu?.includes('x64') || platform.cpu?.includes('arm64'))) {
        faults.push(`${key}: ${name} is missing, and it is needed on linux ${platform.cpu}`);
      } else if (!/^\d+\.\d+\.\d+/.test(range)) {
        faults.push(`${key}: ${name} is missing and its version ${range} is not exact`);
      } else {
        const { cpu, libc, os } = platform;
        // In npm's own order of fields, so that `npm install` has nothing to move.
        lock.packages[`node_modules/${name}`] = {
          version: range,
          ...(cpu && { cpu }),
          ...(entry.dev === true && { dev: true }),
          ...(libc && { libc }),
          optional: true,
          ...(os && { os }),
        };
        repairs.push(`add ${name} ${range} (${JSON.stringify(platform)})`);
      }
    }
  }
  for (const [key, entry] of Object.entries(lock.packages)) {
    const narrowed = NARROWED[key.slice(key.lastIndexOf('node_modules/') + 'node_modules/'.length)];
    if (narrowed === undefined) continue;
    for (const field of ['os', 'cpu'] as const) {
      if (narrowed[field] === undefined || JSON.stringify(entry[field]) === JSON.stringify(narrowed[field])) continue;
      entry[field] = narrowed[field];
      repairs.push(`narrow ${key}: ${field} = ${JSON.stringify(narrowed[field])}`);
    }
  }
  const sorted = Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  lock.packages = Object.fromEntries(sorted);
  return { repairs, faults, searched: entries.length };
}

const KINDS = ['dependencies', 'devDependencies', 'optionalDependencies'] as const;

/**
 * Compares what each workspace asks for with what the lockfile says it asks for: `npm ci` stops where they differ.
 * @param manifests the package.json of each workspace by folder, the root's under ''
 * @returns one line for each difference
 */
export function compareManifests(lock: Lockfile, manifests: ReadonlyMap<string, LockEntry>): string[] {
  const faults: string[] = [];
  const sorted = (list: Record<string, string> | undefined): string =>
    JSON.stringify(Object.entries(list ?? {}).sort());
  for (const [folder, manifest] of manifests) {
    const entry = lock.packages[folder];
    const name = folder === '' ? 'package.json' : `${folder}/package.json`;
    if (entry === undefined) faults.push(`${name}: not in the lockfile`);
    for (const kind of KINDS) {
      if (entry === undefined || sorted(entry[kind]) === sorted(manifest[kind])) continue;
      faults.push(`${name}: its ${kind} are not those of the lockfile: npm install, then npm run lockfile`);
    }
  }
  return faults;
}

function readManifests(root: string): Map<string, LockEntry> {
  const folders = ['packages', 'adapters', 'apps'].flatMap((group) =>
    readdirSync(path.join(root, group)).map((name) => `${group}/${name}`),
  );
  const present = ['', ...folders].filter((folder) => existsSync(path.join(root, folder, 'package.json')));
  return new Map(
    present.map((folder) => [
      folder,
      JSON.parse(readFileSync(path.join(root, folder, 'package.json'), 'utf8')) as LockEntry,
    ]),
  );
}

function main(): void {
  const check = process.argv.includes('--check');
  const root = path.join(import.meta.dirname, '..');
  const file = path.join(root, 'package-lock.json');
  const lock = JSON.parse(readFileSync(file, 'utf8')) as Lockfile;
  const { repairs, faults, searched } = repair(lock);
  faults.push(...compareManifests(lock, readManifests(root)));
  for (const fault of faults) console.error(`fault: ${fault}`);
  for (const line of repairs) console[check ? 'error' : 'log'](`${check ? 'needs: ' : ''}${line}`);
  if (!check && faults.length === 0) writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
  console.log(`lockfile: ${searched} entries searched, ${repairs.length} repairs, ${faults.length} faults`);
  if (check && repairs.length > 0) console.error('Run `npm run lockfile` and commit package-lock.json.');
  if (searched === 0 || faults.length > 0 || (check && repairs.length > 0)) process.exitCode = 1;
}

if (import.meta.main) main();
