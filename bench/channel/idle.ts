/** What sessions that say nothing cost a real enclave: memory in RAM, the WebSocket included. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseHex } from '@sotto/bytes';
import type { VerifiedChannel } from '@sotto/channel/initiator';
import { startProcess } from '../../tools/harness/process.ts';
import { round } from '../statistics.ts';
import { cpuMsOf, memoryMbOf } from '../usage.ts';
import { openChannel } from './connect.ts';

const AT_ONCE = 20;
const SETTLE_MS = 3000;
const settle = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export async function measureIdle(sessions: number): Promise<Record<string, number>> {
  const data = await mkdtemp(join(tmpdir(), 'sotto-bench-'));
  const args = ['--data', data, '--none', '--sessions', `${sessions + 100}`];
  const program = new URL('../enclave-process.ts', import.meta.url).pathname;
  // As `sotto up` starts it.
  const env = { NODE_OPTIONS: '--max-semi-space-size=4' };
  const enclave = await startProcess<{ url: string; nodeId: string }>(program, { args, env });
  const id = enclave.child.pid as number;
  const url = `${enclave.ready.url.replace('http', 'ws')}/channel`;
  const nodeId = parseHex(enclave.ready.nodeId);
  const channels: VerifiedChannel[] = [];
  const open = async (count: number) => {
    let left = count;
    const worker = async () => {
      while (left-- > 0) channels.push(await openChannel(url, { nodeId }));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  };
  try {
    // What the first sessions cost is code, not sessions.
    await open(100);
    await settle(SETTLE_MS);
    const beforeMb = memoryMbOf(id);
    const [startMs, cpuMs] = [performance.now(), cpuMsOf(id)];
    await open(sessions);
    const [tookMs, usedMs] = [performance.now() - startMs, cpuMsOf(id) - cpuMs];
    await settle(SETTLE_MS);
    return {
      sessions,
      'KiB each': round(((memoryMbOf(id) - beforeMb) * 1024) / sessions, 1),
      'enclave MB before': round(beforeMb, 1),
      'sessions opened per second': Math.round((sessions * 1000) / tookMs),
      'enclave CPU ms per session opened': round(usedMs / sessions),
    };
  } finally {
    for (const channel of channels) channel.close();
    await enclave.stop('SIGKILL');
    await rm(data, { recursive: true, force: true });
  }
}
