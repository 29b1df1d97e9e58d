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
/** `page.ts` keeps two words in web storage; `passkey.ts` says why `toJSON()` is not used. */
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
  /** Fetched only when someone asks for what is in it. */
  readonly lazy: boolean;
  readonly fileName: string;
  readonly text: string;
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
      lazy: file.type === 'chunk' && /[\\/]features[\\/]break[\\/]view\.tsx$/.test(file.facadeModuleId ?? ''),
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

test('the first load is at most 170 kB of compressed JavaScript', async (t) => {
  const scripts = (await built()).filter((file) => file.fileName.endsWith('.js'));
  const sizeOf = (lazy: boolean) =>
    scripts.filter((file) => file.lazy === lazy).reduce((sum, file) => sum + gzipSync(file.text).length, 0);
  const bytes = sizeOf(false);
  t.diagnostic(`${bytes} bytes of JavaScript, compressed, and ${sizeOf(true)} on demand`);
  assert.equal(scripts.filter((file) => file.lazy).length, 1);
  assert.ok(bytes > 50_000 && bytes <= 170_000, `${bytes} bytes`);
});
