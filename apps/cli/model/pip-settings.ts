/**
 * Which Python package index this machine uses, read as pip reads it: environment over configuration files, later files
 * over earlier ones. The files are the person's own. Index addresses may hold credentials: they are never printed.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface PipSettings {
  /** Simple-API roots in the order in which they are asked. */
  readonly indexUrls: readonly string[];
  /** A certificate bundle (PEM file) that pip was told to trust. */
  readonly certificateFile: string | undefined;
  /** Where the first index came from, for messages. */
  readonly source: string;
}

const DEFAULT_INDEX = 'https://pypi.org/simple';
/** Sections that `pip download` reads, the stronger later. */
const SECTIONS = ['global', 'download'];

/** @param readText returns a file's text, or undefined where there is none */
export function loadPipSettings(
  env: NodeJS.ProcessEnv,
  home: string,
  readText: (path: string) => string | undefined = readTextFile,
): PipSettings {
  const values = new Map<string, string>();
  let source = "pip's default";
  for (const path of configurationFiles(env, home)) {
    const text = readText(path);
    if (text === undefined) continue;
    const found = parsePipConfiguration(text);
    if (found.has('index-url')) source = path;
    for (const [key, value] of found) values.set(key, value);
  }
  if (env.PIP_INDEX_URL) source = 'PIP_INDEX_URL';
  const read = (key: string) => env[`PIP_${key.replaceAll('-', '_').toUpperCase()}`] || values.get(key);
  const main = /^(1|true|yes|on)$/i.test(read('no-index') ?? '') ? [] : [read('index-url') ?? DEFAULT_INDEX];
  const extra = (read('extra-index-url') ?? '').split(/\s+/);
  return {
    indexUrls: [...main, ...extra].filter((url) => URL.canParse(url) && /^https?:/.test(url)),
    certificateFile: read('cert'),
    source,
  };
}

/** pip's INI dialect: `[section]`, `key = value` or `key: value`, indented lines continue a value, `_` is `-`. */
export function parsePipConfiguration(text: string): Map<string, string> {
  const sections = new Map<string, Map<string, string>>();
  let section: Map<string, string> | undefined;
  let key: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*([#;].*)?$/.test(line)) continue;
    const header = /^\[([^\]]+)\]/.exec(line)?.[1]?.trim();
    if (header !== undefined) {
      section = sections.get(header) ?? new Map();
      sections.set(header, section);
      key = undefined;
    } else if (/^\s/.test(line) && section !== undefined && key !== undefined) {
      section.set(key, `${section.get(key) ?? ''} ${line.trim()}`.trim());
    } else {
      const [, name, value] = /^([^=:]+)[=:](.*)$/.exec(line) ?? [];
      if (section === undefined || name === undefined || value === undefined) continue;
      key = name.trim().toLowerCase().replaceAll('_', '-');
      section.set(key, value.trim().replace(/^(['"])(.*)\1$/, '$2'));
    }
  }
  const merged = new Map<string, string>();
  for (const name of SECTIONS) for (const [k, v] of sections.get(name) ?? []) merged.set(k, v);
  return merged;
}

function configurationFiles(env: NodeJS.ProcessEnv, home: string): string[] {
  const chosen = env.PIP_CONFIG_FILE;
  if (chosen === '/dev/null') return [];
  const files = [
    ...(env.XDG_CONFIG_DIRS || '/etc/xdg').split(':').map((folder) => join(folder, 'pip', 'pip.conf')),
    '/etc/pip.conf',
    join(home, '.pip', 'pip.conf'),
    join(env.XDG_CONFIG_HOME || join(home, '.config'), 'pip', 'pip.conf'),
  ];
  if (env.VIRTUAL_ENV) files.push(join(env.VIRTUAL_ENV, 'pip.conf'));
  if (chosen) files.push(chosen);
  return files;
}

function readTextFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
