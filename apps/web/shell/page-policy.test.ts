/** The page must run under its policy: no inline script or style, no HTML from strings, nothing from elsewhere. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';

const WEB = join(import.meta.dirname, '..');
const ADAPTERS = join(WEB, '../../adapters/browser');
const FORBIDDEN = [
  /dangerouslySetInnerHTML/,
  /\.(?:inner|outer)HTML\b/,
  /insertAdjacentHTML|document\.write|setHTMLUnsafe|createContextualFragment|srcdoc/,
  /\beval\(|new Function\(|javascript:/,
  /\bstyle=/,
  /localStorage|sessionStorage/,
  /@import url\(|url\(['"]?(?:https?:)?\/\//,
  /toJSON\(/,
];
/** `page.ts` keeps a few words in web storage; `passkey.ts` says why `toJSON()` is not used. */
const ALLOWED: Readonly<Record<string, RegExp>> = { 'page.ts': /localStorage/, 'passkey.ts': /`toJSON\(\)`/ };

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.(?:tsx?|css|html)$/.test(entry.name) && !entry.name.includes('.test.'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !/[\\/](?:dist|\.cache|node_modules)[\\/]/.test(file));
}

test('no source of the page does what its policy forbids', () => {
  const files = [...sources(WEB), ...sources(ADAPTERS)];
  assert.ok(files.length > 40);
  for (const file of files) {
    const allowed = ALLOWED[file.split(/[\\/]/).at(-1) ?? ''];
    for (const line of readFileSync(file, 'utf8').split('\n')) {
      for (const pattern of FORBIDDEN) assert.ok(!pattern.test(line) || allowed?.test(line), `${file}: ${line.trim()}`);
    }
  }
});

interface Built {
  readonly fileName: string;
  readonly text: string;
  /** The page whose first script it is. */
  readonly entry: string | undefined;
  /** Scripts that are loaded with it, and those that are fetched when someone needs what is in them. */
  readonly imports: readonly string[];
  readonly onDemand: readonly string[];
}

let building: Promise<readonly Built[]> | undefined;

/** The page as it is shipped, built in memory once. */
function built(): Promise<readonly Built[]> {
  building ??= (async () => {
    const result = await build({
      configFile: join(WEB, 'vite.config.ts'),
      logLevel: 'silent',
      build: { write: false },
    });
    assert.ok(!Array.isArray(result) && 'output' in result);
    return result.output.map((file) => ({
      fileName: file.fileName,
      entry: file.type === 'chunk' && file.isEntry ? /[\w-]+\.html$/.exec(file.facadeModuleId ?? '')?.[0] : undefined,
      imports: file.type === 'chunk' ? file.imports : [],
      onDemand: file.type === 'chunk' ? file.dynamicImports : [],
      text: file.type === 'chunk' ? file.code : Buffer.from(file.source).toString(),
    }));
  })();
  return building;
}

test('the built page holds no inline script or style and nothing from elsewhere', async () => {
  const html = (await built()).find((file) => file.fileName === 'index.html')?.text ?? '';
  assert.match(html, /<script type="module"/);
  assert.doesNotMatch(html, /<script(?![^>]*\ssrc=)|<style|\son\w+=|\sstyle=/);
  for (const [, address] of html.matchAll(/(?:src|href)="([^"]*)"/g)) {
    assert.match(address ?? '', /^\/assets\/[\w-]+-[\w-]{8}\.\w+$/);
  }
});

test('the built page holds no preview and no fake', async () => {
  for (const { fileName, text } of await built()) assert.doesNotMatch(text, /F7KQ-2M9D|fakeServices/, fileName);
});

/** The scripts that one page loads at once, and those that it may fetch later: fallbacks of old browsers, the attacks, judges of hardware. */
async function scriptsOf(
  page: string,
): Promise<{ readonly first: readonly Built[]; readonly later: readonly Built[] }> {
  const all = new Map((await built()).map((file) => [file.fileName, file]));
  const reach = (from: readonly string[], leadsTo: (file: Built) => readonly string[]) => {
    const seen = new Set<string>();
    const todo = [...from];
    for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
      const file = all.get(name);
      if (file === undefined || seen.has(name)) continue;
      seen.add(name);
      todo.push(...leadsTo(file));
    }
    return seen;
  };
  const entry = [...all.values()].filter((file) => file.entry === page).map(({ fileName }) => fileName);
  const first = reach(entry, ({ imports }) => imports);
  const whole = reach(entry, ({ imports, onDemand }) => [...imports, ...onDemand]);
  const files = (names: Iterable<string>) => [...names].flatMap((name) => all.get(name) ?? []);
  return { first: files(first), later: files(whole.difference(first)) };
}

const sizeOf = (files: readonly Built[]) => files.reduce((sum, { text }) => sum + gzipSync(text).length, 0);

test('the first load is at most 170 kB of compressed JavaScript', async (t) => {
  const { first, later } = await scriptsOf('index.html');
  t.diagnostic(`${sizeOf(first)} bytes of JavaScript, compressed, and ${sizeOf(later)} on demand`);
  assert.ok(sizeOf(first) > 50_000 && sizeOf(first) <= 170_000, `${sizeOf(first)} bytes`);
  for (const file of later) assert.ok(sizeOf([file]) <= 60_000, `${file.fileName}: ${sizeOf([file])} bytes`);
});

test('the page that judges evidence reaches no network and no storage, in at most 160 kB', async (t) => {
  const { first, later } = await scriptsOf('verify.html');
  t.diagnostic(`${sizeOf(first)} bytes of JavaScript, compressed, and ${sizeOf(later)} on demand`);
  assert.ok(sizeOf(first) > 50_000 && sizeOf(first) <= 160_000, `${sizeOf(first)} bytes`);
  for (const { text, fileName } of [...first, ...later]) {
    assert.doesNotMatch(text, /indexedDB|WebSocket|XMLHttpRequest|\bfetch\(/, fileName);
  }
});
