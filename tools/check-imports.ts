/**
 * The import law of DESIGN §4: arrows only point down the levels. Types count as much as values.
 *
 *   node tools/check-imports.ts
 *
 * What it protects: the two claims that the server cannot open anything and that an auditor has little to read hold
 * only while no file reaches across the tree. Found faults are printed as `file:line: what`, and fail the run.
 */
import { builtinModules } from 'node:module';
import path from 'node:path';
import {
  exportTargets,
  type ImportReference,
  isFile,
  isNode,
  isTest,
  isTestSupport,
  listSources,
  literalText,
  type Node,
  type PackageJson,
  readModule,
  readPackageJson,
  type SourceModule,
  splitSpecifier,
  walk,
} from './modules.ts';

/** Packages by level. A package may import those of lower levels. */
const LEVELS: Record<string, number> = {
  bytes: 0,
  ports: 0,
  crypto: 1,
  wire: 1,
  channel: 2,
  evidence: 2,
  log: 2,
  vault: 2,
  verify: 3,
  client: 4,
};
/** What else may be imported where the levels alone would say otherwise. */
const FORBIDDEN: Record<string, string[]> = {
  channel: ['wire'],
  evidence: ['wire'],
  log: ['wire'],
  vault: ['wire'],
};
const ADAPTERS_MAY_IMPORT = ['bytes', 'ports'];

/** What a package must be given instead of taking it from the air, and what to ask for. */
const AMBIENT: Record<string, string> = Object.fromEntries(
  [
    ...pairs('the page', 'window document navigator location history screen alert confirm prompt customElements'),
    ...pairs('the page', 'HTMLElement Element Event MouseEvent KeyboardEvent requestAnimationFrame matchMedia'),
    ...pairs('the page', 'self postMessage importScripts clients registration'),
    ...pairs('storage: take a RecordStore', 'localStorage sessionStorage indexedDB caches cookieStore'),
    ...pairs('the network: take a port', 'fetch XMLHttpRequest WebSocket EventSource WebTransport RTCPeerConnection'),
    ...pairs('threads: leave them to apps', 'Worker SharedWorker ServiceWorker BroadcastChannel MessageChannel'),
    ...pairs('time: take a Clock', 'performance setTimeout setInterval setImmediate clearTimeout clearInterval'),
    ...pairs('Node', 'process Buffer global __dirname __filename require module exports'),
    ...pairs('output: packages print nothing', 'console'),
  ].map(([word, why]) => [word, why]),
);
function pairs(why: string, words: string): [string, string][] {
  return words.split(' ').map((word) => [word, why]);
}

interface Unit {
  kind: 'package' | 'adapter' | 'app' | 'outside';
  name: string;
  folder: string;
}
const OUTSIDE = ['tools', 'bench', 'e2e', 'examples', 'vectors', 'image'];
const KINDS: Record<string, Unit['kind']> = { packages: 'package', adapters: 'adapter', apps: 'app' };

function unitOf(file: string): Unit {
  const [top = '', name = ''] = file.split('/');
  const kind = KINDS[top];
  if (kind === undefined) return { kind: 'outside', name: top, folder: top };
  return { kind, name, folder: `${top}/${name}` };
}

export interface ImportReport {
  faults: string[];
  files: number;
  imports: number;
}

/**
 * Checks a tree.
 * @param root folder that holds `packages`, `adapters` and `apps`
 */
