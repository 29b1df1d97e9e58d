/**
 * What a program really pulls in, and what that may not hold.
 *
 *   node tools/check-closure.ts            the server's closure, its faults, and what an auditor must read
 *   node tools/check-closure.ts --quiet    the same without the lists
 *   node tools/check-closure.ts --write    also writes docs/audit-path.md
 *   node tools/check-closure.ts --current  also fails when docs/audit-path.md is not what --write would write
 *
 * The claim (DESIGN §4): whatever an attacker makes of the server's own code, there is nothing in it that opens a record
 * or a channel. So its closure holds none of the packages that can, and our files in it name no primitive that decrypts,
 * agrees on a key or loads code that this tool cannot see. Third-party modules are followed on disk; each primitive
 * they name is listed, and one that could decrypt must stand in REVIEWED with a reason.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isFile, literalText, type Node, readModule, type SourceModule, walk } from './modules.ts';
import { Resolver } from './resolve.ts';

export interface ClosureModule {
  /** Path from the root. */
  file: string;
  /** Name and version of the installed package that holds it; undefined for our own. */
  package: string | undefined;
  lines: number;
  /** Files it imports, from the root. */
  imports: string[];
  builtins: string[];
  /** Places where what is imported is computed, `file:line`. */
  computed: string[];
  source: SourceModule | undefined;
}

export interface Closure {
  /** In reading order: what a module needs stands before it. */
  modules: ClosureModule[];
  faults: string[];
}

/**
 * Follows every import from the entries.
 * @param options.types follow imports that vanish when the program runs, and every branch of conditional exports:
 *   right for what a person must read, wrong for what Node loads
 */
export function closureOf(root: string, entries: readonly string[], options: { types: boolean }): Closure {
  const resolver = new Resolver(root, { everyBranch: options.types });
  const modules: ClosureModule[] = [];
  const faults: string[] = [];
  const seen = new Set<string>();
  const visit = (absolute: string): void => {
    if (seen.has(absolute)) return;
    seen.add(absolute);
    const file = path.relative(root, absolute).replaceAll(path.sep, '/');
    const foreign = file.includes('node_modules/');
    const owner = resolver.packageOf(absolute);
    const holder = foreign ? namedOwner(resolver, absolute) : undefined;
    const module: ClosureModule = {
      file,
      package: holder,
      lines: 0,
      imports: [],
      builtins: [],
      computed: [],
      source: undefined,
    };
    if (/\.[cm]?[jt]sx?$/.test(file)) {
      try {
        module.source = readModule(absolute, resolver.isCommonJs(absolute));
      } catch (error) {
        faults.push(`${file}:1: cannot be read: ${(error as Error).message}`);
      }
    } else if (!file.endsWith('.json')) faults.push(`${file}:1: is no script: nobody can read what it does`);
    module.lines = module.source?.text.trimEnd().split('\n').length ?? 0;
    for (const reference of module.source?.imports ?? []) {
      if (reference.kind === 'type' && !(options.types && !foreign)) continue;
      // Code that is run apart (a worker, a child process) is part of the program; pictures and styles are not.
      if (reference.kind === 'url' && !/\.[cm]?[jt]sx?$/.test(reference.specifier ?? '')) continue;
      const place = `${file}:${reference.line}`;
      if (reference.specifier === undefined) {
        module.computed.push(place);
        continue;
      }
      const target = resolver.resolve(
        reference.specifier,
        absolute,
        reference.kind === 'require' ? 'require' : 'import',
      );
      if (target.kind === 'builtin') module.builtins.push(target.name);
      else if (target.kind === 'files') {
        for (const next of target.files) {
          module.imports.push(path.relative(root, next).replaceAll(path.sep, '/'));
          visit(next);
        }
      } else if (!foreign || !isOptional(owner.manifest, reference.specifier))
        faults.push(`${place}: ${target.reason}`);
    }
    modules.push(module);
  };
  for (const entry of entries) {
    if (isFile(path.join(root, entry))) visit(path.join(root, entry));
    else faults.push(`${entry}:1: does not exist`);
  }
  return { modules, faults };
}

