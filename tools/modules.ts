/**
 * Reads modules: which files there are, what each imports, and where an import leads. Shared by the tools that check
 * the tree. Nothing here runs the code it reads.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { parseSync } from 'rolldown/utils';

/** A node of the syntax tree, as loose as a walker needs it. */
export interface Node {
  type: string;
  start: number;
  end: number;
  [key: string]: unknown;
}

/** One reference from a module to another. */
export interface ImportReference {
  /** What is named; undefined where it is computed at run time. */
  specifier: string | undefined;
  /** `import` (also `export … from`), `dynamic`, `require`, `type` (vanishes when run) or `url` (`new URL(…, import.meta.url)`). */
  kind: 'import' | 'dynamic' | 'require' | 'type' | 'url';
  /** Imported names; undefined for a namespace, a default or a whole module. */
  names: string[] | undefined;
  line: number;
}

export interface SourceModule {
  file: string;
  text: string;
  program: Node;
  imports: ImportReference[];
  lineOf(offset: number): number;
}

const SOURCE = /\.(?:[cm]?[jt]s|[jt]sx)$/;
const SKIPPED_FOLDERS = new Set(['node_modules', 'dist', 'coverage']);

export const isTest = (file: string): boolean => /\.test\.tsx?$/.test(file);

/** What only tests use: `pair-for-testing.ts`, or anything in a folder `testing/`. Never part of the product. */
export const isTestSupport = (file: string): boolean => /-for-testing\.tsx?$|\/testing\//.test(file);

/** Every source file under the folders that exist, sorted; relative to `root`, with `/`. */
export function listSources(root: string, folders: readonly string[]): string[] {
  const found: string[] = [];
  const visit = (folder: string): void => {
    for (const entry of readdirSync(path.join(root, folder), { withFileTypes: true })) {
      const file = `${folder}/${entry.name}`;
      if (entry.isDirectory() && !SKIPPED_FOLDERS.has(entry.name) && !entry.name.startsWith('.')) visit(file);
      else if (entry.isFile() && SOURCE.test(entry.name) && !entry.name.endsWith('.d.ts')) found.push(file);
    }
  };
  for (const folder of folders) if (existsSync(path.join(root, folder))) visit(folder);
  return found.sort();
}

/** Calls `visit` for every node below `node`, parents first; `key` is the field of the parent that holds it. */
export function walk(
  node: Node,
  visit: (node: Node, parent?: Node, key?: string) => void,
  parent?: Node,
  key?: string,
): void {
  visit(node, parent, key);
  for (const [field, value] of Object.entries(node)) {
    if (Array.isArray(value)) {
      for (const item of value) if (isNode(item)) walk(item, visit, node, field);
    } else if (isNode(value)) walk(value, visit, node, field);
  }
}

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';
}

/** The text of a string literal or of a template without holes; undefined for anything else. */
export function literalText(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === 'Literal' && typeof node.value === 'string') return node.value;
  if (node.type !== 'TemplateLiteral' || (node.expressions as Node[]).length > 0) return undefined;
  return ((node.quasis as Node[])[0]?.value as { cooked?: string } | undefined)?.cooked;
}

/**
 * Parses a file.
 * @param file path on disk; its ending chooses the language
 * @param commonJs parse as a CommonJS script (top-level return, sloppy mode)
 * @throws Error with the parser's message where the text is not a program
 */
export function readModule(file: string, commonJs = false): SourceModule {
  const text = readFileSync(file, 'utf8');
  const parsed = parseSync(file, text, commonJs ? { sourceType: 'commonjs' } : {});
  const [error] = parsed.errors;
  if (error !== undefined) throw new Error(`${file}: ${error.message}`);
  const program = parsed.program as unknown as Node;
  const lineStarts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lineStarts.push(at + 1);
  const lineOf = (offset: number): number => {
    let low = 0;
    let high = lineStarts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  };
  return { file, text, program, imports: findImports(program, lineOf), lineOf };
}

