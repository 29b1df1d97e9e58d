/** `sotto admin disclose | backup | restore`: what an operator does with the database, as a program of its own. */
import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { backUp } from './backup.ts';
import { openDatabaseReadOnly } from './database/open.ts';
import { disclose, disclosureLines } from './disclose.ts';
import { StartError } from './errors.ts';
import { fetchLive } from './live-socket.ts';
import { RESTORE_WORDS, restore } from './restore.ts';

try {
  await run(parseCommand());
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

interface Command {
  readonly verb: string | undefined;
  /** The account, or the backup's file. */
  readonly what: string;
  readonly data: string;
  /** The server's log file, where one is kept. */
  readonly log: string | undefined;
  readonly json: boolean;
}

function parseCommand(): Command {
  try {
    const text = { type: 'string' } as const;
    const options = { data: text, log: text, json: { type: 'boolean' } } as const;
    const { values, positionals } = parseArgs({ allowPositionals: true, options });
    const [verb, what] = positionals;
    if (values.data === undefined || what === undefined || positionals.length !== 2) throw new TypeError();
    return { verb, what, data: values.data, log: values.log, json: values.json ?? false };
  } catch (error) {
    throw new StartError('flags-invalid', error, 'Use disclose ACCOUNT, backup FILE or restore FILE, with --data DIR.');
  }
}

async function run({ verb, what, data, log, json }: Command): Promise<void> {
  if (verb === 'disclose') {
    const db = openDatabaseReadOnly(data);
    try {
      const logText = log !== undefined && existsSync(log) ? readFileSync(log, 'utf8') : '';
      const disclosure = await disclose(db, what, await fetchLive(data, what), logText);
      print(json ? [JSON.stringify(disclosure, undefined, 2)] : disclosureLines(disclosure));
    } finally {
      await db.destroy();
    }
  } else if (verb === 'backup') {
    const { files, spoiled } = await backUp(data, what);
    print([
      `Written to ${what}: all that this server keeps, ${files} files among it, sealed as it is. Keep it as you keep the server’s disk.`,
      ...(spoiled === 0
        ? []
        : [`${spoiled} files are damaged on this disk and not in the backup. Look for them in an earlier one.`]),
    ]);
  } else if (verb === 'restore') {
    await restore(what, data);
    print(['Restored.', ...RESTORE_WORDS]);
  } else throw new StartError('flags-invalid');
}

function print(lines: readonly string[]): void {
  for (const line of lines) process.stdout.write(`${line}\n`);
}