function namedOwner(resolver: Resolver, file: string): string {
  let at = file;
  for (;;) {
    const { folder, manifest } = resolver.packageOf(at);
    if (manifest.name !== undefined || folder === path.dirname(folder)) {
      const { name = '?', version = '?' } = manifest as { name?: string; version?: string };
      return `${name} ${version}`;
    }
    at = folder;
  }
}

/** A module that is missing where its package does not promise it (`try { require('bufferutil') }`) is no fault. */
function isOptional(manifest: { dependencies?: Record<string, string> }, specifier: string): boolean {
  if (specifier.startsWith('.')) return false;
  return !Object.keys(manifest.dependencies ?? {}).some(
    (name) => specifier === name || specifier.startsWith(`${name}/`),
  );
}

// --- what the server may not hold --------------------------------------------------------------------------------------

export const SERVER_ENTRY = 'apps/server/main.ts';

const FORBIDDEN_FILES: [pattern: RegExp, why: string][] = [
  [/^packages\/(channel|vault|client|testkit)\//, 'the server holds nothing that opens a channel or a record'],
  [/^packages\/crypto\/(aead|kem|dh|sync)\b/, 'the server holds no cipher and no key agreement'],
];
/** Names that our own code in the server's closure never spells, as a name or as a string. */
const FORBIDDEN_WORDS = new Set(
  `subtle webcrypto createDecipheriv createDecipher privateDecrypt publicDecrypt diffieHellman createECDH
   createDiffieHellman createDiffieHellmanGroup getDiffieHellman decapsulate decapsulateKey decapsulateBits
   eval createRequire getBuiltinModule _load dlopen`.split(/\s+/),
);
const FORBIDDEN_BUILTINS = new Set(
  'node:vm node:module node:worker_threads node:child_process node:cluster node:inspector node:wasi'.split(' '),
);
const COMPUTED_OBJECTS = new Set(['crypto', 'globalThis', 'process', 'global']);

/** Primitives that are listed where a third-party module names them. */
const LISTED_WORDS = new Set(
  `verify digest importKey exportKey sign encrypt generateKey generateKeyPair wrapKey createHash createHmac createVerify
   createSign createCipheriv createPublicKey createPrivateKey randomBytes getRandomValues randomUUID timingSafeEqual
   encapsulate hkdf pbkdf2 scrypt`.split(/\s+/),
);
/** Primitives that open or agree: each use by a third-party module must be reviewed. */
const REFUSED_WORDS = new Set(
  `decrypt deriveBits deriveKey unwrapKey decapsulate decapsulateKey decapsulateBits createDecipheriv createDecipher
   privateDecrypt publicDecrypt diffieHellman createECDH createDiffieHellman getDiffieHellman`.split(/\s+/),
);
/** Reviewed uses: `name version: primitive` and why it opens nothing. A new version is reviewed anew. */
export const REVIEWED: Record<string, string> = {
  '@simplewebauthn/server 14.0.3: decrypt':
    'the name of a TPM attribute bit (TPMA_OBJECT) that registration/verifications/tpm/parsePubArea reads; no function',
};

export interface ServerReport {
  closure: Closure;
  faults: string[];
  /** By package, the primitives that it names. */
  primitives: Map<string, Set<string>>;
}

/** Checks the closure of the server. */
export function checkServer(root: string, reviewed: Record<string, string> = REVIEWED): ServerReport {
  const closure = closureOf(root, [SERVER_ENTRY], { types: false });
  const faults = [...closure.faults];
  const primitives = new Map<string, Set<string>>();
  const used = new Set<string>();
  for (const module of closure.modules) {
    for (const [pattern, why] of FORBIDDEN_FILES)
      if (pattern.test(module.file)) faults.push(`${module.file}:1: ${why}`);
    if (module.source === undefined) continue;
    if (module.package === undefined) {
      faults.push(...module.computed.map((place) => `${place}: computed import: nobody can follow it`));
      faults.push(...ownFaults(module.source, module.file, module.builtins));
      continue;
    }
    const named = primitives.get(module.package) ?? new Set();
    primitives.set(module.package, named);
    for (const [word, line] of spelledWords(module.source)) {
      if (LISTED_WORDS.has(word)) named.add(word);
      if (!REFUSED_WORDS.has(word)) continue;
      named.add(word);
      const key = `${module.package}: ${word}`;
      used.add(key);
      if (reviewed[key] === undefined) faults.push(`${module.file}:${line}: ${key} is not reviewed`);
    }
  }
  for (const key of Object.keys(reviewed)) if (!used.has(key)) faults.push(`REVIEWED lists ${key}, which is not used`);
  return { closure, faults, primitives };
}

function ownFaults(source: SourceModule, file: string, builtins: readonly string[]): string[] {
  const faults: string[] = [];
  for (const name of builtins)
    if (FORBIDDEN_BUILTINS.has(name)) faults.push(`${file}:1: ${name} runs code that is not listed`);
  for (const { specifier, names, kind, line } of source.imports) {
    if (specifier === 'node:crypto' && kind !== 'type' && names === undefined) {
      faults.push(`${file}:${line}: import node:crypto by name, so that what is used can be seen`);
    }
  }
  for (const [word, line] of spelledWords(source))
    if (FORBIDDEN_WORDS.has(word)) faults.push(`${file}:${line}: names ${word}`);
  walk(source.program, (node) => {
    const line = source.lineOf(node.start);
    if (node.type === 'MemberExpression' && node.computed === true && literalText(node.property) === undefined) {
      const object = String((node.object as Node).name);
      if (COMPUTED_OBJECTS.has(object)) faults.push(`${file}:${line}: computed name on ${object}`);
    }
    if (node.type !== 'NewExpression' && node.type !== 'CallExpression') return;
    if ((node.callee as Node).name === 'Function') faults.push(`${file}:${line}: Function makes code from text`);
  });
  return faults;
}

/** Every name and every whole string in a module, with its line; comments do not count. */
function* spelledWords(source: SourceModule): Generator<[word: string, line: number]> {
  const found: [string, number][] = [];
  walk(source.program, (node) => {
    const word = node.type === 'Identifier' ? String(node.name) : literalText(node);
    if (word !== undefined) found.push([word, source.lineOf(node.start)]);
  });
  yield* found;
}

// --- what an auditor must read -----------------------------------------------------------------------------------------

const LINES_A_MINUTE = 15;
const AUDIT_FILE = 'docs/audit-path.md';
const AUDIT_PARTS: [title: string, entry: string, why: string][] = [
  ['Decides trust', 'packages/verify/index.ts', 'Whether a machine is believed is decided here and nowhere else.'],
  [
    'Sees plaintext in the machine',
    'apps/enclave/main.ts',
    'The only program on the other side that sees what was typed.',
  ],
  [
    'Sees plaintext on the device',
    'packages/client/index.ts',
    'The library that seals, sends and opens, on the person’s own device.',
  ],
];

export interface AuditPart {
  title: string;
  entry: string;
  why: string;
  ours: ClosureModule[];
  theirs: Map<string, number>;
  lines: number;
}

/** The files to read, part by part; each file once, where it is needed first. */
export function auditParts(root: string): AuditPart[] {
  const listed = new Set<string>();
  return AUDIT_PARTS.filter(([, entry]) => isFile(path.join(root, entry))).map(([title, entry, why]) => {
    const fresh = closureOf(root, [entry], { types: true }).modules.filter(({ file }) => !listed.has(file));
    for (const { file } of fresh) listed.add(file);
    const ours = fresh.filter((module) => module.package === undefined);
    const theirs = new Map<string, number>();
    for (const { file, package: name, lines } of fresh)
      if (name !== undefined && !isPrebuilt(root, file)) theirs.set(name, (theirs.get(name) ?? 0) + lines);
    return { title, entry, why, ours, theirs, lines: ours.reduce((sum, module) => sum + module.lines, 0) };
  });
}

/** A package for one platform alone: which of them are installed depends on the machine and on npm's version. */
function isPrebuilt(root: string, file: string): boolean {
  const folder = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0];
  if (folder === undefined) return false;
  const manifest = JSON.parse(readFileSync(path.join(root, folder, 'package.json'), 'utf8')) as { os?: unknown };
  return manifest.os !== undefined;
}

