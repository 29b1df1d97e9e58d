import { useEffect, useRef } from 'react';
import { errorWords, t } from '../../shell/words.ts';
import { useApp } from '../../ui/app-context.ts';
import { Cross } from '../../ui/icons.tsx';
import { useStore } from '../../ui/use-store.ts';
import type { LedgerTable } from './model.ts';

/** The dark ledger: everything the operator holds of this person, row for row. */
export function Ledger() {
  const { operator, proof, who } = useApp();
  const guest = useStore(who).who === 'guest';
  const development = useStore(proof.state).kind === 'development';
  const { tables, readAtMs, error, marked } = useStore(operator.state);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <aside className="ledger" aria-labelledby="ledger-title">
      <header>
        <div>
          <h2 id="ledger-title" ref={heading} tabIndex={-1}>
            {t('operator.title')}
          </h2>
          <p>{t('operator.lead')}</p>
        </div>
        <button type="button" className="icon-button" aria-label={t('operator.close')} onClick={operator.close}>
          <Cross />
        </button>
      </header>
      <div className="ledger-tables">
        {error !== undefined && <p className="alarm">{errorWords(error)}</p>}
        {tables.map((table) => (
          <LedgerTableView key={table.name} table={table} marked={marked} />
        ))}
      </div>
      <footer>
        <p>
          {guest && `${t('operator.guest')} `}
          {t('operator.reveals')} {development && t('operator.development')}
        </p>
        <p className="note">
          {readAtMs === undefined
            ? t('operator.reading')
            : t('operator.readAt', { time: new Date(readAtMs).toLocaleTimeString() })}{' '}
          {!guest && t('operator.hint')}
        </p>
      </footer>
    </aside>
  );
}

function LedgerTableView({ table, marked }: { table: LedgerTable; marked: string | undefined }) {
  const { name, columns, rows, rowCount } = table;
  return (
    <section>
      <h3>
        {name} <span>{rowCount === 0 ? t('operator.noRows') : t('operator.rows', { count: rowCount })}</span>
      </h3>
      {rows.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table must be scrollable by keyboard
        <div className="table-scroll" tabIndex={0}>
          <table>
            <thead>
              <tr>
                {columns.map((column) => (
                  <th key={column} scope="col">
                    {column}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((row, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: rows have no identity of their own here
                <tr key={index} className={isMarked(row, marked) ? 'marked' : undefined}>
                  {columns.map((column, at) => (
                    <td key={column}>{row[at]}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function isMarked(row: readonly string[], recordId: string | undefined): boolean {
  return recordId !== undefined && row.some((cell) => cell.includes(recordId));
}
