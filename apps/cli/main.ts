/** The commands of `sotto`, and what each of them does with an error: a plain sentence, what to do, an exit code. */
import { readFileSync } from 'node:fs';
import { type ArgsDef, type CommandDef, defineCommand, runCommand } from 'citty';
import { HELP } from './help.ts';
import { EXIT, PlainError } from './plain-error.ts';

const root = defineCommand({
  meta: { name: 'sotto' },
  // Loaded when asked for: `sotto up` must start quickly, and the chat client is large.
  subCommands: {
    up: lazy(async () => (await import('./commands/up.ts')).upCommand),
    chat: lazy(async () => (await import('./commands/chat.ts')).chatCommand),
    operator: lazy(async () => (await import('./commands/operator.ts')).operatorCommand),
    admin: lazy(async () => (await import('./commands/admin.ts')).adminCommand),
    trust: lazy(async () => (await import('./commands/trust.ts')).trustCommand),
    verify: lazy(async () => (await import('./commands/verify.ts')).verifyCommand),
    measure: lazy(async () => (await import('./commands/measure.ts')).measureCommand),
    conformance: lazy(async () => (await import('./commands/conformance.ts')).conformanceCommand),
  },
});

/** A command as the list of commands holds it, whatever its own options are. */
function lazy<Args extends ArgsDef>(load: () => Promise<CommandDef<Args>>): () => Promise<CommandDef> {
  return load as unknown as () => Promise<CommandDef>;
}

/** Runs one command line and sets the exit code. @param words what stands after `sotto` */
export async function main(words: readonly string[]): Promise<void> {
  try {
    if (words.length === 0 || words[0] === 'help' || words.includes('--help') || words.includes('-h')) {
      process.stdout.write(HELP);
    } else if (words[0] === 'version' || words[0] === '--version' || words[0] === '-v') {
      const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')) as {
        version: string;
      };
      process.stdout.write(`sotto ${version} (Node ${process.versions.node})\n`);
    } else {
      await assertKnownOptions(root, words);
      await runCommand(root, { rawArgs: [...words] });
    }
  } catch (error) {
    process.exitCode = report(error);
  }
}

/** citty takes options it does not know in silence: a typing error would change nothing and say nothing. */
async function assertKnownOptions(command: CommandDef, words: readonly string[]): Promise<void> {
  let at: CommandDef | undefined = command;
  let depth = 0;
  while (at?.subCommands !== undefined) {
    const word: string | undefined = words[depth++];
    const below = (await resolved(at.subCommands)) as Record<string, CommandDef | (() => Promise<CommandDef>)>;
    at = word !== undefined && Object.hasOwn(below, word) ? await resolved(below[word]) : undefined;
    if (at === undefined) {
      const path = ['sotto', ...words.slice(0, depth - 1)].join(' ');
      throw new PlainError(
        `\`${path}\` is followed by one of: ${Object.keys(below).join(', ')}.`,
        'See `sotto --help`.',
        EXIT.usage,
      );
    }
  }
  const known = Object.keys((await resolved(at?.args)) ?? {});
  for (const word of words.slice(depth)) {
    const name = /^--(?:no-)?([^=]+)/.exec(word)?.[1];
    if (word === '--') break;
    if (name !== undefined && !known.includes(name)) {
      throw new PlainError(
        `\`sotto ${words.slice(0, depth).join(' ')}\` has no option ${word}.`,
        'See `sotto --help`.',
        EXIT.usage,
      );
    }
  }
}

async function resolved<T>(value: T | Promise<T> | (() => T | Promise<T>) | undefined): Promise<T | undefined> {
  return typeof value === 'function' ? await (value as () => T | Promise<T>)() : await value;
}

function report(error: unknown): number {
  if (error instanceof PlainError) {
    process.stderr.write(`\n${error.message}\n${error.advice}\n`);
    return error.exitCode;
  }
  if (error instanceof Error && error.name === 'CLIError') {
    process.stderr.write(`\n${error.message}\nSee \`sotto --help\`.\n`);
    return EXIT.usage;
  }
  process.stderr.write(
    `\nSomething went wrong that Sotto did not expect.\n${error instanceof Error ? error.stack : String(error)}\n`,
  );
  return EXIT.failed;
}
