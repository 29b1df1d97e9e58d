/** Bulk from process to process over a WebSocket on the loopback. */
import { startProcess } from '../../tools/harness/process.ts';
import { median, round } from '../statistics.ts';
import { cpuMsOf, ownCpuMs } from '../usage.ts';
import { ask, openChannel } from './connect.ts';

const BYTES = 128 * 2 ** 20;

/**
 * Two figures: by the clock, and by the CPU time of the busier process, which is what two free cores would give.
 *
 * @param rawMbS AES-256-GCM of node:crypto on one core, in the same run
 */
export async function measureWire(rawMbS: number): Promise<Record<string, number>> {
  const door = await startProcess<{ url: string }>(new URL('door-process.ts', import.meta.url).pathname, { args: [] });
  try {
    const channel = await openChannel(door.ready.url);
    const [wall, busier, sender, receiver]: [number[], number[], number[], number[]] = [[], [], [], []];
    for (let turn = 0; turn < 5; turn++) {
      const [startMs, ownMs, doorMs] = [performance.now(), ownCpuMs(), cpuMsOf(door.child.pid as number)];
      let bytes = 0;
      for await (const part of ask(channel, { bytes: BYTES, chunk: 262_144 }).body) bytes += part.length;
      if (bytes !== BYTES) throw new Error('the answer is not whole');
      // The first turn compiles.
      if (turn === 0) continue;
      const [mine, theirs] = [ownCpuMs() - ownMs, cpuMsOf(door.child.pid as number) - doorMs];
      wall.push(bytes / (performance.now() - startMs) / 1000);
      busier.push(bytes / Math.max(mine, theirs) / 1000);
      sender.push(theirs);
      receiver.push(mine);
    }
    channel.close();
    const megabytes = BYTES / 1e6;
    return {
      'MB/s by the clock': round(median(wall), 0),
      'MB/s by CPU time': round(median(busier), 0),
      'sender CPU ms per 100 MB': round((median(sender) * 100) / megabytes),
      'receiver CPU ms per 100 MB': round((median(receiver) * 100) / megabytes),
      'ratio by the clock': round(median(wall) / rawMbS),
      'ratio by CPU time': round(median(busier) / rawMbS),
    };
  } finally {
    await door.stop();
  }
}
