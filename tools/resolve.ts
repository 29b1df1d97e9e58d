/**
 * Where an import leads on disk, by Node's own rules: our workspaces first, then `exports`, `imports`, `main` and
 * `index.js` of what is installed. For tools that read a program without running it.
 */
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { builtinModules } from 'node:module';
import path from 'node:path';
import { exportTargets, isFile, type PackageJson, readPackageJson, splitSpecifier } from './modules.ts';

export type Resolved =
  | { kind: 'builtin'; name: string }
  | { kind: 'files'; files: string[] }
  | { kind: 'missing'; reason: string };

const BOTH_WAYS = ['node', 'node-addons', 'module-sync'];

export class Resolver {
  readonly #root: string;
  /** Undefined: every branch of our own packages' conditions is followed, not only the one that Node takes. */
  readonly #ownConditions: readonly string[] | undefined;
  readonly #workspaces = new Map<string, string>();
  readonly #manifests = new Map<string, PackageJson | undefined>();

  constructor(root: string, options: { everyBranch: boolean }) {
    this.#root = root;
    this.#ownConditions = options.everyBranch ? undefined : ['import', ...BOTH_WAYS];
    for (const group of ['packages', 'adapters', 'apps']) {
      if (!existsSync(path.join(root, group))) continue;
      for (const name of readdirSync(path.join(root, group))) {
        const folder = path.join(root, group, name);
        const manifest = this.#manifest(folder);
        if (manifest?.name !== undefined) this.#workspaces.set(manifest.name, folder);
      }
    }
  }

  /** The package a file belongs to: the nearest folder with a package.json that names itself, or the nearest at all. */
  packageOf(file: string): { folder: string; manifest: PackageJson } {
    for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
      const manifest = this.#manifest(folder);
      if (manifest !== undefined) return { folder, manifest };
      if (folder === path.dirname(folder)) return { folder, manifest: {} };
    }
  }

  /** Whether Node runs the file as CommonJS. */
  isCommonJs(file: string): boolean {
    if (file.endsWith('.cjs')) return true;
    return file.endsWith('.js') && this.packageOf(file).manifest.type !== 'module';
  }

  /**
   * @param specifier as written
   * @param from absolute path of the importing file
   * @param way `require` follows the conditions and endings of CommonJS
   */
  resolve(specifier: string, from: string, way: 'import' | 'require'): Resolved {
    if (specifier.startsWith('node:')) return { kind: 'builtin', name: specifier };
    if (builtinModules.includes(specifier)) return { kind: 'builtin', name: `node:${specifier}` };
    const conditions = [way, ...BOTH_WAYS];
    if (/^\.{0,2}\//.test(specifier) || specifier === '.' || specifier === '..') {
      return this.#found(specifier, [path.resolve(path.dirname(from), specifier)], way);
    }
    const home = this.packageOf(from);
    if (specifier.startsWith('#')) {
      const targets = exportTargets(home.manifest.imports, specifier, conditions);
      const [target] = targets;
      if (target !== undefined && !target.startsWith('.')) return this.resolve(target, from, way);
      return this.#found(
        specifier,
        targets.map((t) => path.join(home.folder, t)),
        way,
      );
    }
    const { name, subpath } = splitSpecifier(specifier);
    const workspace = this.#workspaces.get(name);
    if (workspace !== undefined) {
      const targets = exportTargets(this.#manifest(workspace)?.exports, subpath, this.#ownConditions);
      return this.#found(
        specifier,
        targets.map((target) => path.join(workspace, target)),
        way,
      );
    }
    const self = home.manifest.name === name && home.manifest.exports !== undefined ? home.folder : undefined;
    const folder = self ?? this.#findInstalled(name, path.dirname(from));
    if (folder === undefined) return { kind: 'missing', reason: `${name} is not installed` };
    const manifest = this.#manifest(folder) ?? {};
    if (manifest.exports !== undefined) {
      const targets = exportTargets(manifest.exports, subpath, conditions);
      return this.#found(
        specifier,
        targets.map((target) => path.join(folder, target)),
        way,
      );
    }
    return this.#found(specifier, [path.join(folder, subpath === '.' ? (manifest.main ?? '.') : subpath)], 'require');
  }

  #found(specifier: string, candidates: readonly string[], way: 'import' | 'require'): Resolved {
    const files = candidates.flatMap((candidate) => this.#onDisk(candidate, way) ?? []);
    if (files.length === 0) return { kind: 'missing', reason: `${specifier} leads nowhere` };
    return { kind: 'files', files: files.map((file) => realpathSync(file)) };
  }

  #onDisk(candidate: string, way: 'import' | 'require'): string | undefined {
    if (isFile(candidate)) return candidate;
    if (way === 'import') return undefined;
    const main = this.#manifest(candidate)?.main;
    const endings = ['.js', '.json', '.node', '/index.js', '/index.json', '/index.node'];
    const places = [...endings.map((ending) => candidate + ending)];
    if (main !== undefined) places.unshift(...['', ...endings].map((ending) => path.join(candidate, main) + ending));
    return places.find(isFile);
  }

  #findInstalled(name: string, from: string): string | undefined {
    for (let folder = from; ; folder = path.dirname(folder)) {
      const candidate = path.join(folder, 'node_modules', name);
      if (existsSync(candidate)) return realpathSync(candidate);
      if (folder === this.#root || folder === path.dirname(folder)) return undefined;
    }
  }

  #manifest(folder: string): PackageJson | undefined {
    if (!this.#manifests.has(folder)) this.#manifests.set(folder, readPackageJson(folder));
    return this.#manifests.get(folder);
  }
}
