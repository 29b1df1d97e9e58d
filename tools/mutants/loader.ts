/**
 * Loaded before everything else by `--import`: gives one file another text when it is loaded, as SOTTO_MUTANT says.
 * The product knows nothing of it: there is no switch in it that an attacker could find. spec/decisions has the reason.
 */
import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';

interface Patch {
  /** Absolute path of the file to change. */
  file: string;
  start: number;
  end: number;
  replacement: string;
}

const given = JSON.parse(process.env.SOTTO_MUTANT ?? '[]') as Patch | Patch[];

// Last first, so that the positions of the earlier ones in the same file stay true.
for (const patch of [given].flat().sort((a, b) => b.start - a.start)) {
  const target = pathToFileURL(patch.file).href;
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (url.split('?')[0] !== target) return loaded;
      const text = typeof loaded.source === 'string' ? loaded.source : new TextDecoder().decode(loaded.source);
      return { ...loaded, source: text.slice(0, patch.start) + patch.replacement + text.slice(patch.end) };
    },
  });
}
