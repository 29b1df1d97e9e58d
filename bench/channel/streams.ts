/** Many answers at once under profile `balanced`: how much later than it was made each token arrives. */
import { startProcess } from '../../tools/harness/process.ts';
import { percentile, round } from '../statistics.ts';
import { cpuMsOf, ownCpuMs } from '../usage.ts';
import { ask, openChannel } from './connect.ts';
import { nowMs, TOKEN_BYTES } from './node-keys.ts';

const EVERY_MS = 20;
const SECONDS = 8;

export async function measureStreams(streams: number): Promise<Record<string, number>> {
  const door = await startProcess<{ url: string }>(new URL('door-process.ts', import.meta.url).pathname, { args: [] });
  const id = door.child.pid as number;
  try {
    const channels = [];
    for (let i = 0; i < streams; i++) channels.push(await openChannel(door.ready.url, { profile: 'balanced' }));
    const [startMs, ownMs, doorMs] = [performance.now(), ownCpuMs(), cpuMsOf(id)];
    const delays: number[] = [];
    await Promise.all(
      channels.map(async (channel, index) => {
        // Not all in the same millisecond, as people are not.
        await new Promise((resolve) => setTimeout(resolve, (index * EVERY_MS * 5) / streams));
        const { body } = ask(channel, { tokens: (SECONDS * 1000) / EVERY_MS, everyMs: EVERY_MS });
        let rest = new Uint8Array(0);
        for await (const part of body) {
          const bytes = rest.length === 0 ? part : Buffer.concat([rest, part]);
          const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
          let at = 0;
          for (; at + TOKEN_BYTES <= bytes.length; at += TOKEN_BYTES) delays.push(nowMs() - view.getFloat64(at));
          rest = new Uint8Array(bytes.subarray(at));
        }
      }),
    );
    const tookMs = performance.now() - startMs;
    const cores = (ms: number) => round(ms / tookMs);
    const result = {
      streams,
      tokens: delays.length,
      'added ms p50': round(percentile(delays, 0.5)),
      'added ms p95': round(percentile(delays, 0.95)),
      'added ms p99': round(percentile(delays, 0.99)),
      'cores used by the node': cores(cpuMsOf(id) - doorMs),
      'cores used by the clients': cores(ownCpuMs() - ownMs),
    };
    for (const channel of channels) channel.close();
    return result;
  } finally {
    await door.stop('SIGKILL');
  }
}
