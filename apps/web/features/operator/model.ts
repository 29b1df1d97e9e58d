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

/** Any JSON as tables: a list of objects is a table, an object a table of one row, anything else one cell. */
export function ledgerOf(view: Json): readonly LedgerTable[] {
  if (!isObject(view)) return [tableOf('answer', view)];
  return Object.entries(view).flatMap(([name, value]) => {
    // `{tables: {…}}` is a drawer, not a row: its contents are the tables.
    const drawer = isObject(value) && Object.values(value).length > 0 && Object.values(value).every(Array.isArray);
    if (drawer) return Object.entries(value).map(([inner, rows]) => tableOf(inner, rows));
    return [tableOf(name, value)];
  });
}

function tableOf(name: string, value: Json): LedgerTable {
  const items = Array.isArray(value) ? (value as readonly Json[]) : [value as Json];
  const columns = [...new Set(items.flatMap((item) => (isObject(item) ? Object.keys(item) : ['value'])))];
  const rows = items.map((item) =>
    columns.map((column) => cellOf(isObject(item) ? item[column] : column === 'value' ? item : undefined)),
  );
  return { name, columns, rows };
}

function cellOf(value: Json | undefined): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
