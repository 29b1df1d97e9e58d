/** Bulk from process to process over a WebSocket on the loopback. */
import { fileURLToPath } from 'node:url';
import { startProcess } from '../../tools/harness/process.ts';
import { round } from '../statistics.ts';
import type { BulkFigures } from './bulk-process.ts';

const programOf = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/**
 * By the clock, and by the CPU time of the busier process: what two free cores would give.
 *
 * @param rawMbS AES-256-GCM of node:crypto on one core, in the same run
 */
export async function measureWire(rawMbS: number): Promise<Record<string, number>> {
  const door = await startProcess<{ url: string }>(programOf('door-process.ts'), { args: [] });
  try {
    const args = [door.ready.url, String(door.child.pid)];
    const bulk = await startProcess<BulkFigures>(programOf('bulk-process.ts'), { args, timeoutMs: 120_000 });
    const { bareMbS, mbS, senderMs, receiverMs, bytes } = bulk.ready;
    const per100 = (ms: number) => round((ms * 1e8) / bytes);
    const byCpu = bytes / Math.max(senderMs, receiverMs) / 1000;
    return {
      'MB/s': round(mbS, 0),
      'MB/s by CPU time': round(byCpu, 0),
      'MB/s of a WebSocket with nothing in it': round(bareMbS, 0),
      'sender CPU ms per 100 MB': per100(senderMs),
      'receiver CPU ms per 100 MB': per100(receiverMs),
      ratio: round(mbS / rawMbS),
      'ratio by CPU time': round(byCpu / rawMbS),
      'ratio of a WebSocket with nothing in it': round(bareMbS / rawMbS),
    };
  } finally {
    await door.stop('SIGKILL');
  }
}