const minutes = (lines: number): number => Math.ceil(lines / LINES_A_MINUTE);

/** The text of docs/audit-path.md. */
export function auditText(parts: readonly AuditPart[]): string {
  const total = parts.reduce((sum, part) => sum + part.lines, 0);
  const text = [
    '# The audit path',
    '',
    'Every file of ours that can see plaintext or decide trust, in reading order: what a file needs stands before it.',
    `${total} lines, about ${minutes(total)} minutes at ${LINES_A_MINUTE} lines a minute. Written by \`npm run check-closure -- --write\`.`,
  ];
  for (const part of parts) {
    text.push('', `## ${part.title}: \`${part.entry}\``, '', part.why);
    text.push(`${part.ours.length} files, ${part.lines} lines, about ${minutes(part.lines)} minutes.`, '');
    text.push('| | file | lines | minutes |', '|---:|---|---:|---:|');
    for (const [index, { file, lines }] of part.ours.entries()) {
      text.push(`| ${index + 1} | [${file}](../${file}) | ${lines} | ${minutes(lines)} |`);
    }
    if (part.theirs.size === 0) continue;
    text.push(
      '',
      'Not ours, and part of it (packages prebuilt for one platform left out: they differ from machine to machine):',
      '',
    );
    for (const [name, lines] of [...part.theirs].sort()) text.push(`- ${name} (${lines} lines)`);
  }
  return `${text.join('\n')}\n`;
}