function findImports(program: Node, lineOf: (offset: number) => number): ImportReference[] {
  const imports: ImportReference[] = [];
  walk(program, (node) => {
    const add = (source: unknown, kind: ImportReference['kind'], names?: string[]): void => {
      imports.push({ specifier: literalText(source), kind, names, line: lineOf(node.start) });
    };
    if (node.type === 'ImportDeclaration') {
      add(node.source, node.importKind === 'type' ? 'type' : 'import', namesOf(node.specifiers as Node[]));
    } else if (node.type === 'ExportNamedDeclaration' && isNode(node.source)) {
      add(node.source, node.exportKind === 'type' ? 'type' : 'import', namesOf(node.specifiers as Node[]));
    } else if (node.type === 'ExportAllDeclaration') {
      add(node.source, node.exportKind === 'type' ? 'type' : 'import');
    } else if (node.type === 'ImportExpression') {
      add(node.source, 'dynamic');
    } else if (node.type === 'TSImportType') {
      add(node.source, 'type');
    } else if (node.type === 'TSExternalModuleReference') {
      add(node.expression, 'require');
    } else if (node.type === 'CallExpression' && isRequire(node.callee)) {
      add((node.arguments as Node[])[0], 'require');
    } else if (node.type === 'NewExpression' && (node.callee as Node).name === 'URL') {
      const [target, base] = node.arguments as Node[];
      if (base?.type !== 'MemberExpression' || (base.object as Node).type !== 'MetaProperty') return;
      add(target, 'url');
      // To a URL `worker.ts` is what `./worker.ts` is to an import.
      const reference = imports.at(-1);
      if (reference?.specifier !== undefined && !/^[./]|^[a-z]+:/.test(reference.specifier)) {
        reference.specifier = `./${reference.specifier}`;
      }
    }
  });
  return imports;
}

function isRequire(callee: unknown): boolean {
  if (!isNode(callee)) return false;
  if (callee.type === 'Identifier') return callee.name === 'require';
  // require.resolve('x') and import.meta.resolve('x') name a module as well.
  if (callee.type !== 'MemberExpression' || (callee.property as Node).name !== 'resolve') return false;
  const object = callee.object as Node;
  return object.name === 'require' || object.type === 'MetaProperty';
}

function namesOf(specifiers: Node[]): string[] | undefined {
  const names: string[] = [];
  for (const specifier of specifiers) {
    const named = specifier.type === 'ImportSpecifier' ? specifier.imported : specifier.local;
    if (specifier.type !== 'ImportSpecifier' && specifier.type !== 'ExportSpecifier') return undefined;
    names.push(String((named as Node).name ?? (named as Node).value));
  }
  return names;
}

/**
 * Looks a subpath up in a package's `exports`.
 * @param conditions those that hold; without them every branch is taken
 * @returns the targets (relative, `./…`): at most one with conditions, all of them without
 */
export function exportTargets(exports: unknown, subpath: string, conditions?: readonly string[]): string[] {
  const isMap = typeof exports === 'object' && exports !== null && !Array.isArray(exports);
  const keys = isMap ? Object.keys(exports) : [];
  if (!keys.some((key) => key.startsWith('.') || key.startsWith('#'))) {
    return subpath === '.' ? conditionTargets(exports, '', conditions) : [];
  }
  const table = exports as Record<string, unknown>;
  if (subpath in table && !subpath.includes('*')) return conditionTargets(table[subpath], '', conditions);
  const patterns = keys.filter((key) => key.includes('*')).sort((a, b) => b.indexOf('*') - a.indexOf('*'));
  for (const pattern of patterns) {
    const [before = '', after = ''] = pattern.split('*');
    if (subpath.length < pattern.length || !subpath.startsWith(before) || !subpath.endsWith(after)) continue;
    return conditionTargets(table[pattern], subpath.slice(before.length, subpath.length - after.length), conditions);
  }
  return [];
}

function conditionTargets(target: unknown, star: string, conditions?: readonly string[]): string[] {
  if (typeof target === 'string') return [target.replaceAll('*', star)];
  if (Array.isArray(target)) {
    for (const item of target) {
      const found = conditionTargets(item, star, conditions);
      if (found.length > 0) return found;
    }
    return [];
  }
  if (typeof target !== 'object' || target === null) return [];
  const all: string[] = [];
  for (const [condition, value] of Object.entries(target)) {
    if (conditions !== undefined && condition !== 'default' && !conditions.includes(condition)) continue;
    const found = conditionTargets(value, star, conditions);
    if (found.length > 0 && conditions !== undefined) return found;
    all.push(...found);
  }
  return [...new Set(all)];
}

export interface PackageJson {
  name?: string;
  type?: string;
  main?: string;
  module?: string;
  exports?: unknown;
  imports?: unknown;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
}

export function readPackageJson(folder: string): PackageJson | undefined {
  const file = path.join(folder, 'package.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as PackageJson) : undefined;
}

/** Splits `@scope/name/sub/path` into the package's name and `./sub/path` (or `.`). */
export function splitSpecifier(specifier: string): { name: string; subpath: string } {
  const parts = specifier.split('/');
  const name = parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
  return { name, subpath: `.${specifier.slice(name.length)}` };
}

export const isFile = (file: string): boolean => statSync(file, { throwIfNoEntry: false })?.isFile() === true;
