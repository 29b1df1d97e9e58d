/**
 * Several connections to the test's PostgreSQL at once, as Kysely wants them: each is a `psql` that stays open. What a query returns comes
 * as JSON, a row a line. For tests of what happens between two transactions; nothing else speaks to PostgreSQL this way.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { PostgresDialect } from 'kysely';

type Row = Record<string, unknown>;

interface Result {
  readonly command: 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE' | 'MERGE';
  readonly rowCount: number;
  readonly rows: Row[];
}

class Connection {
  readonly #psql: ChildProcess;
  readonly #free: (connection: Connection) => void;
  readonly #lines: AsyncIterator<string>;

  constructor(psql: ChildProcess, free: (connection: Connection) => void) {
    this.#psql = psql;
    this.#free = free;
    const output = psql.stdout as NonNullable<ChildProcess['stdout']>;
    this.#lines = createInterface({ input: output })[Symbol.asyncIterator]();
  }

  async query(sql: string, parameters: readonly unknown[] = []): Promise<Result> {
    const full = sql.replace(/\$(\d+)/g, (_, number) => literalOf(parameters[Number(number) - 1]));
    const command = (/^\s*(\w+)/.exec(full)?.[1] ?? '').toUpperCase();
    const asks = command === 'SELECT' || / returning /i.test(full);
    const text = asks ? `with q as (${full}) select row_to_json(q) from q` : full;
    this.#psql.stdin?.write(`${text};\n\\echo done :SQLSTATE\n`);
    const rows: Row[] = [];
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done) throw new Error('psql has ended');
      const end = /^done (\w{5})$/.exec(value)?.[1];
      if (end !== undefined && end !== '00000') throw new Error(`PostgreSQL refused: ${end}`);
      if (end !== undefined) return { command: command as Result['command'], rowCount: rows.length, rows };
      rows.push(rowOf(value));
    }
  }

  release(): void {
    this.#free(this);
  }

  end(): Promise<void> {
    const ended = new Promise<void>((resolve) => this.#psql.once('close', () => resolve()));
    this.#psql.stdin?.end();
    return ended;
  }
}

/** @param command `psql` and its arguments */
export function connectionsTo([program, ...args]: readonly [string, ...string[]]): PostgresDialect {
  const [all, free]: [Connection[], Connection[]] = [[], []];
  const open = () => {
    const psql = spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'] });
    const connection = new Connection(psql, (released) => free.push(released));
    all.push(connection);
    return connection;
  };
  return new PostgresDialect({
    pool: {
      options: {},
      connect: async () => free.pop() ?? open(),
      end: async () => void (await Promise.all(all.map((connection) => connection.end()))),
    } as unknown as ConstructorParameters<typeof PostgresDialect>[0]['pool'],
  });
}

function literalOf(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'number') return String(value);
  if (value instanceof Uint8Array) return `'\\x${Buffer.from(value).toString('hex')}'::bytea`;
  return `'${String(value).replaceAll("'", "''")}'`;
}

/** Bytes come as text that begins with `\x`; no text of the schema does. */
function rowOf(line: string): Row {
  return JSON.parse(line, (_, value) =>
    typeof value === 'string' && value.startsWith('\\x') ? new Uint8Array(Buffer.from(value.slice(2), 'hex')) : value,
  );
}
