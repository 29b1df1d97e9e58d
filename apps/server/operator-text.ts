/** The operator's view as lines of text, for the operator's own tools. */
import type { LiveView, OperatorValue, OperatorView } from './operator.ts';

/** @param live what a running server keeps in memory; undefined when none answers */
export function viewLines({ tables }: OperatorView, live: LiveView | undefined): string[] {
  const lines: string[] = [];
  for (const { name, columns, rowCount, rows } of tables) {
    lines.push(`\n${name}: ${rowCount} ${rowCount === 1 ? 'row' : 'rows'}`);
    for (const row of rows) {
      lines.push(`  ${columns.map((column) => `${column}=${valueText(column, row[column] ?? null)}`).join('  ')}`);
    }
  }
  if (live === undefined) {
    lines.push('\nrelay and log: kept in memory by a running server only; none answers on this folder');
    return lines;
  }
  lines.push(`\nrelay: the last ${live.relay.length} frames`);
  for (const frame of live.relay) {
    lines.push(
      `  ${timeText(frame.timeMs)}  ${frame.direction.padEnd(9)} ${String(frame.sizeBytes).padStart(6)} bytes  ${frame.firstBytesHex}…`,
    );
  }
  lines.push(`\nlog: ${live.log.length} lines`, ...live.log.map((line) => `  ${line}`));
  return lines;
}

export function timeText(ms: number): string {
  return new Date(ms).toISOString();
}

function valueText(column: string, value: OperatorValue): string {
  if (value === null) return '—';
  if (typeof value === 'object') return `${value.bytes} bytes ${value.firstBytesHex}${value.bytes > 48 ? '…' : ''}`;
  return typeof value === 'number' && column.endsWith('_ms') ? timeText(value) : String(value);
}
