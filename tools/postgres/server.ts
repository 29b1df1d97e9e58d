/**
 * A real PostgreSQL for a test: an own cluster in a temporary folder, reached through a Unix socket there and nowhere else,
 * and gone when the test ends. Root may not run one, so root starts it inside a user namespace.
 */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const DEBIAN = '/usr/lib/postgresql';

/** The folder of the newest `initdb`, `pg_ctl` and `psql`: `SOTTO_POSTGRES`, or where Debian puts them. */
export function findPostgres(): string | undefined {
  const given = process.env.SOTTO_POSTGRES;
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [...(given === undefined ? [] : [given]), ...versions.map((name) => path.join(DEBIAN, name, 'bin'))];
  return folders.find((folder) => ['initdb', 'pg_ctl', 'psql'].every((name) => existsSync(path.join(folder, name))));
}

export interface Postgres {
  readonly version: string;
  /** Runs SQL to its end, each statement by itself. @throws with what PostgreSQL said about the first one it refused */
  sql(text: string): Promise<string>;
  /** What opens one connection: reads statements, writes rows, one a line. */
  readonly psql: readonly [string, ...string[]];
  stop(): Promise<void>;
}

/** @param bin from `findPostgres` */
export async function startPostgres(bin: string): Promise<Postgres> {
  const folder = await mkdtemp(path.join(tmpdir(), 'sotto-pg-'));
  await chmod(folder, 0o700);
  const isRoot = process.getuid?.() === 0;
  const call = (name: string, args: string[]) => {
    const program = path.join(bin, name);
    return isRoot ? run('unshare', ['-U', '--map-user=1000', program, ...args]) : run(program, args);
  };
  const data = path.join(folder, 'data');
  const stop = async () => {
    await call('pg_ctl', ['-D', data, '-m', 'immediate', '-w', 'stop']).catch(() => {});
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await call('initdb', ['-D', data, '-U', 'sotto', '--auth=trust', '--no-sync', '-E', 'UTF8', '--locale=C']);
    const settings = `-c listen_addresses= -c unix_socket_directories=${folder} -c fsync=off`;
    await call('pg_ctl', ['-D', data, '-w', '-l', path.join(folder, 'log'), '-o', settings, 'start']);
    const psql = [
      path.join(bin, 'psql'),
      '-h',
      folder,
      '-U',
      'sotto',
      '-d',
      'postgres',
      '-X',
      '-q',
      '-A',
      '-t',
    ] as const;
    const sql = async (text: string) => {
      const [program, ...args] = psql;
      const asking = run(program, [...args, '-v', 'ON_ERROR_STOP=1', '-f', '-'], { maxBuffer: 1 << 24 });
      asking.child.stdin?.end(text);
      return (await asking).stdout.trim();
    };
    return { version: await sql('show server_version;'), sql, psql, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
