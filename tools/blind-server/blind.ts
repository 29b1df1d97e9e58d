/** Starts a server blind (stubs.ts) and judges what it left behind against the closure that tools/check-closure.ts lists. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { closureOf, SERVER_ENTRY } from '../check-closure.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Without these the stubs prove nothing; others depend on the Node that runs. */
const ESSENTIAL =
  `crypto.createDecipheriv crypto.privateDecrypt crypto.diffieHellman crypto.createECDH ECDH.computeSecret
  crypto.createDiffieHellman crypto.decapsulate subtle.decrypt subtle.unwrapKey subtle.deriveBits subtle.deriveKey`.split(
    /\s+/,
  );

export interface BlindServer {
  /** For `startSystem`: how the server is started. */
  readonly serverPreload: readonly string[];
  readonly serverEnv: Readonly<Record<string, string>>;
  /** What is wrong, in words; empty when the server was blind and loaded just its closure. */
  faults(): string[];
  /** Paths from the root (ours) and package names (third parties) that were loaded, sorted. */
  loaded(): { readonly ours: string[]; readonly packages: string[] };
  remove(): void;
}

export function blindServer(): BlindServer {
  const folder = mkdtempSync(path.join(tmpdir(), 'sotto-blind-'));
  const lines = (kind: string): string[] =>
    readdirSync(folder)
      .filter((name) => name.startsWith(`${kind}-`))
      .flatMap((name) => readFileSync(path.join(folder, name), 'utf8').trim().split('\n'));
  const loaded = () => {
    const files = [...new Set(lines('modules').map(pathOfUrl))];
    const isForeign = (file: string) => file.includes('node_modules/');
    return {
      ours: files.filter((file) => !isForeign(file)).sort(),
      packages: [...new Set(files.filter(isForeign).map(packageOfPath))].sort(),
    };
  };
  return {
    serverPreload: [pathToFileURL(path.join(import.meta.dirname, 'stubs.ts')).href],
    serverEnv: { SOTTO_BLIND_DIR: folder },
    loaded,
    faults: () => {
      const stubs = new Set(lines('stubs'));
      const { ours, packages } = loaded();
      const closure = closureOf(ROOT, [SERVER_ENTRY], { types: false }).modules;
      const listedOurs = closure.filter((one) => one.package === undefined).map(({ file }) => file);
      const listedPackages = closure.flatMap((one) => (one.package === undefined ? [] : packageOfPath(one.file)));
      return [
        ...ESSENTIAL.filter((name) => !stubs.has(name)).map((name) => `${name} was not replaced`),
        ...lines('called').map((line) => `called: ${line}`),
        ...differences('our file', ours, listedOurs),
        ...differences('package', packages, [...new Set(listedPackages)]),
      ];
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function differences(what: string, loaded: readonly string[], listed: readonly string[]): string[] {
  return [
    ...loaded.filter((name) => !listed.includes(name)).map((name) => `${what} ${name} was loaded and is not listed`),
    ...listed.filter((name) => !loaded.includes(name)).map((name) => `${what} ${name} is listed and was not loaded`),
  ];
}

function pathOfUrl(url: string): string {
  const file = url.startsWith('file:') ? fileURLToPath(url.replace(/[?#].*$/, '')) : url;
  return path.relative(ROOT, file).replaceAll(path.sep, '/');
}

/** `a/node_modules/@x/y/z.js` is of `@x/y`. */
function packageOfPath(file: string): string {
  const parts = file.slice(file.lastIndexOf('node_modules/') + 'node_modules/'.length).split('/');
  return parts.slice(0, parts[0]?.startsWith('@') ? 2 : 1).join('/');
}
