/**
 * Finds one file in a Python package index: PEP 691 JSON where the server speaks it, else PEP 503 HTML. The answer comes
 * from a server and is hostile until parsed; what is downloaded by it is checked against a digest of ours.
 */
import { fetchCapped } from './http-source.ts';

const PAGE_LIMIT_BYTES = 4_000_000;
const PAGE_TIMEOUT_MS = 15_000;
const JSON_TYPE = 'application/vnd.pypi.simple.v1+json';

/**
 * The address of `fileName` in project `project`, or undefined where the index has no such file.
 *
 * @param indexUrl root of the simple API; may hold credentials, which pass on to links on the same host only
 */
export async function findIndexFile(
  indexUrl: string,
  project: string,
  fileName: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const page = new URL(`${indexUrl.replace(/\/+$/, '')}/${project}/`);
  const { status, type, body, url } = await fetchCapped(page.href, {
    accept: `${JSON_TYPE}, text/html;q=0.5`,
    limitBytes: PAGE_LIMIT_BYTES,
    signal: AbortSignal.any([signal, AbortSignal.timeout(PAGE_TIMEOUT_MS)]),
  });
  if (status === 404) return undefined;
  if (status !== 200) throw new Error(`the package index answered ${status}`);
  const link = type.startsWith(JSON_TYPE) ? parseJsonPage(body, fileName) : parseHtmlPage(body, fileName);
  if (link === undefined) return undefined;
  const file = new URL(link, url);
  file.hash = '';
  if (file.protocol !== 'https:' && file.protocol !== page.protocol) return undefined;
  if (file.host === page.host && file.username === '') {
    file.username = page.username;
    file.password = page.password;
  }
  return file.href;
}

/** PEP 691. */
export function parseJsonPage(text: string, fileName: string): string | undefined {
  let page: unknown;
  try {
    page = JSON.parse(text);
  } catch {
    return undefined;
  }
  const files = (page as { files?: unknown } | null)?.files;
  if (!Array.isArray(files)) return undefined;
  for (const file of files as ({ filename?: unknown; url?: unknown } | null)[]) {
    if (file?.filename === fileName && typeof file.url === 'string') return file.url;
  }
  return undefined;
}

/** PEP 503: the text of an anchor is the file's name. */
export function parseHtmlPage(text: string, fileName: string): string | undefined {
  for (const [, attributes, name] of text.matchAll(/<a\s([^>]*)>([^<]*)<\/a>/gi)) {
    if (name?.trim() !== fileName) continue;
    const [, quoted, single] = /\bhref\s*=\s*(?:"([^"]*)"|'([^']*)')/i.exec(attributes ?? '') ?? [];
    const href = quoted ?? single;
    if (href !== undefined) return href.replaceAll('&amp;', '&');
  }
  return undefined;
}
