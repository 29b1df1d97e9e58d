/**
 * `sotto operator show`: prints all that the server holds of one account or guest. Reads the database beside a running server,
 * and asks that server for what it keeps in memory.
 */
import { parseArgs } from 'node:util';
import { openDatabaseReadOnly } from './database/open.ts';
import { StartError } from './errors.ts';
import { fetchLive } from './live-socket.ts';
import { listSubjects, operatorView } from './operator.ts';
import { timeText, viewLines } from './operator-text.ts';

try {
  await run(parseCommand());
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

function parseCommand(): { data: string; account: string | undefined; json: boolean } {
  try {
    const { values } = parseArgs({
      options: { data: { type: 'string' }, account: { type: 'string' }, json: { type: 'boolean' } },
    });
    if (values.data === undefined) throw new TypeError('--data DIR is needed');
    return { data: values.data, account: values.account, json: values.json ?? false };
  } catch (error) {
    throw new StartError('flags-invalid', error, 'Use --data DIR [--account ID] [--json].');
  }
}

async function run({ data, account, json }: ReturnType<typeof parseCommand>): Promise<void> {
  const db = openDatabaseReadOnly(data);
  try {
    if (account === undefined) {
      const subjects = await listSubjects(db);
      if (json) print(JSON.stringify(subjects, undefined, 2));
      else if (subjects.length === 0) print('No account and no guest yet.');
      else
        for (const { kind, id, createdAtMs } of subjects)
          print(`${kind.padEnd(8)} ${id}  since ${timeText(createdAtMs)}`);
      return;
    }
    const view = await operatorView(db, account);
    const live = await fetchLive(data, account);
    if (json) print(JSON.stringify({ ...view, ...(live ?? { relay: null, log: null }) }, undefined, 2));
    else
      for (const line of [`Everything this server holds of ${view.subject.kind} ${account}`, ...viewLines(view, live)])
        print(line);
  } finally {
    await db.destroy();
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
