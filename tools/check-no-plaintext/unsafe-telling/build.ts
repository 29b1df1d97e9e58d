/**
 * Builds the web app with its secrets told (tell-for-testing.ts): each place where a key is made gets one call more, on the
 * way into the bundle. The sources have no such place and no switch. Names are kept, so that what is told has a name.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'vite';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const TELLER = fileURLToPath(new URL('tell-for-testing.ts', import.meta.url));

interface Place {
  readonly file: string;
  /** Stands there exactly once. */
  readonly find: string;
  readonly replace: string;
}

/** Where keys come into being. A place that is gone fails the build: it would be a key that nobody looks for. */
export const PLACES: readonly Place[] = [
  {
    file: 'adapters/browser/clock.ts',
    find: 'crypto.getRandomValues(new Uint8Array(length))',
    replace: 'unsafeTellDraw(crypto.getRandomValues(new Uint8Array(length)))',
  },
  {
    // Account, epoch, local and lock keys, however they were made.
    file: 'packages/vault/keys.ts',
    find: 'this.#bytes = new Uint8Array(bytes);',
    replace: 'this.#bytes = new Uint8Array(bytes); unsafeTell(new.target.name, bytes);',
  },
  {
    file: 'packages/vault/device.ts',
    find: 'this.#privateKey = new Uint8Array(privateKey);',
    replace: "this.#privateKey = new Uint8Array(privateKey); unsafeTell('DeviceKeys', privateKey);",
  },
  {
    file: 'packages/vault/link/link-text.ts',
    find: 'this.#bytes = new Uint8Array(bytes);',
    replace: "this.#bytes = new Uint8Array(bytes); unsafeTell('LinkSecret', bytes);",
  },
];

function tellingPlugin(done: Set<string>): Plugin {
  return {
    name: 'unsafe-telling',
    enforce: 'pre',
    transform(code, id) {
      const file = path.relative(ROOT, id.split('?')[0] ?? id);
      const place = PLACES.find((one) => one.file === file);
      if (place === undefined) return null;
      if (code.split(place.find).length !== 2) throw new Error(`${file}: where its secrets are made has changed`);
      done.add(file);
      const teller = `import { unsafeTell, unsafeTellDraw } from ${JSON.stringify(TELLER)};\n`;
      return { code: teller + code.replace(place.find, place.replace), map: null };
    },
  };
}

/** @param outDir where the page is written; emptied first */
export async function buildTellingPage(outDir: string): Promise<void> {
  const done = new Set<string>();
  await build({
    root: path.join(ROOT, 'apps/web'),
    configFile: path.join(ROOT, 'apps/web/vite.config.ts'),
    logLevel: 'error',
    plugins: [tellingPlugin(done)],
    build: { outDir, emptyOutDir: true, minify: false, reportCompressedSize: false },
  });
  const missing = PLACES.filter(({ file }) => !done.has(file));
  if (missing.length > 0) throw new Error(`not told: ${missing.map(({ file }) => file).join(', ')}`);
}

/** The words by which a telling page is known. */
export const MARKS: readonly string[] = ['unsafeTell', 'unsafe-telling', readFileSync(TELLER, 'utf8').slice(4, 60)];
