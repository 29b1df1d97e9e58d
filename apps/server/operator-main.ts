/**
 * `sotto operator show`: prints all that the server holds of one account or guest. Reads the database beside a running server,
 * and asks that server for what it keeps in memory.
 */
import { parseArgs } from 'node:util';
import { openDatabaseReadOnly } from './database/open.ts';
import { StartError } from './errors.ts';
import { fetchLive } from './live-socket.ts';
import { type LiveView, listSubjects, type OperatorValue, type OperatorView, operatorView } from './operator.ts';

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
        for (const { kind, id, createdAtMs } of subjects) print(`${kind.padEnd(8)} ${id}  since ${time(createdAtMs)}`);
      return;
    }
    const view = await operatorView(db, account);
    const live = await fetchLive(data, account);
    if (json) print(JSON.stringify({ ...view, ...(live ?? { relay: null, log: null }) }, undefined, 2));
    else printView(view, live);
  } finally {
    await db.destroy();
  }
}

function printView({ subject, tables }: OperatorView, live: LiveView | undefined): void {
  print(`Everything this server holds of ${subject.kind} ${subject.id}`);
  for (const { name, rowCount, rows } of tables) {
    print(`\n${name}: ${rowCount} ${rowCount === 1 ? 'row' : 'rows'}`);
    for (const row of rows) {
      print(
        `  ${Object.entries(row)
          .map(([column, value]) => `${column}=${valueText(column, value)}`)
          .join('  ')}`,
      );
    }
  }
  if (live === undefined) {
    print('\nrelay and log: kept in memory by a running server only; none answers on this folder');
    return;
  }
  print(`\nrelay: the last ${live.relay.length} frames`);
  for (const frame of live.relay) {
    print(
      `  ${time(frame.timeMs)}  ${frame.direction.padEnd(9)} ${String(frame.sizeBytes).padStart(6)} bytes  ${frame.firstBytesHex}…`,
    );
  }
  print(`\nlog: ${live.log.length} lines`);
  for (const line of live.log) print(`  ${line}`);
}

function valueText(column: string, value: OperatorValue): string {
  if (value === null) return '—';
  if (typeof value === 'object') return `${value.bytes} bytes ${value.firstBytesHex}${value.bytes > 48 ? '…' : ''}`;
  return typeof value === 'number' && column.endsWith('_ms') ? time(value) : String(value);
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
