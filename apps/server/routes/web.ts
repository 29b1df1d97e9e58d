/** The built web app, file by file from one folder. Paths come from anybody and never leave that folder. */
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Hono } from 'hono';
import { ServerError } from '../errors.ts';
import type { AppEnv, Services } from '../services.ts';

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
};

/** Vite writes the content's hash into these names, so what they hold never changes. */
const HASHED_NAME = /^\/assets\/.+-[\w-]{8}\.\w+$/;
const COMPRESSED = new Set(['.css', '.html', '.js', '.json', '.svg', '.txt', '.wasm', '.webmanifest']);
/** Pages with an address of their own; the app routes every other one by itself. */
const PAGES: ReadonlyMap<string, string> = new Map([
  ['/', '/index.html'],
  ['/verify', '/verify.html'],
]);
const IMMUTABLE = 'public, max-age=31536000, immutable';

export function webRoutes({ webDir }: Services): Hono<AppEnv> {
  /** Compressed once while the server runs; only names that hold their content's hash, so it cannot grow stale. */
  const compressed = new Map<string, Uint8Array<ArrayBuffer>>();
  const compress = (path: string, body: Uint8Array<ArrayBuffer>) => {
    const bytes = compressed.get(path) ?? gzipSync(body);
    if (HASHED_NAME.test(path)) compressed.set(path, bytes);
    return bytes;
  };

  return new Hono<AppEnv>().get('/*', async (c) => {
    const path = PAGES.get(c.req.path) ?? c.req.path;
    // SV-06: `..`, an encoded slash or a hidden name would read files beside the web app.
    if (!/^(\/[\w-][\w.-]*)+$/.test(path)) throw new ServerError('not-found');
    const found = await read(join(webDir, path));
    // The app routes by itself: any path that is no file's name is its first page.
    const body = found ?? (extname(path) === '' ? await read(join(webDir, 'index.html')) : undefined);
    if (body === undefined) throw new ServerError(path === '/index.html' ? 'web-missing' : 'not-found');
    const type = found === undefined ? '.html' : extname(path);
    const headers = {
      'content-type': MEDIA_TYPES[type] ?? 'application/octet-stream',
      'cache-control': HASHED_NAME.test(path) ? IMMUTABLE : 'no-cache',
      vary: 'accept-encoding',
    };
    const takesGzip = /\bgzip\b/.test(c.req.header('accept-encoding') ?? '');
    if (!takesGzip || !COMPRESSED.has(type)) return c.body(body, 200, headers);
    return c.body(compress(path, body), 200, { ...headers, 'content-encoding': 'gzip' });
  });
}

async function read(file: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return new Uint8Array(await readFile(file));
  } catch {
    return undefined;
  }
}