export function checkImports(root: string): ImportReport {
  const faults: string[] = [];
  const files = listSources(root, [...Object.keys(KINDS), ...OUTSIDE]);
  const manifests = new Map<string, PackageJson>();
  const folderOf = new Map<string, string>();
  for (const { kind, folder } of files.map(unitOf)) {
    if (kind === 'outside' || manifests.has(folder)) continue;
    const manifest = readPackageJson(path.join(root, folder)) ?? {};
    manifests.set(folder, manifest);
    if (manifest.name === undefined) faults.push(`${folder}:1: no package.json with a name`);
    else folderOf.set(manifest.name, folder);
  }
  const edges = new Map<string, Set<string>>();
  let imports = 0;
  for (const file of files) {
    const targets = new Set<string>();
    edges.set(file, targets);
    let module: SourceModule;
    try {
      module = readModule(path.join(root, file));
    } catch (error) {
      faults.push(`${file}:1: cannot be read: ${(error as Error).message}`);
      continue;
    }
    const unit = unitOf(file);
    const free = unit.kind === 'outside' || isTest(file) || isTestSupport(file) || /\.config\.ts$/.test(file);
    if (unit.kind === 'package' && !(unit.name in LEVELS) && unit.name !== 'testkit') {
      faults.push(`${file}:1: package ${unit.name} has no level in tools/check-imports.ts`);
    }
    if (unit.kind === 'package' && unit.name !== 'testkit' && !free) {
      faults.push(...ambientFaults(module, file));
    }
    for (const reference of module.imports) {
      imports++;
      const fault = (text: string): void => {
        faults.push(`${file}:${reference.line}: ${text}`);
      };
      if (reference.specifier === undefined) {
        if (!free && reference.kind !== 'url') fault('computed import: name the module');
        continue;
      }
      const specifier = reference.specifier.replace(/[?#].*$/, '') || reference.specifier;
      if (isBuiltin(specifier)) {
        const reason = free ? undefined : builtinFault(unit, file, specifier);
        if (reason !== undefined) fault(reason);
      } else if (specifier.startsWith('.') || specifier.startsWith('/')) {
        const target = path.posix.join(path.posix.dirname(file), specifier);
        const inside = target.startsWith(`${unit.folder}/`);
        if (specifier.startsWith('/')) fault(`absolute import ${specifier}`);
        else if (!isFile(path.join(root, target))) {
          if (reference.kind !== 'url') fault(`${specifier} does not exist`);
        } else {
          const to = unitOf(target);
          // Node would choose the node variant: a test that wants the browser's has no other way.
          const variant = free && /^packages\/crypto\/[^/]+\.(?:web|node)\.ts$/.test(target);
          if (!inside && !variant && to.kind !== 'outside' && folderHasExports(manifests.get(to.folder))) {
            fault(`${specifier} bypasses the exports of ${to.folder}: import ${manifests.get(to.folder)?.name}`);
          }
          if (!inside) faults.push(...lawFaults(unit, to, file, reference, free));
          if (isTest(target)) fault(`imports a test file, ${target} (name what tests share …-for-testing.ts)`);
          if (isTestSupport(target) && !free) fault(`only tests may import ${target}`);
          if (target !== file) targets.add(target);
        }
      } else {
        const { name, subpath } = splitSpecifier(specifier);
        const folder = folderOf.get(name);
        if (!free && folder !== unit.folder && manifests.get(unit.folder)?.dependencies?.[name] === undefined) {
          fault(`${name} is not among the dependencies of ${unit.folder}/package.json`);
        }
        if (folder === undefined) {
          if (name.startsWith('@sotto/')) fault(`there is no workspace ${name}`);
          if (name.startsWith('@noble/') && !free && unit.name !== 'crypto') {
            fault(`${name}: only packages/crypto may import a crypto library`);
          }
          continue;
        }
        const to = unitOf(`${folder}/index.ts`);
        faults.push(...lawFaults(unit, to, file, reference, free));
        const found = exportTargets(manifests.get(folder)?.exports, subpath);
        if (found.length === 0) fault(`${specifier} is not exported by ${folder}/package.json`);
        for (const relative of found) {
          const target = path.posix.join(folder, relative);
          if (!isFile(path.join(root, target))) fault(`${specifier} leads to ${target}, which does not exist`);
          else if (target !== file) targets.add(target);
        }
        if (!free && unit.kind === 'package' && unit.name !== 'testkit' && !file.endsWith('.node.ts')) {
          if (found.length === 1 && found[0]?.endsWith('.node.ts')) fault(`${specifier} runs in Node alone`);
        }
      }
    }
  }
  for (const cycle of findCycles(edges)) faults.push(`${cycle[0]}:1: import cycle: ${cycle.join(' → ')} → ${cycle[0]}`);
  return { faults, files: files.length, imports };
}

function lawFaults(from: Unit, to: Unit, file: string, reference: ImportReference, free: boolean): string[] {
  if (free || from.folder === to.folder) return [];
  const at = `${file}:${reference.line}: `;
  if (to.kind === 'outside') return [`${at}${from.folder} may not import ${to.folder}`];
  if (to.name === 'testkit' && to.kind === 'package')
    return [`${at}only tests, tools, bench and examples may import testkit`];
  if (to.kind === 'app') return [`${at}nothing imports an app: ${to.folder}`];
  if (from.kind === 'app') return [];
  if (to.kind === 'adapter') return [`${at}only apps may import ${to.folder}`];
  if (from.kind === 'adapter') {
    if (ADAPTERS_MAY_IMPORT.includes(to.name)) return [];
    return [`${at}${from.folder} may import ${ADAPTERS_MAY_IMPORT.join(' and ')} alone, not ${to.name}`];
  }
  if (from.name === 'testkit') return [];
  const fromLevel = LEVELS[from.name] ?? -1;
  const toLevel = LEVELS[to.name] ?? 99;
  if (toLevel >= fromLevel) return [`${at}${from.name} (L${fromLevel}) may not import ${to.name} (L${toLevel})`];
  if (FORBIDDEN[from.name]?.includes(to.name)) return [`${at}${from.name} may not import ${to.name}`];
  return [];
}

function isBuiltin(specifier: string): boolean {
  return specifier.startsWith('node:') || builtinModules.includes(specifier);
}

function builtinFault(unit: Unit, file: string, specifier: string): string | undefined {
  if (!specifier.startsWith('node:')) return `${specifier}: write node:${specifier}`;
  if (unit.kind === 'package' && unit.name === 'crypto' && /^packages\/crypto\/[^/]+\.node\.ts$/.test(file)) {
    return specifier === 'node:crypto' ? undefined : `${specifier}: crypto/*.node.ts may import node:crypto alone`;
  }
  if (unit.kind === 'package' && unit.name !== 'testkit')
    return `${specifier}: packages run anywhere, not in Node alone`;
  if (unit.folder === 'adapters/browser' || unit.folder === 'apps/web')
    return `${specifier}: a browser has no Node modules`;
  return undefined;
}

const folderHasExports = (manifest: PackageJson | undefined): boolean => manifest?.exports !== undefined;

/** Uses of names that the platform puts into every file; a file's own names of the same spelling are no fault. */
function ambientFaults(module: SourceModule, file: string): string[] {
  const declared = declaredNames(module.program);
  const faults: string[] = [];
  const fault = (node: Node, text: string): void => {
    faults.push(`${file}:${module.lineOf(node.start)}: ${text}`);
  };
  const inCrypto = file.startsWith('packages/crypto/');
  walk(module.program, (node, parent, key) => {
    if (node.type === 'MemberExpression' && (node.object as Node).name === 'globalThis') {
      const name = node.computed ? literalText(node.property) : String((node.property as Node).name);
      if (name === undefined) fault(node, 'computed name on globalThis');
      else if (name in AMBIENT) fault(node, `globalThis.${name}: ${AMBIENT[name]}`);
      else if (name === 'crypto' && !inCrypto) fault(node, 'globalThis.crypto: use @sotto/crypto');
    }
    if (node.type === 'MemberExpression' && !node.computed) {
      const spelled = `${(node.object as Node).name}.${(node.property as Node).name}`;
      if (spelled === 'Date.now') fault(node, 'Date.now: take a Clock');
      if (spelled === 'Math.random') fault(node, 'Math.random: take a Random');
    }
    if (node.type === 'NewExpression' && (node.callee as Node).name === 'Date') {
      if ((node.arguments as Node[]).length === 0) fault(node, 'new Date(): take a Clock');
    }
    if (node.type !== 'Identifier' || declared.has(String(node.name)) || !isReference(parent, key)) return;
    const name = String(node.name);
    if (Object.hasOwn(AMBIENT, name)) fault(node, `${name}: ${AMBIENT[name]}`);
    else if (name === 'crypto' && !inCrypto) fault(node, 'crypto: use @sotto/crypto');
  });
  return faults;
}

/** Every name that the file itself binds, wherever in the file. */
function declaredNames(program: Node): Set<string> {
  const names = new Set<string>();
  const bind = (pattern: unknown): void => {
    if (!isNode(pattern)) return;
    if (pattern.type === 'Identifier') names.add(String(pattern.name));
    else if (pattern.type === 'ObjectPattern') (pattern.properties as Node[]).forEach(bind);
    else if (pattern.type === 'ArrayPattern') (pattern.elements as Node[]).forEach(bind);
    else if (pattern.type === 'Property') bind(pattern.value);
    else if (pattern.type === 'AssignmentPattern') bind(pattern.left);
    else if (pattern.type === 'RestElement') bind(pattern.argument);
    else if (pattern.type === 'TSParameterProperty') bind(pattern.parameter);
  };
  walk(program, (node) => {
    if (Array.isArray(node.params)) (node.params as Node[]).forEach(bind);
    bind(node.param);
    bind(node.id);
    if (node.type.startsWith('Import')) bind(node.local);
  });
  return names;
}

/** Whether an identifier stands for a value or a type, and is not merely the name of a member. */
function isReference(parent?: Node, key?: string): boolean {
  if (parent === undefined) return true;
  if (parent.type === 'MemberExpression' && key === 'property') return parent.computed === true;
  if (parent.type === 'TSQualifiedName') return key === 'left';
  if (parent.type === 'MetaProperty') return false;
  if (key === 'key') return parent.computed === true;
  return key !== 'label' && key !== 'imported' && key !== 'exported' && key !== 'local';
}

/** Strongly connected groups of two or more files (Tarjan), each from its first file by name. */
function findCycles(edges: Map<string, Set<string>>): string[][] {
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const cycles: string[][] = [];
  const visit = (file: string): void => {
    order.set(file, order.size);
    low.set(file, order.get(file) ?? 0);
    stack.push(file);
    for (const target of edges.get(file) ?? []) {
      if (!edges.has(target)) continue;
      if (!order.has(target)) visit(target);
      if (stack.includes(target)) low.set(file, Math.min(low.get(file) ?? 0, low.get(target) ?? 0));
    }
    if (low.get(file) !== order.get(file)) return;
    const group = stack.splice(stack.indexOf(file));
    if (group.length > 1) cycles.push(group.sort());
  };
  for (const file of edges.keys()) if (!order.has(file)) visit(file);
  return cycles;
}

function main(): void {
  const report = checkImports(path.join(import.meta.dirname, '..'));
  for (const fault of report.faults) console.error(fault);
  console.log(`imports: ${report.files} files, ${report.imports} imports searched, ${report.faults.length} faults`);
  if (report.files === 0 || report.imports === 0 || report.faults.length > 0) process.exitCode = 1;
}

if (import.meta.main) main();