function main(): void {
  const root = path.join(import.meta.dirname, '..');
  const flags = new Set(process.argv.slice(2));
  const quiet = flags.has('--quiet');
  const { closure, faults, primitives } = checkServer(root);
  const ours = closure.modules.filter((module) => module.package === undefined);
  const parts = auditParts(root);
  const text = auditText(parts);
  if (!quiet) {
    console.log(`The closure of ${SERVER_ENTRY}, ours:`);
    for (const { file, lines } of ours) console.log(`  ${file} (${lines})`);
    console.log('Third parties, with every primitive that they name:');
    for (const [name, words] of [...primitives].sort())
      console.log(`  ${name}: ${[...words].sort().join(', ') || 'none'}`);
    for (const { package: name, computed } of closure.modules) {
      if (name !== undefined) for (const place of computed) console.log(`  computed import in ${place}`);
    }
    console.log(`\n${text}`);
  }
  const auditPath = path.join(root, AUDIT_FILE);
  if (flags.has('--write')) writeFileSync(auditPath, text);
  if (flags.has('--current') && (!existsSync(auditPath) || readFileSync(auditPath, 'utf8') !== text)) {
    faults.push(`${AUDIT_FILE}:1: is not current: npm run check-closure -- --write`);
  }
  for (const fault of faults) console.error(fault);
  const [verify] = parts;
  console.log(
    `closure: ${ours.length} files of ours and ${closure.modules.length - ours.length} of ${primitives.size} packages in the server; ` +
      `verify is ${verify?.ours.length ?? 0} files, ${verify?.lines ?? 0} lines; ${faults.length} faults`,
  );
  if (ours.length === 0 || verify === undefined || verify.ours.length === 0 || faults.length > 0) process.exitCode = 1;
}

if (import.meta.main) main();
