/**
 * What the operator holds of this person, as the operator's own tool returns it. Nothing is picked or renamed here: every
 * table and every column is shown, so that a column that should not be there shows itself.
 */
import { SottoError } from '@sotto/bytes';
import type { Clock } from '@sotto/ports';
import type { Json } from '../../shell/services.ts';
import { createStore, type ReadableStore } from '../../shell/store.ts';

export interface LedgerTable {
  readonly name: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** All there are; `rows` may hold only the newest. */
  readonly rowCount: number;
}

export interface OperatorState {
  readonly open: boolean;
  readonly tables: readonly LedgerTable[];
  readonly readAtMs: number | undefined;
  readonly error: string | undefined;
  /** Record id of the message under the pointer. */
  readonly marked: string | undefined;
}

export interface OperatorModel {
  readonly state: ReadableStore<OperatorState>;
  open(): void;
  close(): void;
  mark(messageId: string | undefined): void;
}

const REFRESH_MS = 1500;

export function createOperatorModel(ports: { clock: Clock; operatorView: () => Promise<Json> }): OperatorModel {
  const state = createStore<OperatorState>({
    open: false,
    tables: [],
    readAtMs: undefined,
    error: undefined,
    marked: undefined,
  });
  let watching: AbortController | undefined;

  const watch = async (signal: AbortSignal) => {
    while (!signal.aborted) {
      try {
        const tables = ledgerOf(await ports.operatorView());
        if (!signal.aborted) state.patch({ tables, readAtMs: ports.clock.nowMs(), error: undefined });
      } catch (cause) {
        if (!signal.aborted) state.patch({ error: cause instanceof SottoError ? cause.code : 'unexpected' });
      }
      await ports.clock.sleep(REFRESH_MS, signal).catch(() => {});
    }
  };

  return {
    state,
    open: () => {
      if (state.get().open) return;
      watching = new AbortController();
      state.patch({ open: true });
      void watch(watching.signal);
    },
    close: () => {
      watching?.abort();
      state.patch({ open: false, marked: undefined });
    },
    mark: (messageId) => {
      if (state.get().open && state.get().marked !== messageId) state.patch({ marked: messageId });
    },
  };
}

/**
 * Any JSON as tables: a list of objects is a table, an object a table of one row, anything else one cell. A list of
 * `{name, columns, rows}` is a drawer of tables.
 */
export function ledgerOf(view: Json): readonly LedgerTable[] {
  if (!isObject(view)) return [tableOf('answer', view)];
  return Object.entries(view).flatMap(([name, value]) => {
    const items = Array.isArray(value) ? (value as readonly Json[]) : [];
    const drawer = items.length > 0 && items.every(isTable);
    return drawer ? items.filter(isTable).map(drawn) : [tableOf(name, value)];
  });
}

interface GivenTable {
  readonly name: string;
  readonly columns?: readonly string[];
  readonly rowCount?: number;
  readonly rows: readonly Json[];
}

function isTable(value: Json): value is Json & GivenTable {
  return isObject(value) && typeof value.name === 'string' && Array.isArray(value.rows);
}

function drawn(given: GivenTable): LedgerTable {
  const table = tableOf(given.name, given.rows, given.columns);
  return { ...table, rowCount: Math.max(given.rowCount ?? 0, table.rowCount) };
}

function tableOf(name: string, value: Json | readonly Json[], first: readonly string[] = []): LedgerTable {
  const items = Array.isArray(value) ? (value as readonly Json[]) : [value as Json];
  const columns = [
    ...new Set([...first, ...items.flatMap((item) => (isObject(item) ? Object.keys(item) : ['value']))]),
  ];
  const rows = items.map((item) =>
    columns.map((column) => cellOf(isObject(item) ? item[column] : column === 'value' ? item : undefined)),
  );
  return { name, columns, rows, rowCount: rows.length };
}

function cellOf(value: Json | undefined): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  if (isObject(value)) {
    return Object.entries(value)
      .map(([name, inner]) => `${name} ${cellOf(inner)}`)
      .join(', ');
  }
  return JSON.stringify(value);
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
